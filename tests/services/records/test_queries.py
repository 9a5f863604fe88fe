"""Do readers see their own sites only, page by page, and in words?"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from clinical import events
from clinical.people import Role
from clinical.task_priority import Priority, rank
from services.records.errors import NotFound
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords
from services.records.task_queries import TaskFilter
from tests.services.records.builders import SITE, START, a_journey, a_patient, add
from tests.services.records.facts import KINDS, LATER, SAMPLES, WORDS, a_dose, a_phq9, a_task, an_observation

OTHER = "site-b"


async def test_journeys_come_newest_first_page_by_page(records: SqlRecords, queries: RecordQueries) -> None:
    started = [START + timedelta(days=number // 2) for number in range(7)]  # pairs share their instant
    ids = [await a_journey(records, at=at) for at in started]
    await a_journey(records, site=OTHER)
    seen: list[str] = []
    cursor = None
    while page := await queries.list_journeys([SITE], cursor=cursor, limit=3):
        seen += [journey.id for journey in page]
        cursor = page[-1].started_at, page[-1].id
    by_start = dict(zip(ids, started, strict=True))
    assert seen == sorted(ids, key=lambda journey_id: (by_start[journey_id], journey_id), reverse=True)


async def test_journeys_are_found_by_stage_status_and_site(
    records: SqlRecords, queries: RecordQueries
) -> None:
    here, there = await a_journey(records), await a_journey(records, site=OTHER)
    await add(records, there, events.JourneyPaused(reason="storm", review_at=LATER))
    both = [SITE, OTHER]
    assert {journey.id for journey in await queries.list_journeys(both)} == {here, there}
    assert [journey.id for journey in await queries.list_journeys(both, status="onhold")] == [there]
    assert await queries.list_journeys([SITE], status="onhold") == []
    assert await queries.list_journeys(both, stage="treating") == []
    assert await queries.list_journeys([]) == []


async def test_what_lies_at_another_site_is_not_there(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, an_observation("a"), a_task())
    patient_id = (await queries.journey([SITE], journey_id)).patient_id
    for sites in ([], [OTHER]):
        with pytest.raises(NotFound):
            await queries.journey(sites, journey_id)
        with pytest.raises(NotFound):
            await queries.timeline(sites, journey_id)
        with pytest.raises(NotFound):
            await queries.scores(sites, journey_id)
        with pytest.raises(NotFound):
            await queries.session(sites, journey_id, 1)
        with pytest.raises(NotFound):
            await queries.patient(sites, patient_id)
        assert await queries.tasks(sites) == []
        assert await queries.task_counts(sites, LATER) == []
    assert await queries.find_duplicates(OTHER, "Ana García", "1984-05-06", None, None) == []


async def test_the_timeline_goes_on_where_the_reader_stopped(
    records: SqlRecords, queries: RecordQueries
) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, *SAMPLES[1:])
    first = await queries.timeline([SITE], journey_id, limit=20)
    rest = await queries.timeline([SITE], journey_id, after_seq=first[-1].seq)
    assert [entry.seq for entry in [*first, *rest]] == list(range(1, len(SAMPLES) + 1))
    assert {entry.kind for entry in [*first, *rest]} == KINDS
    booked = next(entry for entry in rest if entry.kind == "session.booked")
    assert booked.text == "Session 1 booked for 2026-03-02 09:00, room 2 (was 2026-03-02 09:00)"
    assert (booked.session, booked.actor_id, booked.actor_role) == (1, "staff-1", "coordinator")


async def test_one_course_shows_everything_around_it(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, *(fact for fact in SAMPLES[1:] if fact.kind != "task.completed"))
    journey = await queries.journey([SITE], journey_id)
    assert journey.screening is not None
    assert (journey.screening.reasons[0].text, journey.screening.missing) == (WORDS, ("WORKUP-ECG",))
    assert (journey.plans[0].content, journey.plans[0].ended_reason) == ({"goals": WORDS}, WORDS)
    assert (journey.decisions[0].choice, journey.decisions[0].reason) == ("go-on", WORDS)
    assert (journey.decisions[0].proposal, journey.decisions[0].reasons[0].rule) == ("stop", "G4")
    assert [dose.status for dose in journey.given_doses] == ["stopped"]
    assert (journey.consultation_at, journey.consultation_outcome) == (START, "proceed")
    assert journey.preparations_held_at == (START,)
    session = await queries.session([SITE], journey_id, 1)
    assert session.moves == 1
    assert session.baseline == session.observations[0].reading
    assert {r[0].text for r in (session.readiness_reasons, session.gate_reasons)} == {WORDS}
    assert (session.closing_reason, session.discharge_checklist[0].text) == (WORDS, WORDS)
    assert [dose.dose_id for dose in session.doses] == ["dose-1"]
    with pytest.raises(NotFound):
        await queries.session([SITE], journey_id, 2)


async def test_scores_come_in_the_order_of_measuring(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records)
    late = events.QuestionnaireScored(context="week-2", result=a_phq9(1, 0, 1, 1, 0, 1, 0, 0, 0))
    early = events.QuestionnaireScored(context="baseline", result=a_phq9(2, 2, 3, 2, 1, 2, 1, 1, 1))
    blank = events.QuestionnaireScored(context="week-4", result=a_phq9(1))
    await add(records, journey_id, late, at=LATER)
    await add(records, journey_id, early)
    await add(records, journey_id, blank, at=LATER + timedelta(days=14))
    scores = await queries.scores([SITE], journey_id)
    assert [(s.score, s.band, s.suicide_item_positive) for s in scores] == [
        (15, "moderately-severe", True),
        (4, "minimal", False),
        (None, None, None),
    ]
    assert [score.complete for score in scores] == [True, True, False]


async def test_tasks_come_most_urgent_first_page_by_page(records: SqlRecords, queries: RecordQueries) -> None:
    journeys = [await a_journey(records) for _ in range(2)]
    for journey_id in journeys:
        tasks = [a_task(f"task-{n}", due_at=START + timedelta(days=n // 2)) for n in (3, 0, 2, 1)]
        await add(records, journey_id, *tasks)
    seen: list[tuple[datetime, str]] = []
    cursor = None
    while page := await queries.tasks([SITE], cursor=cursor, limit=3):
        seen += [(task.due_at, task.id) for task in page]
        cursor = rank(Priority(page[-1].priority)), page[-1].due_at, page[-1].id
    assert len(seen) == 8
    assert seen == sorted(set(seen))
    due = await queries.tasks([SITE], TaskFilter(due_before=START + timedelta(days=1)))
    assert {task.task_id for task in due} == {"task-0", "task-1"}


async def test_an_overdue_task_is_also_its_second_owners(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, a_task("a"), a_task("b", owner=Role.THERAPIST, due_at=START))
    overdue = events.TaskOverdue(task_id="b", escalated_to=Role.MEDICAL_DIRECTOR)
    await add(records, journey_id, overdue, at=LATER)
    assert [t.task_id for t in await queries.tasks([SITE], TaskFilter(owner="nurse"))] == ["a"]
    assert [t.task_id for t in await queries.tasks([SITE], TaskFilter(owner="therapist"))] == ["b"]
    escalated = await queries.tasks([SITE], TaskFilter(owner="medical-director"))
    assert [(t.task_id, t.overdue_at, t.reason) for t in escalated] == [("b", LATER, WORDS)]
    counts = await queries.task_counts([SITE], START + timedelta(days=1))
    assert [(c.owner, c.open, c.overdue) for c in counts] == [("nurse", 1, 0), ("therapist", 1, 1)]


async def test_duplicates_are_found_however_they_are_written(
    records: SqlRecords, queries: RecordQueries
) -> None:
    same = a_patient()
    await records.add_patient(same)
    await records.add_patient(a_patient(name="Luis Otero", email=None, phone_e164=None))
    found = await queries.find_duplicates(
        SITE, "GARCIA, ana", "1984-05-06", "202 555-0142", " ANA@example.org"
    )
    assert [candidate.patient_id for candidate in found] == [same.patient_id]
    assert found[0].matched_on == ("person", "phone", "email")
    by_phone = await queries.find_duplicates(SITE, "Eva Ruiz", "1990-01-01", "+12025550142", None)
    assert [candidate.matched_on for candidate in by_phone] == [("phone",)]
    assert await queries.find_duplicates(SITE, "Ana García", "1984-05-07", None, None) == []


async def test_a_patient_is_shown_with_all_courses(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records, name="Ana García")
    patient_id = (await queries.journey([SITE], journey_id)).patient_id
    patient = await queries.patient([SITE], patient_id)
    assert (patient.name, patient.birth_date, patient.mrn) == ("Ana García", "1984-05-06", "MRN-4711")
    assert patient.journeys == (journey_id,)


async def test_the_version_changes_with_every_write(records: SqlRecords, queries: RecordQueries) -> None:
    journey_id = await a_journey(records)
    versions = [(await queries.journey([SITE], journey_id)).version]
    for fact in (a_dose(1), a_dose(2)):
        await add(records, journey_id, fact)
        versions.append((await queries.journey([SITE], journey_id)).version)
    assert versions == sorted(set(versions))
