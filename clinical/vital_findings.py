"""What does each vital sign on its own say: pressure, its rise, pulse, oxygen, breathing, sedation, symptoms?

One function a sign, each answering with a tier and a reason; `clinical.vitals` asks them and takes the worst.
Source: clinical-facts §3.2 and §3.4; every limit is the protocol's.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from clinical.decision import Confidence, Reason, Verdict
from clinical.instants import elapsed_minutes
from clinical.protocol import Vitals
from clinical.vital_signs import Reading, Symptom, Tier

_VERDICT = {
    Tier.NORMAL: Verdict.PASS,
    Tier.CAUTION: Verdict.CAUTION,
    Tier.HOLD: Verdict.REFUSE,
    Tier.ALERT: Verdict.REVIEW,
    Tier.INTERVENE: Verdict.REFUSE,
    Tier.EMERGENCY: Verdict.REFUSE,
}


class Finding(NamedTuple):
    tier: Tier
    reason: Reason


def _finding(
    tier: Tier,
    rule: str,
    text: str,
    reading: Reading,
    value: str,
    unit: str,
    limit: str,
    confidence: Confidence,
) -> Finding:
    reason = Reason(
        rule=rule,
        verdict=_VERDICT[tier],
        text=text,
        source="facts §3.2",
        confidence=confidence,
        value=value,
        unit=unit,
        limit=limit,
        observed_at=reading.taken_at,
    )
    return Finding(tier, reason)


def _reaches(reading: Reading, systolic_mmhg: int, diastolic_mmhg: int) -> bool:
    return reading.systolic_mmhg >= systolic_mmhg or reading.diastolic_mmhg >= diastolic_mmhg


def _exceeds(reading: Reading, systolic_mmhg: int, diastolic_mmhg: int) -> bool:
    return reading.systolic_mmhg > systolic_mmhg or reading.diastolic_mmhg > diastolic_mmhg


def _pressure(
    tier: Tier, text: str, reading: Reading, limit: str, confidence: Confidence, rule: str = "VITAL-BP"
) -> Finding:
    value = f"{reading.systolic_mmhg}/{reading.diastolic_mmhg}"
    return _finding(tier, rule, text, reading, value, "mm[Hg]", limit, confidence)


def resting_pressure(reading: Reading, limits: Vitals) -> Finding:
    hold = limits.hold_systolic_mmhg, limits.hold_diastolic_mmhg
    caution = limits.caution_systolic_mmhg, limits.caution_diastolic_mmhg
    if _reaches(reading, *hold):
        text = "pressure too high for a dose: rest and measure again"
        return _pressure(Tier.HOLD, text, reading, f"< {hold[0]}/{hold[1]}", Confidence.UNCERTAIN)
    limit = f"<= {caution[0]}/{caution[1]}"
    if _exceeds(reading, *caution):
        text = "raised pressure: the prescriber weighs benefit and risk, or delays"
        return _pressure(Tier.CAUTION, text, reading, limit, Confidence.CONFIRMED)
    return _pressure(Tier.NORMAL, "pressure in range", reading, limit, Confidence.CONFIRMED)


def session_pressure(reading: Reading, others: Sequence[Reading], limits: Vitals, window: float) -> Finding:
    single = limits.intervene_single_systolic_mmhg, limits.intervene_single_diastolic_mmhg
    pair = limits.intervene_pair_systolic_mmhg, limits.intervene_pair_diastolic_mmhg
    alert = limits.alert_systolic_mmhg, limits.alert_diastolic_mmhg
    minutes = limits.intervene_pair_minutes
    if _exceeds(reading, *single):
        text = "severe pressure: pause or stop, physician to the bedside"
        return _pressure(Tier.INTERVENE, text, reading, f"<= {single[0]}/{single[1]}", Confidence.SECONDARY)
    if _persists(reading, others, lambda r: _reaches(r, *pair), minutes, window):
        text = f"severe pressure on two readings {minutes} min apart: pause or stop, physician to the bedside"
        return _pressure(Tier.INTERVENE, text, reading, f"< {pair[0]}/{pair[1]}", Confidence.SECONDARY)
    limit = f"< {alert[0]}/{alert[1]}"
    if _reaches(reading, *alert) or _reaches(reading, *pair):
        text = f"high pressure: notify the prescriber, measure every {minutes} min, consider a slower rate"
        return _pressure(Tier.ALERT, text, reading, limit, Confidence.CONFIRMED)
    return _pressure(Tier.NORMAL, "pressure in range", reading, limit, Confidence.CONFIRMED)


def _persists(
    reading: Reading,
    others: Sequence[Reading],
    high: Callable[[Reading], bool],
    minutes: float,
    window: float,
) -> bool:
    """Is this reading one of two high ones far enough apart?

    Two high readings count when they are no further apart than one observation interval (`window`), or when
    nothing between them was normal: a gap in the record is not a recovery.
    """
    if not high(reading):
        return False
    for other in filter(high, others):
        first, last = sorted((reading.taken_at, other.taken_at))
        between = [r for r in others if first < r.taken_at < last]
        apart = elapsed_minutes(first, last)
        if apart >= minutes and (apart <= window or all(map(high, between))):
            return True
    return False


def rise(reading: Reading, baseline: Reading | None, limits: Vitals) -> Finding:
    limit = f"< {limits.rise_systolic_mmhg}/{limits.rise_diastolic_mmhg}"
    if baseline is None:
        text = "no baseline: the rise in pressure cannot be judged"
        finding = _pressure(Tier.CAUTION, text, reading, limit, Confidence.CONFIRMED, "VITAL-RISE")
        return finding._replace(reason=finding.reason.model_copy(update={"missing": True}))
    systolic = reading.systolic_mmhg - baseline.systolic_mmhg
    diastolic = reading.diastolic_mmhg - baseline.diastolic_mmhg
    risen = systolic >= limits.rise_systolic_mmhg or diastolic >= limits.rise_diastolic_mmhg
    text = (
        "rise from baseline: record as adverse event of interest" if risen else "no marked rise from baseline"
    )
    return _finding(
        Tier.CAUTION if risen else Tier.NORMAL,
        "VITAL-RISE",
        text,
        reading,
        f"{systolic:+d}/{diastolic:+d}",
        "mm[Hg]",
        limit,
        Confidence.CONFIRMED,
    )


def _heart_rate(
    reading: Reading, limits: Vitals, *, low: Tier, high: Tier, text: str, confidence: Confidence
) -> Finding:
    lowest, highest = limits.heart_rate_low_per_min, limits.heart_rate_high_per_min
    rate = reading.heart_rate_per_min
    tier, says = Tier.NORMAL, "pulse in range"
    if rate > highest:
        tier, says = high, text
    elif rate < lowest:
        tier, says = low, "slow pulse: prescriber review"
    return _finding(tier, "VITAL-HR", says, reading, str(rate), "/min", f"{lowest}-{highest}", confidence)


def session_heart_rate(reading: Reading, others: Sequence[Reading], limits: Vitals) -> Finding:
    minutes, highest = limits.heart_rate_high_minutes, limits.heart_rate_high_per_min
    persists = _persists(reading, others, lambda r: r.heart_rate_per_min > highest, minutes, window=0)
    return _heart_rate(
        reading,
        limits,
        low=Tier.ALERT,
        high=Tier.INTERVENE if persists else Tier.ALERT,
        text=f"fast pulse for {minutes} min: pause or stop, physician to the bedside"
        if persists
        else f"fast pulse: measure again within {minutes} min",
        confidence=Confidence.SECONDARY,
    )


def resting_heart_rate(reading: Reading, limits: Vitals) -> Finding:
    """Slow needs the prescriber's attestation; fast holds, since nothing yet explains it."""
    return _heart_rate(
        reading,
        limits,
        low=Tier.CAUTION,
        high=Tier.HOLD,
        text="fast pulse at rest: rest and measure again",
        confidence=Confidence.DESIGN,
    )


def oxygen(reading: Reading, limits: Vitals, *, low: Tier) -> Finding:
    """`low` is what an alarming saturation means here; below the emergency limit it is always E."""
    alert, emergency = limits.spo2_alert_percent, limits.spo2_emergency_percent
    tier, text = Tier.NORMAL, "oxygen saturation in range"
    if reading.spo2_percent < emergency:
        tier, text = Tier.EMERGENCY, "severe hypoxia: stop, oxygen, emergency response"
    elif reading.spo2_percent < alert:
        tier, text = low, "low oxygen saturation: reposition, oxygen, stop if it stays"
    value = f"{reading.spo2_percent:g}"
    return _finding(tier, "VITAL-SPO2", text, reading, value, "%", f">= {alert:g}", Confidence.DESIGN)


def breathing(reading: Reading, limits: Vitals) -> Finding | None:
    """Nothing to say when the rate was not counted."""
    rate, lowest = reading.respiratory_rate_per_min, limits.respiratory_rate_low_per_min
    if rate is None:
        return None
    tier, text = Tier.NORMAL, "breathing in range"
    if rate < lowest:
        tier, text = Tier.EMERGENCY, "respiratory depression: stop, support breathing, emergency response"
    return _finding(tier, "VITAL-RR", text, reading, str(rate), "/min", f">= {lowest}", Confidence.DESIGN)


def sedation(reading: Reading, limits: Vitals, *, deep: Tier) -> Finding | None:
    """`deep` is what an alarming MOAA/S means here. Nothing to say when it was not scored."""
    if reading.moaas is None:
        return None
    tier, text = Tier.NORMAL, "sedation in range"
    if reading.moaas <= limits.moaas_emergency:
        tier, text = Tier.EMERGENCY, "not rousable: stop, airway, emergency response"
    elif reading.moaas <= limits.moaas_alert:
        tier, text = deep, "deeply sedated: stay at the chair, notify the prescriber"
    limit = f"> {limits.moaas_alert}"
    return _finding(
        tier, "VITAL-MOAAS", text, reading, str(reading.moaas), "{score}", limit, Confidence.DESIGN
    )


def symptoms(reading: Reading) -> Finding:
    """Any warning symptom makes any pressure an emergency."""
    if reading.symptoms:
        tier, text = Tier.EMERGENCY, "warning symptom: stop, emergency services"
    else:
        tier, text = Tier.NORMAL, "no warning symptom"
    value = ", ".join(symptom for symptom in Symptom if symptom in reading.symptoms) or "none"
    return _finding(tier, "VITAL-SYMPTOM", text, reading, value, "", "none", Confidence.WELL_KNOWN)
