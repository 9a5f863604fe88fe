"""A running system is upgraded from the commit before, with a journey in every stage: nothing breaks."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion

from clinical.invariants import violations
from clinical.people import Role
from clinical.protocol import Indication, Protocol
from deploy.demo import SAMPLE, reachable
from deploy.demo_clinic import Clinic, tokens_of
from deploy.demo_story import TIME_ZONE, Story
from deploy.deployment_versions import make_current, move, versions
from deploy.ops import __main__ as ops
from deploy.ops.upgrading import preview
from deploy.rooms import resources
from deploy.tokens import DEMO_SITE
from deploy.virtual_clock import VirtualClock
from deploy.waiting import in_threads
from services.database import Database
from services.encryption import FieldCipher
from services.fhir.bundle import read_referral
from services.protocol_signing import signature_of
from services.protocols import load_protocol
from services.records.sql import SqlRecords
from services.temporal import connect
from tests.e2e.old_build import NEW, OLD, TwoBuilds, tree_before
from tests.services.telemetry.series import total
from workers.left_behind import count_left_behind
from workers.replay_check import running
from workers.replaying import replayed
from workers.versioning import on_version

STAGES = (
    "referred",
    "consultation",
    "screening",
    "planning",
    "preparation",
    "to-book",
    "in-the-chair",
    "follow-up",
)
EARLY = frozenset({"referred", "consultation", "screening", "planning"})
"""These come to the first dose after the upgrade, and end there: what follows is shown by the others."""

LATER = "begun by the old build on the new schema"
MOVED = frozenset({"preparation", "follow-up"})
"""These do not wait for their own next stage: they are moved in the middle of one, after a replay."""


_log = logging.getLogger(__name__)


def _told(said: str) -> None:
    _log.info(said)


class Held(Story):
    """The same story, which stops in one stage until the system was upgraded."""

    def __init__(self, stops_in: str, *given: Any) -> None:
        super().__init__(*given)
        self._stops_in = stops_in
        self.arrived, self.go_on = asyncio.Event(), asyncio.Event()

    async def _in(self, stage: str, chapter: Callable[[], Awaitable[None]]) -> None:
        if stage == self._stops_in:
            self.arrived.set()
            await self.go_on.wait()
        await chapter()

    async def _consult(self) -> None:
        await self._in("referred", super()._consult)

    async def _post(self, path: str, role: str, body: Any = None, **more: Any) -> Any:
        answer = await super()._post(path, role, body, **more)
        if path == "consultation":
            await self._in("consultation", _at_once)
        return answer

    async def _screen(self) -> None:
        await self._in("screening", super()._screen)

    async def _plan(self) -> None:
        await self._in("planning", super()._plan)

    async def _prepare(self) -> None:
        await self._in("preparation", super()._prepare)

    async def _treat(self) -> None:
        if self._stops_in in EARLY:
            await self._post("end", "prescriber", {"reason": "the test has seen enough"})
            return await self.until_over()
        await self._in("to-book", super()._treat)

    async def _watch(self, n: int, given_at: datetime, dose_mg: float) -> None:
        async def watched() -> None:
            await super(Held, self)._watch(n, given_at, dose_mg)

        await self._in("in-the-chair", watched)

    async def _follow_up(self) -> None:
        await self._in("follow-up", super()._follow_up)

    def at(self, clinic: Clinic) -> None:
        self._clinic = clinic


async def _at_once() -> None:
    """Nothing more happens here than to stop."""


def short() -> Protocol:
    """One dose, one preparation, one week of follow-up: as little as has every stage."""
    protocol = load_protocol("iv-racemic")
    first = protocol.schedule.first.model_copy(update={"sessions": 1})
    asked = {"review_after_doses": (1,), "default_stop_after_dose": 1, "final_after_dose": 1}
    sections: dict[str, dict[str, Any]] = {
        "schedule": {"phases": (first,)},
        "decisions": asked,
        "therapy": {"preparation_sessions": 1},
        "monitoring": {"reading_minutes": (10, 40, 85, 100)},
        "follow_up": {"weeks": (2,)},
    }
    changed = {name: getattr(protocol, name).model_copy(update=fields) for name, fields in sections.items()}
    shorter = protocol.model_copy(update=changed)
    signature = signature_of(shorter, "A. Director", datetime.now(UTC), example=True)
    return shorter.model_copy(update={"signature": signature})


@pytest.mark.timeout(600)
async def test_a_running_system_is_upgraded_with_a_journey_in_every_stage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol, raw = short(), SAMPLE.read_bytes()
    async with TwoBuilds(tree_before(tmp_path)) as system:
        client = await connect(system.settings())
        old_door = Clinic(system.base_url, tokens_of(system.issuer_key))
        await _furnish(old_door, protocol)

        def a_story(stops_in: str) -> tuple[Held, asyncio.Task[dict[str, Any]]]:
            record = read_referral(raw).record
            clock = VirtualClock(client)
            story = Held(
                stops_in, old_door, clock, protocol, Indication.DEPRESSION, record, lambda said: None
            )
            return story, asyncio.create_task(story.run(reachable(json.loads(raw))))

        stories = {stage: a_story(stage) for stage in STAGES}
        await _all_arrived(stories)
        _log.info("a journey in every stage")
        await system.migrate_under_the_old()
        stories[LATER] = later = a_story("planning")
        await _all_arrived({LATER: later})

        await system.start_the_new()
        await make_current(system.settings())
        _log.info("the new build is current")
        await count_left_behind(client, "kap-engine")
        if system.old_is_versioned:
            assert total("kap_version_open_runs") >= len(stories)
        door = Clinic(system.base_url, tokens_of(system.issuer_key))
        for story, _ in stories.values():
            story.at(door)
        await _move(client, [stories[stage][0].journey_id for stage in sorted(MOVED)])
        after = await _another_protocol(door, protocol)
        gone_over = stories["to-book"][0].journey_id
        token = tmp_path / "token"
        token.write_text(tokens_of(system.issuer_key)["medical-director"])
        asked = ["migrate", "--api", system.base_url, "--token-file", str(token), "--site", DEMO_SITE]
        asked += ["--protocol", after.canonical, "--json"]
        looked = await _said(capsys, *asked)
        assert {one["outcome"] for one in looked} == {"would-migrate", "refused"}
        [refused] = [one for one in looked if one["outcome"] == "refused"]
        assert refused["journey"] == stories["in-the-chair"][0].journey_id
        assert [reason.partition(":")[0] for reason in refused["reasons"]] == ["MIG-CHAIR"]
        done = await _said(capsys, *asked, "--journey", gone_over, "--confirm", "--reason", "a longer watch")
        assert [one["outcome"] for one in done] == ["migrated"]
        _log.info("moved")
        for story, _ in stories.values():
            story.go_on.set()
        journeys = {stage: await told for stage, (_, told) in stories.items()}
        await old_door.close()
        await door.close()

        for stage, journey in journeys.items():
            ended_early = stage in EARLY or stage == LATER
            assert (journey["stage"], journey["doses"]) == (("ended", 0) if ended_early else ("finished", 1))
        for story, _ in stories.values():
            went_over = story.journey_id == gone_over
            await _is_sound(system, story.journey_id, *((after, protocol) if went_over else (protocol,)))
            assert await _ended_on(client, story.journey_id) == f"kap-engine:{NEW}"
        await _old_is_drained(client, system)
        for name, value in {**system.environment(), "KAP_OPS_API": system.base_url}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("KAP_OPS_TOKEN", tokens_of(system.issuer_key)[Role.OPS])
        shown = await _said(capsys, "versions", "--json")
        assert {one["build"]: one["status"] for one in shown}[NEW] == "current"


async def _all_arrived(stories: dict[str, tuple[Held, asyncio.Task[dict[str, Any]]]]) -> None:
    """Each waits where it should; a story that fails on the way says so at once."""
    for story, told in stories.values():
        arriving = asyncio.create_task(story.arrived.wait())
        await asyncio.wait({arriving, told}, return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            told.result()
        await arriving


async def _furnish(clinic: Clinic, protocol: Protocol) -> None:
    await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol.model_dump(mode="json"))
    for one in resources():  # every story is told at the same hours
        await clinic.post(f"/v1/resources/{DEMO_SITE}", "coordinator", {**one, "capacity": 100})


async def _another_protocol(door: Clinic, before: Protocol) -> Protocol:
    longer = before.discharge.model_copy(
        update={"long_stay_page_minutes": before.discharge.long_stay_page_minutes + 10}
    )
    after = before.model_copy(update={"discharge": longer, "version": "2"})
    signature = signature_of(after, "A. Director", datetime.now(UTC), example=True)
    after = after.model_copy(update={"signature": signature})
    await door.post("/v1/protocols", Role.MEDICAL_DIRECTOR, after.model_dump(mode="json"))
    return after


async def _said(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """What `./dev ops` prints as JSON. It has a loop of its own."""
    capsys.readouterr()
    await asyncio.to_thread(ops.main, words)
    said: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return said


async def _move(client: Client, journeys: list[str]) -> None:
    """Nothing would break; whoever stays in one stage for long is moved in the middle of it, after a replay."""
    courses = await preview(client, [one async for one in running(client, 'ExecutionStatus = "Running"')])
    assert len(courses) == len(STAGES) + 1
    assert {name: course.breaks for name, course in courses.items() if course.breaks} == {}
    for journey_id in journeys:
        query = f'WorkflowId STARTS_WITH "{journey_id}" AND ExecutionStatus = "Running"'
        async for one in replayed(client, [one async for one in running(client, query)]):
            assert not one.failure
            await move(client, one.execution, WorkerDeploymentVersion("kap-engine", NEW))


async def _ended_on(client: Client, journey_id: str) -> str:
    described = await client.get_workflow_handle(journey_id).describe()
    version = described.raw_description.workflow_execution_info.versioning_info.deployment_version
    return f"{version.deployment_name}:{version.build_id}"


async def _is_sound(system: TwoBuilds, journey_id: str, protocol: Protocol, *earlier: Protocol) -> None:
    database = Database(system.database_url)
    try:
        records = SqlRecords(database, FieldCipher.from_settings(system.settings()))
        assert not violations(await records.entries(journey_id), protocol, TIME_ZONE, earlier)
        assert not (await records.verify_chain(journey_id)).objections
    finally:
        await database.dispose()


async def _old_is_drained(client: Client, system: TwoBuilds) -> None:
    """Nothing stands with the old build any more: its workers may go, and nobody misses them."""
    known = {version.build: version for version in await versions(client, "kap-engine")}
    assert known[NEW].status == "current"
    if system.old_is_versioned:
        assert known[OLD].may_be_stopped
    await in_threads(*(worker.stop for worker in system.old_workers))
    on_old = on_version(WorkerDeploymentVersion("kap-engine", OLD))
    assert (await client.count_workflows(f"ExecutionStatus = 'Running' AND {on_old}")).count == 0
    await count_left_behind(client, "kap-engine")
    assert total("kap_version_open_runs") == 0
