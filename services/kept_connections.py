"""Which connection carries the next question, when one carried another a moment ago? The same.

The way into the pool and back costs a page a tenth of a millisecond each time, and most pages ask two or three times
what the next person asks again. So a few connections stay out of the pool between two questions, as they are: alive,
each statement a transaction of its own. What is alive is looked at as `services.live_connections` does. They count
among those of the pool: a fifth of them at most, and none of a small pool, whose transactions need them.
"""

import time
from typing import Any

import psycopg
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from services import live_connections
from services.live_connections import USED_AT, is_silent

Driver = psycopg.AsyncConnection[Any]


class KeptConnections:
    """Hands out one connection for questions, and takes it back. Whoever takes one gives it back or drops it."""

    def __init__(self, engine: AsyncEngine, pool_size: int) -> None:
        self._engine = engine
        self._at_most = pool_size // 5
        self._free: list[tuple[float, PoolProxiedConnection]] = []

    async def take(self) -> PoolProxiedConnection:
        """One that commits by itself. Raises errors of the driver, or of the pool."""
        while self._free:
            since, held = self._free.pop()
            if time.monotonic() - since < live_connections.TRUSTED_S and is_silent(driver_of(held)):
                return held
            await self._return(held, since)
        held = await self._engine.raw_connection()
        try:
            await driver_of(held).set_autocommit(True)
        except BaseException as error:
            await self.drop(held, error)
            raise
        return held

    async def give_back(self, held: PoolProxiedConnection) -> None:
        """Whole: nothing on it waits for an answer."""
        if len(self._free) < self._at_most:
            self._free.append((time.monotonic(), held))
        else:
            await self._return(held, time.monotonic())

    async def drop(self, held: PoolProxiedConnection, error: BaseException) -> None:
        """Nobody knows what state it is in: it is closed, and the pool makes another one when it needs it."""
        await greenlet_spawn(held.invalidate, error)
        await greenlet_spawn(held.close)

    async def close(self) -> None:
        """Give all back, before the pool is closed."""
        while self._free:
            since, held = self._free.pop()
            await self._return(held, since)

    async def _return(self, held: PoolProxiedConnection, since: float) -> None:
        """To the pool, which asks what has rested for long whether it lives: now is not when this was used last."""
        driver, known = driver_of(held), held.info
        try:
            await driver.set_autocommit(False)
        except psycopg.Error as error:
            await self.drop(held, error)
            return
        except BaseException as error:
            await self.drop(held, error)
            raise
        await greenlet_spawn(held.close)
        known[USED_AT] = since


def driver_of(held: PoolProxiedConnection) -> Driver:
    driver: Driver = held.driver_connection  # type: ignore[assignment]  # psycopg's
    return driver
