"""What becomes of a reservation when one looks at what the record says of its visit?

The record is the truth: a visit that is over needs no room, one that stands at another time needs another, and a
claim that nobody finished is booked when the record has it, or given back after a while when it has not.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from clinical.booking import Model
from clinical.instants import Instant

CONFIRMED_WITHIN = timedelta(minutes=10)
"""The engine answers a command within seconds; after this long nobody waits for the answer any more."""


class Outcome(StrEnum):
    KEEP = "keep"
    BOOK = "book"
    NOT_CONFIRMED = "not-confirmed"
    MOVED = "moved"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"
    FULFILLED = "fulfilled"


class Visit(Model):
    """A visit as the record has it. `booking_status` is Appointment's word; `over` when its course is."""

    journey_id: str
    session: int
    booking_status: str
    starts_at: Instant | None
    ends_at: Instant | None
    room: str | None
    gone_home: bool
    over: bool
    left: bool = False
    """The course itself is over: who withdraws has not called off late."""


def outcome(
    *,
    starts_at: datetime,
    room: str,
    confirming_since: datetime | None,
    being_replaced: bool,
    visit: Visit | None,
    now: datetime,
) -> Outcome:
    """What has to happen to the reservation of this time?"""
    there = visit is not None and (visit.starts_at, visit.room) == (starts_at, room)
    if visit is not None and (over := ended(visit)) is not None:
        return over
    if confirming_since is not None:
        if there:
            return Outcome.BOOK
        return Outcome.NOT_CONFIRMED if now - confirming_since > CONFIRMED_WITHIN else Outcome.KEEP
    if visit is None or there or being_replaced:
        return Outcome.KEEP
    return Outcome.MOVED


def ended(visit: Visit) -> Outcome | None:
    """How is the visit over, if it is?"""
    if visit.booking_status in (Outcome.CANCELLED, Outcome.NOSHOW, Outcome.FULFILLED):
        return Outcome(visit.booking_status)
    if visit.gone_home:
        return Outcome.FULFILLED
    return Outcome.CANCELLED if visit.over else None
