"""When could this visit be, is a time held for it, and does it wait for an earlier one?"""

from datetime import timedelta
from typing import Annotated

from fastapi import Path, Query, Response

from api.booking_desk import Times, now
from api.booking_problems import said
from api.dependencies import Composed, CourseHere, DeskHere, KeyHere, Number
from api.problems import Problem
from api.routes.resources import IN_CALENDAR, in_calendar
from api.routes.router import COURSE, routes
from api.schemas.answers import AcceptedOut
from api.schemas.booking import BookingOut, EmptyIn, HoldIn, SlotList, SlotOut, WaitIn, When
from api.schemas.values import Code, Identifier, Instant
from clinical.instants import later
from services.booking.calendar import calendar
from services.booking.errors import HoldExpired, NotFound
from services.booking.interface import BookingView, WaitingView, Wish
from services.identifiers import id_from
from workflows.messages import Accepted

router = routes(COURSE + "/sessions/{n}", "rooms and times")

BookingId = Annotated[Identifier, Path()]
LOOK_AHEAD = timedelta(days=28)


@router.get("/slots", operation_id="find_slots")
async def find_slots(
    course: CourseHere,
    n: Number,
    times: Times,
    here: Composed,
    starting: Annotated[When | None, Query(description="not before; now if left out")] = None,
    until: Annotated[Instant | None, Query(description="not after; four weeks if left out")] = None,
    minutes: Annotated[int | None, Query(ge=1, le=1440, description="longer than it must be")] = None,
    room: Annotated[Code | None, Query()] = None,
    count: Annotated[int, Query(ge=1, le=50)] = 5,
) -> SlotList:
    """The next times that satisfy the interval rules of the course, people, rooms, hours and closed days.

    At most 60 days are looked through. No time found is an empty list.
    """
    rules = await times.rules(course)
    begins = now() if starting is None else await times.time(course.site, "starting", starting)
    wish = Wish(
        id=course.id,
        rules=rules,
        session=n,
        starts_at=begins,
        ends_at=None if minutes is None else later(begins, minutes=minutes),
        room=room,
        held_by=times.caller.principal.id,
        minutes=1,
    )
    latest = begins + LOOK_AHEAD if until is None else until
    found = await times.books.slots(wish, latest, count, now())
    zone = await here.zone_of(course.site)
    return SlotList(time_zone=zone.key, items=[SlotOut.model_validate(said(slot)) for slot in found])


@router.post("/holds", operation_id="hold_slot", status_code=201)
async def hold_slot(
    body: HoldIn, course: CourseHere, n: Number, times: Times, response: Response
) -> BookingOut:
    """Hold a time for this visit: room, monitor, prescriber and therapist, each for their part, or none of them.

    It lapses by itself at `expires_at`; another hold of the same visit is given back. 409 `slot-conflict` with every
    clash and the nearest three times; 422 for a time that cannot be, or that the wall shows twice or never.
    """
    starts_at = await times.time(course.site, "starts_at", body.starts_at)
    ends_at = None if body.ends_at is None else await times.time(course.site, "ends_at", body.ends_at)
    wish = await times.wish(
        course,
        n,
        starts_at,
        ends_at=ends_at,
        room=body.room,
        people=body.people,
        minutes=body.minutes,
    )
    held = _shown(await times.hold(wish))
    response.headers["Location"] = held.href
    return held


@router.post("/holds/{booking_id}/release", operation_id="release_hold")
async def release_hold(
    _body: EmptyIn, course: CourseHere, n: Number, booking_id: BookingId, times: Times
) -> BookingOut:
    """Give a hold back. 409 once it is booked."""
    await times.held(course, n, booking_id)
    freed = await times.books.give_back(course.site, booking_id, "the hold was given back", now())
    return _shown(freed)


@router.post("/waitlist", operation_id="join_waitlist", status_code=201)
async def join_waitlist(
    body: WaitIn, course: CourseHere, n: Number, times: Times, key: KeyHere
) -> WaitingView:
    """Wait for an earlier time. What becomes free is offered in the order of waiting."""
    await times.rules(course)
    waiting = WaitingView(
        id=id_from("waiting", key),
        site=course.site,
        journey_id=course.id,
        session=n,
        status="waiting",
        added_at=now(),
        from_at=body.from_at,
        until_at=body.until_at,
        booking_id=None,
        offers=0,
    )
    return await times.books.join(waiting)


@router.post("/waitlist/departure", operation_id="leave_waitlist")
async def leave_waitlist(_body: EmptyIn, course: CourseHere, n: Number, times: Times) -> WaitingView:
    """Wait no more; an open offer goes to the next."""
    left = await times.books.leave(course.site, course.id, n, now())
    await times.give_away(course.site)
    return left


@router.post("/waitlist/acceptance", operation_id="accept_offer", response_model=AcceptedOut)
async def accept_offer(
    _body: EmptyIn, course: CourseHere, n: Number, times: Times, desk: DeskHere
) -> Accepted:
    """Take the time that is offered: it becomes the visit's. 410 `hold-expired` when it went to the next."""
    offer = await _offer(times, course.id, n)
    try:
        return await times.confirm(course, n, offer, desk)
    except HoldExpired:
        await times.give_away(course.site)
        raise


@router.post("/waitlist/refusal", operation_id="decline_offer")
async def decline_offer(_body: EmptyIn, course: CourseHere, n: Number, times: Times) -> BookingOut:
    """Not this time: it goes to the next, and this visit waits on."""
    offer = await _offer(times, course.id, n)
    declined = await times.books.give_back(course.site, offer.id, "the offer was declined", now())
    await times.give_away(course.site)
    return _shown(declined)


@router.get(
    "/calendar",
    operation_id="read_session_calendar",
    response_class=Response,
    responses=IN_CALENDAR,
)
async def read_session_calendar(course: CourseHere, n: Number, times: Times) -> Response:
    """The visit as an iCalendar file for the patient: when, never what."""
    found = [one for one in await times.books.of_session(course.id, n) if one.booked_at is not None]
    if not found:
        raise NotFound("the visit has no time yet")
    return in_calendar(calendar(found, made_at=now(), with_place=False))


async def _offer(times: Times, journey_id: str, n: int) -> BookingView:
    """The last offer that this visit was made, whatever became of it."""
    offers = [one for one in await times.books.of_session(journey_id, n) if one.waiting_id is not None]
    if not offers:
        raise Problem("not-found", "this visit was offered nothing")
    return offers[-1]


def _shown(booking: BookingView) -> BookingOut:
    return BookingOut(href=f"/v1/bookings/{booking.site}/{booking.id}", booking=booking)
