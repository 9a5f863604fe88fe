"""What is sent to and answered from the books of rooms, people and times?

A time may be given as an instant with its offset, or as the wall of the site shows it; a wall time that does not
exist or comes twice on the day the clocks change needs its offset.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.answers import CountedPage, Page, TotalPage
from api.schemas.values import Act, Code, Flag, Identifier, In, Instant, Out, Whole
from clinical.booking import Kind
from clinical.booking_hours import Weekday
from clinical.people import Role
from services.booking.interface import (
    AbsenceView,
    BookingView,
    ResourceView,
    WaitingView,
)

LOCAL = r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d)?([Zz]|[+-]\d\d:\d\d)?$"
When = Annotated[str, Field(pattern=LOCAL, examples=["2026-03-16T09:00", "2026-03-16T09:00:00-04:00"])]
Zone = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$")]


def _minutes(value: object) -> object:
    if isinstance(value, str) and len(value) == 5 and value[2] == ":":
        hours, minutes = value[:2], value[3:]
        if hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60:
            total = int(hours) * 60 + int(minutes)
            if total <= 24 * 60:
                return total
    raise PydanticCustomError("wall_time", "must be a time on the wall from 00:00 to 24:00")


WallTime = Annotated[
    int,
    BeforeValidator(_minutes),
    WithJsonSchema(
        {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$", "examples": ["09:00"]}
    ),
]


class ShiftIn(In):
    """At work on that weekday, on the site's wall."""

    weekday: Weekday
    starts: WallTime
    ends: WallTime


class ResourceIn(In):
    """A room, a chair or a person. Capacity: how many visits it serves at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "room-2",
                    "kind": "room",
                    "capacity": 1,
                    "time_zone": "America/New_York",
                    "hours": [{"weekday": "mon", "starts": "08:00", "ends": "18:00"}],
                    "after_minutes": 15,
                }
            ]
        }
    )

    code: Code
    kind: Kind
    roles: tuple[
        Literal[Role.NURSE, Role.PRESCRIBER, Role.THERAPIST, Role.COORDINATOR, Role.MEDICAL_DIRECTOR], ...
    ] = Field(default=(), max_length=5)
    person: Code | None = Field(default=None, description="the subject of this person's tokens")
    capacity: Annotated[Whole, Field(ge=1, le=100)] = 1
    time_zone: Zone
    hours: tuple[ShiftIn, ...] = Field(max_length=50)
    before_minutes: Annotated[Whole, Field(ge=0, le=480)] = 0
    after_minutes: Annotated[Whole, Field(ge=0, le=480)] = 0
    active: Flag = True


class ResourceOut(Out):
    href: str
    resource: ResourceView


class ResourceList(Page):
    """`counts`: everything that the site has, by kind."""

    items: list[ResourceView]
    counts: dict[str, int]


class SpanIn(In):
    """A stretch of time; a wall time is the site's."""

    starts_at: When
    ends_at: When


class AbsenceIn(SpanIn):
    """When somebody or something is not there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"starts_at": "2026-12-24T00:00", "ends_at": "2026-12-27T00:00", "reason": "holiday"}
            ]
        }
    )

    reason: Code


class AbsenceList(TotalPage):
    items: list[AbsenceView]


class HoldIn(In):
    """A time for this visit. Whom and what it leaves open is chosen among who is free."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"starts_at": "2026-12-16T09:00", "minutes": 15}]}
    )

    starts_at: When
    ends_at: When | None = Field(default=None, description="only if it is to last longer than it must")
    room: Code | None = None
    people: dict[Literal["monitor", "prescriber", "therapist"], Code] = Field(default_factory=dict)
    minutes: Annotated[Whole, Field(ge=1, le=120)] = 15


class BookingIn(Act):
    """Room and time of the visit, or the hold that has them; booking again moves it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "starts_at": "2026-03-16T09:00:00-04:00",
                    "ends_at": "2026-03-16T13:00:00-04:00",
                    "room": "room-2",
                }
            ]
        }
    )

    starts_at: Instant | None = None
    ends_at: Instant | None = None
    room: Code | None = None
    hold_id: Identifier | None = Field(default=None, description="instead of time and room: what was held")

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        missing = [name for name in ("starts_at", "ends_at", "room") if getattr(self, name) is None]
        if self.hold_id is None and missing:
            raise PydanticCustomError("missing", "needs hold_id, or starts_at, ends_at and room")
        if self.hold_id is not None and len(missing) < 3:
            raise PydanticCustomError("too_much", "a hold has its own time and room")
        return self

    def message(self) -> dict[str, Any]:
        return self.model_dump(exclude={"hold_id"})


class SlotOut(Out):
    """A time that can be had, and who and what would be reserved."""

    starts_at: datetime
    ends_at: datetime
    dose_at: datetime
    home_at: datetime
    room: str
    people: dict[str, str]


class SlotList(Out):
    """`time_zone` is the site's."""

    time_zone: str
    items: list[SlotOut]


class BookingOut(Out):
    """One time for one visit: `pending` while it is held until `expires_at`."""

    href: str
    booking: BookingView


class BookingPage(CountedPage):
    items: list[BookingView]


class EmptyIn(In):
    """Nothing more to say."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class WaitIn(In):
    """Would take an earlier time, inside these bounds."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"from_at": None, "until_at": None}]})

    from_at: Instant | None = None
    until_at: Instant | None = None


class WaitingPage(CountedPage):
    items: list[WaitingView]


class NoticeHandlingIn(In):
    """What somebody found. Whoever waits no more also leaves the line: that is another act."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "waits-on"}]})

    outcome: Literal["waits-on", "waits-no-more", "not-reached", "not-needed"]


class ClosureIn(SpanIn):
    """The site closes for that time."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"starts_at": "2026-12-17T00:00", "ends_at": "2026-12-18T00:00", "reason": "storm"}]
        }
    )

    reason: Code


class ConfirmClosureIn(In):
    """Exactly what was looked at. Visits for which no other time was found are cancelled only if so asked."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": "0f" * 32, "cancel_without_time": False}]}
    )

    token: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    cancel_without_time: Flag = False
