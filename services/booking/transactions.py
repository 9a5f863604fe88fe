"""How does booking write? One transaction an act; whoever lost a race to a constraint does it again.

What an act leaves for a person to do, or takes from them, is on the work list with the same commit.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Executable, Row, Select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.interface import WorkList
from services.booking.notices import keep_listed
from services.database import Database

T = TypeVar("T")

ATTEMPTS = 3
RACES = ("23P01", "23505")  # exclusion_violation, unique_violation


class Transactions:
    def __init__(self, database: Database, work: WorkList) -> None:
        self._database = database
        self._work = work

    async def _write(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._once(work)
            except IntegrityError as error:
                if getattr(error.orig, "sqlstate", None) not in RACES:
                    raise
        return await self._once(work)

    async def _once(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self._database.transaction() as session:
            done = await work(session)
            await keep_listed(session, self._work)
            return done

    async def _read(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self._database.reading() as session:
            return await work(session)

    async def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """Every line of one statement, in its columns."""
        return await self._database.ask_once(statement)

    async def _all(self, statement: Select[T]) -> list[T]:
        """The first column of every line."""

        async def look(session: AsyncSession) -> list[T]:
            return list(await session.scalars(statement))

        return await self._read(look)

    async def _lines(self, statement: Executable) -> list[tuple[Any, ...]]:
        async def look(session: AsyncSession) -> list[tuple[Any, ...]]:
            return [tuple(line) for line in await session.execute(statement)]

        return await self._read(look)
