"""When measurements fall due, and who decides whether a course goes on."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.follow_up import (
    Choice,
    DecisionNeeded,
    decision_after,
    decision_after_missed,
    decision_allowed,
    decision_due,
    measurement_times,
    overlapping_scores,
)
from clinical.people import Role
from clinical.protocol import Protocol

IN_2020 = datetime(2020, 1, 1, tzinfo=UTC)
NEW_YORK = "America/New_York"
ZONES = st.sampled_from(
    [NEW_YORK, "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "Nowhere/Town"]
)


def test_measurements_fall_due_at_nine_on_the_wall_over_a_change_of_clocks(protocol: Protocol) -> None:
    dosed = datetime(2026, 2, 20, 20, 30, tzinfo=UTC)
    times = measurement_times(dosed, protocol, NEW_YORK)
    assert [week for week, _ in times] == [2, 4, 8, 12, 26, 52]
    assert times[0].due_at == datetime(2026, 3, 6, 14, tzinfo=UTC)
    assert times[1].due_at == datetime(2026, 3, 20, 13, tzinfo=UTC)


def test_the_day_is_the_patients_not_utcs(protocol: Protocol) -> None:
    late = datetime(2026, 6, 2, 1, tzinfo=UTC)
    assert measurement_times(late, protocol, NEW_YORK)[0].due_at == datetime(2026, 6, 15, 13, tzinfo=UTC)


def test_an_unknown_zone_does_not_stop_the_follow_up(protocol: Protocol) -> None:
    dosed = datetime(2026, 6, 2, 1, tzinfo=UTC)
    assert measurement_times(dosed, protocol, "Nowhere/Town")[0].due_at == datetime(
        2026, 6, 16, 9, tzinfo=UTC
    )
    assert measurement_times(dosed, protocol, "")


@given(dosed=st.integers(0, 40 * 365 * 24).map(lambda hours: IN_2020 + timedelta(hours=hours)), zone=ZONES)
def test_every_measurement_lies_its_weeks_away_at_nine(
    protocol: Protocol, dosed: datetime, zone: str
) -> None:
    wall = ZoneInfo("UTC" if zone == "Nowhere/Town" else zone)
    for week, due in measurement_times(dosed, protocol, zone):
        local = due.astimezone(wall)
        assert (local.hour, local.minute) == (9, 0)
        assert local.date() - dosed.astimezone(wall).date() == timedelta(weeks=week)
        assert due > dosed


@pytest.mark.parametrize(
    ("dose", "percent", "needed", "default"),
    [
        (1, 0, False, Choice.GO_ON),
        (2, 0, False, Choice.GO_ON),
        (3, 0, True, Choice.REVIEW),
        (3, 80, True, Choice.REVIEW),
        (3, None, True, Choice.REVIEW),
        (4, 19.9, True, Choice.STOP),
        (4, 20, True, Choice.GO_ON),
        (4, -30, True, Choice.STOP),
        (4, None, True, Choice.REVIEW),
        (4, float("nan"), True, Choice.REVIEW),
        (5, 0, False, Choice.GO_ON),
        (6, 49.9, True, Choice.STOP),
        (6, 50, True, Choice.GO_ON),
        (6, None, True, Choice.REVIEW),
        (7, 10, True, Choice.STOP),
    ],
)
def test_decision_points(
    protocol: Protocol, dose: int, percent: float | None, needed: bool, default: Choice
) -> None:
    point = decision_after(dose, percent, protocol)
    assert (point.needed, point.default) == (needed, default)
    assert bool(point.reasons) is needed


def test_a_default_says_the_number_and_its_limit(protocol: Protocol) -> None:
    (reason,) = decision_after(4, 12.34, protocol).reasons
    assert (reason.rule, reason.value, reason.unit, reason.limit) == ("DECIDE-STOP", "12.3", "%", "≥ 20")
    assert decision_after(4, None, protocol).improvement_unknown


@pytest.mark.parametrize(
    ("dose", "percent", "choice", "role", "why", "objections"),
    [
        (4, 10, "go-on", Role.PRESCRIBER, None, ["DECIDE-REASON"]),
        (4, 10, "go-on", Role.PRESCRIBER, "  ", ["DECIDE-REASON"]),
        (4, 10, "go-on", Role.PRESCRIBER, "sleep is better, one more", []),
        (4, 10, "stop", Role.PRESCRIBER, None, []),
        (4, 40, "stop", Role.PRESCRIBER, None, ["DECIDE-REASON"]),
        (4, 40, "go-on", Role.PRESCRIBER, None, []),
        (4, None, "go-on", Role.PRESCRIBER, None, ["DECIDE-REASON"]),
        (4, None, "stop", Role.PRESCRIBER, None, []),
        (3, 5, "go-on", Role.PRESCRIBER, None, []),
        (3, None, "go-on", Role.PRESCRIBER, None, ["DECIDE-REASON"]),
        (3, 5, "stop", Role.PRESCRIBER, None, []),
        (3, 5, "review", Role.PRESCRIBER, None, ["DECIDE-CHOICE"]),
        (3, 5, "maybe", Role.PRESCRIBER, None, ["DECIDE-CHOICE"]),
        (4, 40, "go-on", Role.COORDINATOR, None, ["DECIDE-ROLE"]),
        (2, 40, "go-on", Role.PRESCRIBER, None, ["DECIDE-OPEN"]),
        (2, 40, "maybe", Role.SYSTEM, None, ["DECIDE-OPEN", "DECIDE-ROLE", "DECIDE-CHOICE"]),
    ],
)
def test_who_may_settle_it_and_how(
    protocol: Protocol,
    dose: int,
    percent: float | None,
    choice: str,
    role: Role,
    why: str | None,
    objections: list[str],
) -> None:
    answer = decision_allowed(choice, role, why, decision_after(dose, percent, protocol))
    assert sorted(reason.rule for reason in answer.objections) == sorted(objections)
    assert answer.passes is (not objections)


@given(
    dose=st.integers(0, 30),
    percent=st.none() | st.floats(),
    choice=st.sampled_from(Choice),
    role=st.sampled_from(Role),
    why=st.none() | st.text(max_size=5),
)
def test_nothing_but_a_prescriber_ever_decides(
    protocol: Protocol, dose: int, percent: float | None, choice: Choice, role: Role, why: str | None
) -> None:
    point = decision_after(dose, percent, protocol)
    answer = decision_allowed(choice, role, why, point)
    if answer.passes:
        assert role is Role.PRESCRIBER
        assert point.needed
        assert choice is not Choice.REVIEW
        if point.default is Choice.STOP and choice is Choice.GO_ON:
            assert why


def test_an_improvement_never_makes_stopping_the_default(protocol: Protocol) -> None:
    for dose in range(1, 10):
        stops = [
            decision_after(dose, percent, protocol).default is Choice.STOP for percent in range(-20, 101)
        ]
        assert stops == sorted(stops, reverse=True)


def test_a_decision_can_be_kept_in_history(protocol: Protocol) -> None:
    point = decision_after(4, 10, protocol)
    assert DecisionNeeded.model_validate_json(point.model_dump_json()) == point


def deciding(protocol: Protocol, **changes: object) -> Protocol:
    return protocol.model_copy(update={"decisions": protocol.decisions.model_copy(update=changes)})


def test_after_the_series_every_so_many_doses_ask_again(protocol: Protocol) -> None:
    assert [dose for dose in range(11) if decision_due(dose, protocol)] == [3, 4, 6, 7, 8, 9, 10]
    every_third = deciding(protocol, then_every_doses=3)
    assert [dose for dose in range(16) if decision_due(dose, every_third)] == [3, 4, 6, 9, 12, 15]


def test_the_stop_and_the_end_of_the_series_ask_even_when_no_review_is_listed(protocol: Protocol) -> None:
    silent = deciding(protocol, review_after_doses=())
    assert [dose for dose in range(7) if decision_due(dose, silent)] == [4, 6]


@given(dose=st.integers(0, 60), percent=st.none() | st.floats(), every=st.integers(1, 5))
def test_a_decision_is_needed_exactly_when_it_is_due(
    protocol: Protocol, dose: int, percent: float | None, every: int
) -> None:
    rules = deciding(protocol, then_every_doses=every)
    assert decision_after(dose, percent, rules).needed is decision_due(dose, rules)


@pytest.mark.parametrize(
    ("hours", "flagged"),
    [((), False), ((0,), False), ((0, 48), True), ((0, 168), False), ((48, 0, 100), True)],
)
def test_scores_less_than_a_week_apart_look_back_on_the_same_days(
    protocol: Protocol, hours: tuple[int, ...], flagged: bool
) -> None:
    found = overlapping_scores([IN_2020 + timedelta(hours=at) for at in hours], protocol)
    assert [reason.rule for reason in found] == (["DECIDE-OVERLAP"] if flagged else [])
    assert all(reason.limit == ">= 7" for reason in found)


def test_after_too_many_missed_visits_a_person_decides_without_a_default(protocol: Protocol) -> None:
    needed = decision_after_missed(4, protocol)
    assert (needed.needed, needed.default) == (True, Choice.REVIEW)
    (reason,) = needed.reasons
    assert (reason.rule, reason.verdict) == ("DECIDE-MISSED", Verdict.REVIEW)
    assert (reason.value, reason.limit) == ("4", "<= 3")
