"""Whatever is sent, in whatever order, by whomever: does the record stay true? Over HTTP, on the real engine.

The story of a whole course is told act by act; before, beside and instead of its acts come others: the same again,
the same key with other words, other people, other numbers and times, the acts of other parts, two people at one
moment, acts of last week told now, withdrawals, risk, and time that passes. `KAP_CHAOS=40` tells that many courses,
each with about a hundred commands; without it a few. The end says how many there were and what became of them.
Failures print the commands that led there.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from temporalio.client import Client

from api.auth import ACTS
from clinical.people import Role
from clinical.protocol import Protocol
from deploy.demo import SAMPLE, reachable
from deploy.demo_clinic import Clinic, tokens_of
from deploy.local import LocalOptions, LocalSystem
from deploy.rooms import resources
from deploy.tokens import DEMO_SITE, mint
from services.database import Database
from services.encryption import FieldCipher
from services.protocols import load_protocol
from services.records.sql import SqlRecords
from services.temporal import connect
from tests.e2e.any_commands import Act, Answer, Course, Keeper
from tests.e2e.mutations import bent, codes_of, dated, examples_of, near

_log = logging.getLogger(__name__)
COURSES = int(os.environ.get("KAP_CHAOS", "0"))
HARD = COURSES > 0
EXAMPLES, STEPS = (COURSES, 100) if HARD else (4, 30)
AHEAD = [0, 5, 9, 14, 19, 20, 21, 22, 24, 31, 35] if HARD else [0, 9, 21, 21, 24]
"""How many acts of the story are done before anybody disturbs it."""
UNTIL_THE_DOSE = 21

ROUTINE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    derandomize=not HARD,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PASSING_MINUTES = [1, 5, 5, 20, 60, 8 * 60, 24 * 60, *([14 * 24 * 60] if HARD else [])]
SEEDS = st.integers(0, 2**32)
A = TypeVar("A")


@dataclass
class World:
    """One running system and everything that is known of its doors."""

    loop: asyncio.Runner
    keeper: Keeper
    client: Client
    protocol: Protocol
    referral: dict[str, Any]
    records: SqlRecords
    codes: dict[str, list[str]]
    acts: list[tuple[str, str, Any]]
    told: int = 0
    dosed: int = field(default=0)

    def now(self, act: Awaitable[A]) -> A:
        async def awaited() -> A:
            return await act

        return self.loop.run(awaited())


async def _open(stack: AsyncExitStack, loop: asyncio.Runner) -> World:
    system = await stack.enter_async_context(LocalSystem(LocalOptions(virtual_time=True, with_ui=False)))
    key = system.issuer_key
    others = {f"other-{role}": mint(key, role, subject=f"staff-other-{role}") for role in Role}
    tokens = tokens_of(key) | others | {"patient": mint(key, "patient")}
    desk, keeper = Clinic(system.base_url, tokens), Keeper(system.base_url, tokens)
    stack.push_async_callback(keeper.close)
    protocol = load_protocol("iv-racemic")
    await desk.post("/v1/protocols", "medical-director", protocol.model_dump(mode="json"))
    for one in resources():  # every course is told at the same hours: there is room for all of them
        await desk.post(f"/v1/resources/{DEMO_SITE}", "coordinator", {**one, "capacity": 100})
    description = await desk.get("/openapi.json")
    await desk.close()
    database = Database(system.database_url)
    stack.push_async_callback(database.dispose)
    return World(
        loop,
        keeper,
        await connect(system.settings()),
        protocol,
        reachable(json.loads(SAMPLE.read_bytes())),
        SqlRecords(database, FieldCipher.from_settings(system.settings())),
        codes_of(description),
        examples_of(description),
    )


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with asyncio.Runner() as loop:
        stack = AsyncExitStack()
        try:
            yield loop.run(_open(stack, loop))
        finally:
            loop.run(stack.aclose())


class Disturbance(RuleBasedStateMachine):
    """One course, and all that happens beside it."""

    world: World

    @initialize(ahead=st.sampled_from(AHEAD))
    def a_course_begins(self, ahead: int) -> None:
        self.course = self.world.now(self._begin())
        self.world.told += 1
        self.world.now(self.course.go_on(ahead))

    async def _begin(self) -> Course:
        world = self.world
        return Course(world.keeper, world.client, world.protocol, world.referral, world.records)

    def send(self, act: Act) -> Answer:
        return self.world.now(self.world.keeper.send(act))

    def waiting(self) -> Act | None:
        return self.world.now(self.course.next())

    def has_acted(self) -> bool:
        return bool(self.course.heard)

    def tells(self) -> bool:
        return not self.course.over

    def has_begun(self) -> bool:
        return bool(self.course.story.journey_id)

    def earlier(self, seed: int) -> Answer:
        return Random(seed).choice(self.course.heard)

    @precondition(tells)
    @rule(steps=st.integers(1, 3))
    def a_course_goes_on(self, steps: int) -> None:
        self.world.now(self.course.go_on(steps))

    @precondition(has_acted)
    @rule(seed=SEEDS)
    def the_same_request_comes_again(self, seed: int) -> None:
        first = self.earlier(seed)
        again = self.send(first.act)
        assert (again.status, again.body, again.replayed) == (first.status, first.body, True)
        self.world.now(self.course.go_on())

    @precondition(has_acted)
    @rule(seed=SEEDS)
    def the_same_key_comes_with_another_request(self, seed: int) -> None:
        act = self.earlier(seed).act
        other = self.send(Act(act.path, act.by, {"other": seed}, act.headers, act.query, act.key))
        assert (other.status, other.body["code"]) == (422, "idempotency-key-reused")
        self.world.now(self.course.go_on())

    @precondition(has_acted)
    @rule(seed=SEEDS)
    def an_earlier_act_comes_again_as_a_new_one(self, seed: int) -> None:
        act = self.earlier(seed).act
        if not act.path.endswith("/v1/journeys"):
            self.send(act.anew())

    @precondition(has_acted)
    @rule(seed=SEEDS, number=st.integers(0, 7))
    def an_earlier_act_comes_for_another_part(self, seed: int, number: int) -> None:
        act = self.earlier(seed).act
        self.send(act.anew(path=re.sub(r"/\d+/", f"/{number}/", act.path)))

    @precondition(tells)
    @rule(role=st.sampled_from(sorted(Role)))
    def the_next_act_is_tried_by_another(self, role: Role) -> None:
        act = self.waiting()
        if act is not None:
            self.send(act.anew(by=f"other-{role}"))
            self.world.now(self.course.go_on())

    @precondition(tells)
    @rule(seed=SEEDS)
    def the_next_act_is_tried_in_another_form(self, seed: int) -> None:
        act = self.waiting()
        if act is not None and act.path.rpartition("/")[2] != "referrals":
            self.send(act.anew(body=bent(act.body, Random(seed), self.world.codes)))
            self.world.now(self.course.go_on())

    @precondition(tells)
    @rule(seed=SEEDS)
    def the_next_act_is_told_late_or_ahead(self, seed: int) -> None:
        act = self.waiting()
        if act is not None and self.has_begun():
            said = act.anew(body=dated(act.body, self.course.clock.now, Random(seed)))
            self.world.keeper.let_through(self.send(said))

    @precondition(tells)
    @rule(same_key=st.booleans())
    def two_do_the_next_act_at_one_moment(self, same_key: bool) -> None:
        act = self.waiting()
        if act is None or act.path == "/v1/journeys" or act.by == "clinician":
            return
        second = act if same_key else act.anew(by=f"other-{act.by}")

        async def both() -> list[Answer]:
            send = self.world.keeper.send
            return list(await asyncio.gather(send(act), send(second)))

        answers = self.world.now(both())
        done = [answer for answer in answers if answer.accepted]
        if same_key and len(done) == len(answers):
            assert done[0].body == done[1].body
            assert [answer.replayed for answer in done].count(True) == 1
        if act.path.endswith(("/dose", "/discharge", "/dose-end")):
            assert len([answer for answer in done if not answer.replayed]) <= 1, answers
        self.world.keeper.let_through((done or answers)[0])

    @precondition(has_begun)
    @rule(seed=SEEDS)
    def any_act_of_the_table(self, seed: int) -> None:
        random = Random(seed)
        name, path, example = random.choice(self.world.acts)
        fitting = sorted(ACTS.get(name, frozenset(Role)) - {Role.SYSTEM})
        body = near(example, self.course.clock.now, random)
        if random.random() < 0.4:
            body = bent(body, random, self.world.codes)
        if random.random() < 0.3:
            body = dated(body, self.course.clock.now, random)
        plan_hash = self.course.story._plan_hash
        if isinstance(body, dict) and "plan_hash" in body and plan_hash:
            body["plan_hash"] = plan_hash
        etag = {"If-Match": f'"{plan_hash or "0f" * 32}"'}
        self.send(Act(self._filled(path, random), f"other-{random.choice(fitting)}", body, etag))

    def _filled(self, path: str, random: Random) -> str:
        site, ulid = self.course.story.journey_id.removeprefix("journey/").split("/")
        named = {"site": site, "ulid": ulid, "container_id": self.course.story._container or "none"}
        for name in re.findall(r"\{(\w+)\}", path):
            path = path.replace(f"{{{name}}}", named.get(name, str(random.randrange(8))))
        return path

    @precondition(has_begun)
    @rule(
        reason=st.sampled_from(["pause", "resume", "resume", "withdrawal"]),
        by=st.sampled_from(["coordinator", "prescriber"]),
    )
    def the_course_is_held_or_left(self, reason: str, by: str) -> None:
        self.send(Act(f"{self.course.story.path}/{reason}", by, {"reason": "wishes it"}))

    @precondition(has_begun)
    @rule(number=st.integers(1, 3), q6=st.integers(0, 1), part=st.sampled_from(["sessions", "screenings"]))
    def a_positive_answer_comes(self, number: int, q6: int, part: str) -> None:
        answers = {"q1": 1, "q2": 1, "q3": 1, "q4": 1, "q5": 1, "q6": q6}
        forms = {"questionnaires": [{"instrument": "c-ssrs-screener", "answers": answers}]}
        self.send(Act(f"{self.course.story.path}/{part}/{number}/questionnaires", "nurse", forms))

    @precondition(has_begun)
    @rule(
        note=st.sampled_from(["resolution", "acknowledgement"]),
        by=st.sampled_from(["prescriber", "nurse", "therapist"]),
    )
    def somebody_sees_to_the_risk(self, note: str, by: str) -> None:
        cases = self.world.now(self.course.story.journey())["risk_cases"]
        said = {"disposition": "continued-with-monitoring", "note": "spoken with", "without_plan": "no need"}
        for case in cases[-1:]:
            path = f"{self.course.story.path}/risk-cases/{case['case_id']}/{note}"
            self.send(Act(path, by, said if note == "resolution" else {}))

    @precondition(has_acted)
    @rule(same_nurse=st.booleans())
    def the_dose_comes_again(self, same_nurse: bool) -> None:
        doses = [answer.act for answer in self.course.heard if answer.act.path.endswith("/dose")]
        for dose in doses[-1:]:
            again = self.send(dose.anew(by=dose.by if same_nurse else "other-nurse"))
            assert not again.accepted, again

    @rule(minutes=st.sampled_from(PASSING_MINUTES))
    def time_passes(self, minutes: int) -> None:
        self.world.now(self.course.time_passes(minutes))

    def teardown(self) -> None:
        if not hasattr(self, "course"):
            return
        self.world.now(self.course.stop())
        self.world.now(self.course.assert_sound())
        _log.info("course %d is sound, %d commands so far", self.world.told, self.world.keeper.kinds.total())
        self.world.dosed += any(answer.act.path.endswith("/dose") for answer in self.course.heard)


@pytest.mark.timeout(7200 if HARD else 180)
def test_any_commands_leave_the_record_true(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    disturbed = type("Disturbed", (Disturbance,), {"world": world})
    run_state_machine_as_test(disturbed, settings=ROUTINE)
    kinds = world.keeper.kinds
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    counted = f"{world.told} courses, {world.dosed} with a dose, {kinds.total()} commands: {said}"
    with capfd.disabled():
        sys.stderr.write(f"\n{counted}\n")
    assert {"accepted", "replayed", "not-possible-now", "invalid-request"} <= set(kinds), said
    assert kinds.total() >= 20 * EXAMPLES, said
    assert world.dosed > 0 or not HARD


def test_two_nurses_who_record_one_dose_at_one_moment_gave_one(world: World) -> None:
    """The second is told so in words; the drug books have lost the amount once."""

    async def raced() -> None:
        course = Course(world.keeper, world.client, world.protocol, world.referral, world.records)
        await course.go_on(UNTIL_THE_DOSE)
        dose = await course.next()
        assert dose is not None and dose.path.endswith("/sessions/1/dose")
        both = dose, dose.anew(by="other-nurse")
        first, second = await asyncio.gather(*(world.keeper.send(act) for act in both))
        given, refused = sorted((first, second), key=lambda answer: answer.status)
        assert (given.status, refused.status, refused.body["code"]) == (200, 409, "not-possible-now")
        await course.stop()
        entries = await world.records.entries(course.story.journey_id)
        assert [str(entry.fact.kind) for entry in entries].count("dose.given") == 1
        books = f"/v1/custody/{DEMO_SITE}/containers/{dose.body['container_id']}/movements"
        movements = (await world.keeper.get(books, "nurse"))["items"]
        assert [movement["kind"] for movement in movements] == ["received", "drawn"]
        await course.assert_sound()

    world.loop.run(raced())
