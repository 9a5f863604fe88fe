"""Dates and weeks are those on the patient's wall, whatever the clock of the machine or of Greenwich shows (H14)."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from clinical.decision import Verdict
from clinical.protocol import Protocol
from clinical.schedule import PastDose, earliest_next, interval_allowed
from tests.clinical.dosing_day.builders import NEW_YORK, NOW, a_dose, verdicts
from tests.clinical.dosing_day.forms import a_phase, changed

HERE = ZoneInfo(NEW_YORK)


def wall(day: int, hour: int) -> datetime:
    """In September 2026; the 13th and the 20th are Sundays. From 20:00 on it is the next day in Greenwich."""
    return datetime(2026, 9, day, hour, tzinfo=HERE)


def dose(session: int, at: datetime) -> PastDose:
    return PastDose(session=session, given_at=at, dose_mg=Decimal(56))


def brisk(protocol: Protocol, *, a_week: int | None = None) -> Protocol:
    """Ten hours apart and as many in seven days as anybody wants: only dates and weeks are left."""
    phases = (a_phase("induction", hours=10),)
    return changed(
        protocol,
        "schedule",
        min_interval_hours=10,
        max_per_rolling_7_days=7,
        max_per_calendar_week=a_week,
        phases=phases,
    )


def test_an_evening_dose_belongs_to_its_own_evening(protocol: Protocol) -> None:
    answer = interval_allowed(wall(18, 15), [dose(1, wall(17, 21))], brisk(protocol), NEW_YORK)
    assert verdicts(answer)["INTERVAL-DATE"] is Verdict.PASS


def test_in_an_unknown_zone_the_longest_date_is_waited_for(protocol: Protocol) -> None:
    given = wall(17, 21)
    assert earliest_next([dose(1, given)], brisk(protocol), "Nowhere") == given + timedelta(hours=25)


def test_a_dose_of_sunday_evening_counts_in_the_week_that_ends(protocol: Protocol) -> None:
    rules = brisk(protocol, a_week=2)
    doses = [dose(1, wall(13, 21)), dose(2, wall(15, 12))]
    answer = interval_allowed(wall(17, 12), doses, rules, NEW_YORK)
    assert verdicts(answer)["INTERVAL-CALENDAR-WEEK"] is Verdict.PASS
    assert earliest_next(doses, rules, NEW_YORK) == wall(16, 0)


def test_a_full_week_is_full_until_the_wall_says_monday(protocol: Protocol) -> None:
    rules = brisk(protocol, a_week=2)
    doses = [dose(1, wall(18, 12)), dose(2, wall(20, 11))]
    assert earliest_next(doses, rules, NEW_YORK) == wall(21, 0)
    late = [dose(1, wall(18, 12)), dose(2, wall(19, 9))]
    assert earliest_next(late, changed(rules, "schedule", min_interval_hours=36), NEW_YORK) == wall(21, 0)


def test_the_interval_runs_from_the_last_dose_in_whatever_order_they_are_told(protocol: Protocol) -> None:
    doses = [dose(1, wall(14, 12)), dose(1, wall(14, 10))]
    week = changed(protocol, "schedule", max_per_rolling_7_days=1)
    assert earliest_next(doses, week, NEW_YORK) == wall(21, 12)


def test_a_phase_without_a_beginning_begins_with_the_course(protocol: Protocol) -> None:
    phase = a_phase("induction", weeks=(None, 4))
    answer = interval_allowed(NOW, [a_dose(1, days=3)], protocol, NEW_YORK, phase)
    assert verdicts(answer)["PHASE-WEEK"] is Verdict.PASS
