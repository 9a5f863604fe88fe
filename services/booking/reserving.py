"""How does a visit get its room and people: all of them or none, each place once?

Whoever reserves at a site takes turns (an advisory lock), so that what was free when it was chosen still is when it
is written; should that ever fail, the constraint of the database refuses the second one. A hold that has lapsed is
cleared away before anything is looked at: it never stands in the way, however late the sweep is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, delete, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.booking import Part, Span, VisitPlan, minus, visit_plan
from clinical.booking_match import Chosen, Clash, Obstacle, Resource, match
from clinical.booking_search import STEP, Search, Slot, nearest_slots
from clinical.booking_tasks import NoticeKind
from services.booking.errors import NotPossible, SlotConflict
from services.booking.interface import LIVE, BookingView, ReservedPart, Status, Wish
from services.booking.notices import LAPSED, gone, notice
from services.booking.resources import pool, zone_of
from services.booking.tables import BookingRow, FreedRow, ReservationRow, WaitingRow

ALTERNATIVES = 3
ALTERNATIVES_WITHIN = timedelta(days=14)


async def lock_site(session: AsyncSession, site: str) -> None:
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"booking/{site}"}
    )


def view_of(row: BookingRow | Row[Any]) -> BookingView:
    plain = {name: getattr(row, name) for name in BookingView.model_fields if name != "parts"}
    return BookingView.model_validate({**plain, "parts": row.needs["parts"]})


async def hold(session: AsyncSession, wish: Wish, now: datetime) -> BookingView:
    """Reserve all of it until it lapses. Raises SlotConflict with every clash, NotPossible.

    Another hold of the same visit is given back; where the visit is booked already, what it has now may be kept for
    the new time too.
    """
    await lock_site(session, wish.rules.site)
    known = await session.get(BookingRow, wish.id)
    if known is not None:
        return view_of(known)
    await expire_due(session, now, wish.rules.site)
    booked = await _make_way(session, wish, now)
    zone = await zone_of(session, wish.rules.site)
    plan = _plan(wish, wish.starts_at)
    own = booked.id if booked else ""
    resources = _but(await pool(session, wish.rules.site, plan.span.starts_at, plan.span.ends_at, zone), own)
    search = search_for(wish, resources, zone)
    if search.is_closed(plan.span):
        raise SlotConflict([_closed(plan)])
    found = match(plan.needs, resources, search.wanted)
    if found.clashes:
        raise SlotConflict(found.clashes)
    row = _booking(wish, plan, found.chosen, now)
    session.add(row)
    await session.flush()
    row.leans = await _reserve(session, row, booked)
    if row.waiting_id is None:
        await gone(session, row, LAPSED, now)
    await session.flush()
    return view_of(row)


async def alternatives(session: AsyncSession, wish: Wish, now: datetime) -> list[Slot]:
    """The nearest times at which the same visit could be had."""
    site = wish.rules.site
    zone = await zone_of(session, site)
    earliest = max(now + STEP, wish.rules.earliest, wish.starts_at - ALTERNATIVES_WITHIN)
    latest = max(wish.starts_at, earliest) + ALTERNATIVES_WITHIN
    booked = await booked_row(session, wish.rules.journey_id, wish.session)
    own = booked.id if booked else ""
    resources = _but(await pool(session, site, earliest, latest, zone), own)
    known = {one.code for one in resources}
    search = search_for(wish, resources, zone)
    within = {part: code for part, code in search.wanted.items() if code in known}
    return nearest_slots(replace(search, wanted=within), wish.starts_at, earliest, latest, ALTERNATIVES)


def search_for(wish: Wish, resources: Sequence[Resource], zone: ZoneInfo) -> Search:
    wanted = {Part(part): code for part, code in wish.people.items()}
    if wish.room is not None:
        wanted[Part.PLACE] = wish.room
    return Search(
        plan=lambda at: _plan(wish, at),
        allows=lambda at: not wish.rules.refusals(at),
        resources=resources,
        zone=zone,
        closed=wish.rules.closed_days,
        wanted=wanted,
    )


async def expire_due(session: AsyncSession, now: datetime, site: str | None = None) -> list[BookingView]:
    """Give back what nobody confirmed in time, and say so."""
    due = select(BookingRow).where(BookingRow.status == Status.PENDING, BookingRow.expires_at <= now)
    if site is not None:
        due = due.where(BookingRow.site == site)
    rows = list(await session.scalars(due.with_for_update(skip_locked=site is None)))
    for row in rows:
        kind = NoticeKind.HOLD_EXPIRED if row.waiting_id is None else NoticeKind.OFFER_LAPSED
        await let_go(session, row, Status.EXPIRED, "nobody confirmed it in time", now)
        await notice(session, row, kind, now)
    return [view_of(row) for row in rows]


async def let_go(session: AsyncSession, row: BookingRow, status: Status, why: str, now: datetime) -> None:
    """It holds nothing from here on. Whoever leaned on it gets what it had; its time may be given to others."""
    was_booked = row.status == Status.BOOKED
    row.status, row.released_at, row.released_why = status.value, now, why
    await session.execute(delete(ReservationRow).where(ReservationRow.booking_id == row.id))
    await session.flush()
    if was_booked:
        leaning = select(BookingRow).where(
            BookingRow.journey_id == row.journey_id,
            BookingRow.session == row.session,
            BookingRow.status.in_([Status.PENDING, Status.CONFIRMING]),
            BookingRow.leans,
        )
        for other in await session.scalars(leaning):
            await _stand_alone(session, other)
        if row.starts_at > now:
            session.add(
                FreedRow(
                    id=row.id,
                    site=row.site,
                    starts_at=row.starts_at,
                    freed_at=now,
                    status="open",
                    asked=[],
                    booking_id=None,
                )
            )
    if row.waiting_id is not None:
        await _wait_on(session, row)
        answered = status is Status.RELEASED
        await gone(session, row, [NoticeKind.OFFER_MADE], now, "completed" if answered else "cancelled")
    await session.flush()


async def _wait_on(session: AsyncSession, row: BookingRow) -> None:
    """An offer that came to nothing: its patient waits for the next one, and this time goes to the next patient."""
    waiting = await session.get(WaitingRow, row.waiting_id)
    if waiting is not None and waiting.status == "offered" and waiting.booking_id == row.id:
        waiting.status, waiting.booking_id = "waiting", None


async def booked_row(session: AsyncSession, journey_id: str, number: int) -> BookingRow | None:
    row: BookingRow | None = await session.scalar(
        select(BookingRow).where(
            BookingRow.journey_id == journey_id,
            BookingRow.session == number,
            BookingRow.status == Status.BOOKED,
        )
    )
    return row


async def live_rows(session: AsyncSession, journey_id: str, number: int | None = None) -> list[BookingRow]:
    statement = select(BookingRow).where(BookingRow.journey_id == journey_id, BookingRow.status.in_(LIVE))
    if number is not None:
        statement = statement.where(BookingRow.session == number)
    return list(await session.scalars(statement.order_by(BookingRow.held_at).with_for_update()))


async def _make_way(session: AsyncSession, wish: Wish, now: datetime) -> BookingRow | None:
    """One hold a visit: another one is given back. Answers the time that the visit has booked, if any."""
    booked = None
    for row in await live_rows(session, wish.rules.journey_id, wish.session):
        match row.status:
            case Status.CONFIRMING:
                raise NotPossible("another time of this visit is being confirmed")
            case Status.PENDING:
                await let_go(session, row, Status.RELEASED, "another time was held", now)
            case _:
                booked = row
    return booked


def _plan(wish: Wish, starts_at: datetime) -> VisitPlan:
    ends_at = None if wish.ends_at is None else starts_at + (wish.ends_at - wish.starts_at)
    return visit_plan(wish.rules.protocol, starts_at, ends_at)


def _but(resources: Iterable[Resource], booking_id: str) -> list[Resource]:
    """The same as if this booking were not there."""
    return [
        replace(one, taken=[held for held in one.taken if held.booking_id != booking_id]) for one in resources
    ]


def _closed(plan: VisitPlan) -> Clash:
    return Clash(part=Part.PLACE, obstacle=Obstacle.CLOSED, resource_id=None, resource=None, span=plan.span)


def _booking(wish: Wish, plan: VisitPlan, chosen: Sequence[Chosen], now: datetime) -> BookingRow:
    parts = [
        ReservedPart(
            part=one.part.value,
            resource_id=one.resource_id,
            resource=one.code,
            number=one.number,
            place=one.place,
            starts_at=one.span.starts_at,
            ends_at=one.span.ends_at,
        ).model_dump(mode="json")
        for one in chosen
    ]
    room = next(one.code for one in chosen if one.part is Part.PLACE)
    return BookingRow(
        id=wish.id,
        site=wish.rules.site,
        journey_id=wish.rules.journey_id,
        session=wish.session,
        status=Status.PENDING.value,
        starts_at=plan.span.starts_at,
        ends_at=plan.span.ends_at,
        dose_at=plan.dose_at,
        home_at=plan.home_at,
        room=room,
        needs={"parts": parts},
        leans=False,
        sequence=0,
        held_by=wish.held_by,
        held_at=now,
        expires_at=now + timedelta(minutes=wish.minutes),
        late=False,
        notice_hours=wish.rules.protocol.of_booking.notice_hours,
        waiting_id=wish.waiting_id,
    )


async def _reserve(session: AsyncSession, row: BookingRow, booked: BookingRow | None) -> bool:
    """Write what is needed; what the visit's present booking has of it stays there for now. True if some does."""
    held = _parts(booked) if booked else []
    leans = False
    for part in _parts(row):
        same = [_span(one) for one in held if (one.number, one.place) == (part.number, part.place)]
        pieces = minus(_span(part), same)
        leans = leans or pieces != [_span(part)]
        for piece in pieces:
            session.add(_reservation(row, part, piece))
    await session.flush()
    return leans


async def _stand_alone(session: AsyncSession, row: BookingRow) -> None:
    """What it leaned on is gone: it takes the whole of what it needs, in the same transaction."""
    await session.execute(delete(ReservationRow).where(ReservationRow.booking_id == row.id))
    session.add_all([_reservation(row, part, _span(part)) for part in _parts(row)])
    row.leans = False
    await session.flush()


def _reservation(row: BookingRow, part: ReservedPart, span: Span) -> ReservationRow:
    taken = Range(span.starts_at, span.ends_at)
    return ReservationRow(booking_id=row.id, resource=part.number, place=part.place, span=taken)


def _parts(row: BookingRow) -> list[ReservedPart]:
    return [ReservedPart.model_validate(one) for one in row.needs["parts"]]


def _span(part: ReservedPart) -> Span:
    return Span(starts_at=part.starts_at, ends_at=part.ends_at)
