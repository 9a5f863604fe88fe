"""Is there one commit, are readers harmless, and does an absent database say so?"""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.ports import free_port
from services.database import Database
from services.encryption import FieldCipher
from services.records.availability import ATTEMPTS, RaceLost, Sessions
from services.records.errors import RecordsUnavailable
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords
from tests.services.records.builders import a_patient

COUNT = text("SELECT count(*) FROM idempotency_key")
INSERT = text(
    "INSERT INTO idempotency_key (scope, key, request_hash, status) VALUES ('s', :key, 'h', 'running')"
)


async def test_a_transaction_is_kept_when_it_ends_well_and_only_then(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(INSERT, {"key": "kept"})
    with pytest.raises(ZeroDivisionError):
        await _insert_and_fail(database)
    async with database.reading() as session:
        assert await session.scalar(COUNT) == 1


async def test_a_reader_cannot_write_and_sees_one_moment(database: Database) -> None:
    async with database.reading() as session:
        assert await session.scalar(COUNT) == 0
        async with database.transaction() as other:
            await other.execute(INSERT, {"key": "meanwhile"})
        assert await session.scalar(COUNT) == 0
        with pytest.raises(DBAPIError, match="read-only"):
            await session.execute(INSERT, {"key": "never"})


async def test_an_absent_database_is_unavailable_and_not_a_crash(cipher: FieldCipher) -> None:
    absent = Database(f"postgresql+psycopg://nobody:nothing@127.0.0.1:{free_port()}/none")
    with pytest.raises(RecordsUnavailable):
        await SqlRecords(absent, cipher).add_patient(a_patient())
    with pytest.raises(RecordsUnavailable):
        await RecordQueries(absent, cipher).list_journeys(["site-a"])
    await absent.dispose()


async def test_a_full_pool_is_unavailable(database_url: str) -> None:
    small = Database(database_url, pool_size=1, max_overflow=0, pool_timeout_s=0.05)
    async with small.transaction() as session:
        await session.execute(COUNT)
        with pytest.raises(RecordsUnavailable):
            async with Sessions(small).reading() as other:
                await other.execute(COUNT)
    await small.dispose()


async def test_a_connection_that_was_cut_is_replaced(database: Database) -> None:
    cut = text(
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database() AND usename = current_user"
    )
    async with database.transaction() as one, database.transaction() as two:
        await one.execute(COUNT)
        await two.execute(COUNT)
    async with database.transaction() as session:
        assert (await session.scalar(cut) or 0) >= 1
    sessions = Sessions(database)
    async with sessions.reading() as one, sessions.reading() as two:
        assert (await one.scalar(COUNT), await two.scalar(COUNT)) == (0, 0)


async def test_a_connection_that_breaks_in_the_middle_is_unavailable(database: Database) -> None:
    async def die(session: AsyncSession) -> None:
        await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(RecordsUnavailable):
        await Sessions(database).write(die)


async def test_work_that_deadlocks_is_done_again(database: Database) -> None:
    async with database.transaction() as session:
        for key in ("a", "b"):
            await session.execute(INSERT, {"key": key})
    touch = text(
        "UPDATE idempotency_key SET response_status = coalesce(response_status, 0) + 1 WHERE key = :key"
    )
    met = asyncio.Barrier(2)
    tries = 0

    async def both(session: AsyncSession, order: tuple[str, str]) -> None:
        nonlocal tries
        tries += 1
        first_try = tries <= 2
        await session.execute(touch, {"key": order[0]})
        if first_try:
            await met.wait()
        await session.execute(touch, {"key": order[1]})

    sessions = Sessions(database)
    await asyncio.gather(
        sessions.write(lambda session: both(session, ("a", "b"))),
        sessions.write(lambda session: both(session, ("b", "a"))),
    )
    assert tries == 3
    async with database.reading() as session:
        total = await session.scalar(text("SELECT sum(response_status) FROM idempotency_key"))
    assert total == 4


async def test_work_that_always_loses_gives_up(database: Database) -> None:
    tries = 0

    async def lose(_: AsyncSession) -> None:
        nonlocal tries
        tries += 1
        raise RaceLost

    with pytest.raises(RecordsUnavailable):
        await Sessions(database).write(lose)
    assert tries == ATTEMPTS


async def _insert_and_fail(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(INSERT, {"key": "lost"})
        raise ZeroDivisionError
