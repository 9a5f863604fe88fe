"""How does it stand now? What is open in the database becomes gauges, counted again and again.

Every process that serves the messages' queue counts; all say the same, and whoever reads takes the largest. While the
database is away the gauges stand still, and so does the time of the last count: an alert looks at that.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError

from services.database import Database
from services.notifications.waiting import oldest_unsent
from services.outbox import oldest_unpublished
from services.records.census import census
from services.telemetry import metrics
from services.telemetry.metrics import Closed

COUNT_EVERY_S = 10.0

log = structlog.get_logger()


async def count(database: Database, now: datetime) -> None:
    """One look at everything. Raises what the driver raises, and then no gauge has changed."""
    found = await census(database, now)
    async with database.reading() as session:
        unpublished = await oldest_unpublished(session)
        unsent = await oldest_unsent(session, now)
    _put(metrics.JOURNEY_ACTIVE, found.active)
    metrics.JOURNEY_ON_HOLD.set(found.on_hold)
    _put(metrics.TASK_OPEN, found.open_tasks)
    _put(metrics.TASK_OVERDUE, found.overdue_tasks)
    _put(metrics.RISK_OPEN, found.open_risks)
    metrics.RISK_UNACKNOWLEDGED.set(found.risks_not_taken_over)
    metrics.IN_CHAIR.set(found.in_chair)
    metrics.OBSERVATION_OVERDUE.set(found.readings_overdue)
    metrics.OUTBOX_LAG.set(_age(unpublished, now))
    metrics.MESSAGE_OLDEST.set(_age(unsent, now))
    metrics.CENSUS_AT.set(now.timestamp())


async def keep_counting(database: Database, every_s: float = COUNT_EVERY_S) -> None:
    """Count again and again until cancelled; what fails now is counted the next time."""
    while True:
        try:
            await count(database, datetime.now(UTC))
        except (SQLAlchemyError, OSError) as failure:
            log.warning("not counted", error_type=type(failure).__name__)
        await asyncio.sleep(every_s)


def _put(gauge: Closed[Gauge], numbers: Mapping[str, int]) -> None:
    for value, series in gauge.each():
        series.set(numbers.get(value, 0))


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max((now - since).total_seconds(), 0.0)
