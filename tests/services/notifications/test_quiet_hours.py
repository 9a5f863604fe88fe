"""The next allowed instant, on every clock change there is."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.notifications.quiet_hours import QuietHours, next_allowed

ZONES = (
    "America/New_York",
    "America/Phoenix",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # changes by half an hour
    "Africa/Casablanca",
    "America/Santiago",  # changes at midnight
    "Asia/Kathmandu",
    "Pacific/Apia",  # 30 December 2011 does not exist
    "UTC",
)
NIGHT = QuietHours(time(21), time(8))

EPOCH = datetime(2005, 1, 1, tzinfo=UTC)

instants = st.integers(0, 33 * 365 * 24 * 60).map(lambda minute: EPOCH + timedelta(minutes=minute))
clock_times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))


@given(instants, st.sampled_from(ZONES), st.builds(QuietHours, clock_times, clock_times))
@example(datetime(2011, 12, 30, 8, tzinfo=UTC), "Pacific/Apia", NIGHT)
@example(datetime(2026, 3, 8, 6, 10, tzinfo=UTC), "America/New_York", QuietHours(time(22), time(2, 30)))
def test_the_answer_is_allowed_never_earlier_and_stable(at: datetime, zone: str, quiet: QuietHours) -> None:
    allowed = next_allowed(at, zone, quiet)
    assert allowed >= at
    assert not quiet.covers(allowed, zone)
    assert next_allowed(allowed, zone, quiet) == allowed
    assert (allowed == at) == (not quiet.covers(at, zone))


@given(instants, st.sampled_from(ZONES), st.builds(QuietHours, clock_times, clock_times))
@example(datetime(2026, 11, 1, 6, 10, tzinfo=UTC), "America/New_York", QuietHours(time(22), time(1, 30)))
def test_nothing_allowed_is_skipped(at: datetime, zone: str, quiet: QuietHours) -> None:
    """Every quarter of an hour on the way is quiet. A clock that jumps over the end of the quiet hours may
    cost the length of the jump, an hour at most (Samoa's lost day aside)."""
    allowed = next_allowed(at, zone, quiet)
    step, slack = timedelta(minutes=15), timedelta(hours=1)
    if zone == "Pacific/Apia" and abs(at - datetime(2011, 12, 30, tzinfo=UTC)) < timedelta(days=3):
        return
    passed = at
    while passed < allowed - slack:
        assert quiet.covers(passed, zone)
        passed += step


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1), date(2026, 7, 1)])
def test_the_morning_is_eight_on_the_wall_on_days_of_23_24_and_25_hours(day: date) -> None:
    zone = ZoneInfo("America/New_York")
    midnight = datetime.combine(day, time(0), zone)
    assert next_allowed(midnight, "America/New_York", NIGHT).astimezone(zone) == datetime.combine(
        day, time(8), zone
    )


def test_the_ends_of_the_night() -> None:
    zone = ZoneInfo("America/New_York")
    last_minute = datetime(2026, 7, 1, 20, 59, tzinfo=zone)
    first_quiet = datetime(2026, 7, 1, 21, 0, tzinfo=zone)
    assert next_allowed(last_minute, "America/New_York", NIGHT) == last_minute
    assert next_allowed(first_quiet, "America/New_York", NIGHT) == datetime(2026, 7, 2, 8, tzinfo=zone)


@given(instants, st.sampled_from(ZONES), clock_times)
def test_equal_ends_mean_no_quiet_hours(at: datetime, zone: str, end: time) -> None:
    assert next_allowed(at, zone, QuietHours(end, end)) == at
