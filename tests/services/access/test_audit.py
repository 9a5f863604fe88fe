"""The chain of looks: in order under many writers, and the first bad record is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.access.audit import GENESIS, AuditTrail
from services.access.views import Looked
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
        events = list(reversed(await trail.events(site)))
        assert [event.seq for event in events] == list(range(1, 13))
        assert [event.previous_hash for event in events] == [GENESIS, *(event.hash for event in events[:-1])]
        assert [event.at for event in events] == sorted(event.at for event in events)
        verdict = await trail.verify(site)
        assert (verdict.whole, verdict.last_hash) == (True, events[-1].hash)
    assert (await trail.verify("site-c")).whole


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
