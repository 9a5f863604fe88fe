"""What is wrong with a protocol that each of its fields alone cannot show?

Bounds out of order, waits that end before they are due, gates that could never open, readings that do not
cover the stay, decisions after doses that are never given, labels that point nowhere, a signature over other
content. Every fault is returned with a JSON Pointer; `involves` names the other fields that the fault depends
on.
Source: product F2; clinical-facts §2.5, §3.2, §3.3, §3.6, §6.2, §7.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from clinical.instruments.answers import InstrumentId
from clinical.people import CLINICIANS, LICENSED_TO_CLOSE_RISK, Role
from clinical.protocol import ByWeight, Drug, Infusion, Protocol, Route


class Fault(NamedTuple):
    """One fault: where, what, and which other fields it depends on."""

    pointer: str
    detail: str
    involves: tuple[str, ...] = ()


_AT_MOST = (
    ("/screening/minimum_age_years", "/screening/caution_age_years"),
    ("/screening/systolic_review_mmhg", "/screening/systolic_refuse_mmhg"),
    ("/screening/diastolic_review_mmhg", "/screening/diastolic_refuse_mmhg"),
    ("/screening/weight_plausible_kg/0", "/screening/weight_plausible_kg/1"),
    ("/screening/child_bearing_age_years/0", "/screening/child_bearing_age_years/1"),
    ("/dosing/min_mg_per_kg", "/dosing/start_mg_per_kg"),
    ("/dosing/start_mg_per_kg", "/dosing/max_mg_per_kg"),
    ("/dosing/step_mg_per_kg", "/dosing/max_mg_per_kg"),
    ("/dosing/infusion_minutes_min", "/dosing/infusion_minutes"),
    ("/dosing/booster_from_minutes", "/dosing/booster_until_minutes"),
    ("/dosing/min_mg", "/dosing/start_mg"),
    ("/dosing/start_mg", "/dosing/first_session_max_mg"),
    ("/dosing/first_session_max_mg", "/dosing/max_session_mg"),
    ("/dosing/first_session_mg", "/dosing/max_session_mg"),
    ("/dosing/unit_mg", "/dosing/max_session_mg"),
    ("/schedule/series_window_days/0", "/schedule/series_window_days/1"),
    ("/readiness/fasting_clear_fluids_hours", "/readiness/fasting_food_hours"),
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
    ("/vitals/spo2_alert_percent", "/discharge/spo2_min_percent"),
    ("/monitoring/tolerance_minutes", "/monitoring/late_alert_minutes"),
    ("/monitoring/late_alert_minutes", "/monitoring/late_page_minutes"),
    ("/therapy/integration_from_hours", "/therapy/integration_due_hours"),
    ("/risk/high_on_site_minutes", "/risk/high_remote_minutes"),
    ("/risk/high_remote_minutes", "/risk/moderate_minutes"),
    ("/risk/moderate_minutes", "/risk/low_minutes"),
    ("/decisions/default_stop_after_dose", "/decisions/final_after_dose"),
    ("/decisions/final_after_dose", "/schedule/phases/0/sessions"),
    ("/outcomes/partial_percent", "/outcomes/response_percent"),
    ("/outcomes/relapse_apart_days/0", "/outcomes/relapse_apart_days/1"),
    ("/outcomes/phq9_remission_below", "/outcomes/relapse_phq9_from"),
)
"""The first value may not be above the second one."""

_ASKS = (
    "/consultation/book",
    "/consultation/hold",
    "/consent/ask",
    "/screening/collect",
    "/screening/sign",
    "/plan/draft",
    "/plan/approve",
    "/schedule/book",
    "/therapy/prepare",
    "/therapy/next_day_contact",
    "/therapy/not_reached",
    "/therapy/late_integration",
    "/custody/explain",
    "/decisions/ask",
    "/follow_up/measure",
    "/pause/review",
)

_INCREASING = ("/monitoring/reading_minutes", "/follow_up/weeks", "/decisions/review_after_doses")
_DECREASING = ("/readiness/checks_hours_before",)
_STAY = (
    "/discharge/min_after_start_minutes",
    "/discharge/min_after_end_minutes",
    "/dosing/infusion_minutes",
)
_NO_STAFF = frozenset({Role.PATIENT, Role.AUDITOR, Role.SYSTEM})
_FORMS = ("/follow_up/instruments",)


def faults(protocol: Protocol) -> tuple[Fault, ...]:
    """Every fault between the fields; empty when the protocol can be followed. Source: product F2."""
    document = protocol.model_dump(mode="json")
    return (
        *_bounds(document),
        *_waits(document),
        *_sequences(document),
        *_doses(protocol),
        *_calendar(protocol),
        *_stay(protocol),
        *_people(protocol),
        *_instruments(protocol, document),
        *_esketamine(protocol),
        *_labels(protocol, document),
        *_signature(protocol),
    )


def value_at(document: Any, pointer: str) -> Any:
    """The value that a JSON Pointer (RFC 6901) names; raises LookupError when there is none."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            if not key.isdecimal():
                raise KeyError(pointer)
            document = document[int(key)]
        elif isinstance(document, dict):
            document = document[key]
        else:
            raise KeyError(pointer)
    return document


def _bounds(document: Any) -> Iterator[Fault]:
    for low, high in _AT_MOST:
        try:
            first, second = value_at(document, low), value_at(document, high)
        except LookupError:  # a number that only another form of the drug has
            continue
        if first > second:
            yield Fault(low, f"{first:g} is above {second:g} of {high}", (high,))


def _waits(document: Any) -> Iterator[Fault]:
    for pointer in _ASKS:
        ask = value_at(document, pointer)
        if ask["give_up_hours"] < ask["due_hours"]:
            detail = (
                f"gives up after {ask['give_up_hours']:g} h, before it is due after {ask['due_hours']:g} h"
            )
            yield Fault(f"{pointer}/give_up_hours", detail, (f"{pointer}/due_hours",))
        if ask["owner"] in _NO_STAFF:
            yield Fault(f"{pointer}/owner", f"{ask['owner']} cannot own a task of the clinic")


def _sequences(document: Any) -> Iterator[Fault]:
    for pointer in _INCREASING:
        for index, (one, following) in enumerate(pairwise(value_at(document, pointer)), start=1):
            if following <= one:
                yield Fault(f"{pointer}/{index}", f"{following:g} does not come after {one:g}", (pointer,))
    for pointer in _DECREASING:
        for index, (one, following) in enumerate(pairwise(value_at(document, pointer)), start=1):
            if following >= one:
                yield Fault(f"{pointer}/{index}", f"{following:g} is not below {one:g}", (pointer,))


def _doses(protocol: Protocol) -> Iterator[Fault]:
    dosing, lightest = protocol.dosing, protocol.screening.weight_plausible_kg[0]
    if isinstance(dosing, ByWeight) and dosing.min_mg_per_kg * lightest > dosing.max_session_mg:
        least = dosing.min_mg_per_kg * lightest
        detail = (
            f"the lowest dose of a person of {lightest:g} kg is {least:g} mg: the dose gate could never open"
        )
        involved = ("/dosing/min_mg_per_kg", "/screening/weight_plausible_kg")
        yield Fault("/dosing/max_session_mg", detail, involved)
    for index, dose in enumerate(protocol.decisions.review_after_doses):
        if dose > protocol.schedule.first.sessions:
            detail = f"dose {dose} is never given: the series has {protocol.schedule.first.sessions}"
            yield Fault(f"/decisions/review_after_doses/{index}", detail, ("/schedule/phases/0/sessions",))


def _calendar(protocol: Protocol) -> Iterator[Fault]:
    """Can the series be given at all within its own gaps and window?"""
    schedule, window = protocol.schedule, "/schedule/series_window_days"
    for index, phase in enumerate(schedule.phases):
        gap_days = max(schedule.min_interval_hours, phase.min_interval_hours) / 24
        if gap_days > phase.max_interval_days:
            detail = f"{gap_days * 24:g} h is longer than the longest gap, {phase.max_interval_days} d"
            depends = (f"/schedule/phases/{index}/max_interval_days", "/schedule/min_interval_hours")
            yield Fault(f"/schedule/phases/{index}/min_interval_hours", detail, depends)
    first = schedule.first
    gap_days = max(schedule.min_interval_hours, first.min_interval_hours) / 24
    whole_weeks, rest = divmod(first.sessions - 1, schedule.max_per_rolling_7_days)
    shortest = max((first.sessions - 1) * gap_days, whole_weeks * 7 + rest * gap_days)
    if shortest > schedule.series_window_days[1]:
        detail = f"{first.sessions} sessions need at least {shortest:.1f} d: the last gate could never open"
        involved = (
            "/schedule/phases/0/sessions",
            "/schedule/phases/0/min_interval_hours",
            "/schedule/min_interval_hours",
            "/schedule/max_per_rolling_7_days",
        )
        yield Fault(f"{window}/1", detail, involved)
    if first.max_interval_days > schedule.reentry_after_days:
        detail = f"re-entry after {schedule.reentry_after_days} d would come before the longest gap ends"
        yield Fault("/schedule/reentry_after_days", detail, ("/schedule/phases/0/max_interval_days",))
    if protocol.plan.valid_days < schedule.series_window_days[0]:
        yield Fault("/plan/valid_days", "the plan expires before the series can end", (f"{window}/0",))


def _stay(protocol: Protocol) -> Iterator[Fault]:
    """Do the readings cover the shortest stay, and does the stay cover the infusion?"""
    readings, discharge = protocol.monitoring.reading_minutes, protocol.discharge
    infusion = protocol.dosing.infusion_minutes if isinstance(protocol.dosing, Infusion) else 0
    stay = max(discharge.min_after_start_minutes, infusion + discharge.min_after_end_minutes)
    # Readings go on every so many minutes after the last planned one, until discharge.
    covered = readings[-1] + protocol.monitoring.repeat_after_last_minutes
    if covered < stay:
        detail = f"the last reading is at {readings[-1]} min, the shortest stay is {stay} min"
        yield Fault("/monitoring/reading_minutes", detail, (*_STAY, "/monitoring/repeat_after_last_minutes"))
    if discharge.min_after_start_minutes < infusion:
        detail = f"{discharge.min_after_start_minutes} min is shorter than the infusion of {infusion} min"
        yield Fault("/discharge/min_after_start_minutes", detail, ("/dosing/infusion_minutes",))
    if discharge.long_stay_page_minutes <= stay:
        detail = (
            f"{discharge.long_stay_page_minutes} min would call every stay long: the shortest is {stay} min"
        )
        yield Fault("/discharge/long_stay_page_minutes", detail, _STAY)


def _people(protocol: Protocol) -> Iterator[Fault]:
    approvers = protocol.plan.approver_roles
    if len(set(approvers)) != len(approvers):
        yield Fault("/plan/approver_roles", "a role stands twice: approvals come from different people")
    for index, role in enumerate(approvers):
        if role not in CLINICIANS:
            yield Fault(f"/plan/approver_roles/{index}", f"{role.value} may not approve a plan")
    if Role.PRESCRIBER not in approvers:
        yield Fault("/plan/approver_roles", "a prescriber has to approve every plan")
    for index, rung in enumerate(protocol.risk.ladder):
        if rung.page not in LICENSED_TO_CLOSE_RISK:
            yield Fault(f"/risk/ladder/{index}/page", f"{rung.page.value} may not close a risk case")
    if protocol.screening.sign.owner not in (Role.PRESCRIBER, Role.MEDICAL_DIRECTOR):
        yield Fault("/screening/sign/owner", "only a prescriber or the medical director signs a screening")


def _instruments(protocol: Protocol, document: Any) -> Iterator[Fault]:
    known = {instrument.value for instrument in InstrumentId}
    listed = [(pointer, value_at(document, pointer)) for pointer in _FORMS]
    listed += [
        (f"/baseline_instruments/{key.value}", forms) for key, forms in protocol.baseline_instruments.items()
    ]
    for pointer, forms in listed:
        for index, form in enumerate(forms):
            if form not in known:
                yield Fault(f"{pointer}/{index}", f"{form!r} is not an instrument that can be scored")
    for indication in protocol.indications:
        forms = protocol.baseline_instruments.get(indication, ())
        pointer = f"/baseline_instruments/{indication.value}"
        if InstrumentId.CSSRS.value not in forms:
            yield Fault(pointer, "screening needs c-ssrs-screener for every indication", ("/indications",))
    for indication in protocol.baseline_instruments:
        if indication not in protocol.indications:
            pointer = f"/baseline_instruments/{indication.value}"
            yield Fault(pointer, "the protocol does not treat this indication", ("/indications",))


def _esketamine(protocol: Protocol) -> Iterator[Fault]:
    """What the esketamine label fixes: nasal route, 120 minutes without override, prescriber on site."""
    if (protocol.drug is Drug.ESKETAMINE) != (protocol.route is Route.NASAL):
        yield Fault("/route", f"{protocol.drug.value} is not given by this route", ("/drug",))
    if protocol.drug is not Drug.ESKETAMINE:
        return
    if protocol.discharge.min_after_start_minutes < 120:
        detail = "the label asks for at least 120 min after esketamine"
        yield Fault("/discharge/min_after_start_minutes", detail, ("/drug",))
    if not protocol.discharge.minimum_is_absolute:
        yield Fault("/discharge/minimum_is_absolute", "no override of 120 min after esketamine", ("/drug",))
    if not protocol.monitoring.prescriber_on_site:
        yield Fault("/monitoring/prescriber_on_site", "the REMS asks for a prescriber on site", ("/drug",))


def _labels(protocol: Protocol, document: Any) -> Iterator[Fault]:
    for pointer in protocol.labels:
        escaped = pointer.replace("~", "~0").replace("/", "~1")
        try:
            value_at(document, pointer if pointer.startswith("/") else "/-")
        except LookupError:
            yield Fault(f"/labels/{escaped}", f"{pointer!r} names no field of this protocol")


def _signature(protocol: Protocol) -> Iterator[Fault]:
    signature = protocol.signature
    if signature is None:
        return
    if signature.content_hash != protocol.content_hash:
        yield Fault("/signature/content_hash", "signed other content than this", ("",))
    if signature.role is not Role.MEDICAL_DIRECTOR:
        yield Fault("/signature/role", "only a medical director signs a protocol")
    if signature.at.tzinfo is None:
        yield Fault("/signature/at", "the time of the signature has no zone")
