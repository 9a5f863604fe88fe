"""Which numbers of a protocol stand in the wrong order?

Source: clinical-facts §2.2, §3.2, §3.3, §5.3, §6.2, §7.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from clinical.protocol_document import value_at
from clinical.protocol_fault import Fault

_AT_MOST = (
    ("/screening/minimum_age_years", "/screening/caution_age_years"),
    ("/screening/systolic_review_mmhg", "/screening/systolic_refuse_mmhg"),
    ("/screening/diastolic_review_mmhg", "/screening/diastolic_refuse_mmhg"),
    ("/screening/weight_plausible_kg/0", "/screening/weight_plausible_kg/1"),
    ("/screening/child_bearing_age_years/0", "/screening/child_bearing_age_years/1"),
    ("/plan/director_above_mg_per_kg", "/dosing/max_mg_per_kg"),
    ("/plan/director_above_mg", "/dosing/max_session_mg"),
    ("/dosing/min_mg_per_kg", "/dosing/start_mg_per_kg"),
    ("/dosing/start_mg_per_kg", "/dosing/max_mg_per_kg"),
    ("/dosing/step_mg_per_kg", "/dosing/max_mg_per_kg"),
    ("/dosing/infusion_minutes_min", "/dosing/infusion_minutes"),
    ("/dosing/booster_from_minutes", "/dosing/booster_until_minutes"),
    ("/dosing/min_mg", "/dosing/start_mg"),
    ("/dosing/start_mg", "/dosing/first_session_max_mg"),
    ("/dosing/step_mg", "/dosing/max_session_mg"),
    ("/dosing/first_session_max_mg", "/dosing/max_session_mg"),
    ("/dosing/first_session_mg", "/dosing/max_session_mg"),
    ("/dosing/unit_mg", "/dosing/max_session_mg"),
    ("/schedule/series_window_days/0", "/schedule/series_window_days/1"),
    ("/readiness/fasting_clear_fluids_hours", "/readiness/fasting_food_hours"),
    ("/readiness/fasting_food_hours", "/readiness/checks_hours_before/0"),
    ("/readiness/substance_free_hours", "/readiness/checks_hours_before/0"),
    ("/readiness/nasal_spray_hours", "/readiness/checks_hours_before/0"),
    ("/vitals/caution_systolic_mmhg", "/vitals/hold_systolic_mmhg"),
    ("/vitals/hold_systolic_mmhg", "/vitals/alert_systolic_mmhg"),
    ("/vitals/alert_systolic_mmhg", "/vitals/intervene_pair_systolic_mmhg"),
    ("/vitals/intervene_pair_systolic_mmhg", "/vitals/intervene_single_systolic_mmhg"),
    ("/vitals/caution_diastolic_mmhg", "/vitals/hold_diastolic_mmhg"),
    ("/vitals/hold_diastolic_mmhg", "/vitals/alert_diastolic_mmhg"),
    ("/vitals/alert_diastolic_mmhg", "/vitals/intervene_pair_diastolic_mmhg"),
    ("/vitals/intervene_pair_diastolic_mmhg", "/vitals/intervene_single_diastolic_mmhg"),
    ("/vitals/caution_diastolic_mmhg", "/vitals/caution_systolic_mmhg"),
    ("/vitals/heart_rate_low_per_min", "/vitals/heart_rate_high_per_min"),
    ("/vitals/spo2_emergency_percent", "/vitals/spo2_alert_percent"),
    ("/vitals/moaas_emergency", "/vitals/moaas_alert"),
    ("/vitals/moaas_alert", "/discharge/moaas_min"),
    ("/vitals/spo2_alert_percent", "/discharge/spo2_min_percent"),
    ("/monitoring/tolerance_minutes", "/monitoring/late_alert_minutes"),
    ("/monitoring/late_alert_minutes", "/monitoring/late_page_minutes"),
    ("/therapy/integration_from_hours", "/therapy/integration_due_hours"),
    ("/risk/qids12_positive_from", "/risk/qids12_urgent_from"),
    ("/risk/madrs10_positive_from", "/risk/madrs10_urgent_from"),
    ("/risk/high_on_site_minutes", "/risk/high_remote_minutes"),
    ("/risk/high_remote_minutes", "/risk/moderate_minutes"),
    ("/risk/moderate_minutes", "/risk/low_minutes"),
    ("/decisions/default_stop_after_dose", "/decisions/final_after_dose"),
    ("/decisions/final_after_dose", "/schedule/phases/0/sessions"),
    ("/outcomes/partial_percent", "/outcomes/response_percent"),
    ("/outcomes/relapse_apart_days/0", "/outcomes/relapse_apart_days/1"),
    ("/outcomes/phq9_remission_below", "/outcomes/relapse_phq9_from"),
    ("/custody/loss_notice_business_days", "/custody/loss_form_days"),
)
"""The first value may not be above the second one. Fasting and abstaining are asked about before they begin."""

_INCREASING = (
    "/dosing/allowed_mg",
    "/monitoring/reading_minutes",
    "/follow_up/weeks",
    "/decisions/review_after_doses",
)
_DECREASING = ("/readiness/checks_hours_before",)


def bounds(document: Any) -> Iterator[Fault]:
    """Pairs of numbers whose first one is above the second one."""
    for low, high in _AT_MOST:
        first, second = _number_at(document, low), _number_at(document, high)
        if first is not None and second is not None and first > second:
            yield Fault(low, f"{first:g} is above {second:g} of {high}", (high,))


def sequences(document: Any) -> Iterator[Fault]:
    """Lists of numbers that do not rise, or do not fall, step by step."""
    for pointer in _INCREASING:
        for index, (one, following) in enumerate(pairwise(_list_at(document, pointer)), start=1):
            if following <= one:
                yield Fault(f"{pointer}/{index}", f"{following:g} does not come after {one:g}", (pointer,))
    for pointer in _DECREASING:
        for index, (one, following) in enumerate(pairwise(_list_at(document, pointer)), start=1):
            if following >= one:
                yield Fault(f"{pointer}/{index}", f"{following:g} is not below {one:g}", (pointer,))
    for pointer, key in (("/risk/caring_contacts", "from_hours"),):
        for index, (one, following) in enumerate(pairwise(_list_at(document, pointer)), start=1):
            if following[key] <= one[key]:
                detail = f"{following[key]:g} does not come after {one[key]:g}"
                yield Fault(f"{pointer}/{index}/{key}", detail, (pointer,))


def _number_at(document: Any, pointer: str) -> float | None:
    """A number that only another form of the drug has, or that is left open, is none."""
    try:
        number: float | None = value_at(document, pointer)
    except LookupError:
        return None
    return number


def _list_at(document: Any, pointer: str) -> list[Any]:
    try:
        found: list[Any] = value_at(document, pointer)
    except LookupError:
        return []
    return found
