"""On which days is a site closed? Kept by hand; what waits for the calendar only, waits for them.

A day that is added or taken back moves the due times of the open tasks that pause (`clinical.working_time`) in
the same transaction. Workflows learn of the days with each write to the record (`closed_ahead`); clocks of
medicine and of the law never do.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.instants import zone_named
from clinical.working_time import PAUSES, Span, closed_day, moved_due
from services.database import Database
from services.records.availability import Sessions
from services.records.errors import NotFound
from services.records.opening import view
from services.records.task_queries import OPEN
from services.records.task_tables import ClosedDayRow, TaskRow
from services.records.task_views import ClosedDayView

AHEAD = timedelta(days=400)


class ClosedDays:
    """The calendar of closed days of all sites."""

    def __init__(self, database: Database) -> None:
        self._sessions = Sessions(database)

    async def days(
        self,
        site: str,
        *,
        since: date | None = None,
        until: date | None = None,
        after: date | None = None,
        limit: int = 50,
    ) -> list[ClosedDayView]:
        """Earliest first; `after` is the last day seen."""
        wanted = [ClosedDayRow.site == site]
        if since is not None:
            wanted.append(ClosedDayRow.day >= since)
        if until is not None:
            wanted.append(ClosedDayRow.day <= until)
        if after is not None:
            wanted.append(ClosedDayRow.day > after)
        statement = select(ClosedDayRow).where(*wanted).order_by(ClosedDayRow.day).limit(limit)
        async with self._sessions.reading() as session:
            return [view(ClosedDayView, row) for row in await session.scalars(statement)]

    async def count(self, site: str) -> int:
        async with self._sessions.reading() as session:
            counted = select(func.count()).select_from(ClosedDayRow).where(ClosedDayRow.site == site)
            return await session.scalar(counted) or 0

    async def add(
        self, site: str, days: Sequence[date], name: str, time_zone: str, by: str
    ) -> list[ClosedDayView]:
        """Closed on these days, in that zone; the same day again changes nothing. NotFound: no such zone."""
        zone = zone_named(time_zone)
        if zone is None:
            raise NotFound("there is no such time zone")
        told = {"site": site, "name": name, "time_zone": time_zone, "added_by": by}
        spans = {day: closed_day(day, zone) for day in days}
        new = [{**told, "day": day, "starts_at": one.start, "ends_at": one.end} for day, one in spans.items()]

        async def work(session: AsyncSession) -> list[ClosedDayView]:
            before = await _spans(session, site)
            await session.execute(insert(ClosedDayRow).values(new).on_conflict_do_nothing())
            await _move_due_times(session, site, before)
            of_days = ClosedDayRow.site == site, ClosedDayRow.day.in_(list(days))
            rows = await session.scalars(select(ClosedDayRow).where(*of_days).order_by(ClosedDayRow.day))
            return [view(ClosedDayView, row) for row in rows]

        return await self._sessions.write(work)

    async def ahead(self, site: str, now: datetime) -> tuple[Span, ...]:
        """What a course that begins now needs to know."""
        async with self._sessions.reading() as session:
            return await closed_ahead(session, site, now)

    async def remove(self, site: str, day: date) -> None:
        """Open after all. Raises NotFound."""

        async def work(session: AsyncSession) -> None:
            before = await _spans(session, site)
            of_day = ClosedDayRow.site == site, ClosedDayRow.day == day
            gone = await session.execute(delete(ClosedDayRow).where(*of_day).returning(ClosedDayRow.day))
            if gone.first() is None:
                raise NotFound("the site is not closed on that day")
            await _move_due_times(session, site, before)

        await self._sessions.write(work)


CLOSED_AHEAD = (
    ClosedDayRow.site == bindparam("site"),
    ClosedDayRow.ends_at > bindparam("now"),
    ClosedDayRow.starts_at < bindparam("far"),
)
"""What a workflow needs to know: the closed spans from now on, for a good year (`ahead_of`)."""


def ahead_of(site: str, now: datetime) -> dict[str, Any]:
    """What CLOSED_AHEAD asks for."""
    return {"site": site, "now": now, "far": now + AHEAD}


async def closed_ahead(session: AsyncSession, site: str, now: datetime) -> tuple[Span, ...]:
    spans = select(ClosedDayRow.starts_at, ClosedDayRow.ends_at).where(*CLOSED_AHEAD)
    return spans_of((row.starts_at, row.ends_at) for row in await session.execute(spans, ahead_of(site, now)))


def spans_of(rows: Iterable[tuple[datetime, datetime]]) -> tuple[Span, ...]:
    """Earliest first."""
    return tuple(sorted(Span(start.astimezone(UTC), end.astimezone(UTC)) for start, end in rows))


async def _spans(session: AsyncSession, site: str) -> list[Span]:
    """All of a site; nobody else changes them until the transaction ends."""
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"closed-days {site}", 0))
    await session.execute(select(lock))
    rows = await session.execute(
        select(ClosedDayRow.starts_at, ClosedDayRow.ends_at).where(ClosedDayRow.site == site)
    )
    return [Span(start, end) for start, end in rows]


async def _move_due_times(session: AsyncSession, site: str, before: Sequence[Span]) -> None:
    after = await _spans(session, site)
    waiting = await session.execute(
        select(TaskRow.id, TaskRow.opened_at, TaskRow.due_at)
        .where(TaskRow.site == site, OPEN, TaskRow.code.in_(sorted(PAUSES)), TaskRow.overdue_at.is_(None))
        .order_by(TaskRow.id)
        .with_for_update()
    )
    for row_id, opened_at, due_at in waiting.all():
        moved = moved_due(opened_at, due_at, before, after)
        if moved != due_at:
            change = update(TaskRow).where(TaskRow.id == row_id)
            await session.execute(change.values(due_at=moved, version=TaskRow.version + 1))
