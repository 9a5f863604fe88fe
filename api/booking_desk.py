"""How do people act on times? Holds go to the books, bookings to the books and the workflow together.

A hold is claimed before the workflow is asked, and settled when it has answered; what a crash leaves in between is
put right by the workers from the record. Where a site has registered neither rooms nor people, a room is a word.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import structlog
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from api.dependencies import CallerHere, Composed, Course, Desk
from api.engine import EngineRefused
from api.on_the_loop import on_the_loop
from api.problems import Fault, Problem
from api.schemas.booking import BookingIn
from clinical.booking import CourseRules, Span, too_short, visit_plan
from clinical.booking_hours import LocalTimeFault, instant_of
from services.booking.errors import BookingError
from services.booking.interface import BookingView, Status, Wish
from services.identifiers import id_from
from workflows.messages import Accepted, BookSession

IMPLICIT_HOLD_MINUTES = 10.0
"""How long the time is held for a booking that named no hold, should the engine be slow to answer."""

LONGEST_VISIT = timedelta(days=1)
TRIES = range(20)
"""The same request, refused, may be sent again when the world has changed."""

_ASK_FOR_OFFSET = {
    LocalTimeFault.NONEXISTENT: "the clocks skip this time on that day: give it with its offset",
    LocalTimeFault.AMBIGUOUS: "this time comes twice on that day: give it with its offset",
}
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)
_log = structlog.get_logger(__name__)


def _key_of(request: Request) -> str:
    """The key of this request; what only reads has none."""
    return str(getattr(request.state, "key", ""))


class BookingDesk:
    """Where this request's acts on times are handed in."""

    def __init__(self, here: Composed, caller: CallerHere, key: Annotated[str, on_the_loop(_key_of)]) -> None:
        self._here = here
        self.books = here.bookings
        self.caller = caller
        self.key = key

    async def rules(self, course: Course) -> CourseRules:
        """What decides about the times of this course; refuses where nothing may be booked."""
        rules = await self._here.booking_facts.rules(course.id)
        if rules is None:
            raise Problem("not-found", "there is no such course")
        if not rules.open:
            raise Problem("not-possible-now", "the course is over or on hold: nothing is booked")
        return rules

    async def wish(
        self,
        course: Course,
        n: int,
        starts_at: datetime,
        *,
        ends_at: datetime | None = None,
        room: str | None = None,
        people: Mapping[Any, str] | None = None,
        minutes: float = IMPLICIT_HOLD_MINUTES,
        key: str = "",
    ) -> Wish:
        """A time for a visit, in the words of the books; refused if its times or its intervals cannot be."""
        rules = await self.rules(course)
        _require_possible(rules, starts_at, ends_at)
        return Wish(
            id=id_from("booking", key or self.key),
            rules=rules,
            session=n,
            starts_at=starts_at,
            ends_at=ends_at,
            room=room,
            people=dict(people or {}),
            held_by=self.caller.principal.id,
            minutes=minutes,
        )

    async def hold(self, wish: Wish) -> BookingView:
        """Raises SlotConflict, NotPossible; refuses where there is nothing to hold."""
        if not await self.books.has_resources(wish.rules.site):
            raise Problem("not-possible-now", "this site has registered neither rooms nor people")
        return await self.books.hold(wish, now())

    async def book(self, course: Course, n: int, body: BookingIn, desk: Desk) -> Accepted:
        """Book or move a visit: all it needs is its own when the record says that it is booked."""
        if body.hold_id is not None:
            held = await self.held(course, n, body.hold_id)
        elif not await self.books.has_resources(course.site):
            message = desk.message(BookSession, body)
            return await desk.send(course, "book_session", message, part=f"session/{n}")
        else:
            held = await self._held_now(course, n, body)
        try:
            return await self.confirm(course, n, held, desk, body)
        except (EngineRefused, Problem):
            if body.hold_id is None:  # nobody asked for a hold: what was refused is free at once
                with suppress(SQLAlchemyError, BookingError):
                    await self.books.give_back(course.site, held.id, "the visit was not booked", now())
            raise

    async def held(self, course: Course, n: int, booking_id: str) -> BookingView:
        """The hold of that id, if it is this visit's."""
        found = await self.books.booking(course.site, booking_id)
        if (found.journey_id, found.session) != (course.id, n):
            raise Problem("not-found", "this visit has no such hold")
        return found

    async def confirm(
        self, course: Course, n: int, held: BookingView, desk: Desk, body: BookingIn | None = None
    ) -> Accepted:
        """Claim the hold, ask the workflow, settle."""
        await self.books.claim(course.site, held.id, self.key, now())
        occurred_at = None if body is None else body.occurred_at
        message = BookSession(
            key=self.key,
            actor=self.caller.actor,
            occurred_at=occurred_at,
            starts_at=held.starts_at,
            ends_at=held.ends_at,
            room=held.room,
        )
        try:
            accepted = await desk.send(course, "book_session", message, part=f"session/{n}")
        except (EngineRefused, Problem):
            with suppress(SQLAlchemyError):
                await self.books.unclaim(course.site, held.id, self.key, now())
            raise
        try:
            await self.books.settle(course.site, held.id, now())
            await self.give_away(course.site)
        except (SQLAlchemyError, BookingError) as failure:
            # The record has it and the time is claimed: the workers settle what is left.
            _log.warning("booking not settled", error_type=type(failure).__name__)
        detail = {**accepted.detail, "booking_id": held.id}
        return accepted.model_copy(update={"detail": detail})

    async def freed(self, course: Course, n: int) -> None:
        """The visit was called off: its time is free and goes to who waits. Best effort: the workers look again."""
        try:
            await self.books.release(
                course.site, course.id, n, Status.CANCELLED, "the visit was called off", now()
            )
            await self.give_away(course.site)
        except (SQLAlchemyError, BookingError) as failure:
            _log.warning("booking not released", error_type=type(failure).__name__)

    async def give_away(self, site: str) -> None:
        """Offer what is free to who waits for it."""
        await self.books.offer_freed(self._here.booking_facts.rules, now(), site)

    async def span(self, site: str, starts_at: str, ends_at: str) -> Span:
        """A stretch of time as somebody wrote it, on the site's wall or with offsets."""
        zone = await self._here.zone_of(site)
        found = {
            name: read_time(text, zone) for name, text in (("starts_at", starts_at), ("ends_at", ends_at))
        }
        faults = [_fault(f"/{name}", fault) for name, fault in found.items() if isinstance(fault, str)]
        if faults:
            raise Problem("invalid-time", errors=faults)
        begins, ends = found["starts_at"], found["ends_at"]
        assert isinstance(begins, datetime) and isinstance(ends, datetime)
        if ends <= begins:
            raise Problem("invalid-time", errors=[_fault("/ends_at", "must come after the start")])
        return Span(starts_at=begins, ends_at=ends)

    async def time(self, site: str, field: str, text: str) -> datetime:
        """One time as somebody wrote it."""
        found = read_time(text, await self._here.zone_of(site))
        if isinstance(found, str):
            raise Problem("invalid-time", errors=[_fault(f"/{field}", found)])
        return found

    async def _held_now(self, course: Course, n: int, body: BookingIn) -> BookingView:
        """The time of a booking that named none, held; the same request finds it again if it is not over."""
        found = await self.books.of_session(course.id, n)
        mine = [one for one in found if one.id in {id_from("booking", f"{self.key}/{m}") for m in TRIES}]
        if mine and mine[-1].status not in (Status.RELEASED, Status.EXPIRED):
            return mine[-1]
        if len(mine) == len(TRIES):
            raise Problem("not-possible-now", "this request was refused too often: send another one")
        assert body.starts_at is not None
        key = f"{self.key}/{len(mine)}"
        wish = await self.wish(course, n, body.starts_at, ends_at=body.ends_at, room=body.room, key=key)
        return await self.hold(wish)


Times = Annotated[BookingDesk, on_the_loop(BookingDesk)]


def now() -> datetime:
    return datetime.now(UTC)


def read_time(text: str, zone: ZoneInfo) -> datetime | LocalTimeFault | str:
    """The instant that was meant, or in words why it is none."""
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return "is no time of the calendar"
    if at.tzinfo is None:
        if not 1900 < at.year < 2199:
            return "lies outside of what can be booked"
        return instant_of(at, zone)
    if not _EARLIEST.replace(tzinfo=None) < at.replace(tzinfo=None) < _LATEST.replace(tzinfo=None):
        return "lies outside of what can be booked"
    return at.astimezone(UTC)


def _fault(pointer: str, fault: LocalTimeFault | str) -> Fault:
    if isinstance(fault, LocalTimeFault):
        return Fault(pointer=pointer, detail=_ASK_FOR_OFFSET[fault], code=fault.value)
    return Fault(pointer=pointer, detail=fault, code="invalid-time")


def _require_possible(rules: CourseRules, starts_at: datetime, ends_at: datetime | None) -> None:
    """All that is wrong with a wished time, whoever may be free then."""
    faults = []
    if starts_at <= now():
        faults.append(_fault("/starts_at", "the start lies in the past"))
    if ends_at is not None and ends_at <= starts_at:
        faults.append(_fault("/ends_at", "the end must come after the start"))
    elif ends_at is not None and ends_at - starts_at > LONGEST_VISIT:
        faults.append(_fault("/ends_at", "a visit lasts a day at most"))
    elif ends_at is not None:
        plan = visit_plan(rules.protocol, starts_at)
        if too_short(plan, ends_at):
            least = int((plan.home_at - plan.span.starts_at).total_seconds() // 60)
            faults.append(
                _fault("/ends_at", f"nobody may go home before {least} minutes: the room is needed")
            )
    reasons = rules.refusals(starts_at)
    if faults or reasons:
        raise Problem("invalid-time", "a visit cannot be then", errors=faults, reasons=reasons)
