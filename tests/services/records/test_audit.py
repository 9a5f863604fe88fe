"""Does tampering show, even by somebody who may switch the triggers off?"""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from clinical.decision import Verdict
from clinical.events import PreparationHeld
from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.records.errors import NotFound
from services.records.sql import SqlRecords
from tests.services.records.builders import START, a_journey, add

TAMPERINGS = {
    "another actor": ("UPDATE journey_entry SET actor_id = 'staff-9' WHERE seq = 3", 3),
    "another role": ("UPDATE journey_entry SET actor_role = 'prescriber' WHERE seq = 3", 3),
    "a role nobody has": ("UPDATE journey_entry SET actor_role = 'king' WHERE seq = 3", 3),
    "another instant": ("UPDATE journey_entry SET occurred_at = now() WHERE seq = 3", 3),
    "another key": ("UPDATE journey_entry SET key = 'x' WHERE seq = 3", 3),
    "another kind": ("UPDATE journey_entry SET kind = 'x' WHERE seq = 3", 3),
    "another session": ("UPDATE journey_entry SET session = 7 WHERE seq = 3", 3),
    "another content hash": ("UPDATE journey_entry SET content_hash = 'x' WHERE seq = 3", 3),
    "another hash": ("UPDATE journey_entry SET hash = 'x' WHERE seq = 3", 3),
    "another predecessor": ("UPDATE journey_entry SET previous_hash = 'x' WHERE seq = 3", 3),
    "the payload of another entry": (
        "UPDATE journey_entry SET payload = (SELECT payload FROM journey_entry WHERE seq = 4) WHERE seq = 3",
        3,
    ),
    "a broken payload": ("UPDATE journey_entry SET payload = '\\x00' WHERE seq = 3", 3),
    "an entry taken out": ("DELETE FROM journey_entry WHERE seq = 3", 4),
    "the first entry taken out": ("DELETE FROM journey_entry WHERE seq = 1", 2),
    "the last entry taken out": ("DELETE FROM journey_entry WHERE seq = 6", 6),
    "everything taken out": ("DELETE FROM journey_entry", 1),
    "an entry repeated at the end": (
        """
        INSERT INTO journey_entry SELECT journey_id, 7, 'x', kind, session, occurred_at, recorded_at,
        actor_id, actor_role, payload, content_hash, previous_hash, hash FROM journey_entry WHERE seq = 6
        """,
        7,
    ),
    "two entries exchanged": (
        """
        UPDATE journey_entry SET seq = -seq WHERE seq IN (3, 4);
        UPDATE journey_entry SET seq = 7 + seq WHERE seq IN (-3, -4)
        """,
        3,
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_tampering_names_the_first_bad_entry(
    records: SqlRecords, database: Database, name: str
) -> None:
    statement, first_bad = TAMPERINGS[name]
    journey_id = await _six_entries(records)
    await _without_triggers(database, statement)
    decision = await records.verify_chain(journey_id)
    assert decision.verdict is Verdict.REFUSE
    assert decision.reasons[0].value == str(first_bad)


async def test_an_untouched_chain_passes(records: SqlRecords) -> None:
    decision = await records.verify_chain(await _six_entries(records))
    assert decision.passes
    assert decision.reasons[0].value == "6"


async def test_a_destroyed_key_is_for_a_person_to_judge(records: SqlRecords, database: Database) -> None:
    journey_id = await _six_entries(records)
    other = SqlRecords(database, FieldCipher(KeyRing({"two": bytes(range(1, 33))}, "two"), bytes(32)))
    decision = await other.verify_chain(journey_id)
    assert decision.verdict is Verdict.REVIEW
    assert [reason.value for reason in decision.reasons] == [str(seq) for seq in range(1, 7)]


async def test_an_unknown_journey_is_not_found(records: SqlRecords) -> None:
    with pytest.raises(NotFound):
        await records.verify_chain("journey/site-a/none")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journey_entry SET actor_id = 'staff-9'",
        "DELETE FROM journey_entry",
        "TRUNCATE journey_entry",
        "UPDATE protocol_version SET hash = 'x'",
        "DELETE FROM protocol_version",
        "TRUNCATE protocol_version",
    ],
)
async def test_what_is_written_once_cannot_be_changed(
    records: SqlRecords, database: Database, statement: str
) -> None:
    await _six_entries(records)
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO protocol_version (site, url, version, hash, document)"
                " VALUES ('site-a', 'u', '1', 'h', '{}')"
            )
        )
    with pytest.raises(DBAPIError, match="written once"):
        async with database.transaction() as session:
            await session.execute(text(statement))


async def _six_entries(records: SqlRecords) -> str:
    journey_id = await a_journey(records)
    await add(records, journey_id, *(PreparationHeld(number=n, held_at=START) for n in range(5)))
    return journey_id


async def _without_triggers(database: Database, statements: str) -> None:
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE journey_entry DISABLE TRIGGER USER"))
        for statement in statements.split(";"):
            await session.execute(text(statement))
        await session.execute(text("ALTER TABLE journey_entry ENABLE TRIGGER USER"))
