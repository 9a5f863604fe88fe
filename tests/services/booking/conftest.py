"""The books of rooms, people and times on a real database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor
from services.booking.interface import NoticeView
from services.booking.service import Bookings
from services.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=10, pool_timeout_s=30)
    yield database
    await database.dispose()


class Listed:
    """A work list that only notes what it was told. Satisfies `WorkList`."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    async def owe(self, session: AsyncSession, notice: NoticeView) -> None:
        self.told.append((notice.kind.value, "owed"))

    async def settle(self, session: AsyncSession, notice: NoticeView, by: Actor) -> None:
        self.told.append((notice.kind.value, f"{notice.outcome} by {by.role}"))


@pytest.fixture
def listed() -> Listed:
    return Listed()


@pytest.fixture
def books(database: Database, listed: Listed) -> Bookings:
    return Bookings(database, listed)
