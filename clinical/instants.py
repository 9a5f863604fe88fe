"""What is an instant here, and how much time has really passed between two?

Every instant of the rules is aware and kept in UTC. Python subtracts two datetimes of the same zone by their
wall clocks and so loses or gains an hour at a change of clocks; these functions always count elapsed time.
`Instant` refuses naive values and years nobody will see, so that adding hours to one can never overflow.
Source: clinical-facts H14 (store UTC and an IANA zone, intervals in elapsed hours).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, Field


def in_utc(at: datetime) -> datetime:
    """The same instant in UTC."""
    return at.astimezone(UTC)


EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

Instant = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST), AfterValidator(in_utc)]


def elapsed(start: datetime, end: datetime) -> timedelta:
    """How much time has passed from start to end? Negative when end comes first, whatever the clocks show."""
    return in_utc(end) - in_utc(start)


def elapsed_hours(start: datetime, end: datetime) -> float:
    """Elapsed time in h."""
    return elapsed(start, end) / timedelta(hours=1)


def elapsed_minutes(start: datetime, end: datetime) -> float:
    """Elapsed time in min."""
    return elapsed(start, end) / timedelta(minutes=1)


def later(at: datetime, *, minutes: float = 0, hours: float = 0, days: float = 0) -> datetime:
    """The instant so much elapsed time later, in UTC; a day is always 24 h."""
    return in_utc(at) + timedelta(minutes=minutes, hours=hours, days=days)


def zone_named(name: str) -> ZoneInfo | None:
    """The IANA zone of that name, or None when there is none; what the lookup raises depends on the name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The calendar date on the wall in that zone."""
    return at.astimezone(zone).date()


def next_local_midnight(at: datetime, zone: ZoneInfo) -> datetime:
    """When does the next local date begin, as an instant in UTC?

    Where the clocks skip midnight, the instant of the change is the answer.
    """
    tomorrow = local_date(at, zone) + timedelta(days=1)
    return in_utc(datetime.combine(tomorrow, time(0), tzinfo=zone))


def spaced_from_latest(instants: Iterable[datetime], apart_minutes: float) -> int:
    """How many of these instants, picked backwards from the latest, lie at least so many minutes apart?"""
    picked: list[datetime] = []
    for at in sorted(instants, key=in_utc, reverse=True):
        if not picked or elapsed_minutes(at, picked[-1]) >= apart_minutes:
            picked.append(at)
    return len(picked)
