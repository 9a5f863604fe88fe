"""A site closes for a time: which visits does it touch, where could they go, and what became of each?

It is looked at first. What was looked at is kept with a token that binds the selection: the bookings, each with its
sequence. When the token comes back and the selection is no longer the same, nothing is done.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.booking import CourseRules, Span
from clinical.booking_hours import without
from clinical.booking_match import Resource, Taken
from clinical.booking_search import STEP, nearest_slots
from services.booking.errors import NotFound, NotPossible, SelectionChanged
from services.booking.interface import BookingView, ClosureItem, ClosureView, Status, Wish
from services.booking.reserving import lock_site, search_for, view_of
from services.booking.resources import pool, zone_of
from services.booking.tables import BookingRow, ClosureRow

MOST = 200
"""So many visits can be moved in one go; more is several closures."""
LOOKED_AHEAD = timedelta(days=14)
DONE = ("moved", "cancelled", "gone")


def closure_view(row: ClosureRow) -> ClosureView:
    items = tuple(ClosureItem.model_validate(one) for one in row.items["items"])
    plain = {name: getattr(row, name) for name in ClosureView.model_fields if name != "items"}
    return ClosureView.model_validate({**plain, "items": items})


async def affected(session: AsyncSession, site: str, span: Span, now: datetime) -> list[BookingView]:
    """The booked visits that this closure touches and that have not begun. Raises NotPossible when too many."""
    rows = list(
        await session.scalars(
            select(BookingRow)
            .where(
                BookingRow.site == site,
                BookingRow.status.in_([Status.BOOKED, Status.CONFIRMING]),
                BookingRow.starts_at < span.ends_at,
                BookingRow.ends_at > span.starts_at,
                BookingRow.starts_at > now,
            )
            .order_by(BookingRow.starts_at, BookingRow.id)
            .limit(MOST + 1)
        )
    )
    if len(rows) > MOST:
        raise NotPossible(f"more than {MOST} visits at once: close a shorter time")
    return [view_of(row) for row in rows]


async def proposals(
    session: AsyncSession,
    site: str,
    span: Span,
    bookings: Sequence[BookingView],
    rules: Mapping[str, CourseRules],
    now: datetime,
) -> tuple[ClosureItem, ...]:
    """A new time for each, nearest to the old one; no two of them want the same place."""
    zone = await zone_of(session, site)
    first = max(now + STEP, span.starts_at - LOOKED_AHEAD)
    last = max(span.ends_at, first) + LOOKED_AHEAD
    moving = {booking.id for booking in bookings}
    everything = [
        replace(
            one,
            at_work=without(one.at_work, [span]),
            taken=[held for held in one.taken if held.booking_id not in moving],
        )
        for one in await pool(session, site, first, last, zone)
    ]
    return tuple(
        _proposal(booking, rules.get(booking.journey_id), everything, zone, first, last)
        for booking in bookings
    )


def _proposal(
    booking: BookingView,
    rules: CourseRules | None,
    resources: Sequence[Resource],
    zone: ZoneInfo,
    first: datetime,
    last: datetime,
) -> ClosureItem:
    new = None
    if rules is not None and rules.open:
        wish = Wish(
            id=booking.id,
            rules=rules,
            session=booking.session,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            held_by="engine",
            minutes=1,
        )
        earliest = max(first, rules.earliest)
        search = search_for(wish, resources, zone)
        found = nearest_slots(search, booking.starts_at, earliest, last, 1)
        for slot in found:
            new = slot.span.starts_at
            by_number = {one.number: one for one in resources}
            for one in slot.chosen:
                held = Taken(place=one.place, span=one.span, booking_id=booking.id)
                by_number[one.number].take(held)
    return ClosureItem(
        booking_id=booking.id,
        sequence=booking.sequence,
        journey_id=booking.journey_id,
        session=booking.session,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        room=booking.room,
        new_starts_at=new,
    )


def token_of(site: str, span: Span, selection: Sequence[BookingView | ClosureItem]) -> str:
    """What binds a selection: the closure, and each booking as it was seen."""
    seen = sorted([_id_of(one), one.sequence, one.starts_at.isoformat()] for one in selection)
    content = [site, span.starts_at.isoformat(), span.ends_at.isoformat(), seen]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _id_of(one: BookingView | ClosureItem) -> str:
    return one.id if isinstance(one, BookingView) else one.booking_id


async def keep_preview(session: AsyncSession, preview: ClosureView, made_by: str) -> ClosureView:
    row = await session.get(ClosureRow, preview.id)
    if row is None:
        items = {"items": [one.model_dump(mode="json") for one in preview.items]}
        plain = preview.model_dump(exclude={"items"})
        row = ClosureRow(**plain, items=items, made_by=made_by)
        session.add(row)
        await session.flush()
    return closure_view(row)


async def closure_row(session: AsyncSession, site: str, closure_id: str) -> ClosureRow:
    row: ClosureRow | None = await session.scalar(
        select(ClosureRow).where(ClosureRow.id == closure_id, ClosureRow.site == site).with_for_update()
    )
    if row is None:
        raise NotFound("the site has no such closure")
    return row


async def confirm(
    session: AsyncSession, site: str, closure_id: str, token: str, now: datetime
) -> ClosureView:
    """From here the site is closed for that time. Raises SelectionChanged; confirming again changes nothing."""
    await lock_site(session, site)
    row = await closure_row(session, site, closure_id)
    if row.token != token:
        raise SelectionChanged("this token belongs to another preview")
    if row.status == "previewed":
        span = Span(starts_at=row.starts_at, ends_at=row.ends_at)
        if token_of(site, span, await affected(session, site, span, now)) != token:
            raise SelectionChanged("the bookings changed since the preview: look again")
        row.status, row.confirmed_at = "confirmed", now
        await session.flush()
    return closure_view(row)


async def note_results(
    session: AsyncSession, site: str, closure_id: str, results: Sequence[ClosureItem]
) -> ClosureView:
    """What became of these items."""
    row = await closure_row(session, site, closure_id)
    new = {one.booking_id: one for one in results}
    items = [new.get(one.booking_id, one) for one in closure_view(row).items]
    row.items = {"items": [one.model_dump(mode="json") for one in items]}
    await session.flush()
    return closure_view(row)
