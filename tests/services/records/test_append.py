"""Is every fact written once, in order, or not at all?"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from clinical.decision import Verdict
from clinical.events import CheckedIn, JourneyClosed, JourneyPaused, JourneyResumed, PreparationHeld
from clinical.journey import Stage
from clinical.people import Actor, Role
from clinical.vitals import Symptom, Tier
from services.database import Database
from services.encryption import FieldCipher
from services.records.appending import append_batch
from services.records.chain import fact_text
from services.records.errors import AlreadyActive, KeyReused, NotFound, RecordMoved
from services.records.interface import Batch
from services.records.ledger import Ledger
from services.records.sql import SqlRecords
from tests.services.records.builders import START, a_journey, a_patient, a_start, add, an_entry, an_id
from tests.services.records.facts import a_reading

STRANGER = Actor(id="staff-stranger", role=Role.NURSE)
ON_ONE_DATABASE = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ENTRIES = tuple(
    an_entry(f"preparation/{number}", PreparationHeld(number=number, held_at=START)) for number in range(12)
)
slices = st.tuples(st.integers(0, 11), st.integers(1, 12)).map(lambda cut: ENTRIES[cut[0] : cut[0] + cut[1]])


async def test_the_same_batch_again_changes_nothing(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    first = await records.append(Batch(journey_id=journey_id, entries=ENTRIES))
    before = await records.entries(journey_id)
    again = await records.append(Batch(journey_id=journey_id, entries=ENTRIES))
    assert (first.new, again.new, again.last_seq) == (12, 0, first.last_seq)
    assert await records.entries(journey_id) == before


@ON_ONE_DATABASE
@given(cuts=st.lists(st.integers(0, 12), max_size=6), repeats=st.lists(slices, max_size=4))
async def test_splitting_and_repeating_batches_leads_to_the_same_record(
    records: SqlRecords, cuts: list[int], repeats: list[tuple[object, ...]]
) -> None:
    patient = a_patient()
    await records.add_patient(patient)
    start = an_entry("start", a_start(patient.patient_id))
    ends = sorted({*cuts, 12})
    hashes = []
    for parts in ([0, 12], [0, *ends]):
        journey_id = f"journey/site-a/{an_id()}"
        written = 0
        await records.append(Batch(journey_id=journey_id, entries=(start,)))
        for left, right in pairwise(parts):
            batch = Batch(journey_id=journey_id, entries=ENTRIES[left:right])
            written += (await records.append(batch)).new
            written += (await records.append(batch)).new
        for repeat in repeats:
            repeated = Batch.model_validate({"journey_id": journey_id, "entries": repeat})
            assert (await records.append(repeated)).new == 0
        assert written == 12
        hashes.append([entry.hash for entry in await records.entries(journey_id)])
        await add(records, journey_id, _closed())
    assert hashes[0] == hashes[1]


@ON_ONE_DATABASE
@given(deliveries=st.lists(slices, min_size=2, max_size=8))
async def test_batches_that_overlap_and_race_lose_and_double_nothing(
    records: SqlRecords, deliveries: list[tuple[object, ...]]
) -> None:
    journey_id = await a_journey(records)
    batches = [
        Batch.model_validate({"journey_id": journey_id, "entries": part}) for part in [*deliveries, ENTRIES]
    ]
    results = await asyncio.gather(*(records.append(batch) for batch in batches))
    entries = await records.entries(journey_id)
    assert sum(result.new for result in results) == 12
    assert {entry.key for entry in entries} == {"start", *(entry.key for entry in ENTRIES)}
    assert [entry.seq for entry in entries] == list(range(1, 14))
    assert (await records.verify_chain(journey_id)).passes


async def test_twenty_writers_at_once_leave_no_gap_and_one_chain(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    facts = [PreparationHeld(number=number, held_at=START) for number in range(20)]
    await asyncio.gather(*(add(records, journey_id, fact) for fact in facts))
    entries = await records.entries(journey_id)
    assert [entry.seq for entry in entries] == list(range(1, 22))
    assert [e.previous_hash for e in entries[1:]] == [e.hash for e in entries[:-1]]
    assert (await records.verify_chain(journey_id)).verdict is Verdict.PASS


async def test_the_first_telling_of_a_fact_stays(records: SqlRecords) -> None:
    """A workflow task that is done again tells the same fact at a later hour: nothing is added or changed."""
    journey_id = await a_journey(records)
    told = [
        an_entry("same", PreparationHeld(number=1, held_at=START), at=START + timedelta(seconds=n))
        for n in (0, 5)
    ]
    for entry in told:
        await records.append(Batch(journey_id=journey_id, entries=(entry,)))
    assert [e.occurred_at for e in await records.entries(journey_id) if e.key == "same"] == [START]


async def test_a_known_key_for_another_fact_refuses_the_whole_batch(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    await records.append(Batch(journey_id=journey_id, entries=ENTRIES[:1]))
    before = await records.entries(journey_id)
    other = an_entry(ENTRIES[0].key, PreparationHeld(number=99, held_at=START), actor=STRANGER)
    with pytest.raises(KeyReused):
        await records.append(Batch(journey_id=journey_id, entries=(ENTRIES[5], other)))
    assert await records.entries(journey_id) == before


async def test_one_key_of_two_people_in_one_batch_is_refused(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    fact = PreparationHeld(number=1, held_at=START)
    twice = (an_entry("same", fact), an_entry("same", fact, actor=STRANGER))
    with pytest.raises(KeyReused):
        await records.append(Batch(journey_id=journey_id, entries=twice))


async def test_only_a_start_makes_a_journey(records: SqlRecords) -> None:
    with pytest.raises(NotFound):
        await records.append(Batch(journey_id=f"journey/site-a/{an_id()}", entries=ENTRIES[:1]))
    with pytest.raises(NotFound):
        await records.append(Batch(journey_id=f"journey/site-a/{an_id()}", entries=()))


async def test_nothing_starts_for_an_unknown_patient_or_at_another_site(records: SqlRecords) -> None:
    patient = a_patient()
    stranger = an_entry("start", a_start(patient.patient_id))
    with pytest.raises(NotFound):
        await records.append(Batch(journey_id=f"journey/site-a/{an_id()}", entries=(stranger,)))
    await records.add_patient(patient)
    for journey_id in (f"journey/site-b/{an_id()}", "journey/site-a", "x"):
        with pytest.raises(NotFound):
            await records.append(Batch(journey_id=journey_id, entries=(stranger,)))


async def test_a_second_open_course_is_refused_and_names_the_first(records: SqlRecords) -> None:
    patient = a_patient()
    await records.add_patient(patient)
    start = an_entry("start", a_start(patient.patient_id))
    ids = [f"journey/site-a/{an_id()}" for _ in range(6)]
    batches = [Batch(journey_id=journey_id, entries=(start,)) for journey_id in ids]
    results = await asyncio.gather(*(records.append(b) for b in batches), return_exceptions=True)
    winners = [journey_id for journey_id, r in zip(ids, results, strict=True) if not isinstance(r, Exception)]
    refusals = [r for r in results if isinstance(r, AlreadyActive)]
    assert len(winners) == 1
    assert [refusal.journey_id for refusal in refusals] == winners * 5


async def test_after_the_end_another_course_may_start(records: SqlRecords) -> None:
    patient = a_patient()
    await records.add_patient(patient)
    start = an_entry("start", a_start(patient.patient_id))
    first, second = (f"journey/site-a/{an_id()}" for _ in range(2))
    await records.append(Batch(journey_id=first, entries=(start,)))
    await add(records, first, _closed())
    assert (await records.append(Batch(journey_id=second, entries=(start,)))).new == 1


async def test_the_same_start_at_the_same_moment_is_one_start(records: SqlRecords) -> None:
    patient = a_patient()
    await records.add_patient(patient)
    batch = Batch(
        journey_id=f"journey/site-a/{an_id()}", entries=(an_entry("start", a_start(patient.patient_id)),)
    )
    results = await asyncio.gather(*(records.append(batch) for _ in range(6)))
    assert sorted(result.new for result in results) == [0, 0, 0, 0, 0, 1]


async def test_a_journey_starts_under_one_key_only(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    patient_id = (await records.entries(journey_id))[0].fact.model_dump()["patient_id"]
    again = Batch(journey_id=journey_id, entries=(an_entry("start-2", a_start(patient_id)),))
    with pytest.raises(KeyReused):
        await records.append(again)


async def test_what_was_looked_at_must_not_have_moved(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    looked = (await records.dosing_facts(journey_id)).last_seq
    act = Batch(journey_id=journey_id, entries=ENTRIES[:2], expected_seq=looked)
    await add(records, journey_id, JourneyPaused(reason="storm", review_at=START))
    with pytest.raises(RecordMoved):
        await records.append(act)
    fresh = act.model_copy(update={"expected_seq": looked + 1})
    assert (await records.append(fresh)).new == 2
    await add(records, journey_id, JourneyResumed(reason="sun"))
    assert (await records.append(act)).new == 0, "facts already written are never refused"


async def test_facts_come_back_as_they_went_in(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    await records.append(Batch(journey_id=journey_id, entries=ENTRIES))
    entries = await records.entries(journey_id)
    assert tuple(entry.fact for entry in entries[1:]) == tuple(entry.fact for entry in ENTRIES)
    assert all(entry.recorded_at.utcoffset() is not None for entry in entries)
    with pytest.raises(NotFound):
        await records.entries("journey/site-a/none")


def _closed() -> JourneyClosed:
    return JourneyClosed(stage=Stage.ENDED, reason="moved away", sessions_completed=0, doses=0)


def test_what_was_a_set_is_stored_in_one_order() -> None:
    reading = a_reading()
    fact = CheckedIn(session=1, weight_kg=73, baseline=reading, tier=Tier.NORMAL)
    symptoms = json.loads(fact_text(an_entry("key", fact)))["baseline"]["symptoms"]
    assert symptoms == sorted(reading.symptoms)
    assert len(symptoms) == len(Symptom)


async def test_what_is_known_is_what_stood_there_when_the_lock_came(
    database: Database, records: SqlRecords, cipher: FieldCipher
) -> None:
    """The second writer looks before the first has committed, and gets the lock after: the fact is not new to it."""
    journey_id = await a_journey(records)
    paused = an_entry("paused", JourneyPaused(reason="storm", review_at=START))
    batch = Batch(journey_id=journey_id, entries=(paused,))
    async with database.transaction() as first:
        written = await append_batch(first, Ledger(cipher), batch)
        second = asyncio.create_task(records.append(batch))
        while not await _waits_for_a_lock(database):
            await asyncio.sleep(0)
    assert written.new == 1
    assert (await second) == written.model_copy(update={"new": 0})


@pytest.mark.timeout(30)
async def test_a_damaged_count_keeps_nothing_from_being_written_and_is_found(
    database: Database, records: SqlRecords
) -> None:
    """It must not be asked for ever which of two numbers is right."""
    journey_id = await a_journey(records)
    async with database.transaction() as session:
        await session.execute(text("UPDATE journey SET last_seq = last_seq + 5"))
    await add(records, journey_id, JourneyPaused(reason="storm", review_at=START))
    assert [entry.fact.kind for entry in await records.entries(journey_id)][-1] == "journey.paused"
    assert (await records.verify_chain(journey_id)).verdict is not Verdict.PASS


async def _waits_for_a_lock(database: Database) -> bool:
    held_up = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with database.transaction() as session:
        return bool((await session.execute(text(held_up))).scalar_one())
