"""Does a connection that stays out of the pool between two questions carry them, and nobody else's trouble?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError

from services import live_connections
from services.asking import Question
from services.database import Database

WHO = Question(text("SELECT pg_backend_pid() AS pid"))
SLOW = Question(text("SELECT pg_backend_pid() AS pid, pg_sleep(0.2)"))
BROKEN = Question(text("SELECT CAST(:word AS integer)"))
CUT = text(
    "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database() AND usename = current_user"
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Five connections, of which one may be kept."""
    database = Database(database_url, pool_size=5, pool_timeout_s=0.5)
    yield database
    await database.dispose()


async def who(database: Database, question: Question = WHO) -> int:
    ((row,),) = await database.ask(question)
    pid: int = row.pid
    return pid


async def test_the_next_question_goes_over_the_same_connection(database: Database) -> None:
    first = await who(database)
    assert [await who(database) for _ in range(3)] == [first] * 3
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT pg_backend_pid()")) != first


async def test_all_others_are_left_to_transactions(database: Database) -> None:
    """Whatever was asked at once: four of the five are in the pool again."""
    assert len(set(await asyncio.gather(*(who(database, SLOW) for _ in range(5))))) == 5
    async with AsyncExitStack() as stack:
        for _ in range(4):
            session = await stack.enter_async_context(database.transaction())
            await session.execute(text("SELECT 1"))
        await who(database)


async def test_a_fault_costs_no_connection(database: Database) -> None:
    first = await who(database)
    with pytest.raises(DataError):
        await database.ask(BROKEN.of(word="secret"))
    assert await who(database) == first


@pytest.mark.parametrize("trusted_s", [-1.0, 3600.0])
async def test_one_that_was_cut_is_never_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch, trusted_s: float
) -> None:
    monkeypatch.setattr(live_connections, "TRUSTED_S", trusted_s)
    first = await who(database)
    async with database.transaction() as session:
        assert (await session.scalar(CUT) or 0) >= 1
    assert await who(database) != first


async def test_one_that_has_rested_is_asked_and_not_made_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await who(database)
    monkeypatch.setattr(live_connections, "TRUSTED_S", -1.0)
    assert await who(database) == first


async def test_after_the_end_it_begins_anew(database: Database) -> None:
    first = await who(database)
    await database.dispose()
    assert await who(database) != first
