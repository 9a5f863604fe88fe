"""Who waits, what has somebody to see to, and what does a closure of the site move?"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from clinical.booking import CourseRules, Span
from clinical.booking_reconcile import Visit
from clinical.people import Actor
from services.booking import closures, notices, waiting
from services.booking.errors import NotFound
from services.booking.interface import (
    BookingView,
    ClosureItem,
    ClosureView,
    NoticeView,
    RulesOf,
    WaitingView,
)
from services.booking.tables import ClosureRow, WaitingRow
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

    async def open_notices(self, after: int, limit: int) -> list[NoticeView]:
        """What somebody has still to see to, at all sites, a page at a time."""
        return await self._read(lambda s: notices.still_open(s, after, limit))

    async def notices_gone(self, gone: Sequence[int], now: datetime) -> None:
        """Nothing can be done about these any more."""
        if gone:
            await self._write(lambda s: notices.let_go_of(s, gone, now))

    async def untold_offers(self, limit: int) -> list[NoticeView]:
        """Offers of which the patient has not been told yet."""
        return await self._read(lambda s: notices.untold(s, limit))

    async def note_told(self, notice_id: int, now: datetime) -> None:
        await self._write(lambda s: notices.note_told(s, notice_id, now))

    async def handle_notice(
        self, site: str, notice_id: int, outcome: str, by: Actor, now: datetime
    ) -> NoticeView:
        """Somebody saw to it; what the first one found stays. Raises NotFound."""
        return await self._write(lambda s: notices.handle(s, site, notice_id, outcome, by, now))

    async def announce_missing(self, site: str, visit: Visit, now: datetime) -> None:
        """A visit is booked and has neither room nor people; said once for each of its times."""
        await self._write(lambda s: notices.missing(s, site, visit, now))

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
