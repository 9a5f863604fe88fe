"""Who waits, what has to be heard, and what does a closure of the site move?"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.booking import CourseRules, Span
from clinical.booking_reconcile import Visit
from services.booking import closures, waiting
from services.booking.errors import NotFound
from services.booking.interface import (
    BookingView,
    ClosureItem,
    ClosureView,
    NoticeKind,
    NoticeView,
    RulesOf,
    WaitingView,
)
from services.booking.tables import ClosureRow, NoticeRow, WaitingRow
from services.booking.transactions import Transactions
from services.database import counted


class GivingAway(Transactions):
    async def join(self, wanted: WaitingView) -> WaitingView:
        return await self._write(lambda s: waiting.join(s, wanted))

    async def leave(self, site: str, journey_id: str, number: int, now: datetime) -> WaitingView:
        return await self._write(lambda s: waiting.leave(s, site, journey_id, number, now))

    async def in_line(
        self,
        site: str,
        status: str | None = None,
        *,
        after: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[WaitingView]:
        return await self._read(lambda s: waiting.in_line(s, site, status, after=after, limit=limit))

    async def offer_freed(self, rules_of: RulesOf, now: datetime, site: str | None = None) -> int:
        """Offer every free time to the next who waits for one; how many offers were made."""
        offers = 0
        for freed_id in await self._write(lambda s: waiting.to_give_away(s, now, site)):
            while (first := await self._next_in_line(freed_id)) is not None:
                rules = await rules_of(first.journey_id)
                if await self._ask(freed_id, first.id, rules, now) is not None:
                    offers += 1
                    break
        return offers

    async def _next_in_line(self, freed_id: str) -> WaitingView | None:
        return await self._write(lambda s: waiting.next_in_line(s, freed_id))

    async def _ask(
        self, freed_id: str, waiting_id: str, rules: CourseRules | None, now: datetime
    ) -> BookingView | None:
        return await self._write(lambda s: waiting.ask(s, freed_id, waiting_id, rules, now))

    async def waiting_counts(self, site: str) -> dict[str, int]:
        """Visits that wait, or waited, by status."""
        return await self._read(lambda s: counted(s, WaitingRow.status, WaitingRow.site == site))

    async def notice_counts(self, site: str) -> dict[str, int]:
        """Notices that nobody has seen to, by kind."""
        open_here = NoticeRow.site == site, NoticeRow.handled_at.is_(None)
        return await self._read(lambda s: counted(s, NoticeRow.kind, *open_here))

    async def notices(
        self, site: str, *, handled: bool | None = False, after: int = 0, limit: int = 50
    ) -> list[NoticeView]:
        """What has to be heard, in order."""
        statement = select(NoticeRow).where(NoticeRow.site == site, NoticeRow.id > after)
        if handled is not None:
            is_open = NoticeRow.handled_at.is_(None)
            statement = statement.where(~is_open if handled else is_open)
        return [_notice(row) for row in await self._all(statement.order_by(NoticeRow.id).limit(limit))]

    async def handle_notice(self, site: str, notice_id: int, by: str, now: datetime) -> NoticeView:
        """Somebody saw to it; the first one stays."""

        async def handle(session: AsyncSession) -> NoticeView:
            row = await session.get(NoticeRow, notice_id, with_for_update=True)
            if row is None or row.site != site:
                raise NotFound("the site has no such notice")
            if row.handled_at is None:
                row.handled_at, row.handled_by = now, by
            await session.flush()
            return _notice(row)

        return await self._write(handle)

    async def announce_missing(self, site: str, visit: Visit, now: datetime) -> None:
        """A visit is booked and has neither room nor people; said once for each of its times."""
        assert visit.starts_at is not None
        at = visit.starts_at.isoformat()
        kind = NoticeKind.WITHOUT_RESERVATION
        values = {
            "key": f"{kind.value}/{visit.journey_id}/{visit.session}/{at}",
            "site": site,
            "kind": kind.value,
            "journey_id": visit.journey_id,
            "session": visit.session,
            "starts_at": visit.starts_at,
            "at": now,
        }
        statement = insert(NoticeRow).values(values).on_conflict_do_nothing()

        async def say(session: AsyncSession) -> None:
            await session.execute(statement)

        await self._write(say)

    async def preview_closure(
        self,
        closure_id: str,
        site: str,
        span: Span,
        reason: str,
        made_by: str,
        rules_of: RulesOf,
        now: datetime,
    ) -> ClosureView:
        """What would be moved, where to, and the token that confirms exactly this. Raises NotPossible."""
        bookings = await self._read(lambda s: closures.affected(s, site, span, now))
        found = {one.journey_id: await rules_of(one.journey_id) for one in bookings}
        rules = {journey_id: one for journey_id, one in found.items() if one is not None}
        items = await self._read(lambda s: closures.proposals(s, site, span, bookings, rules, now))
        preview = ClosureView(
            id=closure_id,
            site=site,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            reason=reason,
            status="previewed",
            token=closures.token_of(site, span, items),
            items=items,
            made_at=now,
            confirmed_at=None,
        )
        return await self._write(lambda s: closures.keep_preview(s, preview, made_by))

    async def confirm_closure(self, site: str, closure_id: str, token: str, now: datetime) -> ClosureView:
        return await self._write(lambda s: closures.confirm(s, site, closure_id, token, now))

    async def note_closure(self, site: str, closure_id: str, results: Sequence[ClosureItem]) -> ClosureView:
        return await self._write(lambda s: closures.note_results(s, site, closure_id, results))

    async def closure(self, site: str, closure_id: str) -> ClosureView:
        found = await self._all(
            select(ClosureRow).where(ClosureRow.id == closure_id, ClosureRow.site == site)
        )
        if not found:
            raise NotFound("the site has no such closure")
        return closures.closure_view(found[0])


def _notice(row: NoticeRow) -> NoticeView:
    return NoticeView.model_validate({name: getattr(row, name) for name in NoticeView.model_fields})
