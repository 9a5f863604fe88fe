"""What does booking offer to the doors? Times for visits: found, held, booked, moved, given back, read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.booking import Span
from clinical.booking_reconcile import Outcome, Visit
from clinical.booking_search import STEP, Slot, next_slots
from services.booking import reserving, resources, settling
from services.booking.day import SHOWN, day_of
from services.booking.errors import NotFound, SlotConflict
from services.booking.giving_away import GivingAway
from services.booking.interface import BookingView, Status, Wish
from services.booking.registry import Registry
from services.booking.tables import BookingRow
from services.database import counted

LONGEST_SEARCH = timedelta(days=60)


class Bookings(Registry, GivingAway):
    """Rooms, people, and the time that is reserved of them. Errors are those of `services.booking.errors`."""

    async def slots(self, wish: Wish, latest: datetime, count: int, now: datetime) -> list[Slot]:
        """The next times from the wished one on that satisfy intervals, people and rooms."""
        earliest = max(wish.starts_at, now + STEP, wish.rules.earliest)
        bound = min(latest, max(wish.starts_at, earliest) + LONGEST_SEARCH)

        async def look(session: AsyncSession) -> list[Slot]:
            zone = await resources.zone_of(session, wish.rules.site)
            found = await resources.pool(session, wish.rules.site, earliest, bound, zone)
            return next_slots(reserving.search_for(wish, found, zone), earliest, bound, count)

        return await self._read(look) if earliest <= bound else []

    async def hold(self, wish: Wish, now: datetime) -> BookingView:
        """Raises SlotConflict with the nearest alternatives, NotPossible."""
        try:
            return await self._write(lambda s: reserving.hold(s, wish, now))
        except SlotConflict as conflict:
            nearest = await self._read(lambda s: reserving.alternatives(s, wish, now))
            raise SlotConflict(conflict.clashes, nearest) from None

    async def claim(self, site: str, booking_id: str, key: str, now: datetime) -> BookingView:
        return await self._write(lambda s: settling.claim(s, site, booking_id, key, now))

    async def unclaim(self, site: str, booking_id: str, key: str, now: datetime) -> None:
        await self._write(lambda s: settling.unclaim(s, site, booking_id, key, now))

    async def settle(self, site: str, booking_id: str, now: datetime) -> BookingView:
        return await self._write(lambda s: settling.settle(s, site, booking_id, now))

    async def give_back(self, site: str, booking_id: str, why: str, now: datetime) -> BookingView:
        return await self._write(lambda s: settling.give_back(s, site, booking_id, why, now))

    async def release(
        self, site: str, journey_id: str, number: int, status: Status, why: str, now: datetime
    ) -> list[BookingView]:
        return await self._write(lambda s: settling.release(s, site, journey_id, number, status, why, now))

    async def expire_due(self, now: datetime) -> list[BookingView]:
        return await self._write(lambda s: reserving.expire_due(s, now))

    async def to_reconcile(self, after: str, limit: int) -> list[BookingView]:
        return await self._read(lambda s: settling.to_reconcile(s, after, limit))

    async def reconcile(self, seen: BookingView, visit: Visit | None, now: datetime) -> Outcome:
        if settling.stays(seen, visit, now):
            return Outcome.KEEP
        return await self._write(lambda s: settling.reconcile(s, seen, visit, now))

    async def booking(self, site: str, booking_id: str) -> BookingView:
        statement = select(BookingRow).where(BookingRow.id == booking_id, BookingRow.site == site)
        for row in await self._all(statement):
            return reserving.view_of(row)
        raise NotFound("the site has no such booking")

    async def of_session(self, journey_id: str, number: int) -> list[BookingView]:
        """Every time that a visit was ever given, in order."""
        statement = (
            select(BookingRow)
            .where(BookingRow.journey_id == journey_id, BookingRow.session == number)
            .order_by(BookingRow.held_at, BookingRow.id)
        )
        return [reserving.view_of(row) for row in await self._all(statement)]

    async def between(
        self, site: str, span: Span, *, after: tuple[datetime, str] | None = None, limit: int = 200
    ) -> list[BookingView]:
        """What is held or booked at a site in that time, in order."""
        statement = select(BookingRow).where(
            BookingRow.site == site,
            BookingRow.status.in_(SHOWN),
            BookingRow.starts_at < span.ends_at,
            BookingRow.ends_at > span.starts_at,
        )
        if after is not None:
            at, mark = after
            later = (BookingRow.starts_at > at) | ((BookingRow.starts_at == at) & (BookingRow.id > mark))
            statement = statement.where(later)
        ordered = statement.order_by(BookingRow.starts_at, BookingRow.id).limit(limit)
        return [reserving.view_of(row) for row in await self._rows(ordered)]

    async def day(self, site: str, span: Span, *, limit: int) -> list[dict[str, Any]]:
        """What the site has, each with the spans for which a visit has it."""
        return await day_of(self._database, site, span, limit)

    async def counts(self, site: str, span: Span) -> dict[str, int]:
        """Bookings of that time by status, those that were given back too."""
        of_time = BookingRow.starts_at < span.ends_at, BookingRow.ends_at > span.starts_at
        return await self._read(lambda s: counted(s, BookingRow.status, BookingRow.site == site, *of_time))

    async def of_resource(self, site: str, resource_id: str, after: datetime) -> list[BookingView]:
        """Everything that was ever booked with this resource and ends after that, in the order of booking."""
        statement = (
            select(BookingRow)
            .where(
                BookingRow.site == site,
                BookingRow.booked_at.is_not(None),
                BookingRow.ends_at > after,
                BookingRow.needs.contains({"parts": [{"resource_id": resource_id}]}),
            )
            .order_by(BookingRow.booked_at, BookingRow.id)
            .limit(5000)
        )
        return [reserving.view_of(row) for row in await self._all(statement)]

    async def booked_without(self, site: str, visits: Sequence[Visit]) -> list[Visit]:
        """Which of these visits have no reservation at all?"""
        statement = select(BookingRow.journey_id, BookingRow.session).where(
            BookingRow.site == site,
            BookingRow.status.in_([Status.BOOKED, Status.CONFIRMING]),
            BookingRow.journey_id.in_({visit.journey_id for visit in visits}),
        )
        rows = await self._lines(statement)
        return [visit for visit in visits if (visit.journey_id, visit.session) not in rows]
