"""What do the measured values say: pressure, pulse, breathing, weight, body-mass index?

The latest value of each kind counts, wherever it was measured; values that are impossible, lie in the future
or contradict each other at one instant become reasons. An uncontrolled pressure blocks however old it is,
until a newer one is lower; every value that is too old or absent is missing. Units are those of
`clinical.units.CANONICAL`.
Source: clinical-facts §1.1 X06 X24 X25, §1.3, §3.2; limits come from the protocol.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from clinical.decision import Confidence, Reason, Verdict, age_hours
from clinical.freshness import is_future, missing, unusable
from clinical.patient_record import Answer, Interview, Measurement, MeasurementCode
from clinical.protocol import Protocol
from clinical.units import CANONICAL, ImpossibleValue, canonical_value

_M = MeasurementCode
SPR = "SPRAVATO US prescribing information; NCT04173962"

REQUIRED_VITALS = (_M.SYSTOLIC, _M.DIASTOLIC, _M.HEART_RATE, _M.RESPIRATORY_RATE, _M.SPO2, _M.TEMPERATURE)


class Latest(NamedTuple):
    """The newest value of one kind in its canonical unit; `contradicted` when that instant has two values."""

    value: float
    observed_at: datetime
    contradicted: bool


class Values(NamedTuple):
    """What could be used, by kind, and a reason for everything that could not."""

    latest: dict[MeasurementCode, Latest]
    unreadable: tuple[Reason, ...]


def latest_values(measurements: Iterable[Measurement], protocol: Protocol, now: datetime) -> Values:
    """Which value of each kind counts now? Of two at one instant the higher, and that is pointed out."""
    latest: dict[MeasurementCode, Latest] = {}
    unreadable: list[Reason] = []
    for measurement in measurements:
        try:
            value = canonical_value(measurement.code, measurement.value, measurement.unit)
        except ImpossibleValue as fault:
            unreadable.append(_unreadable(measurement, str(fault)))
            continue
        at = measurement.observed_at
        if is_future(at, protocol, now):
            unreadable.append(_unreadable(measurement, "measured in the future"))
            continue
        other = latest.get(measurement.code)
        if other is None or at > other.observed_at:
            latest[measurement.code] = Latest(value, at, contradicted=False)
        elif at == other.observed_at:
            differs = abs(value - other.value) > 0.01 * max(abs(value), abs(other.value))
            latest[measurement.code] = Latest(max(value, other.value), at, other.contradicted or differs)
    return Values(latest, tuple(unreadable))


def body_mass_index(latest: dict[MeasurementCode, Latest]) -> float | None:
    """In kg/m2 from weight and height; a body-mass index that was sent counts only without them."""
    weight, height, sent = latest.get(_M.WEIGHT), latest.get(_M.HEIGHT), latest.get(_M.BMI)
    if weight is not None and height is not None:
        return weight.value / (height.value / 100) ** 2
    return None if sent is None else sent.value


def measured_findings(
    values: Values, interview: Interview, protocol: Protocol, now: datetime
) -> tuple[Reason, ...]:
    """Every reason that lies in the measurements, and every one that is missing or too old."""
    latest = values.latest
    return (
        *values.unreadable,
        *(_contradiction(code, one) for code, one in latest.items() if one.contradicted),
        *_absent_or_old(latest, protocol, now),
        *_pressure(latest, protocol, now),
        *_other_vitals(latest, protocol, now),
        *_weight(latest, protocol, now),
        *_body_mass(latest, interview, protocol),
    )


def _unreadable(measurement: Measurement, why: str) -> Reason:
    return Reason(
        rule="UNREADABLE",
        verdict=Verdict.REVIEW,
        text=f"{measurement.code.value} cannot be used: {why}",
        source=measurement.source or "as recorded",
        value=f"{measurement.value:g}",
        unit=measurement.unit,
        observed_at=measurement.observed_at,
    )


def _contradiction(code: MeasurementCode, one: Latest) -> Reason:
    return Reason(
        rule="CONTRADICTION",
        verdict=Verdict.REVIEW,
        text=f"two different values of {code.value} at the same instant",
        source="as recorded",
        value=f"{one.value:.1f}",
        unit=CANONICAL[code].unit,
        observed_at=one.observed_at,
    )


def _absent_or_old(
    latest: dict[MeasurementCode, Latest], protocol: Protocol, now: datetime
) -> tuple[Reason, ...]:
    validity = protocol.screening.validity
    wanted = [(code, validity.vitals_hours) for code in REQUIRED_VITALS]
    wanted.append((_M.WEIGHT, validity.weight_hours))
    reasons: list[Reason] = []
    for code, valid_hours in wanted:
        one = latest.get(code)
        at, value = (None, None) if one is None else (one.observed_at, f"{one.value:.1f}")
        unit = CANONICAL[code].unit
        reasons += unusable(code.value, at, valid_hours, protocol, now, value=value, unit=unit)
    if _M.HEIGHT not in latest:
        reasons.append(missing("height", "not known: height", "facts §1.3"))
    return tuple(reasons)


def _finding(
    rule: str,
    verdict: Verdict,
    text: str,
    code: MeasurementCode,
    one: Latest,
    limit: str,
    source: str,
    now: datetime,
    confidence: Confidence = Confidence.CONFIRMED,
) -> Reason:
    return Reason(
        rule=rule,
        verdict=verdict,
        text=text,
        source=source,
        confidence=confidence,
        value=f"{one.value:.1f}",
        unit=CANONICAL[code].unit,
        limit=limit,
        observed_at=one.observed_at,
        age_hours=age_hours(one.observed_at, now),
    )


def _pressure(latest: dict[MeasurementCode, Latest], protocol: Protocol, now: datetime) -> tuple[Reason, ...]:
    """X06: at or above the upper limit refused until a newer value is lower; above the lower one reviewed."""
    rules = protocol.screening
    limits = (
        (_M.SYSTOLIC, rules.systolic_review_mmhg, rules.systolic_refuse_mmhg),
        (_M.DIASTOLIC, rules.diastolic_review_mmhg, rules.diastolic_refuse_mmhg),
    )
    reasons = []
    for code, review, refuse in limits:
        one = latest.get(code)
        if one is None or one.value <= review:
            continue
        verdict, text, limit = Verdict.REVIEW, f"{code.value} pressure is raised", f"at most {review}"
        if one.value >= refuse:
            verdict, limit = Verdict.REFUSE, f"below {refuse}"
            text = f"uncontrolled hypertension: the latest {code.value} pressure"
        reasons.append(_finding("X06", verdict, text, code, one, limit, SPR, now))
    return tuple(reasons)


def _other_vitals(
    latest: dict[MeasurementCode, Latest], protocol: Protocol, now: datetime
) -> tuple[Reason, ...]:
    limits = protocol.vitals
    bounds: tuple[tuple[MeasurementCode, float | None, float | None], ...] = (
        (_M.HEART_RATE, limits.heart_rate_low_per_min, limits.heart_rate_high_per_min),
        (_M.RESPIRATORY_RATE, limits.respiratory_rate_low_per_min, None),
        (_M.SPO2, limits.spo2_alert_percent, None),
    )
    reasons = []
    for code, low, high in bounds:
        one = latest.get(code)
        if one is None or ((low is None or one.value >= low) and (high is None or one.value <= high)):
            continue
        limit = f"at least {low:g}" if low is not None and one.value < low else f"at most {high:g}"
        text = f"{code.value} is outside the protocol's limits"
        reasons.append(
            _finding("VITALS", Verdict.REVIEW, text, code, one, limit, "facts §3.2", now, Confidence.DESIGN)
        )
    return tuple(reasons)


def _weight(latest: dict[MeasurementCode, Latest], protocol: Protocol, now: datetime) -> tuple[Reason, ...]:
    one, (low, high) = latest.get(_M.WEIGHT), protocol.screening.weight_plausible_kg
    if one is None or low <= one.value <= high:
        return ()
    text, limit = "the weight is unusual: confirm it and its unit", f"{low:g} to {high:g}"
    return (_finding("WEIGHT", Verdict.REVIEW, text, _M.WEIGHT, one, limit, "NCT05803551", now),)


def _body_mass(
    latest: dict[MeasurementCode, Latest], interview: Interview, protocol: Protocol
) -> tuple[Reason, ...]:
    """X25 and, with sleep apnoea, X24; a sent index that weight and height do not give is a contradiction."""
    index, limit = body_mass_index(latest), protocol.screening.bmi_review_kg_m2
    if index is None:
        return ()
    reasons = []
    shown = {"value": f"{index:.1f}", "unit": "kg/m2", "confidence": Confidence.CONFIRMED}
    review, at_most = Verdict.REVIEW, f"at most {limit:g}"
    if index > limit:
        text, source = "body-mass index above the limit", "Field Trip NCT05604794; Mount Sinai KAP trial"
        reasons.append(Reason(rule="X25", verdict=review, text=text, source=source, limit=at_most, **shown))
    if index >= limit and interview.sleep_apnoea is Answer.YES:
        text, source = "sleep apnoea with a high body-mass index", "EU SmPC Spravato"
        reasons.append(Reason(rule="X24", verdict=review, text=text, source=source, limit=at_most, **shown))
    sent, weight = latest.get(_M.BMI), latest.get(_M.WEIGHT)
    same_day = sent is not None and weight is not None and sent.observed_at == weight.observed_at
    if sent is not None and same_day and abs(sent.value - index) > 0.05 * index:
        text = f"the body-mass index sent ({sent.value:.1f}) is not that of weight and height"
        reasons.append(Reason(rule="CONTRADICTION", verdict=review, text=text, source="as recorded", **shown))
    return tuple(reasons)
