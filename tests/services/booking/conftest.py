"""The books of rooms, people and times on a real database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.booking.service import Bookings
from services.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=10, pool_timeout_s=30)
    yield database
    await database.dispose()


@pytest.fixture
def books(database: Database) -> Bookings:
    return Bookings(database)
