"""Do the shipped protocols say what the collection of facts says? Judged by its text, §2, §3 and its appendix."""

from collections.abc import Mapping
from typing import Any

import pytest

from clinical.protocol_check import faults
from clinical.protocol_document import as_document, clinical_numbers, label_of, value_at
from tests.clinical.protocols.documents import NAMES, SHIPPED, shipped

ROUTES: Mapping[str, Mapping[str, Any]] = {
    "iv-racemic": {
        "/drug": "ketamine-racemic",
        "/route": "intravenous",
        "/dosing/form": "infusion",
        "/dosing/start_mg_per_kg": 0.5,
        "/dosing/infusion_minutes": 40,
        "/dosing/step_mg_per_kg": 0.1,
        "/dosing/max_mg_per_kg": 1.0,
        "/dosing/max_session_mg": 100,
        "/schedule/min_interval_hours": 40,
        "/schedule/max_per_rolling_7_days": 3,
        "/schedule/series_window_days": [12, 28],
        "/schedule/phases/0/sessions": 6,
        "/readiness/fasting_food_hours": 6,
        "/readiness/fasting_clear_fluids_hours": 2,
        "/discharge/min_after_end_minutes": 60,
        "/reports/rems_form_days": None,
        "/decisions/review_after_doses": [3, 4, 6],
    },
    "im-racemic": {
        "/drug": "ketamine-racemic",
        "/route": "intramuscular",
        "/dosing/form": "injection",
        "/dosing/start_mg_per_kg": 0.5,
        "/dosing/max_mg_per_kg": 1.0,
        "/dosing/max_session_mg": 100,
        "/dosing/boosters_max": 1,
        "/schedule/min_interval_hours": 72,
        "/schedule/max_per_rolling_7_days": 2,
        "/schedule/phases/0/sessions": 6,
        "/readiness/fasting_food_hours": 4,
        "/readiness/fasting_clear_fluids_hours": 2,
        "/monitoring/reading_minutes": [10, 20, 30, 45, 60, 90, 120],
        "/discharge/min_after_end_minutes": 120,
        "/discharge/minimum_is_absolute": False,
        "/reports/rems_form_days": None,
    },
    "sl-racemic": {
        "/drug": "ketamine-racemic",
        "/route": "sublingual",
        "/dosing/form": "lozenges",
        "/dosing/unit_mg": 50,
        "/dosing/start_mg": 100,
        "/dosing/step_mg": 50,
        "/dosing/max_session_mg": 400,
        "/dosing/first_session_max_mg": 200,
        "/schedule/min_interval_hours": 72,
        "/schedule/max_per_rolling_7_days": 2,
        "/readiness/fasting_food_hours": 4,
        "/readiness/fasting_clear_fluids_hours": 2,
        "/monitoring/reading_minutes": [15, 30, 45, 60, 90, 120],
        "/discharge/min_after_end_minutes": 120,
        "/reports/rems_form_days": None,
    },
    "esketamine-rems": {
        "/drug": "esketamine",
        "/route": "nasal",
        "/indications": ["major-depressive-disorder"],
        "/screening/prior_antidepressant_trials_min": 2,
        "/dosing/form": "devices",
        "/dosing/unit_mg": 28,
        "/dosing/allowed_mg": [56, 84],
        "/dosing/first_session_mg": 56,
        "/dosing/max_session_mg": 84,
        "/dosing/minutes_between_units": 5,
        "/dosing/boosters_max": 0,
        "/schedule/min_interval_hours": 48,
        "/schedule/max_per_rolling_7_days": 2,
        "/schedule/max_per_calendar_week": 2,
        "/schedule/phases/0/sessions": 8,
        "/schedule/phases/0/from_week": 1,
        "/schedule/phases/0/until_week": 4,
        "/schedule/phases/0/after_review": False,
        "/schedule/phases/1/sessions": 4,
        "/schedule/phases/1/min_interval_hours": 168,
        "/schedule/phases/1/from_week": 5,
        "/schedule/phases/1/until_week": 8,
        "/schedule/phases/1/after_review": True,
        "/schedule/phases/2/from_week": 9,
        "/schedule/phases/2/until_week": None,
        "/schedule/phases/2/min_interval_hours": 168,
        "/schedule/phases/2/max_interval_days": 14,
        "/schedule/phases/2/after_review": True,
        "/readiness/fasting_food_hours": 2,
        "/readiness/fasting_clear_fluids_hours": 0.5,
        "/readiness/nasal_spray_hours": 1,
        "/monitoring/reading_minutes": [40, 80, 120],
        "/monitoring/prescriber_on_site": True,
        "/discharge/min_after_start_minutes": 120,
        "/discharge/minimum_is_absolute": True,
        "/decisions/review_after_doses": [8],
        "/reports/rems_form_days": 7,
    },
}

CONFIRMED = {
    "iv-racemic": ("/dosing/start_mg_per_kg", "/dosing/infusion_minutes", "/schedule/series_window_days"),
    "sl-racemic": ("/dosing/unit_mg",),
    "esketamine-rems": (
        *(f"/dosing/{name}" for name in ("unit_mg", "first_session_mg", "minutes_between_units")),
        "/schedule/phases/1/from_week",
        "/readiness/nasal_spray_hours",
        "/discharge/min_after_start_minutes",
        "/reports/rems_form_days",
    ),
}
OURS = (
    "/schedule/min_interval_hours",
    "/schedule/max_per_rolling_7_days",
    "/screening/validity/outcome_baseline_hours",
    "/risk/high_remote_minutes",
    "/monitoring/tolerance_minutes",
    "/follow_up/weeks",
)


def test_these_are_all_that_is_shipped() -> None:
    assert sorted(path.stem for path in SHIPPED.glob("*.yaml")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_protocol_is_sound_and_signed_as_an_example_only(name: str) -> None:
    protocol = shipped(name)
    assert faults(protocol) == ()
    assert protocol.signature is not None and protocol.signature.example
    assert "Not for clinical use" in protocol.notice


@pytest.mark.parametrize("name", NAMES)
def test_its_numbers_are_those_of_the_facts(name: str) -> None:
    protocol = as_document(shipped(name))
    assert {pointer: value_at(protocol, pointer) for pointer in ROUTES[name]} == ROUTES[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_number_says_how_well_it_is_known(name: str) -> None:
    protocol = shipped(name)
    labelled = {p: label_of(p, protocol.labels) for p, _ in clinical_numbers(as_document(protocol))}
    assert all(labelled.values())
    for pointer in CONFIRMED.get(name, ()):
        label = label_of(pointer, protocol.labels)
        assert label is not None and label.confidence == "C" and label.source != "design default", pointer
    for pointer in OURS:
        label = label_of(pointer, protocol.labels)
        assert label is not None and label.confidence == "D", pointer


def test_what_consent_has_to_name_beside_the_rest() -> None:
    elements = {name: shipped(name).consent.required_elements for name in NAMES}
    assert "compounded-product" in elements["sl-racemic"]
    assert "rems-enrolment" in elements["esketamine-rems"]
    assert "off-label-status" not in elements["esketamine-rems"]
    assert all("off-label-status" in elements[name] for name in NAMES if name != "esketamine-rems")
