"""How does a hold become a booking, together with the workflow that books the visit?

First the hold is claimed: from here it lapses no more. Then the workflow is asked. What it answered settles the
booking and frees the time that the visit had before; what it refused gives the hold back. A crash in between leaves
a claim, and the record says what became of it (`reconcile`).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.booking import is_late
from clinical.booking_reconcile import Outcome, Visit, outcome
from clinical.booking_tasks import NoticeKind
from clinical.protocol_desk import BOOKING_BEFORE
from services.booking.errors import HoldExpired, NotFound, NotPossible
from services.booking.interface import LIVE, BookingView, Status
from services.booking.notices import Of, gone, notice
from services.booking.reserving import let_go, live_rows, lock_site, view_of
from services.booking.tables import BookingRow, FreedRow, WaitingRow


async def booking_row(session: AsyncSession, site: str, booking_id: str) -> BookingRow:
    """The booking as it is now, and nobody else's until the transaction ends."""
    await lock_site(session, site)
    row: BookingRow | None = await session.scalar(
        select(BookingRow)
        .where(BookingRow.id == booking_id, BookingRow.site == site)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("the site has no such hold")
    return row


async def claim(session: AsyncSession, site: str, booking_id: str, key: str, now: datetime) -> BookingView:
    """This request is going to confirm the hold. Raises HoldExpired, NotPossible, NotFound."""
    row = await booking_row(session, site, booking_id)
    same = row.claim_key == key
    match Status(row.status):
        case Status.CONFIRMING | Status.BOOKED if same:
            return view_of(row)
        case Status.EXPIRED:
            raise HoldExpired("the hold has lapsed")
        case Status.PENDING if row.expires_at is not None and row.expires_at <= now:
            raise HoldExpired("the hold has lapsed")
        case Status.PENDING:
            row.status, row.claim_key, row.claimed_at = Status.CONFIRMING.value, key, now
            await session.flush()
            return view_of(row)
        case _:
            raise NotPossible(f"the hold is {row.status}")


async def unclaim(session: AsyncSession, site: str, booking_id: str, key: str, now: datetime) -> None:
    """The workflow said no: the hold is what it was, or lapses now if its time has come."""
    row = await booking_row(session, site, booking_id)
    if row.status != Status.CONFIRMING or row.claim_key != key:
        return
    row.status, row.claim_key, row.claimed_at = Status.PENDING.value, None, None
    if row.expires_at is None or row.expires_at <= now:
        await let_go(session, row, Status.EXPIRED, "it was refused after its time", now)


async def settle(session: AsyncSession, site: str, booking_id: str, now: datetime) -> BookingView:
    """The record has the visit at this time: book it, and free the time it had before."""
    row = await booking_row(session, site, booking_id)
    if row.status == Status.BOOKED:
        return view_of(row)
    if row.status not in LIVE:
        raise NotPossible(f"the hold is {row.status}")
    for other in await live_rows(session, row.journey_id, row.session):
        if other.id == row.id:
            continue
        if other.status == Status.BOOKED:
            row.sequence = other.sequence + 1
            await let_go(session, other, Status.MOVED, "moved to another time", now)
        else:
            await let_go(session, other, Status.RELEASED, "the visit was booked at another time", now)
    row.status, row.booked_at, row.expires_at = Status.BOOKED.value, now, None
    await _no_longer_waiting(session, row)
    await gone(session, row, list(NoticeKind), now, "completed")
    await session.flush()
    return view_of(row)


async def release(
    session: AsyncSession,
    site: str,
    journey_id: str,
    number: int,
    status: Status,
    why: str,
    now: datetime,
    *,
    leaving: bool = False,
) -> list[BookingView]:
    """The visit needs its time no more: give back whatever it holds.

    A late cancellation is marked, unless the patient is leaving the course: that is never late.
    """
    await lock_site(session, site)
    freed = []
    for row in await live_rows(session, journey_id, number):
        booked = row.status == Status.BOOKED
        await let_go(session, row, status if booked else Status.RELEASED, why, now)
        if booked:
            row.sequence += 1
            row.late = status is Status.CANCELLED and not leaving and _is_late(row, now)
        freed.append(view_of(row))
    await _leave_the_line(session, journey_id, number)
    await gone(session, Of(journey_id, number), list(NoticeKind), now)
    await session.flush()
    return freed


async def give_back(
    session: AsyncSession, site: str, booking_id: str, why: str, now: datetime
) -> BookingView:
    """A hold or an offer that nobody wants. Given back twice is given back; a booking is not a hold."""
    row = await booking_row(session, site, booking_id)
    if row.status in (Status.CONFIRMING, Status.BOOKED):
        raise NotPossible(f"the hold is {row.status}")
    if row.status == Status.PENDING:
        await let_go(session, row, Status.RELEASED, why, now)
    return view_of(row)


async def to_reconcile(session: AsyncSession, after: str, limit: int) -> list[BookingView]:
    """Bookings that the record may know more about, a page at a time."""
    rows = await session.scalars(
        select(BookingRow)
        .where(BookingRow.status.in_([Status.CONFIRMING, Status.BOOKED]), BookingRow.id > after)
        .order_by(BookingRow.id)
        .limit(limit)
    )
    return [view_of(row) for row in rows]


def _found(
    booking: BookingView | BookingRow, visit: Visit | None, now: datetime, *, being_replaced: bool
) -> Outcome:
    return outcome(
        starts_at=booking.starts_at,
        room=booking.room,
        confirming_since=booking.claimed_at if booking.status == Status.CONFIRMING else None,
        being_replaced=being_replaced,
        visit=visit,
        now=now,
    )


def stays(seen: BookingView, visit: Visit | None, now: datetime) -> bool:
    """Is there nothing to do about it, as far as can be seen without asking again? True of nearly all, at each look.

    What stays although nothing replaces it stays all the more while something does.
    """
    return _found(seen, visit, now, being_replaced=False) is Outcome.KEEP


async def reconcile(session: AsyncSession, seen: BookingView, visit: Visit | None, now: datetime) -> Outcome:
    """Let one booking follow what the record says of its visit."""
    row = await booking_row(session, seen.site, seen.id)
    if row.status != seen.status:
        return Outcome.KEEP  # somebody was quicker
    siblings: Sequence[BookingRow] = await live_rows(session, row.journey_id, row.session)
    replaced = any(other.id != row.id and other.status == Status.CONFIRMING for other in siblings)
    found = _found(row, visit, now, being_replaced=replaced)
    match found:
        case Outcome.KEEP:
            pass
        case Outcome.BOOK:
            await settle(session, row.site, row.id, now)
        case Outcome.NOT_CONFIRMED:
            await let_go(session, row, Status.EXPIRED, "it was never confirmed", now)
            await notice(session, row, NoticeKind.NOT_CONFIRMED, now)
        case Outcome.MOVED:
            await let_go(session, row, Status.MOVED, "the record has another time", now)
        case Outcome.CANCELLED | Outcome.NOSHOW | Outcome.FULFILLED:
            await release(
                session,
                row.site,
                row.journey_id,
                row.session,
                Status(found.value),
                "as the record says",
                now,
                leaving=visit is not None and visit.left,
            )
    return found


def _is_late(row: BookingRow, now: datetime) -> bool:
    """By the notice of its own protocol; a time that was held by the release before does not have it."""
    notice_hours = BOOKING_BEFORE.notice_hours if row.notice_hours is None else row.notice_hours
    return is_late(row.starts_at, now, notice_hours)


async def _no_longer_waiting(session: AsyncSession, row: BookingRow) -> None:
    """Who took an offer waits no more; the time that was freed is given away."""
    if row.waiting_id is None:
        return
    waiting = await session.get(WaitingRow, row.waiting_id)
    if waiting is not None:
        waiting.status, waiting.booking_id = "booked", row.id
    freed = await session.scalars(select(FreedRow).where(FreedRow.booking_id == row.id))
    for one in freed:
        one.status = "taken"


async def _leave_the_line(session: AsyncSession, journey_id: str, number: int) -> None:
    rows = await session.scalars(
        select(WaitingRow).where(
            WaitingRow.journey_id == journey_id,
            WaitingRow.session == number,
            WaitingRow.status.in_(["waiting", "offered"]),
        )
    )
    for row in rows:
        row.status = "left"
