"""Psychotherapy notes: kept apart, written once, read by the therapists of the course, and everybody is logged."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from clinical import events
from clinical.people import Actor, Role
from services.database import Database
from services.encryption import DataTampered, FieldCipher
from services.records.errors import NotFound, NotPermitted
from services.records.interface import OwedIntegration
from services.records.note_access import NoteRef
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords
from services.records.therapy_notes import CONTENT, TherapyNotes, hash_of
from tests.services.records.builders import SITE, START, a_journey, add
from tests.services.records.facts import HASH, LATER, a_dose, a_sheet

WORDS = "wept about the lake, Zoë"
AUTHOR = Actor(id="therapist-1", role=Role.THERAPIST)
COLLEAGUE = Actor(id="therapist-2", role=Role.THERAPIST)
DIRECTOR = Actor(id="director-1", role=Role.MEDICAL_DIRECTOR)


@pytest.fixture
def notes(database: Database, cipher: FieldCipher) -> TherapyNotes:
    return TherapyNotes(database, cipher)


async def written(notes: TherapyNotes, journey: str, *, key: str = "k1", words: str = WORDS) -> NoteRef:
    return await notes.write(journey, 1, "therapy", AUTHOR, key, words)


async def acts(notes: TherapyNotes, journey: str) -> list[tuple[str, str]]:
    return [(one.actor_id, one.act) for one in await notes.accesses(journey)]


async def test_its_author_reads_a_note_and_what_was_added(records: SqlRecords, notes: TherapyNotes) -> None:
    journey = await a_journey(records)
    note = await written(notes, journey)
    await notes.amend(journey, note.note_id, AUTHOR, "k2", "a lake, not the sea")
    first, second = await notes.read(journey, note.note_id, AUTHOR)
    assert (first.text, second.text, second.amends) == (WORDS, "a lake, not the sea", note.note_id)
    assert [line.note_id for line in await notes.lines(journey, AUTHOR)] == [first.note_id, second.note_id]
    log = await acts(notes, journey)
    assert log == [("therapist-1", act) for act in ("write", "read", "amend", "read", "list")]


async def test_the_same_words_under_the_same_key_are_one_note(
    records: SqlRecords, notes: TherapyNotes
) -> None:
    journey = await a_journey(records)
    first = await written(notes, journey)
    assert await written(notes, journey) == first
    assert (await written(notes, journey, key="other")).note_id != first.note_id
    assert (await written(notes, journey, words="other")).note_id != first.note_id
    assert len(await notes.lines(journey, AUTHOR)) == 3


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.THERAPIST}))
async def test_nobody_but_a_therapist_writes_or_amends(
    role: Role, records: SqlRecords, notes: TherapyNotes
) -> None:
    journey = await a_journey(records)
    note = await written(notes, journey)
    other = Actor(id="other", role=role)
    with pytest.raises(NotPermitted):
        await notes.write(journey, 1, "therapy", other, "k", WORDS)
    with pytest.raises(NotPermitted):
        await notes.amend(journey, note.note_id, other, "k", WORDS)
    with pytest.raises(NotPermitted):
        await notes.read(journey, note.note_id, other)
    with pytest.raises(NotPermitted):
        await notes.lines(journey, other)
    assert (await acts(notes, journey))[-2:] == [("other", "denied"), ("other", "denied")]


async def test_a_therapist_of_the_course_reads_and_another_does_not(
    records: SqlRecords, notes: TherapyNotes
) -> None:
    journey = await a_journey(records)
    note = await written(notes, journey)
    with pytest.raises(NotPermitted):
        await notes.read(journey, note.note_id, COLLEAGUE)
    assert (await acts(notes, journey))[-1] == ("therapist-2", "denied")
    await add(records, journey, events.PreparationHeld(number=1, held_at=START), actor=COLLEAGUE)
    assert (await notes.read(journey, note.note_id, COLLEAGUE))[0].text == WORDS


async def test_who_prescribes_here_is_no_therapist_of_the_course(
    records: SqlRecords, notes: TherapyNotes
) -> None:
    journey = await a_journey(records)
    await written(notes, journey)
    as_prescriber = Actor(id=COLLEAGUE.id, role=Role.PRESCRIBER)
    await add(records, journey, events.PreparationHeld(number=1, held_at=START), actor=as_prescriber)
    with pytest.raises(NotPermitted):
        await notes.lines(journey, COLLEAGUE)


async def test_a_medical_director_breaks_the_glass_with_a_reason_for_an_hour(
    records: SqlRecords, notes: TherapyNotes, database: Database
) -> None:
    journey, other = await a_journey(records), await a_journey(records)
    note = await written(notes, journey)
    with pytest.raises(NotPermitted):
        await notes.break_glass(journey, COLLEAGUE, "curious")
    with pytest.raises(NotPermitted):
        await notes.read(journey, note.note_id, DIRECTOR)
    until = await notes.break_glass(journey, DIRECTOR, "the therapist is away")
    assert (await notes.read(journey, note.note_id, DIRECTOR))[0].text == WORDS
    with pytest.raises(NotPermitted):
        await notes.lines(other, DIRECTOR)
    broken = [one for one in await notes.accesses(journey) if one.act == "break-glass"]
    assert [(one.actor_id, one.reason) for one in broken] == [("director-1", "the therapist is away")]
    assert 3500 < (until - broken[0].at).total_seconds() <= 3601
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE psychotherapy_note_access DISABLE TRIGGER USER"))
        await session.execute(text("UPDATE psychotherapy_note_access SET at = at - interval '61 minutes'"))
    with pytest.raises(NotPermitted):
        await notes.lines(journey, DIRECTOR)


async def test_a_note_counts_when_the_record_names_it(records: SqlRecords, notes: TherapyNotes) -> None:
    journey = await a_journey(records)
    named, turned_away, silent, twice = [
        await written(notes, journey, key=key) for key in ("named", "refused", "silent", "twice")
    ]
    for one in (turned_away, twice):
        await notes.refused(journey, one.note_id, AUTHOR)
    for one in (named, twice):
        fact = events.TherapyRecorded(session=1, minutes=50, note_id=one.note_id, note_hash=one.note_hash)
        await add(records, journey, fact, actor=AUTHOR)
    states = {line.note_id: line.state for line in await notes.lines(journey, AUTHOR)}
    assert states == {
        named.note_id: "recorded",
        turned_away.note_id: "refused",
        silent.note_id: "unconfirmed",
        twice.note_id: "recorded",
    }


async def test_notes_of_another_course_or_none_are_not_found(
    records: SqlRecords, notes: TherapyNotes
) -> None:
    journey, other = await a_journey(records), await a_journey(records)
    note = await written(notes, journey)
    await written(notes, other, key="mine")
    for act in (
        notes.read(other, note.note_id, AUTHOR),
        notes.amend(other, note.note_id, AUTHOR, "k", "more"),
        notes.write("journey/site-a/none", 1, "therapy", AUTHOR, "k", WORDS),
        notes.lines("journey/site-a/none", AUTHOR),
    ):
        with pytest.raises(NotFound):
            await act


@pytest.mark.parametrize("table", ["psychotherapy_note", "psychotherapy_note_access"])
@pytest.mark.parametrize("act", ["UPDATE {} SET journey_id = journey_id", "DELETE FROM {}", "TRUNCATE {}"])
async def test_notes_and_their_log_are_written_once(
    table: str, act: str, records: SqlRecords, notes: TherapyNotes, database: Database
) -> None:
    await written(notes, await a_journey(records))
    with pytest.raises(IntegrityError, match=r"written once|referenced"):
        async with database.transaction() as session:
            await session.execute(text(act.format(table) + (" CASCADE" if "TRUNC" in act else "")))


async def test_only_the_key_of_notes_opens_one_and_the_hash_proves_it(
    records: SqlRecords, notes: TherapyNotes, database: Database, cipher: FieldCipher
) -> None:
    journey = await a_journey(records)
    note = await written(notes, journey)
    async with database.reading() as session:
        row = (await session.execute(text("SELECT content, content_hash FROM psychotherapy_note"))).one()
    assert hash_of(note.note_id, row.content) == row.content_hash == note.note_hash
    assert WORDS.encode() not in row.content
    with pytest.raises(DataTampered):
        cipher.decrypt(CONTENT, row.content, row=note.note_id)


async def test_a_waiver_is_told_with_the_role_that_gave_it(records: SqlRecords) -> None:
    journey = await a_journey(records)
    await add(records, journey, events.SessionOpened(session=1, plan_hash=HASH, earliest_at=START), a_dose())
    facts = await records.dosing_facts(journey)
    assert facts.integrations_owed == (OwedIntegration(dosed_at=START),)
    await add(records, journey, events.IntegrationWaived(session=1, reason="ill"), at=LATER, actor=AUTHOR)
    facts = await records.dosing_facts(journey)
    assert facts.integrations_owed == (OwedIntegration(dosed_at=START, waived_by=Role.THERAPIST),)


async def test_the_newest_sheet_of_a_session_is_read_and_known_to_the_gate(
    records: SqlRecords, queries: RecordQueries
) -> None:
    journey = await a_journey(records)
    with pytest.raises(NotFound):
        await queries.downtime_sheet([SITE], journey, 1)
    assert (await records.dosing_facts(journey)).downtime_sheets == ()
    for number in (1, 2):
        sheet = a_sheet().model_copy(update={"order_id": f"session/1/order/{number}"})
        made = events.DowntimeSheetMade(
            session=1, order_id=sheet.order_id, sheet_hash=sheet.content_hash, sheet=sheet
        )
        await add(records, journey, made)
        assert await queries.downtime_sheet([SITE], journey, 1) == sheet
        assert (await records.dosing_facts(journey)).downtime_sheets == (sheet.content_hash,)
    with pytest.raises(NotFound):
        await queries.downtime_sheet(["elsewhere"], journey, 1)
