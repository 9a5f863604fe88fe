"""Do the invariants hold for every form, and is each breach of a dose found there? (product §4: 3, 4, 11)"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clinical import events
from clinical.invariants import violations
from clinical.protocol import Protocol
from tests.clinical.dosing_day.forms import FORMS, a_phase, changed, of_form
from tests.clinical.recorded_journeys import dose_time, edited, recorded_journey
from tests.clinical.seeded_doses import FAULTS_BY_FORM, Fault, boosted, dosed


def found(protocol: Protocol, form: str, fault: Fault) -> set[str]:
    """A booster comes later than the dose: where it is foreseen, the course needs a little air for it."""
    bent = of_form(protocol, form)
    if bent.dosing.boosters_max:
        bent = changed(bent, "schedule", min_interval_hours=40, max_per_rolling_7_days=3)
    return {one.rule for one in violations(fault(recorded_journey(bent)), bent)}


@pytest.mark.parametrize("form", FORMS)
def test_a_course_of_each_form_breaks_nothing(form: str, protocol: Protocol) -> None:
    assert found(protocol, form, lambda journey: journey) == set()


@pytest.mark.parametrize(
    ("form", "fault", "expected"), [f[1:] for f in FAULTS_BY_FORM], ids=[f[0] for f in FAULTS_BY_FORM]
)
def test_a_seeded_fault_of_a_form_is_found_and_nothing_else(
    form: str, fault: Fault, expected: set[str], protocol: Protocol
) -> None:
    assert found(protocol, form, fault) == expected


@pytest.mark.parametrize(
    ("form", "harmless"),
    [
        (
            "injection",
            lambda j: boosted(dosed(j, 2, "17.5", mg_per_kg=Decimal("0.25")), 2, "17.5", minutes=15),
        ),
        ("injection", lambda j: boosted(dosed(j, 2, "17.5"), 2, "17.5", minutes=30)),
        (
            "injection",
            lambda j: boosted(
                edited(j, events.PlanApproved, mg_per_kg=Decimal("0.75"), max_mg=Decimal(60)),
                1,
                "17.5",
                minutes=20,
                mg_per_kg=Decimal("0.25"),
            ),
        ),
        (
            "lozenges",
            lambda j: boosted(edited(j, events.PlanApproved, dose_mg=Decimal(100)), 1, "100", units=2),
        ),
        ("lozenges", lambda j: dosed(j, 2, "150", units=3)),
        ("lozenges", lambda j: boosted(j, 2, "50", units=1)),
        ("devices", lambda j: dosed(j, 2, "56", units=2)),
        ("devices", lambda j: edited(j, events.PlanApproved, phase="induction")),
        ("devices", lambda j: edited(j, events.PlanApproved, dose_mg=Decimal(84))),
    ],
)
def test_what_the_form_allows_is_no_fault(form: str, harmless: Fault, protocol: Protocol) -> None:
    assert found(protocol, form, harmless) == set()


def test_a_calendar_week_is_the_one_on_the_wall(protocol: Protocol) -> None:
    """Sunday evening in New York is Monday in Greenwich: there the third dose belongs to the next week."""
    sunday_evening = dose_time(1) + timedelta(days=4, hours=8)  # Sunday 8 February, 19:30 in New York
    often = (a_phase("induction", hours=1),)
    devices = changed(
        of_form(protocol, "devices"), "schedule", phases=often, min_interval_hours=1, max_per_rolling_7_days=9
    )

    def third(journey: list[events.RecordedEntry]) -> list[events.RecordedEntry]:
        return edited(journey, events.DoseGiven, 3, given_at=sunday_evening)

    told = third(recorded_journey(devices))
    assert {one.rule for one in violations(told, devices)} == {"INV3-CALENDAR-WEEK"}
    assert violations(told, devices, "Asia/Tokyo") == ()
    assert violations(told, devices, "Nowhere/Known") == (), "in UTC where no zone is known"


def test_the_week_at_the_edge_of_the_calendar_is_judged_too(protocol: Protocol) -> None:
    """Where the date on the wall cannot be told, the one in UTC counts."""
    devices = changed(of_form(protocol, "devices"), "schedule", max_per_calendar_week=1)
    end = datetime.max.replace(tzinfo=UTC)
    told = edited(recorded_journey(devices), events.DoseGiven, 6, given_at=end)
    told = edited(told, events.DoseGiven, 5, given_at=end - timedelta(hours=30))
    found = {one.rule for one in violations(told, devices, "Pacific/Kiritimati")}
    assert {"INV3-CALENDAR-WEEK", "INV3-INTERVAL"} <= found
