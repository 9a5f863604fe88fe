"""Elapsed time, whatever the clocks on the wall do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from clinical.instants import (
    Instant,
    elapsed_hours,
    later,
    local_date,
    next_local_midnight,
    spaced_from_latest,
    zone_named,
)

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [
    ZoneInfo(name) for name in ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Africa/Cairo", "UTC")
]
SECONDS_IN_A_CENTURY = 100 * 365 * 86_400
MOMENTS = st.integers(0, SECONDS_IN_A_CENTURY).map(
    lambda seconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def test_the_night_the_clocks_go_back_is_an_hour_longer() -> None:
    evening = datetime(2026, 10, 31, 22, 0, tzinfo=NEW_YORK)
    morning = datetime(2026, 11, 1, 8, 0, tzinfo=NEW_YORK)
    assert morning - evening == timedelta(hours=10)
    assert elapsed_hours(evening, morning) == 11
    assert later(evening, hours=11) == morning


@given(MOMENTS, st.sampled_from(ZONES))
def test_the_next_local_midnight_is_the_first_instant_of_another_date(at: datetime, zone: ZoneInfo) -> None:
    midnight = next_local_midnight(at, zone)
    assert midnight > at
    assert local_date(midnight, zone) > local_date(at, zone)
    assert local_date(midnight - timedelta(seconds=1), zone) == local_date(at, zone)


def test_where_the_clocks_skip_midnight_the_change_is_the_answer() -> None:
    cairo = ZoneInfo("Africa/Cairo")
    before = datetime(2026, 4, 23, 20, 0, tzinfo=cairo)
    assert next_local_midnight(before, cairo) == datetime(2026, 4, 24, 1, 0, tzinfo=cairo).astimezone(UTC)


@pytest.mark.parametrize("name", ["Nowhere/Town", "", "../etc", "a\x00b", "America", "x" * 5000])
def test_a_zone_nobody_knows_is_none(name: str) -> None:
    assert zone_named(name) is None


@pytest.mark.parametrize("text", ["2026-11-24T10:00:00", "1066-10-14T09:00:00Z", "9999-12-31T23:59:59Z"])
def test_an_instant_is_aware_and_of_our_time(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_python(text)


def test_spacing_is_counted_back_from_the_latest() -> None:
    base = datetime(2026, 1, 1, tzinfo=UTC)
    minutes = [0, 5, 14, 15, 31]
    assert spaced_from_latest((base + timedelta(minutes=m) for m in minutes), 15) == 3
    assert spaced_from_latest([], 15) == 0
