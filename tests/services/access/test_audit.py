"""The chain of looks: in order under many writers, and the first bad record is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from services.access.audit import GENESIS, AuditTrail, add_event, listing
from services.access.tables import AuditRow
from services.access.views import AuditFilter, Looked, Outcome
from services.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.dispose()


def a_look(number: int = 0, site: str = "site-a") -> Looked:
    return Looked(
        site=site, actor_id=f"staff-{number}", actor_role="nurse", act="read_journey", purpose="TREAT",
        object_id="journey/site-a/1", part=None, trace_id="t",
    )  # fmt: skip


async def test_many_at_once_make_one_chain_for_each_site(database: Database) -> None:
    trail = AuditTrail(database)
    looks = [a_look(number, site) for number in range(12) for site in ("site-a", "site-b")]
    await asyncio.gather(*(trail.write(look) for look in looks))
    for site in ("site-a", "site-b"):
        events = list(reversed(await trail.events(site, AuditFilter())))
        assert [event.seq for event in events] == list(range(1, 13))
        assert [event.previous_hash for event in events] == [GENESIS, *(event.hash for event in events[:-1])]
        assert [event.at for event in events] == sorted(event.at for event in events)
        verdict = await trail.verify(site)
        assert (verdict.whole, verdict.last_hash) == (True, events[-1].hash)
    assert (await trail.verify("site-c")).whole


async def test_one_statement_and_a_transaction_continue_the_same_chain(database: Database) -> None:
    """The database and this code make the same hash, whatever stands in an event."""
    trail = AuditTrail(database)
    odd = {"part": 'note/"é"\n: \\ %s', "reason": "wrong-role", "purpose": "ÄÖ:at", "outcome": "4"}
    for number in range(4):
        look = a_look(number).model_copy(update=odd if number % 2 else {})
        await trail.write(look)
        async with database.transaction() as session:
            await add_event(session, look)
    verdict = await trail.verify("site-a")
    assert (verdict.whole, verdict.last_seq) == (True, 8), verdict
    noted = await trail.events("site-a", AuditFilter())
    assert [(one.part, one.reason) for one in noted[:2]] == 2 * [(odd["part"], odd["reason"])]


async def test_every_page_is_found_by_an_index(database: Database) -> None:
    """A hundred thousand looks of one site; a page from the middle of them, by any filter, reads few of them."""
    fill = """INSERT INTO audit_event SELECT 'site-a', n, timestamptz '2026-01-01' + n * interval '1 minute',
        'staff-' || n % 500, 'nurse', 'read_journey', 'TREAT', 'journey/' || n % 2000, null,
        CASE WHEN n % 5000 = 0 THEN '4' ELSE '0' END, '', '', ''
        FROM generate_series(1, 100000) n"""
    async with database.transaction() as session:
        await session.execute(text(fill))
        await session.execute(text("ANALYZE audit_event"))
    middle = datetime(2026, 2, 4, tzinfo=UTC)
    for asked in (
        AuditFilter(),
        AuditFilter(actor_id="staff-7"),
        AuditFilter(objects=("journey/7", "patient/7")),
        AuditFilter(until=middle),
        AuditFilter(since=middle, until=middle + timedelta(days=1)),
        AuditFilter(actor_id="staff-7", until=middle),
        AuditFilter(outcome=Outcome.REFUSED),
    ):
        for before in (None, 40_000):
            page = listing("site-a", asked, before_seq=before, limit=51)
            async with database.reading() as session:
                plan = await session.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {spoken(page)}"))
                top = plan.scalar_one()[0]["Plan"]
            assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 400, (asked, before, top)


def spoken(statement: Select[AuditRow]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


@pytest.mark.parametrize(
    ("tampering", "first_bad"),
    [
        ("UPDATE audit_event SET purpose = 'HPAYMT' WHERE seq = 2", 2),
        ("UPDATE audit_event SET at = at + interval '1 second' WHERE seq = 3", 3),
        ("UPDATE audit_event SET part = 'session/1' WHERE seq = 1", 1),
        ("DELETE FROM audit_event WHERE seq = 2", 2),
        ("DELETE FROM audit_event WHERE seq = 4", 4),
        ("DELETE FROM audit_event", 1),
        ("UPDATE audit_event SET previous_hash = 'x' WHERE seq = 4", 4),
    ],
)
async def test_the_first_bad_record_is_named(database: Database, tampering: str, first_bad: int) -> None:
    trail = AuditTrail(database)
    for number in range(4):
        await trail.write(a_look(number))
    with pytest.raises(DBAPIError, match="written once"):
        async with database.transaction() as session:
            await session.execute(text(tampering))
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE audit_event DISABLE TRIGGER USER"))
        await session.execute(text(tampering))
    verdict = await trail.verify("site-a")
    assert (verdict.whole, verdict.first_bad) == (False, first_bad)
    assert verdict.fault
