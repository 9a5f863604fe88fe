"""Which questionnaires are due when: the clocks reset at each dose (§7.1)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clinical.follow_up import measurement_times
from clinical.measurement_schedule import Measures, Moment, measures
from clinical.protocol import Indication, Protocol

ZONE = "America/New_York"
FIRST = datetime(2026, 1, 5, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


def doses(count: int) -> tuple[datetime, ...]:
    return tuple(FIRST + timedelta(days=3 * number) for number in range(count))


def planned(protocol: Protocol, given: int) -> tuple[Measures, ...]:
    return measures(doses(given), FIRST + timedelta(days=3 * given), protocol, Indication.DEPRESSION, ZONE)


def test_before_the_first_dose_the_whole_set_is_the_baseline(protocol: Protocol) -> None:
    baseline, screen = planned(protocol, 0)
    assert baseline.moment is Moment.BASELINE
    assert baseline.instruments == ("phq-9", "gad-7", "c-ssrs-screener")
    assert baseline.due_at - baseline.from_at == 336 * HOUR
    assert (screen.moment, screen.instruments) == (Moment.BEFORE_DOSE, ("phq-9", "c-ssrs-screener"))
    assert screen.due_at - screen.from_at == 24 * HOUR


def test_before_every_dose_the_own_scale_and_the_suicide_screen_since_the_dose_before(
    protocol: Protocol,
) -> None:
    [screen] = planned(protocol, 1)
    assert screen.from_at == FIRST + timedelta(days=2)
    soon = measures(doses(1), FIRST + 5 * HOUR, protocol, Indication.DEPRESSION, ZONE)
    assert [one.from_at for one in soon] == [
        FIRST
    ]  # what was answered before a dose says nothing about after


def test_around_a_decision_the_full_set_is_due_from_the_last_dose_on(protocol: Protocol) -> None:
    decision, screen = planned(protocol, 3)
    assert (decision.moment, decision.from_at) == (Moment.DECISION, doses(3)[-1])
    assert decision.instruments == protocol.baseline_instruments[Indication.DEPRESSION]
    assert screen.moment is Moment.BEFORE_DOSE


def test_without_a_dose_and_a_plan_nothing_is_due(protocol: Protocol) -> None:
    assert measures((), None, protocol, Indication.DEPRESSION, ZONE) == ()


@given(st.permutations(doses(6)), st.integers(1, 90))
def test_one_more_dose_sets_the_weeks_of_follow_up_back(
    protocol: Protocol, given: list[datetime], days: int
) -> None:
    booster = max(given) + timedelta(days=days)
    due = measures([booster, *given], None, protocol, Indication.ANXIETY, ZONE)
    assert [(one.week, one.due_at) for one in due] == list(measurement_times(booster, protocol, ZONE))
    assert all(one.due_at - one.from_at == 48 * HOUR and one.moment is Moment.FOLLOW_UP for one in due)


def test_without_a_planned_dose_the_weeks_of_follow_up_are_due(protocol: Protocol) -> None:
    due = measures(doses(2), None, protocol, Indication.DEPRESSION, ZONE)
    assert [one.week for one in due] == list(protocol.follow_up.weeks)
    assert {one.moment for one in due} == {Moment.FOLLOW_UP}
    assert due[0].due_at - due[0].from_at == 48 * HOUR
