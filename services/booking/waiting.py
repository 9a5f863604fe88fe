"""Who waits for an earlier time, and who is asked first when one becomes free?

A freed time is offered to one waiting visit after the other, in the order in which they began to wait: to the first
whose interval rules allow it and whose people and room can be had then. An offer is a short hold. Taken, it becomes
the visit's booking; declined or lapsed, the next one is asked. Nobody is asked twice about the same time.
"""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.booking import CourseRules
from clinical.booking_tasks import NoticeKind
from services.booking.errors import NotFound, SlotConflict
from services.booking.interface import LIVE, BookingView, Status, WaitingView, Wish
from services.booking.notices import gone, notice
from services.booking.reserving import booked_row, expire_due, hold, let_go, live_rows, lock_site
from services.booking.tables import BookingRow, FreedRow, WaitingRow
from services.identifiers import id_from

OPEN = ("waiting", "offered")


def view_of(row: WaitingRow) -> WaitingView:
    return WaitingView.model_validate({name: getattr(row, name) for name in WaitingView.model_fields})


async def join(session: AsyncSession, wanted: WaitingView) -> WaitingView:
    """Get in line; who is in it keeps the place."""
    await lock_site(session, wanted.site)
    row: WaitingRow | None = await session.scalar(
        select(WaitingRow).where(
            WaitingRow.journey_id == wanted.journey_id,
            WaitingRow.session == wanted.session,
            WaitingRow.status.in_(OPEN),
        )
    )
    row = row or await session.get(WaitingRow, wanted.id)
    if row is None:
        row = WaitingRow(**wanted.model_dump())
        session.add(row)
    elif row.status in OPEN:
        row.from_at, row.until_at = wanted.from_at, wanted.until_at
    await session.flush()
    return view_of(row)


async def leave(session: AsyncSession, site: str, journey_id: str, number: int, now: datetime) -> WaitingView:
    """Get out of line; an open offer goes to the next. Raises NotFound."""
    await lock_site(session, site)
    row: WaitingRow | None = await session.scalar(
        select(WaitingRow)
        .where(WaitingRow.journey_id == journey_id, WaitingRow.session == number)
        .order_by(WaitingRow.added_at.desc())
        .limit(1)
    )
    if row is None:
        raise NotFound("this visit does not wait for an earlier time")
    offer = await session.get(BookingRow, row.booking_id) if row.status == "offered" else None
    if row.status in OPEN:
        row.status = "left"
        await gone(session, row, [NoticeKind.OFFER_LAPSED], now, "completed")
    if offer is not None and offer.status == Status.PENDING:
        await let_go(session, offer, Status.RELEASED, "the patient waits no more", now)
    await session.flush()
    return view_of(row)


async def in_line(
    session: AsyncSession, site: str, status: str | None, *, after: tuple[datetime, str] | None, limit: int
) -> list[WaitingView]:
    """Who waits, the first one first."""
    open_ones = OPEN if status is None else [status]
    statement = select(WaitingRow).where(WaitingRow.site == site, WaitingRow.status.in_(open_ones))
    if after is not None:
        at, mark = after
        statement = statement.where(
            or_(WaitingRow.added_at > at, (WaitingRow.added_at == at) & (WaitingRow.id > mark))
        )
    rows = await session.scalars(statement.order_by(WaitingRow.added_at, WaitingRow.id).limit(limit))
    return [view_of(row) for row in rows]


async def to_give_away(session: AsyncSession, now: datetime, site: str | None) -> list[str]:
    """The times that are free and that nobody is being asked about; those in the past are let go of."""
    await expire_due(session, now, site)
    statement = select(FreedRow).where(FreedRow.status == "open").order_by(FreedRow.starts_at).limit(100)
    if site is not None:
        statement = statement.where(FreedRow.site == site)
    found = []
    for row in await session.scalars(statement):
        if row.starts_at <= now:
            row.status = "lapsed"
        else:
            found.append(row.id)
    await session.flush()
    return found


async def next_in_line(session: AsyncSession, freed_id: str) -> WaitingView | None:
    """Whom to ask next about this time. None: somebody is being asked, or nobody is left to ask."""
    freed = await _locked(session, freed_id)
    if freed is None or freed.status != "open" or await _is_offered(session, freed):
        return None
    at = freed.starts_at
    row: WaitingRow | None = await session.scalar(
        select(WaitingRow)
        .where(
            WaitingRow.site == freed.site,
            WaitingRow.status == "waiting",
            WaitingRow.id.not_in(freed.asked),
            or_(WaitingRow.from_at.is_(None), WaitingRow.from_at <= at),
            or_(WaitingRow.until_at.is_(None), WaitingRow.until_at >= at),
        )
        .order_by(WaitingRow.added_at, WaitingRow.id)
        .limit(1)
    )
    if row is None:
        freed.status = "lapsed"
        await session.flush()
        return None
    return view_of(row)


async def ask(
    session: AsyncSession, freed_id: str, waiting_id: str, rules: CourseRules | None, now: datetime
) -> BookingView | None:
    """Offer the time to this visit if it may have it and can; None when it is the next one's turn."""
    freed = await _locked(session, freed_id)
    waiting = await session.get(WaitingRow, waiting_id, with_for_update=True)
    assert freed is not None and waiting is not None
    if freed.status != "open" or waiting.status != "waiting" or await _is_offered(session, freed):
        return None
    freed.asked = [*freed.asked, waiting.id]
    await session.flush()
    if rules is None or not await _would_help(session, waiting, freed, rules):
        return None
    wish = Wish(
        id=id_from("offer", freed.id, waiting.id),
        rules=rules,
        session=waiting.session,
        starts_at=freed.starts_at,
        held_by="engine",
        minutes=rules.protocol.of_booking.offer_minutes,
        waiting_id=waiting.id,
    )
    try:
        async with session.begin_nested():
            offer = await hold(session, wish, now)
    except SlotConflict:
        return None
    freed.booking_id = waiting.booking_id = offer.id
    waiting.status, waiting.offers = "offered", waiting.offers + 1
    row = await session.get(BookingRow, offer.id)
    assert row is not None
    await gone(session, row, [NoticeKind.OFFER_LAPSED], now)
    await notice(session, row, NoticeKind.OFFER_MADE, now, due_at=row.expires_at)
    await session.flush()
    return offer


async def _would_help(
    session: AsyncSession, waiting: WaitingRow, freed: FreedRow, rules: CourseRules
) -> bool:
    """Is it earlier than what the visit has, and allowed?"""
    if not rules.open or rules.refusals(freed.starts_at):
        return False
    booked = await booked_row(session, waiting.journey_id, waiting.session)
    if booked is not None and booked.starts_at <= freed.starts_at:
        return False
    others = await live_rows(session, waiting.journey_id, waiting.session)
    return all(row.status == Status.BOOKED for row in others)


async def _locked(session: AsyncSession, freed_id: str) -> FreedRow | None:
    row = await session.get(FreedRow, freed_id)
    if row is not None:
        await lock_site(session, row.site)
        await session.refresh(row, with_for_update=True)
    return row


async def _is_offered(session: AsyncSession, freed: FreedRow) -> bool:
    if freed.booking_id is None:
        return False
    offer = await session.get(BookingRow, freed.booking_id, populate_existing=True)
    return offer is not None and offer.status in LIVE
