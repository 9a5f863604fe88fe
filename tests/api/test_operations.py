"""Many courses at once: looked at, bound by a token, seen by two when they are many, reported one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from api.bulk_desk import work
from api.engine import EngineRefused, EngineUnavailable
from api.engine_resets import FailedStep
from clinical.events import DoseGiven, Entry, JourneyPaused, SessionOpened
from clinical.people import ENGINE, Role
from services.access.views import AuditFilter
from services.bulk import interface
from services.bulk.store import LEASE
from services.notifications.interface import ChannelName
from services.records.interface import Batch
from tests.api.caller import SITE, Person
from tests.api.conftest import Clinic
from workflows.messages import Pause

MANY = f"/v1/operations/{SITE}"
PAUSE = {"act": "pause", "reason": "storm"}


def ops(clinic: Clinic, subject: str = "staff-ops") -> Person:
    return clinic.person(Role.OPS, subject=subject)


async def courses(clinic: Clinic, count: int) -> list[str]:
    """So many open courses: the ids that an act names."""
    addresses = [await clinic.a_journey(f"start-{n}", await clinic.a_patient()) for n in range(count)]
    return [address.rpartition("/")[2] for address in addresses]


async def preview(who: Person, body: dict[str, Any] = PAUSE) -> dict[str, Any]:
    answer = await who.post(MANY, body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def confirm(who: Person, draft: dict[str, Any], key: str, token: str = "") -> httpx2.Response:
    body = {"token": token or draft["token"]}
    return await who.post(f"{MANY}/{draft['operation_id']}/confirmation", body, key=key)


async def test_a_preview_does_nothing_and_its_confirmation_does_exactly_that(clinic: Clinic) -> None:
    first, second, _ = await courses(clinic, 3)
    draft = await preview(ops(clinic), {**PAUSE, "courses": [first, second]})
    assert (draft["status"], draft["needs_second"], len(draft["items"])) == ("draft", False, 2)
    assert not await work(clinic.here)
    begun = await confirm(ops(clinic), draft, "go")
    at = f"{MANY}/{draft['operation_id']}"
    assert (begun.status_code, begun.headers["Location"]) == (202, at)
    assert begun.json()["status"] == "in-progress"
    assert await work(clinic.here)
    report = await ops(clinic).get(at)
    assert (report.status_code, report.json()["status"]) == (200, "completed")
    assert [one["result"] for one in report.json()["items"]] == ["done", "done"]
    told = [(name, command) for name, update, command in clinic.engine.heard if update == "pause"]
    assert {name.rpartition("/")[2] for name, _ in told} == {first, second}
    pause = told[0][1]
    assert isinstance(pause, Pause) and (pause.reason, pause.actor.id) == ("storm", "staff-ops")
    acts = [event.act for event in await clinic.access.audit.events(SITE, AuditFilter())]
    assert acts == ["confirm_operation", "preview_operation"]


async def test_a_changed_selection_is_looked_at_again(clinic: Clinic) -> None:
    (ulid,) = await courses(clinic, 1)
    draft = await preview(ops(clinic))
    journey = f"journey/{SITE}/{ulid}"
    fact = JourneyPaused(reason="travelling", review_at=datetime.now(UTC) + timedelta(days=14))
    entry = Entry(key="journey:other:paused", occurred_at=datetime.now(UTC), actor=ENGINE, fact=fact)
    await clinic.records.append(Batch(journey_id=journey, entries=(entry,)))
    answer = await confirm(ops(clinic), draft, "go")
    assert (answer.status_code, answer.json()["code"]) == (412, "selection-changed")
    answer = await confirm(ops(clinic), draft, "made up", "0f" * 32)
    assert (answer.status_code, answer.json()["code"]) == (412, "selection-changed")
    assert not await work(clinic.here)


async def test_many_courses_need_a_second_person(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "ALONE", 1)
    for module in ("services.bulk.store", "api.routes.operations"):
        monkeypatch.setattr(f"{module}.ALONE", 1)
    await courses(clinic, 2)
    mine, other = ops(clinic), ops(clinic, "staff-other")
    draft = await preview(mine)
    assert draft["needs_second"]
    approval = f"{MANY}/{draft['operation_id']}/approval"
    for refused in (
        await confirm(mine, draft, "alone"),
        await mine.post(approval, {"token": draft["token"]}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "second-person-required")
    assert (await other.post(approval, {"token": draft["token"]})).status_code == 200
    refused = await confirm(other, draft, "both by one")
    assert (refused.status_code, refused.json()["code"]) == (403, "second-person-required")
    assert (await confirm(mine, draft, "two")).status_code == 202


async def test_what_failed_is_reported_and_only_that_is_tried_again(clinic: Clinic) -> None:
    await courses(clinic, 3)
    draft = await preview(ops(clinic))
    bad = draft["items"][1]["journey_id"]
    clinic.engine.refuses["pause"] = EngineRefused("on-hold", "the course is on hold already", {})
    await confirm(ops(clinic), draft, "go")
    await work(clinic.here)
    at = f"{MANY}/{draft['operation_id']}"
    report = await ops(clinic).get(at)
    assert (report.status_code, [one["problem"] for one in report.json()["items"]]) == (207, ["on-hold"] * 3)
    del clinic.engine.refuses["pause"]
    tried = await _hears(clinic, draft, fails=bad)
    assert len(tried) == 3
    report = await ops(clinic).get(at)
    assert [one["result"] for one in report.json()["items"]] == ["done", "failed", "done"]
    assert report.json()["items"][1]["problem"] == "engine-unavailable"
    again = await _hears(clinic, draft, fails="")
    assert [name for name, _ in again] == [bad]
    assert again[0][1] == next(key for name, key in tried if name == bad)
    assert (await ops(clinic).get(at)).status_code == 200


async def _hears(clinic: Clinic, draft: dict[str, Any], fails: str) -> list[tuple[str, str]]:
    """Confirm again and carry out, while the engine does not answer for one course: what it is told, with the keys."""
    engine, told = clinic.engine, []
    told_before = engine.command

    async def command(workflow_id: str, update: str, message: Any, answer: Any) -> Any:
        told.append((workflow_id, message.key))
        if workflow_id == fails:
            raise EngineUnavailable
        return await told_before(workflow_id, update, message, answer)

    engine.command = command  # type: ignore[method-assign]
    await confirm(ops(clinic), draft, f"again-{fails}")
    await work(clinic.here)
    engine.command = told_before  # type: ignore[method-assign]
    return told


async def test_what_a_dead_process_leaves_another_goes_on_with(clinic: Clinic) -> None:
    await courses(clinic, 2)
    draft = await preview(ops(clinic))
    await confirm(ops(clinic), draft, "go")
    now = datetime.now(UTC)
    taken = await clinic.here.bulk.take(now)
    assert taken is not None
    assert await clinic.here.bulk.take(now) is None
    one = taken.items[0].model_copy(update={"result": "done"})
    await clinic.here.bulk.note(taken, one, now)
    left = await clinic.here.bulk.take(now + LEASE)
    assert left is not None and [item.result for item in left.items] == ["done", None]


async def test_patients_are_asked_once_to_call(clinic: Clinic) -> None:
    await courses(clinic, 1)
    draft = await preview(ops(clinic), {"act": "notify", "reason": "lot-recall"})
    await confirm(ops(clinic), draft, "go")
    await work(clinic.here)
    sent = clinic.outgoing[ChannelName.EMAIL].sent + clinic.outgoing[ChannelName.SMS].sent
    item = (await ops(clinic).get(f"{MANY}/{draft['operation_id']}")).json()["items"][0]
    if item["result"] is None:  # it is night in New York
        assert (item["not_before"] is not None, sent) == (True, [])
        return
    assert (item["result"], len(sent)) == ("done", 1)
    assert "call us" in sent[0].body


async def test_operations_do_not_resume_treatment(clinic: Clinic) -> None:
    answer = await ops(clinic).post(MANY, {"act": "resume", "reason": "storm"})
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")


async def test_nothing_is_previewed_where_nothing_fits(clinic: Clinic) -> None:
    answer = await ops(clinic).post(MANY, {**PAUSE, "stage": "treating"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-possible-now")


async def test_a_failed_step_is_taken_up_with_a_reason(clinic: Clinic) -> None:
    (ulid,) = await courses(clinic, 1)
    course, address = f"journey/{SITE}/{ulid}", f"/v1/journeys/{SITE}/{ulid}/reset"
    answer = await ops(clinic).post(address, {"reason": "the release"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-possible-now")
    clinic.engine.failed[course] = FailedStep(course, "run", to_event=7, since=datetime.now(UTC))
    answer = await ops(clinic).post(address, {"reason": "the release"})
    assert (answer.status_code, answer.json()["did"]) == (200, "run-reset")
    clinic.engine.failed[f"{course}/session/1"] = FailedStep(f"{course}/session/1", "run", activity="4")
    answer = await ops(clinic).post(address, {"reason": "mail is back", "part": "session/1"})
    assert answer.json()["did"] == "activity-tried-again"
    assert [reason for _, reason in clinic.engine.taken_up] == ["the release", "mail is back"]
    noted = await clinic.access.audit.events(SITE, AuditFilter(act="reset_workflow"))
    assert [(one.object_id, one.part) for one in noted] == [
        (f"{course}/session/1", "activity/4"),
        (course, "event/7"),
    ]


async def test_a_reset_never_goes_behind_a_part_that_has_begun(clinic: Clinic) -> None:
    (ulid,) = await courses(clinic, 1)
    course = f"journey/{SITE}/{ulid}"
    clinic.engine.failed[course] = FailedStep(
        course, "run", to_event=7, since=datetime.now(UTC), parts_since=True
    )
    answer = await ops(clinic).post(f"/v1/journeys/{SITE}/{ulid}/reset", {"reason": "the release"})
    assert (answer.status_code, clinic.engine.taken_up) == (409, [])


async def test_a_reset_never_goes_behind_a_dose(clinic: Clinic) -> None:
    """The engine would no longer know of somebody in the chair, and the record would contradict it for ever."""
    (ulid,) = await courses(clinic, 1)
    course, address = f"journey/{SITE}/{ulid}", f"/v1/journeys/{SITE}/{ulid}/reset"
    given_at = datetime.now(UTC)
    dose = DoseGiven(
        session=1, dose_id="session/1/dose/1", dose_mg=Decimal(35), given_at=given_at, plan_hash="0f" * 32,
        lot="LOT-1", checked_by="staff-second",
    )  # fmt: skip
    opened = SessionOpened(session=1, plan_hash="0f" * 32, earliest_at=given_at)
    entries = tuple(
        Entry(key=f"session/1:{fact.kind}", occurred_at=given_at, actor=ENGINE, fact=fact)
        for fact in (opened, dose)
    )
    await clinic.records.append(Batch(journey_id=course, entries=entries))
    clinic.engine.failed[course] = FailedStep(
        course, "run", to_event=7, since=given_at - timedelta(minutes=1)
    )
    answer = await ops(clinic).post(address, {"reason": "the release"})
    assert (answer.status_code, "a dose was given since" in answer.json()["detail"]) == (409, True)
    clinic.engine.failed[course] = FailedStep(course, "run", to_event=7, since=None)
    assert (await ops(clinic).post(address, {"reason": "the release"})).status_code == 409
    assert clinic.engine.taken_up == []
    later = datetime.now(UTC) + timedelta(minutes=1)
    clinic.engine.failed[course] = FailedStep(course, "run", to_event=7, since=later)
    assert (await ops(clinic).post(address, {"reason": "the release"})).status_code == 200


async def test_what_was_asked_of_the_engine_stands_in_the_chain_of_each_site(clinic: Clinic) -> None:
    both = clinic.person(Role.AUDITOR, Role.OPS, sites=(SITE, "site-b"))
    stuck = {"command": "stuck", "about": "query/failing", "found": 2}
    answer = await both.post("/v1/ops-commands", stuck)
    assert (answer.status_code, answer.json()) == (201, {"sites": [SITE, "site-b"]})
    journey = f"journey/{SITE}/{'0' * 26}"
    why = {"command": "why", "about": journey, "site": SITE, "failed": True}
    assert (await ops(clinic).post("/v1/ops-commands", why)).status_code == 201
    noted = await clinic.access.audit.events(SITE, AuditFilter())
    assert [(one.act, one.object_id, one.part, one.outcome) for one in noted] == [
        ("ops_why", journey, None, "8"),
        ("ops_stuck", "query/failing", "found/2", "0"),
    ]
    assert {(one.actor_id, one.purpose) for one in noted} >= {("staff-ops", "HOPERAT")}
    for site, length in ((SITE, 2), ("site-b", 1)):
        verdict = await clinic.access.audit.verify(site)
        assert (verdict.whole, verdict.last_seq) == (True, length)


async def test_what_cannot_be_noted_everywhere_is_noted_nowhere(clinic: Clinic) -> None:
    """The database goes away between the chains of two sites."""
    sites = (SITE, "site-b")
    stuck = {"command": "stuck", "about": "query/failing", "found": 2}
    both = clinic.person(Role.OPS, sites=sites)
    ends = "BEGIN RAISE 'going down' USING ERRCODE = '57P01'; END"
    there = "AFTER INSERT ON audit_event FOR EACH ROW WHEN (new.site = 'site-b')"
    for statement in (
        f"CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ {ends} $$",
        f"CREATE TRIGGER away {there} EXECUTE FUNCTION away()",
    ):
        async with clinic.database.transaction() as session:
            await session.execute(text(statement))
    answer = await both.post("/v1/ops-commands", stuck, key="k1")
    assert (answer.status_code, answer.json()["code"]) == (503, "records-unavailable")
    assert [await clinic.access.audit.counts(site) for site in sites] == 2 * [{"all": 0}]
    async with clinic.database.transaction() as session:
        await session.execute(text("DROP TRIGGER away ON audit_event"))
    assert (await both.post("/v1/ops-commands", stuck, key="k1")).status_code == 201
    assert [await clinic.access.audit.counts(site) for site in sites] == 2 * [{"all": 1}]


@pytest.mark.parametrize("about", ["Ada Example", "person/Ada", "journey/a b", "journey/"])
async def test_no_words_come_into_the_audit(clinic: Clinic, about: str) -> None:
    answer = await ops(clinic).post("/v1/ops-commands", {"command": "why", "about": about, "site": SITE})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/about")
    assert await clinic.access.audit.events(SITE, AuditFilter()) == []
