"""What about the times of visits needs a person, and when is that over by itself?

A hold or an offer that lapsed, an offer that waits for an answer, a visit without its room: each is one task of
the coordinators. Nobody has to act on a visit that was called off late or missed: the record says so, and what
comes next of the course is asked for there.
Source: product F8, F19.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from clinical.booking_reconcile import Visit, ended


class NoticeKind(StrEnum):
    """What was found."""

    HOLD_EXPIRED = "hold-expired"
    NOT_CONFIRMED = "not-confirmed"
    OFFER_MADE = "offer-made"
    OFFER_LAPSED = "offer-lapsed"
    WITHOUT_RESERVATION = "without-reservation"


class BookingTask(StrEnum):
    """What a person has to do about it."""

    FINISH_BOOKING = "finish-booking"
    ANSWER_OFFER = "answer-offer"
    ASK_WAITING = "ask-waiting"
    RESERVE_VISIT = "reserve-visit"


TASK_OF: Mapping[NoticeKind, BookingTask] = MappingProxyType(
    {
        NoticeKind.HOLD_EXPIRED: BookingTask.FINISH_BOOKING,
        NoticeKind.NOT_CONFIRMED: BookingTask.FINISH_BOOKING,
        NoticeKind.OFFER_MADE: BookingTask.ANSWER_OFFER,
        NoticeKind.OFFER_LAPSED: BookingTask.ASK_WAITING,
        NoticeKind.WITHOUT_RESERVATION: BookingTask.RESERVE_VISIT,
    }
)


def is_gone(kind: NoticeKind, starts_at: datetime, visit: Visit | None, now: datetime) -> bool:
    """Can nothing be done about it any more? The time has passed, the visit or its course is over, or it moved.

    `visit` is what the record has of it, None where it has none yet.
    """
    if starts_at <= now:
        return True
    if visit is None:
        return False
    if visit.left or ended(visit) is not None:
        return True
    return kind is NoticeKind.WITHOUT_RESERVATION and visit.starts_at != starts_at
