"""How does booking write? One transaction an act; whoever lost a race to a constraint does it again."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import Executable, Select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.database import Database

T = TypeVar("T")

ATTEMPTS = 3
RACES = ("23P01", "23505")  # exclusion_violation, unique_violation


class Transactions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def _write(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        for _ in range(ATTEMPTS - 1):
            try:
                async with self._database.transaction() as session:
                    return await work(session)
            except IntegrityError as error:
                if getattr(error.orig, "sqlstate", None) not in RACES:
                    raise
        async with self._database.transaction() as session:
            return await work(session)

    async def _read(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self._database.reading() as session:
            return await work(session)

    async def _all(self, statement: Select[T]) -> list[T]:
        """The first column of every line."""

        async def look(session: AsyncSession) -> list[T]:
            return list(await session.scalars(statement))

        return await self._read(look)

    async def _lines(self, statement: Executable) -> list[tuple[Any, ...]]:
        async def look(session: AsyncSession) -> list[tuple[Any, ...]]:
            return [tuple(line) for line in await session.execute(statement)]

        return await self._read(look)
