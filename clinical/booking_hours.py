"""When is somebody at work, and which instant is a time on the wall?

Working hours are wall times of the site by weekday. On the day the clocks change they are as long as the wall says:
a shift round the clock has 23 or 25 hours. Where its beginning or end does not exist or occurs twice, the shorter
reading counts: nobody is booked for an hour they may not be there.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from clinical.booking import Model, Span, minus
from clinical.instants import in_utc

DAY_MINUTES = 24 * 60


class Weekday(StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


WEEK = tuple(Weekday)


class Shift(Model):
    """At work on that weekday, in minutes since midnight on the wall; 1440 is the end of the day."""

    weekday: Weekday
    from_minute: int
    to_minute: int


class LocalTimeFault(StrEnum):
    """Why a wall time is no instant."""

    NONEXISTENT = "nonexistent-local-time"
    AMBIGUOUS = "ambiguous-local-time"


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime | LocalTimeFault:
    """Which instant is it when the clock on that wall says so? A time that was skipped or comes twice is none."""
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return in_utc(first)
    exists = in_utc(first).astimezone(zone).replace(tzinfo=None) == wall
    return LocalTimeFault.AMBIGUOUS if exists else LocalTimeFault.NONEXISTENT


def working_spans(shifts: Sequence[Shift], zone: ZoneInfo, first: date, last: date) -> list[Span]:
    """When is somebody with these shifts at work, on the dates from `first` to `last`? Joined where they meet."""
    found: list[Span] = []
    for ahead in range((last - first).days + 1):
        day = first + timedelta(days=ahead)
        for shift in shifts:
            if shift.weekday is not WEEK[day.weekday()]:
                continue
            begins = max(_readings(day, shift.from_minute, zone))
            ends = min(_readings(day, shift.to_minute, zone))
            if begins < ends:
                found.append(Span(starts_at=begins, ends_at=ends))
    return joined(found)


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same stretches of time in order, those that meet or overlap made into one."""
    whole: list[Span] = []
    for span in sorted(spans, key=lambda one: one.starts_at):
        if whole and span.starts_at <= whole[-1].ends_at:
            longer = max(whole[-1].ends_at, span.ends_at)
            whole[-1] = Span(starts_at=whole[-1].starts_at, ends_at=longer)
        else:
            whole.append(span)
    return whole


def without(spans: Iterable[Span], absences: Sequence[Span]) -> list[Span]:
    """What is left of these when nobody is there."""
    return [piece for span in spans for piece in minus(span, absences)]


def _readings(day: date, minute: int, zone: ZoneInfo) -> list[datetime]:
    """The instants that this wall time can mean."""
    ahead, within = divmod(minute, DAY_MINUTES)
    wall = datetime.combine(day + timedelta(days=ahead), time(within // 60, within % 60))
    return [in_utc(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)]
