"""Can somebody who reads the raw tables learn who the patients are, or what was said?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from clinical.patient_record import ClinicalRecord, Condition, Person, Sex
from services.database import Base, Database
from services.records.idempotency import Claimed, IdempotencyKeys
from services.records.interface import Referral
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords
from tests.services.records.builders import SITE, a_journey, add, an_id
from tests.services.records.facts import SAMPLES, WORDS

PERSON: dict[str, Any] = {
    "name": "Maria Canary",
    "birth_date": "1971-02-03",
    "email": "maria.canary@example.org",
    "phone_e164": "+12025550100",
    "mrn": "MRN-778899",
}
PLANTED = ("Canary", "1971-02-03", "maria.", "2025550100", "202 555 0100", "778899", "wept", "brother")


async def test_nothing_planted_is_found_in_the_raw_tables(
    records: SqlRecords, queries: RecordQueries, keys: IdempotencyKeys, database: Database
) -> None:
    journey_id = await a_journey(records, **PERSON)
    await add(records, journey_id, *SAMPLES[1:])
    patient_id = (await queries.journey([SITE], journey_id)).patient_id
    record = ClinicalRecord(person=Person(sex=Sex.FEMALE), conditions=(Condition(text=WORDS),))
    await records.add_referral(Referral(referral_id=an_id(), patient_id=patient_id, site=SITE, record=record))
    claimed = await keys.claim("scope", "key", "hash")
    assert isinstance(claimed, Claimed)
    await keys.finish("scope", "key", claimed, 201, f'{{"name": "{WORDS}"}}')

    dump = await _dump(database)
    assert journey_id in dump, "the dump holds what is there"
    assert [word for word in PLANTED if word in dump or word.encode().hex() in dump] == []
    assert WORDS in str(await queries.timeline([SITE], journey_id)), "and its readers still read it"


async def _dump(database: Database) -> str:
    """Every row of every table as text; binary columns in hexadecimal."""
    rows: list[str] = []
    async with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            rows += await session.scalars(text(f'SELECT t::text FROM "{table.name}" t'))
    return "\n".join(rows)
