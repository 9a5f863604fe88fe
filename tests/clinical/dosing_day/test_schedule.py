"""Intervals between doses, in elapsed hours (H4, H14, H17)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.protocol import Phase, Protocol
from clinical.schedule import PastDose, earliest_next, interval_allowed, more_doses_allowed
from tests.clinical.dosing_day.builders import NEW_YORK, NOW, a_dose, refusals, verdicts
from tests.clinical.dosing_day.forms import FORMS, a_phase, changed, of_form

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
    often = (a_phase("often", hours=1),)
    short = changed(protocol, "schedule", min_interval_hours=1, phases=often)
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


@st.composite
def schedules(draw: st.DrawFn, protocol: Protocol) -> tuple[Protocol, Phase | None]:
    """The rhythm of any form, or any other; and one of its phases, or none named."""
    bent = of_form(protocol, draw(st.sampled_from(FORMS)))
    if draw(st.booleans()):
        bent = changed(
            bent,
            "schedule",
            min_interval_hours=draw(st.floats(0.01, 400)),
            max_per_rolling_7_days=draw(st.integers(1, 4)),
            max_per_calendar_week=draw(st.none() | st.integers(1, 4)),
            phases=(a_phase("only", hours=draw(st.floats(0.01, 400))),),
        )
    return bent, draw(st.none() | st.sampled_from(bent.schedule.phases))


@given(st.data(), DOSES, MOMENTS, ZONES)
def test_the_rules_agree_on_when(
    protocol: Protocol, data: st.DataObject, doses: list[PastDose], at: datetime, zone: str
) -> None:
    """At the earliest moment no interval refuses, at any moment before it one does: to the microsecond."""
    bent, phase = data.draw(schedules(protocol))
    first = earliest_next(doses, bent, zone, phase)
    if not doses:
        return
    just_before = interval_allowed(first - timedelta(microseconds=1), doses, bent, zone, phase)
    assert refusals(just_before)
    if at < first:
        assert refusals(interval_allowed(at, doses, bent, zone, phase))
    if "INTERVAL-ZONE" not in refusals(just_before):
        assert refusals(interval_allowed(first, doses, bent, zone, phase)) == set()


@given(st.data(), DOSES, MOMENTS, MOMENTS, ZONES)
def test_one_more_dose_never_opens_an_interval(
    protocol: Protocol,
    data: st.DataObject,
    doses: list[PastDose],
    at: datetime,
    other: datetime,
    zone: str,
) -> None:
    bent, phase = data.draw(schedules(protocol))
    more = [*doses, PastDose(session=9, given_at=other, dose_mg=Decimal(35))]
    before = refusals(interval_allowed(at, doses, bent, zone, phase))
    assert before <= refusals(interval_allowed(at, more, bent, zone, phase))
    assert earliest_next(more, bent, zone, phase) >= earliest_next(doses, bent, zone, phase)


@given(st.data(), DOSES, MOMENTS, ZONES)
def test_no_phase_asks_for_less_rest_than_the_protocol(
    protocol: Protocol, data: st.DataObject, doses: list[PastDose], at: datetime, zone: str
) -> None:
    bent, phase = data.draw(schedules(protocol))
    hasty = changed(bent, "schedule", phases=(a_phase("hasty", hours=0.01),))
    least = refusals(interval_allowed(at, doses, hasty, zone))
    assert least <= refusals(interval_allowed(at, doses, bent, zone, phase))


# ── phases ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_phase_may_ask_for_more_rest(protocol: Protocol) -> None:
    weekly = protocol.schedule.phase("maintenance")
    assert weekly is not None
    six_days = [a_dose(days=6)]
    assert interval_allowed(NOW, six_days, protocol, NEW_YORK).passes
    assert refusals(interval_allowed(NOW, six_days, protocol, NEW_YORK, weekly)) == {"INTERVAL-MIN"}
    assert earliest_next(six_days, protocol, NEW_YORK, weekly) == NOW + timedelta(days=1)
    fifty_days = interval_allowed(NOW, [a_dose(days=50)], protocol, NEW_YORK, weekly)
    assert fifty_days.verdict is Verdict.PASS, "maintenance foresees gaps of twelve weeks"


@pytest.mark.parametrize(
    ("weeks", "days", "verdict", "limit"),
    [
        ((1, 4), 27.9, Verdict.PASS, "1-4"),
        ((1, 4), 28, Verdict.REVIEW, "1-4"),
        ((5, 8), 27.9, Verdict.REVIEW, "5-8"),
        ((5, 8), 28, Verdict.PASS, "5-8"),
        ((9, None), 55.9, Verdict.REVIEW, "9-"),
        ((9, None), 56, Verdict.PASS, "9-"),
        ((None, 2), 13.9, Verdict.PASS, "1-2"),
    ],
)
def test_the_weeks_of_a_phase_count_from_the_first_dose(
    weeks: tuple[int | None, int | None], days: float, verdict: Verdict, limit: str, protocol: Protocol
) -> None:
    phase = a_phase("some", days=80, weeks=weeks)
    doses = [a_dose(1, days=days), a_dose(1, days=days, minutes=-30), a_dose(2, days=3)]
    answers = {r.rule: r for r in interval_allowed(NOW, doses, protocol, NEW_YORK, phase).reasons}
    week = answers["PHASE-WEEK"]
    assert (week.verdict, week.limit, week.value) == (verdict, limit, str(1 + int(days // 7)))


def test_the_first_dose_of_all_is_in_week_one(protocol: Protocol) -> None:
    later_phase = a_phase("maintenance", weeks=(5, 8))
    decision = interval_allowed(NOW, [], protocol, NEW_YORK, later_phase)
    assert [reason.rule for reason in decision.objections] == ["PHASE-WEEK"]
    assert interval_allowed(NOW, [], protocol, NEW_YORK, a_phase("induction", weeks=(1, 4))).passes


def test_no_third_dose_in_a_calendar_week(protocol: Protocol) -> None:
    """Monday and Wednesday are two, Sunday would be a third; the next Monday is another week."""
    label = changed(of_form(protocol, "devices"), "schedule", max_per_rolling_7_days=3)
    zone = ZoneInfo(NEW_YORK)
    monday, wednesday, sunday = (datetime(2026, 11, day, 22, 0, tzinfo=zone) for day in (16, 18, 22))
    doses = [
        PastDose(session=n, given_at=at, dose_mg=Decimal(56)) for n, at in enumerate((monday, wednesday))
    ]
    decision = interval_allowed(sunday, doses, label, NEW_YORK)
    assert refusals(decision) == {"INTERVAL-CALENDAR-WEEK"}
    (reason,) = decision.objections
    assert (reason.value, reason.limit, reason.unit) == ("2", "< 2", "{doses}/wk")
    assert reason.available_at == datetime(2026, 11, 23, 0, 0, tzinfo=zone), "the next Monday"
    assert earliest_next(doses, label, NEW_YORK) == reason.available_at
    assert interval_allowed(sunday, doses, label, "Asia/Tokyo").passes, "there it is Monday"


def test_a_booster_is_no_visit_of_its_own(protocol: Protocol) -> None:
    """Twice a week with a booster each is two; the interval runs from the last dose of all."""
    doses = [a_dose(1, days=6), a_dose(1, days=6, minutes=-30), a_dose(2, hours=72.5), a_dose(2, hours=72)]
    twice = of_form(protocol, "injection")
    assert refusals(interval_allowed(NOW, doses, twice, NEW_YORK)) == {"INTERVAL-WEEK"}
    assert interval_allowed(
        NOW, doses[1:], changed(twice, "schedule", max_per_rolling_7_days=3), NEW_YORK
    ).passes
    assert refusals(interval_allowed(NOW - timedelta(minutes=1), doses[2:], twice, NEW_YORK)) == {
        "INTERVAL-MIN"
    }


@pytest.mark.parametrize(
    ("doses", "approved", "passes"),
    [(5, 6, True), (6, 6, False), (0, 1, True), (0, 0, False), (-1, 6, False)],
)
def test_dose_seven_of_six_is_refused(doses: int, approved: int, passes: bool) -> None:
    decision = more_doses_allowed(doses, approved)
    assert decision.passes == passes
    assert decision.reasons[0].value == str(doses + 1)
