"""Can the database answer now, and what if not?

Every use of the database by the records goes through `Sessions`. Work that lost a race (a serialization
failure, a deadlock) is done again from its start, because nothing of it was kept; what the driver or the pool
cannot do becomes RecordsUnavailable, whose cause holds no parameters. Faults of ours (a broken constraint,
bad SQL) pass.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Executable, Row
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from services.asking import Question
from services.database import Database
from services.records.errors import RecordsUnavailable

T = TypeVar("T")

ATTEMPTS = 6
FIRST_PAUSE_S = 0.01
LOST_RACES = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected
READ_ONLY_SERVER = "25006"  # connected to a standby in the middle of a failover


class RaceLost(Exception):
    """Somebody else changed what this work had just looked at: do it again."""


class Sessions:
    """Transactions of the records, in the records' own words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Do `work` in one transaction. It may run several times and must not act outside the session."""
        return await _until_won(partial(self._once, work))

    async def alone(self, question: Question) -> Sequence[Row[Any]]:
        """One statement that is a transaction of its own: no round trips to begin it and to commit it."""
        return await _until_won(partial(self._alone, question))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One moment of the database, read-only."""
        try:
            async with _answering(), self._database.reading() as session:
                yield session
        except RaceLost as lost:  # a standby gave up the snapshot
            raise RecordsUnavailable("the database cannot answer now") from lost

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[AsyncSession]:
        """Questions of which each sees a moment of its own."""
        try:
            async with _answering(), self._database.looking() as session:
                yield session
        except RaceLost as lost:
            raise RecordsUnavailable("the database cannot answer now") from lost

    async def ask(self, *questions: Question) -> list[Sequence[Row[Any]]]:
        """The rows of each question, each of its own moment."""
        try:
            async with _answering():
                return await self._database.ask(*questions)
        except RaceLost as lost:
            raise RecordsUnavailable("the database cannot answer now") from lost

    async def ask_once(self, statement: Executable) -> Sequence[Row[Any]]:
        """The rows of a statement that is hardly ever the same twice."""
        try:
            async with _answering():
                return await self._database.ask_once(statement)
        except RaceLost as lost:
            raise RecordsUnavailable("the database cannot answer now") from lost

    async def _alone(self, question: Question) -> Sequence[Row[Any]]:
        async with _answering():
            [rows] = await self._database.ask(question)
        return rows

    async def _once(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with _answering(), self._database.transaction() as session:
            return await work(session)


async def _until_won(work: Callable[[], Awaitable[T]]) -> T:
    for attempt in range(ATTEMPTS):
        try:
            return await work()
        except RaceLost:
            await asyncio.sleep(FIRST_PAUSE_S * 2**attempt)
    raise RecordsUnavailable("the same work lost every race; try again later")


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in LOST_RACES:
            raise RaceLost from error
        if isinstance(error, (OperationalError, InterfaceError)) or state == READ_ONLY_SERVER:
            raise RecordsUnavailable("the database cannot answer now") from error
        raise
    except (PoolTimeout, OSError) as error:
        raise RecordsUnavailable("the database cannot be reached now") from error
