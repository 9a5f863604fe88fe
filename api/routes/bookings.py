"""What is held and booked at a site, who waits, and what came of what lapsed?"""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response

from api.booking_desk import Times, now
from api.dependencies import CallerHere, Composed
from api.paging import CursorParameter, Limit, link_next
from api.problems import Problem
from api.routes.resources import At
from api.routes.router import routes
from api.schemas.booking import BookingOut, BookingPage, NoticeHandlingIn, WaitingPage, When
from api.schemas.values import Identifier
from clinical.booking import Span
from services.booking.interface import NoticeView

router = routes("/v1/bookings/{site}", "rooms and times")

A_DAY = timedelta(days=1)
LONGEST = timedelta(days=92)


@router.get("", operation_id="list_bookings")
async def list_bookings(
    site: At,
    here: Composed,
    caller: CallerHere,
    times: Times,
    request: Request,
    response: Response,
    starting: Annotated[When | None, Query(description="from now if left out")] = None,
    until: Annotated[When | None, Query(description="for a day if left out")] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> BookingPage:
    """Who and what is held or booked in a stretch of time, in order."""
    first = now() if starting is None else await times.time(site, "starting", starting)
    last = first + A_DAY if until is None else await times.time(site, "until", until)
    if not first < last <= first + LONGEST:
        raise Problem("invalid-time", f"`until` comes after `starting`, by {LONGEST.days} days at most")
    listing = f"bookings {caller.principal.id} {site} {starting} {until}"
    place = None if cursor is None else here.cursors.open(listing, cursor)
    span = Span(starts_at=first, ends_at=last)
    found = await here.bookings.between(
        site,
        span,
        after=None if place is None else (datetime.fromisoformat(place[0]), place[1]),
        limit=limit + 1,
    )
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [found[limit - 1].starts_at.isoformat(), found[limit - 1].id])
        link_next(request, response, mark)
    counts = await here.bookings.counts(site, span)
    return BookingPage(items=found[:limit], next_cursor=mark, counts=counts)


@router.get("/waitlist", operation_id="list_waiting")
async def list_waiting(
    site: At,
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    status: Annotated[
        Literal["waiting", "offered"] | None, Query(description="offered: a time is being asked about")
    ] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> WaitingPage:
    """Who waits for an earlier time, the first one first."""
    listing = f"waiting {caller.principal.id} {site} {status}"
    place = None if cursor is None else here.cursors.open(listing, cursor)
    after = None if place is None else (datetime.fromisoformat(place[0]), place[1])
    found = await here.bookings.in_line(site, status, after=after, limit=limit + 1)
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [found[limit - 1].added_at.isoformat(), found[limit - 1].id])
        link_next(request, response, mark)
    counts = await here.bookings.waiting_counts(site)
    return WaitingPage(items=found[:limit], next_cursor=mark, counts=counts)


@router.post("/notices/{notice_id}/handling", operation_id="handle_booking_notice")
async def handle_booking_notice(
    body: NoticeHandlingIn,
    site: At,
    notice_id: Annotated[int, Path(ge=1, le=2**53)],
    here: Composed,
    caller: CallerHere,
) -> NoticeView:
    """Say what came of a lapsed hold or offer; its task leaves the work list. The first answer stays."""
    return await here.bookings.handle_notice(site, notice_id, body.outcome, caller.actor, now())


@router.get("/{booking_id}", operation_id="read_booking")
async def read_booking(site: At, booking_id: Annotated[Identifier, Path()], here: Composed) -> BookingOut:
    """One time for one visit, with everything that is reserved for it."""
    found = await here.bookings.booking(site, booking_id)
    return BookingOut(href=f"/v1/bookings/{site}/{found.id}", booking=found)
