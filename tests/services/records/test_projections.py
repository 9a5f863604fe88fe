"""Does every fact leave the read models true, in whatever order facts come?"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical import events
from clinical.events import Fact, JourneyStarted, JourneyStatus
from clinical.journey import FINAL, Move, Stage
from clinical.people import Role
from clinical.risk import RiskLevel
from services.records.project_course import status_of
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords
from services.records.task_queries import TaskFilter
from services.records.wording import line
from tests.services.records.builders import PRESCRIBER, SITE, START, a_journey, add
from tests.services.records.facts import (
    KINDS,
    LATER,
    SAMPLES,
    WORDS,
    a_consent,
    a_dose,
    a_risk_case,
    a_task,
    an_approved_plan,
    an_observation,
)

AFTER_START = tuple(fact for fact in SAMPLES if not isinstance(fact, JourneyStarted))
SITES = [SITE]


def test_there_is_a_sample_of_every_kind() -> None:
    assert {fact.kind for fact in SAMPLES} == KINDS
    assert len(SAMPLES) == len(KINDS)


@pytest.mark.parametrize("fact", SAMPLES, ids=lambda fact: fact.kind)
def test_every_kind_reads_as_one_plain_line(fact: Fact) -> None:
    text = line(fact, ZoneInfo("America/New_York"))
    assert text
    assert text == " ".join(text.split())
    assert "=" not in text
    assert "None" not in text


def test_lines_say_what_a_reader_looks_for() -> None:
    zone = ZoneInfo("America/New_York")
    lines = {fact.kind: line(fact, zone) for fact in SAMPLES}
    assert lines["questionnaire.scored"] == "PHQ-9: 14 (moderate); suicide item positive"
    assert lines["dose.ordered"] == "Dose ordered for session 1: 36.5 mg over 40 min"
    assert lines["dose.given"] == "Dose given in session 1: 36.5 mg (0.5 mg/kg at 73 kg), lot LOT-1"
    assert lines["consultation.booked"] == "Consultation booked for 2026-03-02 09:00"
    assert lines["task.overdue"] == "Task overdue, escalated to medical director"


async def test_every_kind_can_be_the_first_after_the_start(
    records: SqlRecords, queries: RecordQueries
) -> None:
    for fact in AFTER_START:
        journey_id = await a_journey(records)
        await add(records, journey_id, fact)
        assert (await records.entries(journey_id))[1].fact == fact
        assert (await queries.journey(SITES, journey_id)).last_seq == 2
        assert (await queries.timeline(SITES, journey_id))[1].kind == fact.kind


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(AFTER_START))
async def test_no_order_of_facts_is_refused(
    records: SqlRecords, queries: RecordQueries, order: list[Fact]
) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, *order, *order)
    assert len(await queries.timeline(SITES, journey_id, limit=500)) == 1 + 2 * len(AFTER_START)
    assert len((await queries.session(SITES, journey_id, 1)).doses) == 1
    await add(
        records,
        journey_id,
        events.JourneyClosed(stage=Stage.ENDED, reason="x", sessions_completed=0, doses=0),
    )


async def test_a_course_moves_pauses_and_ends(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records)
    assert (await queries.journey(SITES, journey_id)).status == "planned"
    await add(
        records,
        journey_id,
        events.StageChanged(
            left=Stage.CONSULTATION, entered=Stage.SCREENING, move=Move.PROCEED, reason="fit"
        ),
        events.JourneyPaused(reason="storm", review_at=LATER),
    )
    paused = await queries.journey(SITES, journey_id)
    assert (paused.stage, paused.status, paused.on_hold, paused.review_at) == (
        "screening",
        "onhold",
        True,
        LATER,
    )
    await add(records, journey_id, events.JourneyResumed(reason="sun"))
    assert (await queries.journey(SITES, journey_id)).status == "active"
    end = events.JourneyClosed(stage=Stage.FINISHED, reason="done", sessions_completed=0, doses=0)
    await add(records, journey_id, end, at=LATER)
    ended = await queries.journey(SITES, journey_id)
    assert (ended.status, ended.closed_at, ended.on_hold) == ("finished", LATER, False)


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("on_hold", [True, False])
def test_status_follows_the_stage(stage: Stage, on_hold: bool) -> None:
    status = status_of(stage, on_hold=on_hold)
    assert (status in {JourneyStatus.FINISHED, JourneyStatus.CANCELLED}) == (stage in FINAL)
    assert (status is JourneyStatus.ON_HOLD) == (on_hold and stage not in FINAL)


async def test_doses_and_finished_sessions_are_counted_once(
    records: SqlRecords, queries: RecordQueries
) -> None:
    journey_id = await a_journey(records)
    booster = a_dose(1, dose_id="dose-1b", booster=True)
    closed = [events.SessionClosed(session=n, status="finished", reason="done") for n in (1, 2)]
    missed = events.SessionClosed(session=3, status="noshow", reason="did not come")
    await add(records, journey_id, a_dose(1), booster, a_dose(2), closed[0], *closed, missed)
    journey = await queries.journey(SITES, journey_id)
    assert (journey.doses, journey.sessions_completed) == (3, 2)
    assert [(s.status, s.booking_status) for s in journey.sessions] == [
        ("finished", "fulfilled"),
        ("finished", "fulfilled"),
        ("cancelled", "noshow"),
    ]


async def test_an_amended_observation_keeps_its_original(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, an_observation("a"), an_observation("b", amends="a"))
    original, amended = (await queries.session(SITES, journey_id, 1)).observations
    assert (original.status, original.amended_by) == ("final", "b")
    assert (amended.status, amended.amends) == ("amended", "a")
    assert amended.reading.systolic_mmhg == 128


async def test_a_new_consent_stands_in_for_the_old_and_withdrawal_ends_it(
    records: SqlRecords, queries: RecordQueries
) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, a_consent("2025-01"), a_consent("2026-01"))
    given = (await queries.journey(SITES, journey_id)).consent
    assert given is not None
    assert (given.status, given.document_version, given.withdrawn_at) == ("active", "2026-01", None)
    await add(records, journey_id, events.ConsentWithdrawn(channel="phone", reason="enough"), at=LATER)
    await add(
        records,
        journey_id,
        events.ConsentWithdrawn(channel="mail", reason="again"),
        at=LATER + timedelta(days=1),
    )
    withdrawn = (await queries.journey(SITES, journey_id)).consent
    assert withdrawn is not None
    assert (withdrawn.status, withdrawn.withdrawn_at, withdrawn.withdrawal_reason) == (
        "inactive",
        LATER,
        "enough",
    )


async def test_an_approved_amendment_replaces_the_plan(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records)
    proposed = events.PlanProposed(
        version=1, plan_hash="aa", content={"dose": "0.5"}, required_roles=(Role.PRESCRIBER, Role.THERAPIST)
    )
    approval = events.PlanApprovalGiven(version=1, plan_hash="aa", role=Role.PRESCRIBER)
    await add(records, journey_id, proposed)
    await add(records, journey_id, approval, an_approved_plan(1), an_approved_plan(2), actor=PRESCRIBER)
    first, second = (await queries.journey(SITES, journey_id)).plans
    assert (first.status, first.superseded_by, first.content) == ("revoked", 2, {"dose": "0.5"})
    assert [(given.role, given.actor_id) for given in first.approvals] == [("prescriber", "staff-2")]
    assert (second.status, second.superseded_by, second.approvals) == ("active", None, ())


async def test_a_resolved_risk_case_stays_resolved(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records)
    resolved = next(fact for fact in SAMPLES if isinstance(fact, events.RiskResolved))
    late = events.RiskAcknowledged(case_id="case-1")
    joined = events.RiskJoined(case_id="case-2", joined_to="case-1", level=RiskLevel.LOW)
    await add(records, journey_id, a_risk_case(), joined, resolved, late, a_risk_case(), actor=PRESCRIBER)
    case, other = (await queries.journey(SITES, journey_id)).risk_cases
    assert (case.status, case.resolved_by, case.trigger, case.note) == ("resolved", "staff-2", WORDS, WORDS)
    assert (other.status, other.joined_to, other.level) == ("joined", "case-1", "low")


async def test_a_settled_task_stays_settled(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, a_task(), a_task("task-2"))
    waiting = (
        await queries.journey(SITES, journey_id)
    ).open_tasks  # due at one instant: in the order of their ids
    assert {(task.task_id, task.reason) for task in waiting} == {("task-1", WORDS), ("task-2", WORDS)}
    cancelled = events.TaskCancelled(task_id="task-1", reason="late")
    await add(records, journey_id, events.TaskDone(task_id="task-1"), cancelled, at=START, actor=PRESCRIBER)
    assert [task.task_id for task in (await queries.journey(SITES, journey_id)).open_tasks] == ["task-2"]
    done = await queries.tasks(SITES, TaskFilter(status="completed"))
    assert [(task.task_id, task.settled_by) for task in done] == [("task-1", "staff-2")]
