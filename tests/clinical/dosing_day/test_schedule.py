"""Intervals between doses, in elapsed hours (H4, H14, H17)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.protocol import Protocol
from clinical.schedule import PastDose, earliest_next, interval_allowed, more_doses_allowed
from tests.clinical.dosing_day.builders import NEW_YORK, NOW, a_dose, refusals, verdicts

ZONES = st.sampled_from(
    [NEW_YORK, "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "UTC", "Nowhere/Town"]
)
MINUTES_IN_FOUR_YEARS = 4 * 365 * 1440
MOMENTS = st.integers(0, MINUTES_IN_FOUR_YEARS).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
DOSES = st.lists(
    st.builds(PastDose, session=st.integers(), given_at=MOMENTS, dose_mg=st.just(Decimal(35))), max_size=7
)


def test_thirty_hours_after_the_last_dose_is_refused(protocol: Protocol) -> None:
    decision = interval_allowed(NOW, [a_dose(hours=30)], protocol, NEW_YORK)
    assert refusals(decision) == {"INTERVAL-MIN"}
    (reason,) = decision.objections
    assert (reason.value, reason.unit, reason.limit) == ("30.00", "h", ">= 40")
    assert reason.available_at == NOW + timedelta(hours=10)


def test_forty_hours_are_enough(protocol: Protocol) -> None:
    assert interval_allowed(NOW, [a_dose(hours=40)], protocol, NEW_YORK).passes


def test_a_first_dose_has_no_interval(protocol: Protocol) -> None:
    assert interval_allowed(NOW, [], protocol, NEW_YORK).verdict is Verdict.PASS
    assert earliest_next([], protocol, NEW_YORK) < NOW - timedelta(days=365 * 50)


def test_the_night_of_1_november_counts_its_hour_twice(protocol: Protocol) -> None:
    zone = ZoneInfo(NEW_YORK)
    given_at = datetime(2026, 10, 31, 10, 0, tzinfo=zone)
    wall_says_39 = datetime(2026, 11, 2, 1, 30, tzinfo=zone)
    assert wall_says_39 - given_at == timedelta(hours=39, minutes=30)
    dose = PastDose(session=1, given_at=given_at, dose_mg=Decimal(35))
    assert interval_allowed(wall_says_39, [dose], protocol, NEW_YORK).passes
    assert earliest_next([dose], protocol, NEW_YORK) == datetime(2026, 11, 2, 1, 0, tzinfo=zone)


def test_never_twice_on_one_local_date_whatever_utc_says(protocol: Protocol) -> None:
    short = protocol.model_copy(
        update={"schedule": protocol.schedule.model_copy(update={"min_interval_hours": 1})}
    )
    zone = ZoneInfo(NEW_YORK)
    morning = PastDose(session=1, given_at=datetime(2026, 6, 1, 8, 0, tzinfo=zone), dose_mg=Decimal(35))
    evening = datetime(2026, 6, 1, 23, 30, tzinfo=zone)
    assert refusals(interval_allowed(evening, [morning], short, NEW_YORK)) == {"INTERVAL-DATE"}
    assert interval_allowed(evening, [morning], short, "UTC").passes
    assert earliest_next([morning], short, NEW_YORK) == datetime(2026, 6, 2, 0, 0, tzinfo=zone)


def test_no_fourth_dose_within_seven_days(protocol: Protocol) -> None:
    doses = [a_dose(3, days=2), a_dose(1, days=6.9), a_dose(2, days=4)]
    decision = interval_allowed(NOW, doses, protocol, NEW_YORK)
    assert refusals(decision) == {"INTERVAL-WEEK"}
    assert decision.objections[0].available_at == NOW + timedelta(days=0.1)
    week_ago = [a_dose(3, days=2), a_dose(1, days=7), a_dose(2, days=4)]
    assert interval_allowed(NOW, week_ago, protocol, NEW_YORK).passes


@pytest.mark.parametrize(
    ("days", "verdict"),
    [(14, Verdict.PASS), (14.5, Verdict.CAUTION), (28, Verdict.CAUTION), (28.5, Verdict.REVIEW)],
)
def test_a_long_gap_is_reviewed(days: float, verdict: Verdict, protocol: Protocol) -> None:
    decision = interval_allowed(NOW, [a_dose(days=days), a_dose(days=60)], protocol, NEW_YORK)
    assert verdicts(decision)["INTERVAL-GAP"] is verdict


def test_a_time_before_the_last_dose_is_refused(protocol: Protocol) -> None:
    assert "INTERVAL-MIN" in refusals(interval_allowed(NOW, [a_dose(hours=-50)], protocol, NEW_YORK))


def test_an_unknown_zone_is_refused(protocol: Protocol) -> None:
    decision = interval_allowed(NOW, [a_dose(days=5)], protocol, "Nowhere/Town")
    assert refusals(decision) == set(decision.missing) == {"INTERVAL-ZONE"}


@given(DOSES, MOMENTS, ZONES)
def test_the_rules_agree_on_when(protocol: Protocol, doses: list[PastDose], at: datetime, zone: str) -> None:
    decision = interval_allowed(at, doses, protocol, zone)
    first = earliest_next(doses, protocol, zone)
    if at < first and doses:
        assert not decision.passes
    known = "INTERVAL-ZONE" not in verdicts(decision)
    if known and doses:
        assert refusals(interval_allowed(first, doses, protocol, zone)) == set()


@given(DOSES, MOMENTS, MOMENTS, ZONES)
def test_one_more_dose_never_opens_an_interval(
    protocol: Protocol, doses: list[PastDose], at: datetime, other: datetime, zone: str
) -> None:
    more = [*doses, PastDose(session=9, given_at=other, dose_mg=Decimal(35))]
    before = refusals(interval_allowed(at, doses, protocol, zone))
    assert before <= refusals(interval_allowed(at, more, protocol, zone))
    assert earliest_next(more, protocol, zone) >= earliest_next(doses, protocol, zone)


@pytest.mark.parametrize(
    ("doses", "approved", "passes"),
    [(5, 6, True), (6, 6, False), (0, 1, True), (0, 0, False), (-1, 6, False)],
)
def test_dose_seven_of_six_is_refused(doses: int, approved: int, passes: bool) -> None:
    decision = more_doses_allowed(doses, approved)
    assert decision.passes == passes
    assert decision.reasons[0].value == str(doses + 1)
