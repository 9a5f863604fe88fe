"""Does what a link is about still stand? The record says so, each time: nothing has to be told to a link.

A link dies when the course is left, when its visit moves or passes, when its questionnaire is closed, when its offer
is answered or has lapsed.
"""

from datetime import datetime

from clinical.journey import FINAL
from services.booking.errors import NotFound
from services.booking.interface import BookingView, Status
from services.booking.service import Bookings
from services.links.interface import Link, Purpose
from services.records.views import JourneyView, SessionSummary

COLLECTING = frozenset({"collect-screening", "sign-screening"})
"""While one of these is open, a screening takes answers."""

ACCEPT = "accept"
"""The act of whoever takes an offered time."""


def stands(link: Link, journey: JourneyView, now: datetime) -> bool:
    """Can this still be done, as far as the record knows?"""
    if journey.patient_id != link.patient_id or over(journey):
        return False
    match link.purpose:
        case Purpose.SESSION:
            visit = visit_of(link, journey)
            return visit is not None and visit.checked_in_at is None and now < _start(visit)
        case Purpose.QUESTIONNAIRE:
            return _asked(link, journey)
        case Purpose.OFFER | Purpose.WITHDRAWAL | Purpose.NEXT:
            return True


async def offer_of(books: Bookings, link: Link, now: datetime) -> BookingView | None:
    """The offer that the link speaks of, while it can be answered; None for other links, and once it is over.

    Whoever was cut off while taking it may go on.
    """
    if link.purpose is not Purpose.OFFER:
        return None
    try:
        found = await books.booking(link.site, link.occurrence)
    except NotFound:
        return None
    own = (found.journey_id, f"session/{found.session}") == (link.journey_id, link.part)
    begun = link.act == ACCEPT and found.status in (Status.CONFIRMING, Status.BOOKED)
    return found if own and (begun or found.is_open_offer(now)) else None


def over(journey: JourneyView) -> bool:
    """Nothing more is asked of this patient: the course has ended, or consent was withdrawn."""
    withdrawn = journey.consent is not None and journey.consent.withdrawn_at is not None
    return journey.closed_at is not None or withdrawn or journey.stage in set(FINAL)


def visit_of(link: Link, journey: JourneyView) -> SessionSummary | None:
    """The visit before its dose, if it is still booked for the time that the link speaks of."""
    for visit in journey.sessions:
        if link.part == f"session/{visit.session}" and waits(visit):
            return visit if _start(visit) == datetime.fromisoformat(link.occurrence) else None
    return None


def waits(visit: SessionSummary) -> bool:
    """Is this visit booked, and has no dose been given?"""
    return visit.starts_at is not None and visit.closed_at is None and visit.dosed_at is None


def _start(visit: SessionSummary) -> datetime:
    assert visit.starts_at is not None
    return visit.starts_at


def _asked(link: Link, journey: JourneyView) -> bool:
    if link.part.startswith("session/"):
        return visit_of(link, journey) is not None
    if link.part.startswith("screening/"):
        of_part = [task for task in journey.open_tasks if task.task_id.startswith(f"{link.part}/")]
        return any(task.code in COLLECTING for task in of_part)
    return any(task.task_id == link.occurrence for task in journey.open_tasks)
