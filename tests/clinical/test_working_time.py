"""Does working time stand still while the clinic is closed, on days of 23, 24 and 25 hours, and never get lost?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.working_time import Span, closed_day, moved_due, weekly, working_due, working_hours

NEW_YORK = ZoneInfo("America/New_York")
CHRISTMAS = closed_day(date(2026, 12, 25), NEW_YORK)
BOXING_DAY = closed_day(date(2026, 12, 26), NEW_YORK)
NOON = datetime(2026, 12, 24, 17, 0, tzinfo=UTC)  # on the wall of New York

INSTANTS = st.integers(0, 2 * 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
DAYS = st.lists(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=8)
HOURS = st.integers(0, 24 * 60).map(float)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 12, 25), 24)]
)
def test_a_closed_day_is_the_day_on_the_wall(day: date, hours: int) -> None:
    span = closed_day(day, NEW_YORK)
    assert span.end - span.start == timedelta(hours=hours)
    assert span.start.astimezone(NEW_YORK).date() == day
    assert span.end.astimezone(NEW_YORK).date() == day + timedelta(days=1)


@pytest.mark.parametrize(
    ("closed", "due"),
    [
        ((), NOON + timedelta(hours=24)),
        ((CHRISTMAS,), NOON + timedelta(hours=48)),
        ((BOXING_DAY, CHRISTMAS), NOON + timedelta(hours=72)),  # in any order; together one span
        ((CHRISTMAS, CHRISTMAS), NOON + timedelta(hours=48)),
        ((closed_day(date(2026, 12, 23), NEW_YORK),), NOON + timedelta(hours=24)),
        ((closed_day(date(2026, 12, 30), NEW_YORK),), NOON + timedelta(hours=24)),
    ],
)
def test_a_day_of_work_over_closed_days(closed: tuple[Span, ...], due: datetime) -> None:
    assert working_due(NOON, 24, closed) == due
    assert working_hours(NOON, due, closed) == 24


def test_what_begins_on_a_closed_day_begins_to_count_when_it_is_over() -> None:
    midday = CHRISTMAS.start + timedelta(hours=12)
    assert working_due(midday, 3, [CHRISTMAS]) == CHRISTMAS.end + timedelta(hours=3)
    assert working_hours(midday, CHRISTMAS.end, [CHRISTMAS]) == 0


def test_the_same_day_of_every_week() -> None:
    saturday, friday = date(2026, 3, 7), datetime(2026, 3, 6, 17, tzinfo=UTC)
    days = [*weekly(saturday, date(2026, 3, 20)), *weekly(date(2026, 3, 8), date(2026, 3, 14))]
    assert days == [saturday, date(2026, 3, 14), date(2026, 3, 8)]
    assert weekly(saturday, date(2026, 3, 1)) == (saturday,)
    weekend = [closed_day(day, NEW_YORK) for day in days]
    assert working_due(friday, 24, weekend) == friday + timedelta(hours=24 + 47)  # clocks go forward


def test_a_due_time_moves_with_the_calendar_and_comes_back() -> None:
    due = NOON + timedelta(hours=24)
    later = moved_due(NOON, due, [], [CHRISTMAS])
    assert later == NOON + timedelta(hours=48)
    assert moved_due(NOON, later, [CHRISTMAS], []) == due


@given(start=INSTANTS, hours=HOURS, days=DAYS)
def test_the_open_hours_are_never_more_or_fewer(start: datetime, hours: float, days: list[date]) -> None:
    closed = [closed_day(day, NEW_YORK) for day in days]
    due = working_due(start, hours, closed)
    assert working_hours(start, due, closed) == hours
    assert due >= start + timedelta(hours=hours)
    assert not any(one.start <= due < one.end for one in closed)


@given(start=INSTANTS, hours=HOURS, days=DAYS, more=DAYS)
def test_closing_never_brings_a_due_time_forward_and_opening_undoes_it(
    start: datetime, hours: float, days: list[date], more: list[date]
) -> None:
    before = [closed_day(day, NEW_YORK) for day in days]
    after = [*before, *(closed_day(day, NEW_YORK) for day in more)]
    due = working_due(start, hours, before)
    later = moved_due(start, due, before, after)
    assert later >= due
    assert moved_due(start, later, after, before) == due
