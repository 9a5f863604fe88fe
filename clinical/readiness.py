"""Is the patient ready for the visit: green, amber or red?

Asked 72, 24 and 2 hours before (the protocol's `checks_hours_before`). Red blocks check-in. An answer nobody
gave is amber at first, work for a coordinator at the second check, red at the last: never silence.
Source: clinical-facts §3.1 (G5-G8, G12, G15), product F9. Times are design defaults.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from clinical.decision import Decision, Reason, Verdict
from clinical.faults import Fault
from clinical.protocol import Drug, Protocol

_COMPARABLE_DIGITS = 7
"""Fewer digits than this are no telephone number."""


class Light(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


_LIGHTS = {
    Verdict.PASS: Light.GREEN,
    Verdict.CAUTION: Light.AMBER,
    Verdict.REVIEW: Light.AMBER,
    Verdict.REFUSE: Light.RED,
}


class ReadinessAnswers(BaseModel):
    """What the patient answered; None is not answered. Phones are compared and go nowhere from here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    escort_name_present: bool | None = None
    escort_phone: str | None = None
    patient_phone: str | None = None
    escort_confirmed: bool | None = None
    will_fast: bool | None = None
    will_avoid_substances: bool | None = None
    medication_changes: bool | None = None
    illness: bool | None = None
    pregnancy_possible: bool | None = None
    consent_in_force: bool | None = None
    rems_enrolled: bool | None = None


class Readiness(BaseModel):
    """The light, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    light: Light
    decision: Decision


def with_earlier(given: ReadinessAnswers, before: ReadinessAnswers) -> ReadinessAnswers:
    """The answers given now, and for what was not asked now those of before."""
    return ReadinessAnswers(**{**before.model_dump(), **given.model_dump(exclude_none=True)})


def answers_refused(answers: ReadinessAnswers) -> tuple[Fault, ...]:
    """Which answers cannot be taken as they are? An escort's phone that is none, or the patient's own. F9."""
    phone = answers.escort_phone
    if phone is None:
        return ()
    digits = _digits(phone)
    if len(digits) < _COMPARABLE_DIGITS:
        text = "the escort needs a telephone number"
    elif _same_number(digits, _digits(answers.patient_phone or "")):
        text = "this is the patient's own number"
    else:
        return ()
    return (Fault(field="escort_phone", text=text, limit="another person's number"),)


def readiness(answers: ReadinessAnswers | None, hours_before: float, protocol: Protocol) -> Readiness:
    """How does the visit stand with so many hours to go? No answers at all are all of them missing."""
    given = answers or ReadinessAnswers()
    unanswered, problem = _severity(hours_before, protocol)
    faults = answers_refused(given)
    reasons = [_reason("READY-ESCORT-PHONE", Verdict.REFUSE, fault.text) for fault in faults]
    if not faults:
        reasons.append(_reason_phone(given, unanswered))
    for rule, answer, wanted, text, bad in (
        ("READY-ESCORT", given.escort_name_present, True, "escort named", Verdict.REFUSE),
        ("READY-ESCORT-CONFIRMED", given.escort_confirmed, True, "escort confirmed", problem),
        ("READY-FASTING", given.will_fast, True, "will fast", problem),
        ("READY-SUBSTANCES", given.will_avoid_substances, True, "will avoid alcohol and substances", problem),
        ("READY-MEDICATION", given.medication_changes, False, "medication unchanged", Verdict.REVIEW),
        ("READY-ILLNESS", given.illness, False, "not ill", problem),
        ("READY-PREGNANCY", given.pregnancy_possible, False, "pregnancy not possible", Verdict.REVIEW),
        ("READY-CONSENT", given.consent_in_force, True, "consent in force", Verdict.REFUSE),
    ):
        reasons.append(_judged(rule, answer, wanted, text, bad, unanswered))
    if protocol.drug is Drug.ESKETAMINE:
        enrolled = given.rems_enrolled
        reasons.append(_judged("READY-REMS", enrolled, True, "REMS enrolled", Verdict.REFUSE, unanswered))
    decision = Decision.of(reasons)
    return Readiness(light=_LIGHTS[decision.verdict], decision=decision)


def _severity(hours_before: float, protocol: Protocol) -> tuple[Verdict, Verdict]:
    """What do a missing answer and a problem that may still pass mean at this distance?"""
    checks = sorted(protocol.readiness.checks_hours_before)
    if hours_before > checks[min(1, len(checks) - 1)]:
        return Verdict.CAUTION, Verdict.REVIEW
    if hours_before > checks[0]:
        return Verdict.REVIEW, Verdict.REVIEW
    return Verdict.REFUSE, Verdict.REFUSE


def _reason_phone(answers: ReadinessAnswers, unanswered: Verdict) -> Reason:
    """A number that cannot be compared, because the patient gave none, stays a person's to check: amber.

    It is never red: who has no phone of their own, or gave none, could otherwise never be checked in.
    """
    if answers.escort_phone is None:
        return _reason("READY-ESCORT-PHONE", unanswered, "not answered: escort's phone", missing=True)
    if not _digits(answers.patient_phone or ""):
        text = "escort's phone cannot be compared: the patient's own is not known"
        return _reason("READY-ESCORT-PHONE", Verdict.CAUTION, text)
    return _reason("READY-ESCORT-PHONE", Verdict.PASS, "escort's phone")


def _judged(
    rule: str, answer: bool | None, wanted: bool, text: str, bad: Verdict, unanswered: Verdict
) -> Reason:
    if answer is None:
        return _reason(rule, unanswered, f"not answered: {text}", missing=True)
    if answer is wanted:
        return _reason(rule, Verdict.PASS, text)
    return _reason(rule, bad, f"not so: {text}")


def _reason(rule: str, verdict: Verdict, text: str, *, missing: bool = False) -> Reason:
    return Reason(rule=rule, verdict=verdict, text=text, source="facts §3.1; product F9", missing=missing)


def _digits(phone: str) -> str:
    return "".join(character for character in phone if character in "0123456789")


def _same_number(one: str, other: str) -> bool:
    """Equal with or without country or trunk prefix."""
    short, long = sorted((one, other), key=len)
    return len(short) >= _COMPARABLE_DIGITS and long.endswith(short)
