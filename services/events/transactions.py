"""How does the events service use the database? In transactions whose failures are said in its own words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from services.database import Database
from services.events.errors import EventsUnavailable

UNREACHABLE = (OperationalError, InterfaceError, PoolTimeout, OSError)


@asynccontextmanager
async def unreachable_said() -> AsyncIterator[None]:
    """Raises EventsUnavailable when the database cannot answer."""
    try:
        yield
    except UNREACHABLE as error:
        raise EventsUnavailable("the database cannot answer now") from error


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[AsyncSession]:
    """One transaction. Raises EventsUnavailable when the database cannot answer."""
    async with unreachable_said(), database.transaction() as session:
        yield session


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[AsyncSession]:
    """One moment of the database, read-only. Raises EventsUnavailable."""
    async with unreachable_said(), database.reading() as session:
        yield session
