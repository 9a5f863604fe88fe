"""What of the times of visits needs a person, and since when no more?

Each reason is written once, in the transaction that finds it, and ends in the one that takes it away: the visit
is booked, held anew or over, the offer was answered or has lapsed. The work list learns of both at the end of the
same transaction (`keep_listed`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.booking_reconcile import Visit
from clinical.booking_tasks import NoticeKind
from clinical.people import ENGINE, Actor, Role
from services.booking.errors import NotFound
from services.booking.interface import NoticeView, WorkList
from services.booking.tables import TO_LIST, UNTOLD, BookingRow, NoticeRow

LAPSED = (NoticeKind.HOLD_EXPIRED, NoticeKind.NOT_CONFIRMED)
AT_ONCE = 100
KNOWN = [kind.value for kind in NoticeKind]
"""An earlier release wrote others, which ask for nothing."""


class Of(NamedTuple):
    """A visit."""

    journey_id: str
    session: int


class OfAVisit(Protocol):
    @property
    def journey_id(self) -> str: ...
    @property
    def session(self) -> int: ...


async def notice(
    session: AsyncSession, row: BookingRow, kind: NoticeKind, now: datetime, due_at: datetime | None = None
) -> None:
    """Somebody has to see to this; said once, however often it is found."""
    values = {
        "key": f"{kind.value}/{row.id}",
        "site": row.site,
        "kind": kind.value,
        "journey_id": row.journey_id,
        "session": row.session,
        "booking_id": row.id,
        "starts_at": row.starts_at,
        "at": now,
        "due_at": due_at,
    }
    await session.execute(insert(NoticeRow).values(values).on_conflict_do_nothing())


async def missing(session: AsyncSession, site: str, visit: Visit, now: datetime) -> None:
    """A visit is booked and has neither room nor people."""
    assert visit.starts_at is not None
    kind = NoticeKind.WITHOUT_RESERVATION
    values = {
        "key": f"{kind.value}/{visit.journey_id}/{visit.session}/{visit.starts_at.isoformat()}",
        "site": site,
        "kind": kind.value,
        "journey_id": visit.journey_id,
        "session": visit.session,
        "starts_at": visit.starts_at,
        "at": now,
    }
    await session.execute(insert(NoticeRow).values(values).on_conflict_do_nothing())


async def gone(
    session: AsyncSession,
    visit: OfAVisit,
    kinds: Sequence[NoticeKind],
    now: datetime,
    outcome: str = "cancelled",
) -> None:
    """These reasons of the visit are there no more: what they asked for was done, or cannot be."""
    of_visit = NoticeRow.journey_id == visit.journey_id, NoticeRow.session == visit.session
    await session.execute(
        update(NoticeRow)
        .where(*of_visit, NoticeRow.kind.in_([kind.value for kind in kinds]), NoticeRow.handled_at.is_(None))
        .values(**_end(outcome, ENGINE, now))
        .execution_options(synchronize_session=False)
    )


async def let_go_of(session: AsyncSession, ids: Sequence[int], now: datetime) -> None:
    """Time or the record took these reasons away."""
    await session.execute(
        update(NoticeRow)
        .where(NoticeRow.id.in_(list(ids)), NoticeRow.handled_at.is_(None))
        .values(**_end("cancelled", ENGINE, now))
        .execution_options(synchronize_session=False)
    )


async def handle(
    session: AsyncSession, site: str, notice_id: int, outcome: str, by: Actor, now: datetime
) -> NoticeView:
    """Somebody saw to it. What the first one found stays, and what ended by itself. Raises NotFound."""
    row = await session.get(NoticeRow, notice_id, with_for_update=True)
    if row is None or row.site != site or row.kind not in KNOWN:
        raise NotFound("the site has no such notice")
    if row.handled_at is None:
        for name, value in _end(outcome, by, now).items():
            setattr(row, name, value)
    await session.flush()
    return view_of(row)


async def still_open(session: AsyncSession, after: int, limit: int) -> list[NoticeView]:
    statement = select(NoticeRow).where(NoticeRow.handled_at.is_(None), NoticeRow.id > after)
    rows = await session.scalars(
        statement.where(NoticeRow.kind.in_(KNOWN)).order_by(NoticeRow.id).limit(limit)
    )
    return [view_of(row) for row in rows]


async def untold(session: AsyncSession, limit: int) -> list[NoticeView]:
    """Offers of which the patient has not been told, open or not, oldest first."""
    rows = await session.scalars(select(NoticeRow).where(text(UNTOLD)).order_by(NoticeRow.id).limit(limit))
    return [view_of(row) for row in rows]


async def note_told(session: AsyncSession, notice_id: int, now: datetime) -> None:
    """It is settled: the message left, or never will."""
    row = NoticeRow.id == notice_id, NoticeRow.told_at.is_(None)
    await session.execute(update(NoticeRow).where(*row).values(told_at=now))


async def keep_listed(session: AsyncSession, work: WorkList) -> None:
    """Tell the work list what it does not know yet: what is owed, and what is owed no more."""
    rows = await session.scalars(
        select(NoticeRow)
        .where(text(TO_LIST), NoticeRow.kind.in_(KNOWN))
        .order_by(NoticeRow.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    for row in rows.all():
        seen = view_of(row)
        if seen.handled_at is None:
            await work.owe(session, seen)
        elif row.listed == "open":
            await work.settle(session, seen, _who(seen))
        row.listed = "open" if seen.handled_at is None else "over"
    await session.flush()


def view_of(row: NoticeRow) -> NoticeView:
    return NoticeView.model_validate({name: getattr(row, name) for name in NoticeView.model_fields})


def _who(seen: NoticeView) -> Actor:
    """An earlier release kept no role: only coordinators could."""
    if seen.handled_by is None or seen.handled_by == ENGINE.id:
        return ENGINE
    return Actor(id=seen.handled_by, role=seen.handled_role or Role.COORDINATOR)


def _end(outcome: str, by: Actor, now: datetime) -> dict[str, object]:
    return {"outcome": outcome, "handled_at": now, "handled_by": by.id, "handled_role": by.role.value}
