"""Working hours on the wall, on days with 23, 24 and 25 hours; and what a wall time means."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.booking import Span
from clinical.booking_hours import WEEK, LocalTimeFault, Shift, instant_of, joined, without, working_spans

NEW_YORK = ZoneInfo("America/New_York")
wall = datetime.fromisoformat
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)  # Sundays


def hours(shifts: list[tuple[int, int]], day: date, zone: ZoneInfo = NEW_YORK) -> list[tuple[str, str]]:
    made = [Shift(weekday=WEEK[day.weekday()], from_minute=first, to_minute=last) for first, last in shifts]
    spans = working_spans(made, zone, day, day)
    return [(f"{one.starts_at:%H:%M}", f"{one.ends_at:%H:%M}") for one in spans]


@pytest.mark.parametrize(("day", "length"), [(SPRING, 23), (date(2026, 3, 15), 24), (AUTUMN, 25)])
def test_round_the_clock_is_as_long_as_the_day(day: date, length: int) -> None:
    shift = Shift(weekday=WEEK[day.weekday()], from_minute=0, to_minute=24 * 60)
    (whole,) = working_spans([shift], NEW_YORK, day, day)
    assert whole.ends_at - whole.starts_at == timedelta(hours=length)


def test_hours_stay_on_the_wall_when_the_clocks_change() -> None:
    assert hours([(540, 1020)], date(2026, 3, 1)) == [("14:00", "22:00")]  # UTC
    assert hours([(540, 1020)], date(2026, 3, 15)) == [("13:00", "21:00")]
    assert hours([(540, 1020)], SPRING) == [("13:00", "21:00")]


def test_a_time_that_is_skipped_or_comes_twice_is_read_so_that_nobody_is_booked_too_long() -> None:
    assert hours([(150, 300)], SPRING) == [("07:30", "09:00")]  # opens at a time that does not exist
    assert hours([(60, 150)], SPRING) == [("06:00", "06:30")]
    assert hours([(150, 180)], SPRING) == []
    assert hours([(90, 300)], AUTUMN) == [("06:30", "10:00")]  # the second 01:30
    assert hours([(0, 90)], AUTUMN) == [("04:00", "05:30")]  # the first one


def test_only_the_days_that_are_asked_for_and_what_meets_is_one() -> None:
    every_day = [Shift(weekday=day, from_minute=0, to_minute=24 * 60) for day in WEEK]
    assert len(working_spans(every_day, NEW_YORK, date(2026, 6, 1), date(2026, 6, 7))) == 1
    monday = [Shift(weekday=WEEK[0], from_minute=480, to_minute=600)]
    assert len(working_spans(monday, NEW_YORK, date(2026, 6, 1), date(2026, 6, 14))) == 2
    assert hours([(480, 720), (780, 1020)], date(2026, 6, 1)) == [("12:00", "16:00"), ("17:00", "21:00")]


def test_nobody_works_while_absent() -> None:
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    day = Span(at, at + timedelta(hours=8))
    lunch = Span(at + timedelta(hours=4), at + timedelta(hours=5))
    assert without([day], [lunch]) == [Span(day.starts_at, lunch.starts_at), Span(lunch.ends_at, day.ends_at)]
    assert joined([lunch, day]) == [day]


def test_what_a_wall_time_means() -> None:
    assert instant_of(wall("2026-06-01T09:00"), NEW_YORK) == datetime(2026, 6, 1, 13, tzinfo=UTC)
    assert instant_of(wall("2026-03-08T02:30"), NEW_YORK) is LocalTimeFault.NONEXISTENT
    assert instant_of(wall("2026-11-01T01:30"), NEW_YORK) is LocalTimeFault.AMBIGUOUS


@given(
    st.datetimes(wall("2024-01-01T00:00"), wall("2030-01-01T00:00")),
    st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_an_instant_shows_the_wall_time_it_was_made_of(shown: datetime, zone: str) -> None:
    found = instant_of(shown, ZoneInfo(zone))
    if isinstance(found, datetime):
        assert found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == shown
