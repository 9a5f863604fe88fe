"""Which contraindications does a referral state by itself: in its diagnoses, allergies, age and vital status?

Rules X01-X31 and X36 of clinical-facts §1.1, as far as a diagnosis or a birth date can say them. ABS refuses,
REL waits for a prescriber, CAUTION warns. What is over counts less, what is not confirmed never blocks by
itself, and what nobody dated counts as recent enough to be looked at.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from clinical.age import age_years
from clinical.contraindication_codes.finding import Finding, Strength, Window
from clinical.contraindication_codes.lookup import findings_of, names_ketamine, states_history, wording
from clinical.decision import Confidence, Reason, Verdict, age_hours
from clinical.freshness import missing
from clinical.patient_record import ClinicalRecord, Condition, Person, Presence
from clinical.protocol import Protocol, Screening

VERDICT_OF = {Strength.ABS: Verdict.REFUSE, Strength.REL: Verdict.REVIEW, Strength.CAUTION: Verdict.CAUTION}

_DAYS: dict[Window, Callable[[Screening], int]] = {
    Window.CARDIAC_EVENT: lambda rules: rules.cardiac_event_days,
    Window.SUICIDE_ATTEMPT: lambda rules: rules.suicide_attempt_days,
    Window.SUBSTANCE: lambda rules: rules.substance_lookback_days,
}

_ORDER = (None, Strength.CAUTION, Strength.REL, Strength.ABS)


def stated_contraindications(record: ClinicalRecord, protocol: Protocol, now: datetime) -> tuple[Reason, ...]:
    """Every contraindication that the diagnoses and allergies of a referral state. Source: facts §1.1."""
    rules = protocol.screening
    reasons = [reason for condition in record.conditions for reason in _of_condition(condition, rules, now)]
    reasons += [
        Reason(
            rule="X01",
            verdict=Verdict.REFUSE if allergy.confirmed else Verdict.REVIEW,
            text="hypersensitivity to ketamine, esketamine or an excipient is documented",
            source="SPRAVATO and KETALAR US prescribing information",
            confidence=Confidence.CONFIRMED,
            value=wording(allergy.codings, allergy.text) or None,
        )
        for allergy in record.allergies
        if names_ketamine(allergy)
    ]
    return merged(reasons)


def is_current(condition: Condition, now: datetime) -> bool:
    """Is the condition still there? Unless the entry says that it is over, yes."""
    if condition.presence is Presence.PAST or states_history(condition):
        return False
    ended = condition.ended_at
    return condition.presence is Presence.CURRENT or ended is None or ended > now


def merged(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The same finding written several times becomes one reason, with the latest date that stands with it."""
    kept: dict[tuple[str, str, str, str | None], Reason] = {}
    for reason in reasons:
        key = (reason.rule, reason.verdict, reason.text, reason.value)
        other = kept.get(key)
        if other is None or (
            reason.observed_at and (not other.observed_at or reason.observed_at > other.observed_at)
        ):
            kept[key] = reason
    return tuple(kept.values())


def _strength(
    row: Finding, condition: Condition, rules: Screening, now: datetime
) -> tuple[Strength | None, str]:
    """How much does this row count here, and what makes it so?"""
    current = is_current(condition, now)
    base = row.current if current else row.past
    if row.recent is None:
        return base, "recorded as current" if current else "in the past"
    window, while_recent = row.recent
    days = _DAYS[window](rules)
    # An event happens once; a disorder stays recent for as long after its end.
    ended = condition.ended_at or (condition.onset_at if states_history(condition) else None)
    at = condition.onset_at if current or row.past is row.current else ended
    if at is None:
        at_least_rel = max(base, Strength.REL, key=_ORDER.index)
        return at_least_rel, f"when is not recorded (recent means within {days} d)"
    if now - at <= timedelta(days=days):
        return max(base, while_recent, key=_ORDER.index), f"within the last {days} d"
    still_there = current and row.current is not row.past
    return base, "recorded as current" if still_there else f"more than {days} d ago"


def _of_condition(condition: Condition, rules: Screening, now: datetime) -> list[Reason]:
    match = findings_of(condition)
    reasons = []
    for row in match.findings:
        strength, why = _strength(row, condition, rules, now)
        if strength is None:
            continue
        if strength is Strength.ABS and (match.unclear or not condition.confirmed):
            strength, why = Strength.REL, f"{why}, but not confirmed"
        at = condition.onset_at
        reasons.append(
            Reason(
                rule=row.rule,
                verdict=VERDICT_OF[strength],
                text=f"{row.what}: {why}",
                source=row.source,
                confidence=row.confidence,
                value=_shown(condition),
                observed_at=at,
                age_hours=None if at is None else age_hours(at, now),
            )
        )
    return reasons


def _shown(condition: Condition) -> str:
    codes = ", ".join(f"{c.system} {c.code}".strip() for c in condition.codings)
    words = wording(condition.codings, condition.text)
    return f"{words} ({codes})" if codes else words


def vital_status(person: Person, now: datetime) -> tuple[Reason, ...]:
    """Is the person alive? A recorded death refuses, whatever its date. Source: facts §10 H15."""
    if not person.deceased and person.deceased_at is None:
        return ()
    died = person.deceased_at
    reason = Reason(
        rule="DECEASED",
        verdict=Verdict.REFUSE,
        text="the referral says that this person has died",
        source="FHIR R4 Patient.deceased",
        confidence=Confidence.CONFIRMED,
        value=None if died is None else died.date().isoformat(),
        observed_at=died,
        age_hours=None if died is None else age_hours(died, now),
    )
    return (reason,)


def age_findings(person: Person, rules: Screening, now: datetime) -> tuple[Reason, ...]:
    """Is the person old enough, and old enough for more caution? X31, X36; ages in whole years, UTC days."""
    ages = age_years(person, now)
    if ages is None:
        text = "not known: age" if person.birth_date is None else "the birth date lies in the future"
        return (missing("age", text, "facts §1.1 X31"),)
    youngest, oldest = ages
    limit = rules.minimum_age_years
    value, unit = str(oldest), "a"
    if youngest < limit:
        certain = oldest < limit
        return (
            Reason(
                rule="X31",
                verdict=Verdict.REFUSE if certain else Verdict.REVIEW,
                text="under age" if certain else "may be under age: the birth date is not exact",
                source="SPRAVATO US prescribing information",
                confidence=Confidence.CONFIRMED,
                value=value,
                unit=unit,
                limit=f"at least {limit}",
            ),
        )
    if oldest < rules.caution_age_years:
        return ()
    return (
        Reason(
            rule="X36",
            verdict=Verdict.CAUTION,
            text="older age: a surge of systolic pressure is likelier, start low",
            source="Gen Hosp Psychiatry 2024 (Yale)",
            confidence=Confidence.CONFIRMED,
            value=value,
            unit=unit,
            limit=f"below {rules.caution_age_years}",
        ),
    )
