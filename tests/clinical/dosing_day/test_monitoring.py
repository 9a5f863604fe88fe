"""When readings are due, late, missed or refused (F12, H13, H14)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.monitoring import (
    A_DAY_MINUTES,
    PAGES_AT_FULL_PACE,
    Lateness,
    lateness,
    missed,
    next_due,
    paged_again_after,
    reading_refused,
    schedule,
)
from clinical.protocol import Protocol
from clinical.vitals import Tier
from tests.clinical.dosing_day.builders import NOW, a_reading, refusals


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_the_planned_readings(protocol: Protocol) -> None:
    assert schedule(NOW, protocol) == tuple(at(m) for m in (10, 20, 30, 40, 55, 70, 85, 100))


def test_a_reading_nobody_takes_pages_two_hours_at_full_pace_then_less_often_and_for_ever(
    protocol: Protocol,
) -> None:
    waits = [paged_again_after(rounds, protocol) for rounds in range(400)]
    assert waits[: PAGES_AT_FULL_PACE + 1] == [10] * (PAGES_AT_FULL_PACE + 1)
    assert waits[PAGES_AT_FULL_PACE + 1 : PAGES_AT_FULL_PACE + 4] == [20, 40, 80]
    assert waits == sorted(waits) and waits[-1] == A_DAY_MINUTES
    # A year in the chair: within a tenth of what one history may hold, at a dozen events a round.
    assert sum(waits[:400]) > 365 * A_DAY_MINUTES
    slow = protocol.model_copy(
        update={"monitoring": protocol.monitoring.model_copy(update={"late_page_minutes": 2000})}
    )
    assert paged_again_after(30, slow) == 2000


def test_a_session_across_the_change_of_clocks_counts_elapsed_minutes(protocol: Protocol) -> None:
    start = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    assert start.utcoffset() == timedelta(hours=-4)
    planned = schedule(start, protocol)
    assert planned[3] == datetime(2026, 11, 1, 6, 10, tzinfo=UTC)
    assert planned[-1] - start.astimezone(UTC) == timedelta(minutes=100)
    assert next_due(start, [planned[-1]], protocol) == planned[-1] + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("taken", "due"),
    [
        ([], 10),
        ([-5], 10),
        ([6.5], 10),
        ([7], 20),
        ([12], 20),
        ([10, 20], 30),
        ([31, 10], 40),
        ([100], 115),
        ([111], 115),
        ([112], 130),
        ([115], 130),
        ([250], 265),
    ],
)
def test_the_next_reading(taken: list[float], due: float, protocol: Protocol) -> None:
    assert next_due(NOW, [at(m) for m in taken], protocol) == at(due)


def test_after_an_alert_the_next_reading_comes_sooner(protocol: Protocol) -> None:
    assert next_due(NOW, [at(20)], protocol, Tier.ALERT) == at(25)
    assert next_due(NOW, [at(20)], protocol, Tier.HOLD) == at(30)
    assert next_due(NOW, [at(26)], protocol, Tier.EMERGENCY) == at(30)


@given(st.lists(st.floats(0, 2000), min_size=1))
def test_a_reading_always_moves_the_next_one_on(protocol: Protocol, taken: list[float]) -> None:
    due = next_due(NOW, [at(m) for m in taken], protocol)
    assert timedelta(minutes=3) < due - at(max(taken)) <= timedelta(minutes=18)


def test_a_missed_reading_stays_missed(protocol: Protocol) -> None:
    taken = [at(11), at(31)]
    assert missed(NOW, taken, protocol, at(43)) == (at(20),)
    assert missed(NOW, taken, protocol, at(43.1)) == (at(20), at(40))
    assert missed(NOW, [at(-5)], protocol, at(5)) == ()


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-20, Lateness.ON_TIME),
        (3, Lateness.ON_TIME),
        (3.1, Lateness.LATE),
        (5, Lateness.ALERT),
        (9.9, Lateness.ALERT),
        (10, Lateness.PAGE),
    ],
)
def test_how_late(minutes: float, expected: Lateness, protocol: Protocol) -> None:
    assert lateness(NOW, at(minutes), protocol) is expected


@pytest.mark.parametrize(
    ("taken", "started", "systolic", "rules"),
    [
        (0, -20, 120, set()),
        (2, -20, 120, set()),
        (2.1, -20, 120, {"READING-FUTURE"}),
        (-21, -20, 120, {"READING-BEFORE-DOSE"}),
        (-20, -20, 120, set()),
        (-21, None, 120, set()),
        (5, 10, 1200, {"READING-FUTURE", "READING-BEFORE-DOSE", "READING-IMPOSSIBLE"}),
    ],
)
def test_which_readings_are_refused(
    taken: float, started: float | None, systolic: int, rules: set[str], protocol: Protocol
) -> None:
    reading = a_reading(systolic, taken_at=at(taken))
    start = None if started is None else at(started)
    decision = reading_refused(reading, start, NOW, protocol)
    assert refusals(decision) == rules
    assert decision.passes == (not rules)
    assert decision.reasons
