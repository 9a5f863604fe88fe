"""Which numbers of a protocol may not move against a patient who is under way, and in which direction is that?

JSON Pointers. What is not listed may change either way: it is told in words before anybody decides. Of the screening
everything counts but its waits; a limit without a known direction may not change at all once it was passed.
Source: product F20.
"""

from collections.abc import Iterator
from typing import Any

from clinical.protocol import Protocol
from clinical.protocol_document import as_document, values

SHORTER = (
    "/discharge/min_after_start_minutes",
    "/discharge/min_after_end_minutes",
    "/discharge/extra_minutes_if_extended",
    "/discharge/minimum_is_absolute",
    "/discharge/padss_min",
    "/discharge/padss_consecutive",
    "/discharge/padss_apart_minutes",
    "/discharge/moaas_min",
    "/discharge/spo2_min_percent",
    "/monitoring/prescriber_on_site",
    "/follow_up/window_hours",
)
"""A patient is watched for less, or let go more easily, when one of these falls."""

LONGER = (
    "/discharge/cadss6_above_baseline_max",
    "/monitoring/repeat_after_last_minutes",
    "/monitoring/tolerance_minutes",
    "/monitoring/late_alert_minutes",
    "/monitoring/late_page_minutes",
)
"""The same when one of these rises."""


GAP_SHORTER = ("/schedule/min_interval_hours",)
"""The rest between two doses must not fall, once there was one."""

GAP_LONGER = ("/schedule/max_per_rolling_7_days", "/schedule/max_per_calendar_week")
"""Nor may there be more of them in a week."""

_NO_LIMIT = ("/screening/collect", "/screening/sign", "/screening/rounds_max", "/screening/valid_days")
_NARROWER_WHEN_HIGHER = (
    "minimum_age_years",
    "substance_lookback_days",
    "cardiac_event_days",
    "suicide_attempt_days",
    "prior_antidepressant_trials_min",
    "adequate_trial_weeks",
    "severity_from",
)
_NARROWER_WHEN_LOWER = (
    "caution_age_years",
    "ecg_age_years",
    "bmi_review_kg_m2",
    "systolic_review_mmhg",
    "diastolic_review_mmhg",
    "systolic_refuse_mmhg",
    "diastolic_refuse_mmhg",
    "validity",
)


def narrower_screening(before: Protocol, after: Protocol) -> Iterator[tuple[str, Any, Any]]:
    """Each limit by which the new protocol lets fewer people through, or may: pointer, was, would be."""
    old, new = (_limits(protocol) for protocol in (before, after))
    for pointer in sorted(old.keys() | new.keys()):
        was, will_be = old.get(pointer), new.get(pointer)
        if was != will_be and not _wider(pointer, was, will_be):
            yield pointer, was, will_be


def _limits(protocol: Protocol) -> dict[str, Any]:
    found = dict(values(as_document(protocol)))
    return {
        pointer: value
        for pointer, value in found.items()
        if pointer.startswith("/screening/") and not pointer.startswith(_NO_LIMIT)
    }


def _wider(pointer: str, was: Any, will_be: Any) -> bool:
    """Only a number that is known to move towards letting more people through."""
    field = pointer.split("/")[2]
    if not (isinstance(was, int | float) and isinstance(will_be, int | float)):
        return False
    if field in _NARROWER_WHEN_HIGHER:
        return will_be < was
    return field in _NARROWER_WHEN_LOWER and will_be > was
