"""Which events of a site can be read, in which order, and from where on?

`publish` gives what was committed its numbers, under the lock of the site's row: 1, 2, 3 … without gaps, and a
number that a reader sees has all smaller ones before it. Facts of one course are written one after the other
(its row is locked meanwhile), so their events keep their order. Whoever reads publishes first.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Executable, Text, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.asking import Question
from services.database import Database
from services.events.errors import CursorExpired, CursorUnknown
from services.events.interface import Event, Span
from services.events.transactions import reading, unreachable_said, writing
from services.outbox import FeedRow, OutboxRow

AT_ONCE = 1000

# Made once: to put a statement together costs as much as to send it.
WAITING = Question(select(OutboxRow.site).where(OutboxRow.seq.is_(None)).distinct())
LOCKED_FEED = (
    insert(FeedRow)
    .on_conflict_do_update(index_elements=[FeedRow.site], set_={"last_seq": FeedRow.last_seq})
    .returning(FeedRow.last_seq)
)


def _numbering() -> Executable:
    """Give the oldest of a site without a number the next ones; answers the last number given."""
    site = bindparam("of_site", type_=Text())
    new = (
        select(OutboxRow.id)
        .where(OutboxRow.site == site, OutboxRow.seq.is_(None))
        .order_by(OutboxRow.id)
        .limit(AT_ONCE)
        .subquery()
    )
    place = func.row_number().over(order_by=new.c.id)
    given = select(new.c.id, (place + bindparam("before", type_=BigInteger())).label("seq")).subquery()
    numbered = (
        update(OutboxRow).where(OutboxRow.id == given.c.id).values(seq=given.c.seq).returning(OutboxRow.id)
    ).cte("numbered")
    count = select(func.count()).select_from(numbered).scalar_subquery()
    return (
        update(FeedRow)
        .where(FeedRow.site == site)
        .values(last_seq=FeedRow.last_seq + count)
        .returning(FeedRow.last_seq)
    )


NUMBERED = _numbering()


class EventFeed:
    """The events of all sites, on one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self) -> dict[str, int]:
        """Number what is new. How many of which site. Several may do it at once: each event gets one number."""
        async with unreachable_said():
            [waiting] = await self._database.ask(WAITING)
        done: dict[str, int] = {}
        for site in sorted(row.site for row in waiting):
            while True:
                async with writing(self._database) as session:
                    count = await number_new(session, site)
                done[site] = done.get(site, 0) + count
                if count < AT_ONCE:
                    break
        return done

    async def spans(self) -> dict[str, Span]:
        """What can be had of every site that has events."""
        async with reading(self._database) as session:
            return {row.site: Span.model_validate(row) for row in await session.scalars(select(FeedRow))}

    async def span(self, site: str) -> Span:
        """What can be had of this site, with everything committed by now."""
        await self.publish()
        async with reading(self._database) as session:
            return await span_of(session, site)

    async def page(
        self, site: str, *, after: int, types: Sequence[str] = (), until: int | None = None, limit: int = 100
    ) -> list[Event]:
        """The next events after this number. Raises CursorExpired, CursorUnknown."""
        async with reading(self._database) as session:
            span = await span_of(session, site)
            require_within(site, span, after)
            wanted = select(OutboxRow).where(OutboxRow.site == site, OutboxRow.seq > after)
            if types:
                wanted = wanted.where(OutboxRow.type.in_(types))
            if until is not None:
                wanted = wanted.where(OutboxRow.seq <= until)
            rows = await session.scalars(wanted.order_by(OutboxRow.seq).limit(limit))
            return [event_of(row) for row in rows]

    async def forget(self, before: datetime) -> int:
        """Delete what was recorded before this instant, oldest first and never out of order. How many."""
        gone = 0
        for site in sorted(await self.spans()):
            while True:
                async with writing(self._database) as session:
                    count = await _forget(session, site, before)
                gone += count
                if count < AT_ONCE:
                    break
        return gone


async def span_of(session: AsyncSession, site: str) -> Span:
    row = await session.get(FeedRow, site)
    return Span() if row is None else Span.model_validate(row)


def require_within(site: str, span: Span, after: int) -> None:
    """Can everything after this number be had?"""
    if after > span.last_seq:
        raise CursorUnknown("no event had this number yet")
    if after < span.first_seq - 1:
        raise CursorExpired(site, span.first_seq, span.last_seq)


def event_of(row: OutboxRow) -> Event:
    assert row.seq is not None
    return Event(seq=row.seq, id=row.event_id, **json.loads(row.body))


async def number_new(session: AsyncSession, site: str) -> int:
    """Number what is committed. The lock comes first: the statement after it sees what others numbered before."""
    connection = await session.connection()
    before = (await connection.execute(LOCKED_FEED, {"site": site})).scalar_one()
    after = (await connection.execute(NUMBERED, {"of_site": site, "before": before})).scalar_one()
    return int(after - before)


async def _forget(session: AsyncSession, site: str, before: datetime) -> int:
    feed = await _locked(session, site)
    oldest = await session.execute(
        select(OutboxRow.seq, OutboxRow.recorded_at)
        .where(OutboxRow.site == site, OutboxRow.seq >= feed.first_seq)
        .order_by(OutboxRow.seq)
        .limit(AT_ONCE)
    )
    last = feed.first_seq - 1
    for _, recorded_at in oldest:
        if recorded_at >= before:
            break
        last += 1  # there are no gaps
    count = last - feed.first_seq + 1
    if count:
        await session.execute(delete(OutboxRow).where(OutboxRow.site == site, OutboxRow.seq <= last))
        feed.first_seq, feed.forgotten_before = last + 1, before
    return count


async def _locked(session: AsyncSession, site: str) -> FeedRow:
    statement = select(FeedRow).where(FeedRow.site == site).with_for_update()
    return (await session.scalars(statement.execution_options(populate_existing=True))).one()
