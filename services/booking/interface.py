"""What is said to booking and what does it answer? Frozen values; no name of a patient in any of them.

A journey's id is opaque, and stands in what staff reads; what leaves the house (calendars) does not even have that.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.booking import CourseRules, Kind
from clinical.booking_hours import Shift
from clinical.booking_tasks import NoticeKind
from clinical.people import Actor, Role

RulesOf = Callable[[str], Awaitable[CourseRules | None]]
"""What of a course decides about its times, by its id; None when there is no such course."""


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    """A booking in Appointment's words where it has one: `pending` is a hold."""

    PENDING = "pending"
    CONFIRMING = "confirming"
    BOOKED = "booked"
    EXPIRED = "expired"
    RELEASED = "released"
    MOVED = "moved"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"
    FULFILLED = "fulfilled"


LIVE = (Status.PENDING, Status.CONFIRMING, Status.BOOKED)
"""They hold their time; all others hold nothing."""


class ResourceContent(Value):
    code: str
    kind: Kind
    roles: tuple[Role, ...] = ()
    person: str | None = None
    capacity: int = 1
    time_zone: str
    hours: tuple[Shift, ...]
    before_minutes: int = 0
    after_minutes: int = 0
    active: bool = True


class ResourceView(ResourceContent):
    id: str
    site: str
    version: int


class ResourceFilter(Value):
    """Which of a site's resources: those for which everything holds that is not None."""

    kind: Kind | None = None
    role: Role | None = None
    active: bool | None = None


EVERYTHING = ResourceFilter()


class AbsenceView(Value):
    id: str
    resource_id: str
    starts_at: datetime
    ends_at: datetime
    reason: str


class ReservedPart(Value):
    """What one part of a visit has, with its buffers."""

    part: str
    resource_id: str
    resource: str
    number: int
    place: int
    starts_at: datetime
    ends_at: datetime


class BookingView(Value):
    """One time for one visit. `late` marks a cancellation inside the notice that the clinic asks for."""

    id: str
    site: str
    journey_id: str
    session: int
    status: str
    starts_at: datetime
    ends_at: datetime
    dose_at: datetime
    home_at: datetime
    room: str
    parts: tuple[ReservedPart, ...]
    sequence: int
    held_at: datetime
    expires_at: datetime | None
    claim_key: str | None
    claimed_at: datetime | None
    booked_at: datetime | None
    released_at: datetime | None
    released_why: str | None
    late: bool
    waiting_id: str | None

    def is_open_offer(self, now: datetime) -> bool:
        """Can a waiting patient still take this time?"""
        lasts = self.expires_at is not None and now < self.expires_at
        return self.waiting_id is not None and self.status == Status.PENDING and lasts


class Wish(Value):
    """A time that somebody wants for a visit. `id` comes from the key of the request: asked again it is the same."""

    id: str
    rules: CourseRules
    session: int
    starts_at: datetime
    ends_at: datetime | None = None
    room: str | None = None
    people: dict[str, str] = {}
    held_by: str
    minutes: float
    waiting_id: str | None = None


class WaitingView(Value):
    id: str
    site: str
    journey_id: str
    session: int
    status: str
    added_at: datetime
    from_at: datetime | None
    until_at: datetime | None
    booking_id: str | None
    offers: int


class NoticeView(Value):
    """Why somebody has to see to a time of this visit, until when, and how it ended."""

    id: int
    site: str
    kind: NoticeKind
    journey_id: str
    session: int
    booking_id: str | None
    starts_at: datetime
    at: datetime
    due_at: datetime | None
    handled_at: datetime | None
    handled_by: str | None
    handled_role: Role | None
    outcome: str | None


class WorkList(Protocol):
    """Where people see what they have to do. In the caller's transaction."""

    async def owe(self, session: AsyncSession, notice: NoticeView) -> None:
        """Somebody has to see to it."""
        ...

    async def settle(self, session: AsyncSession, notice: NoticeView, by: Actor) -> None:
        """Somebody did, or its reason has gone."""
        ...


class ClosureItem(Value):
    """One booking that a closure touches: where it could go, and what became of it."""

    booking_id: str
    sequence: int
    journey_id: str
    session: int
    starts_at: datetime
    ends_at: datetime
    room: str
    new_starts_at: datetime | None
    result: str = "to-do"
    problem: str | None = None


class ClosureView(Value):
    id: str
    site: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    status: str
    token: str
    items: tuple[ClosureItem, ...]
    made_at: datetime
    confirmed_at: datetime | None
