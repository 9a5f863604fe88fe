"""Does the clock of this machine differ from the database's, and by how much?

Instants of acts come from the machines that hear of them, instants of rows from the database: when the two drift apart,
order and deadlines do too. The question takes time on its way; half of that is what its answer cannot know.

The engine is not asked, though its clock ends the waits of every course and dates a dose: nothing that it answers says
what time it is there. What bears an instant of its own has either waited for an unknown time (a task that was handed
out, a poller that was seen) or is made for it with every look and stays behind (a start in a history); its HTTP door
says whole seconds, and has to be opened for it. A self-hosted engine is watched where it runs (deploy/runbook.md).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from services.database import Database
from services.telemetry.metrics import CLOCK_OFFSET

LOOK_EVERY_S = 60.0
LOOKS = 3
"""The quickest answer counts: the first may have waited for a connection."""
CLOCKS_AGREE = timedelta(seconds=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Offset:
    """By how much the other clock is ahead of ours, give or take."""

    ahead: timedelta
    uncertainty: timedelta

    @property
    def differs(self) -> bool:
        """Certainly, by more than the clocks of machines that are kept in time."""
        return abs(self.ahead) - self.uncertainty > CLOCKS_AGREE


def reckon(asked_at: datetime, took: timedelta, told: datetime) -> Offset:
    """The other clock told `told` at some moment of `took`, which began when ours showed `asked_at`."""
    return Offset(told - (asked_at + took / 2), took / 2)


def _now() -> datetime:
    return datetime.now(UTC)


class ClockWatch:
    """Keeps what was seen last; None until somebody has looked."""

    def __init__(self, database: Database, now: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._now = now
        self.last: Offset | None = None

    async def look(self) -> Offset:
        """Ask the database; it becomes the gauge, and a line of the log when the clocks differ. Raises what the
        driver raises, and then nothing has changed."""
        seen = []
        async with self._database.looking() as session:
            for _ in range(LOOKS):
                # Our clock may be set meanwhile: how long it took is told by the one that nobody sets.
                asked_at, began = self._now(), time.monotonic()
                told = (await session.execute(select(func.clock_timestamp()))).scalar_one()
                seen.append(reckon(asked_at, timedelta(seconds=time.monotonic() - began), told))
        offset = self.last = min(seen, key=lambda one: one.uncertainty)
        CLOCK_OFFSET.set(offset.ahead.total_seconds())
        if offset.differs:
            status = "clock-behind" if offset.ahead > timedelta(0) else "clock-ahead"
            milliseconds = round(abs(offset.ahead) / timedelta(milliseconds=1))
            log.warning(
                "this clock differs from that of the database", status=status, duration_ms=milliseconds
            )
        return offset

    async def keep_looking(self, every_s: float = LOOK_EVERY_S) -> None:
        """Look again and again until cancelled."""
        while True:
            try:
                await self.look()
            except (SQLAlchemyError, OSError) as failure:
                log.warning("clock not looked at", error_type=type(failure).__name__)
            await asyncio.sleep(every_s)
