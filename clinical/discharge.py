"""May this patient go home now, and if not, what is unmet and when could it be met?

Every criterion is answered every time; a score alone never discharges (H6). The minimum observation counts
from the first exposure and from the end of the dose, whichever ends later, and only ever grows.
Source: clinical-facts §3.5 and §3.6 (composite rule, D), H5, H6, §6.2 (HIGH is never discharged by the
system); product F14.
"""

from datetime import datetime

from clinical.decision import Confidence, Decision, Reason, Verdict
from clinical.discharge_facts import NEVER_OVERRIDDEN, Criterion, DischargeFacts, RecoveryCheck
from clinical.instants import elapsed, elapsed_minutes, in_utc, later, spaced_from_latest
from clinical.instruments.answers import RiskLevel
from clinical.people import CLINICIANS, Role
from clinical.protocol import Protocol
from clinical.vitals import Tier, implausible, is_at_least, resting_tier

__all__ = [
    "NEVER_OVERRIDDEN",
    "Criterion",
    "DischargeFacts",
    "RecoveryCheck",
    "observation_ends",
    "override_allowed",
    "ready_for_discharge",
]


def observation_ends(facts: DischargeFacts, protocol: Protocol) -> datetime | None:
    """Until when must the patient stay at least? None while the dose has not ended. Source: facts §3.6."""
    if facts.ended_at is None:
        return None
    rules = protocol.discharge
    extra = 0 if facts.extended is False else rules.extra_minutes_if_extended
    after_start = later(facts.started_at, minutes=rules.min_after_start_minutes + extra)
    return max(after_start, later(facts.ended_at, minutes=rules.min_after_end_minutes + extra))


def ready_for_discharge(facts: DischargeFacts, protocol: Protocol, now: datetime) -> Decision:
    """Is every criterion met? One reason each; `available_at` says when an unmet one could be met."""
    at = in_utc(now)
    return Decision.of(
        [
            _dose_ended(facts, at),
            _minimum_time(facts, protocol, at),
            _padss(facts, protocol, at),
            _ambulation(facts, at),
            _sedation(facts, protocol),
            _orientation(facts),
            _dissociation(facts, protocol),
            _vitals(facts, protocol, at),
            _oxygen(facts, protocol),
            _suicidality(facts),
            _yes(Criterion.ESCORT, facts.escort_present, "the escort is present", Confidence.CONFIRMED),
            _yes(Criterion.INSTRUCTIONS, facts.instructions_given, "instructions were given"),
            _prescriber(facts, protocol),
            _sign_off(facts),
        ]
    )


def override_allowed(by: Role, reason: str, decision: Decision, protocol: Protocol) -> Decision:
    """May a prescriber discharge in spite of what is unmet?

    Only a prescriber, only with a reason, never the criteria of `NEVER_OVERRIDDEN`, and never the minimum
    time where the protocol calls it absolute (esketamine: REMS). What is overridden stays in the answer as
    a caution, so that it is always reported. Source: product F14, H5, H6.
    """
    reasons = [
        _answer("OVERRIDE-ROLE", by is Role.PRESCRIBER, "a prescriber overrides", value=by),
        _answer("OVERRIDE-REASON", bool(reason.strip()), "with a reason"),
    ]
    locked = NEVER_OVERRIDDEN | (
        {Criterion.MINIMUM_TIME} if protocol.discharge.minimum_is_absolute else set()
    )
    for unmet in decision.objections:
        if unmet.rule in locked:
            reasons.append(unmet.model_copy(update={"text": f"never overridden: {unmet.text}"}))
        else:
            changed = {"verdict": Verdict.CAUTION, "text": f"overridden: {unmet.text}"}
            reasons.append(unmet.model_copy(update=changed))
    return Decision.of(reasons)


def _dose_ended(facts: DischargeFacts, now: datetime) -> Reason:
    ended = facts.ended_at is not None and facts.started_at <= facts.ended_at <= now
    return _answer(Criterion.DOSE_ENDED, ended, "the dose has ended", missing=facts.ended_at is None)


def _minimum_time(facts: DischargeFacts, protocol: Protocol, now: datetime) -> Reason:
    until = observation_ends(facts, protocol)
    return _answer(
        Criterion.MINIMUM_TIME,
        until is not None and now >= until,
        "the minimum observation is over",
        value=f"{elapsed_minutes(facts.started_at, now):.1f}",
        unit="min",
        limit=None if until is None else f"until {until.isoformat()}",
        available_at=until,
        missing=until is None,
    )


def _recovery(facts: DischargeFacts, now: datetime) -> list[RecoveryCheck]:
    """The checks that count: after the dose has ended and not from the future, in order of time."""
    since = facts.ended_at
    if since is None:
        return []
    return sorted((c for c in facts.recovery_checks if since <= c.at <= now), key=lambda c: c.at)


def _padss(facts: DischargeFacts, protocol: Protocol, now: datetime) -> Reason:
    """High enough on consecutive checks far enough apart, vital signs at least 1; a lapse starts anew."""
    rules = protocol.discharge
    checks = _recovery(facts, now)
    run: list[datetime] = []
    for check in reversed(checks):
        if check.padss.total < rules.padss_min or check.padss.vital_signs < 1:
            break
        run.append(check.at)
    passed = spaced_from_latest(run, rules.padss_apart_minutes)
    to_come = rules.padss_consecutive - max(passed, 1)
    next_at = later(run[0] if run else now, minutes=to_come * rules.padss_apart_minutes)
    return _answer(
        Criterion.PADSS,
        passed >= rules.padss_consecutive,
        "PADSS is high enough on consecutive checks",
        value=", ".join(str(check.padss.total) for check in checks) or None,
        unit="{score}",
        limit=f">= {rules.padss_min}, {rules.padss_consecutive} times, {rules.padss_apart_minutes} min apart",
        available_at=max(now, next_at),
        missing=not checks,
        confidence=Confidence.CONFIRMED,
    )


def _ambulation(facts: DischargeFacts, now: datetime) -> Reason:
    checks = _recovery(facts, now)
    item = checks[-1].padss.ambulation if checks else None
    return _answer(
        Criterion.AMBULATION,
        item == 2,
        "walks steadily without dizziness",
        value=None if item is None else str(item),
        unit="{score}",
        limit="2",
        missing=item is None,
    )


def _sedation(facts: DischargeFacts, protocol: Protocol) -> Reason:
    least = protocol.discharge.moaas_min
    return _answer(
        Criterion.SEDATION,
        facts.moaas is not None and least <= facts.moaas <= 5,
        "fully awake (MOAA/S)",
        value=None if facts.moaas is None else str(facts.moaas),
        unit="{score}",
        limit=f">= {least}",
        missing=facts.moaas is None,
    )


def _orientation(facts: DischargeFacts) -> Reason:
    return _yes(Criterion.ORIENTATION, facts.oriented, "oriented to person, place and time")


def _dissociation(facts: DischargeFacts, protocol: Protocol) -> Reason:
    margin = protocol.discharge.cadss6_above_baseline_max
    measured = facts.cadss6 is not None and facts.baseline_cadss6 is not None
    back = (
        facts.cadss6 is not None
        and facts.baseline_cadss6 is not None
        and facts.cadss6 <= facts.baseline_cadss6 + margin
    )
    attested = facts.clinician_attests_dissociation is True
    return _answer(
        Criterion.DISSOCIATION,
        back or attested,
        "attested by a clinician: no dissociation"
        if attested and not back
        else "dissociation is back to baseline",
        value=None if facts.cadss6 is None else str(facts.cadss6),
        unit="{score}",
        limit=f"<= {facts.baseline_cadss6} + {margin}" if measured else f"<= baseline + {margin}",
        missing=not measured and not attested,
    )


def _vitals(facts: DischargeFacts, protocol: Protocol, now: datetime) -> Reason:
    """The last reading, after the dose and not older than one round of readings, is below tier B."""
    text, reading = "vital signs are back in range", facts.last_reading
    if reading is None:
        return _answer(Criterion.VITALS, False, text, missing=True)
    age = elapsed_minutes(reading.taken_at, now)
    round_minutes = protocol.monitoring.repeat_after_last_minutes + protocol.monitoring.late_page_minutes
    ended_at = facts.ended_at
    after_dose = ended_at is not None and elapsed(ended_at, reading.taken_at).total_seconds() >= 0
    current = after_dose and -protocol.monitoring.future_tolerance_minutes <= age <= round_minutes
    tier = resting_tier(reading, protocol).tier
    met = current and not implausible(reading) and not is_at_least(tier, Tier.HOLD)
    return _answer(
        Criterion.VITALS,
        met,
        text if current else "a reading after the dose, one round old at most",
        value=f"tier {tier}, {reading.systolic_mmhg}/{reading.diastolic_mmhg} mm[Hg], {age:.1f} min old",
        limit=f"below tier {Tier.HOLD}, <= {round_minutes} min old",
        missing=not current,
    )


def _oxygen(facts: DischargeFacts, protocol: Protocol) -> Reason:
    least, value = protocol.discharge.spo2_min_percent, facts.spo2_on_room_air
    return _answer(
        Criterion.OXYGEN,
        value is not None and least <= value <= 100,
        "oxygen saturation on room air",
        value=None if value is None else f"{value:g}",
        unit="%",
        limit=f">= {least:g}",
        missing=value is None,
    )


def _suicidality(facts: DischargeFacts) -> Reason:
    level = facts.suicide_level
    unknown = level is None or level is RiskLevel.UNKNOWN
    reason = _answer(
        Criterion.SUICIDALITY,
        not unknown and level is not RiskLevel.HIGH,
        "the risk of suicide is known and not high",
        value=level,
        limit="not high",
        missing=unknown,
    )
    return reason.model_copy(update={"verdict": Verdict.CAUTION}) if level is RiskLevel.MODERATE else reason


def _prescriber(facts: DischargeFacts, protocol: Protocol) -> Reason:
    if not protocol.monitoring.prescriber_on_site:
        return _answer(Criterion.PRESCRIBER, True, "the protocol asks for no prescriber on site")
    return _yes(
        Criterion.PRESCRIBER, facts.prescriber_on_site_throughout, "the prescriber was on site throughout"
    )


def _sign_off(facts: DischargeFacts) -> Reason:
    by = facts.signed_off_by
    return _answer(
        Criterion.SIGN_OFF,
        by in CLINICIANS,
        "signed off by a licensed clinician",
        value=by,
        missing=by is None,
    )


def _yes(
    criterion: Criterion, answer: bool | None, text: str, confidence: Confidence = Confidence.DESIGN
) -> Reason:
    return _answer(criterion, answer is True, text, missing=answer is None, confidence=confidence)


def _answer(
    rule: str,
    met: bool,
    text: str,
    *,
    value: str | None = None,
    unit: str | None = None,
    limit: str | None = None,
    available_at: datetime | None = None,
    missing: bool = False,
    confidence: Confidence = Confidence.DESIGN,
) -> Reason:
    return Reason(
        rule=rule,
        verdict=Verdict.PASS if met else Verdict.REFUSE,
        text=text if met else f"not met: {text}",
        source="facts §3.6; product F14",
        confidence=confidence,
        value=value,
        unit=unit,
        limit=limit,
        available_at=None if met else available_at,
        missing=missing and not met,
    )
