"""When is a step due if the clinic is closed in between? Working time passes only while the clinic is open.

For what only the calendar waits for: booking, signatures, plans. What a patient in the chair, after a dose or
in a crisis waits for, and what the law counts, runs through every holiday: a code that is not in `PAUSES` never
pauses. A closed day is the day on the wall of the site, with 23, 24 or 25 hours; instants are UTC.
Source: product F19.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clinical.instants import elapsed, in_utc, later

PAUSES = frozenset(
    {
        "book-consultation", "record-consultation", "take-consent", "collect-screening", "sign-screening",
        "draft-plan", "approve-plan", "hold-preparation", "book-session", "decide-course",
        "finish-booking", "ask-waiting",
    }
)  # fmt: skip
"""Steps whose time stands still while the clinic is closed."""

DAYS_PER_WEEK = 7


class Span(NamedTuple):
    """From `start` until just before `end`."""

    start: datetime
    end: datetime


def closed_day(day: date, zone: ZoneInfo) -> Span:
    """The whole day on the wall of that zone."""
    midnight, next_midnight = (
        in_utc(datetime.combine(one, time(0), tzinfo=zone)) for one in (day, day + timedelta(days=1))
    )
    return Span(midnight, next_midnight)


def weekly(first: date, until: date) -> tuple[date, ...]:
    """That day and the same day of each week, until and with that date: Saturdays, for example."""
    weeks = max((until - first).days // DAYS_PER_WEEK, 0)
    return tuple(first + timedelta(days=DAYS_PER_WEEK * number) for number in range(weeks + 1))


def working_due(start: datetime, hours: float, closed: Iterable[Span]) -> datetime:
    """The instant after so many hours in which the clinic is open, counted from `start`.

    What would fall due within a closed span falls due when it has ended, so that nobody is late while away.
    """
    due = later(start, hours=hours)
    for span in _joined(closed):
        if span.start <= due and span.end > start:
            due += span.end - max(span.start, in_utc(start))
    return due


def working_hours(start: datetime, end: datetime, closed: Iterable[Span]) -> float:
    """How many hours between these instants was the clinic open? Never less than none."""
    away = sum(
        (
            max(min(span.end, in_utc(end)) - max(span.start, in_utc(start)), timedelta())
            for span in _joined(closed)
        ),
        timedelta(),
    )
    return max(elapsed(start, end) - away, timedelta()) / timedelta(hours=1)


def moved_due(
    opened_at: datetime, due_at: datetime, before: Sequence[Span], after: Sequence[Span]
) -> datetime:
    """Where does a due time go when the closed days change from `before` to `after`? The open hours stay."""
    return working_due(opened_at, working_hours(opened_at, due_at, before), after)


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """In order, each moment once: days that touch are one span."""
    current: Span | None = None
    for span in sorted(Span(in_utc(one.start), in_utc(one.end)) for one in spans):
        if current is None or span.start > current.end:
            if current is not None:
                yield current
            current = span
        else:
            current = Span(current.start, max(current.end, span.end))
    if current is not None:
        yield current
