"""May this person be treated under this protocol?

`triage` asks what a referral alone already settles; `eligibility` asks everything and answers eligible only
when nothing objects and nothing is missing, stale, contradictory or unreadable. Every reason is returned. ABS
findings make ineligible; REL findings wait for a prescriber, who may override them with a reason and an
expiry; CAUTION only warns. `missing` names what somebody still has to collect.
Source: clinical-facts §1 (rules X01-X36, medications, work-up, TRD); product F4.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, StringConstraints

from clinical.age import age_years
from clinical.contraindications import age_findings, merged, stated_contraindications, vital_status
from clinical.decision import Reason, Verdict
from clinical.freshness import missing
from clinical.indication import indication_findings
from clinical.instants import Instant
from clinical.interview_questions import answered_no, interview_findings, may_be_pregnant
from clinical.medications import interactions, reconciliation
from clinical.patient_record import (
    ClinicalRecord,
    HepaticImpairment,
    InstrumentSummary,
    Interview,
    Measurement,
    MeasurementCode,
    Person,
    ScreeningFacts,
    Sex,
)
from clinical.people import Role
from clinical.protocol import Indication, Protocol
from clinical.screening_measurements import latest_values, measured_findings
from clinical.work_up import HEART_RULES, questionnaires, work_up_findings


class Eligibility(StrEnum):
    ELIGIBLE = "eligible"
    NEEDS_REVIEW = "needs-review"
    INELIGIBLE = "ineligible"


class ScreeningResult(BaseModel):
    """The answer, all reasons worst first, and the slugs of everything that is still missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Eligibility
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]


class Override(BaseModel):
    """A prescriber's documented decision that one REL rule does not stand in the way, until it expires."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    by_role: Role
    expires_at: Instant


class BaselineValues(NamedTuple):
    """What later phases need of a screening; heights in cm, weights in kg."""

    height_cm: float | None
    weight_kg: float | None
    sex: str | None
    pregnancy_applicable: bool
    extended_observation: bool


MAY_OVERRIDE = frozenset({Role.PRESCRIBER, Role.MEDICAL_DIRECTOR})

_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


def triage(
    record: ClinicalRecord, protocol: Protocol, now: datetime, indication: Indication | None = None
) -> ScreeningResult:
    """What does the referral alone settle? Ineligible, or needs-review: a referral never makes eligible.

    What is merely absent is listed in `missing` and is no reason yet; values that are too old stay among the
    reasons with their age. Source: facts §1.1; product F4.
    """
    facts = ScreeningFacts(record=record)
    full = _result((*_reasons(facts, protocol, now, indication),))
    stated = tuple(r for r in full.reasons if not r.missing or r.value is not None)
    refused = full.decision is Eligibility.INELIGIBLE
    decision = Eligibility.INELIGIBLE if refused else Eligibility.NEEDS_REVIEW
    return ScreeningResult(decision=decision, reasons=stated, missing=full.missing)


def eligibility(
    facts: ScreeningFacts, protocol: Protocol, indication: Indication, now: datetime
) -> ScreeningResult:
    """May this person be treated for this condition? All of facts §1."""
    return _result(_reasons(facts, protocol, now, indication))


def with_overrides(
    result: ScreeningResult, overrides: tuple[Override, ...], now: datetime
) -> ScreeningResult:
    """The same screening after a prescriber's overrides: REL findings become cautions, nothing else changes.

    Blocking and missing findings stay; an override that has expired or comes from another role does nothing.
    Source: facts §1.1 (REL: documented prescriber override with reason); product F4.
    """
    valid = {o.rule: o for o in overrides if o.by_role in MAY_OVERRIDE and o.expires_at > now}
    return _result(_overridden(reason, valid.get(reason.rule)) for reason in result.reasons)


def baseline_values(
    record: ClinicalRecord | None,
    interview: Interview | None,
    measurements: tuple[Measurement, ...],
    protocol: Protocol,
    now: datetime,
) -> BaselineValues:
    """What did screening establish that dosing and observation build on? Unknown asks for the longer stay."""
    sources = record or ClinicalRecord(person=Person())
    asked = interview or Interview()
    person, _ = _person(sources, asked)
    latest = latest_values((*sources.measurements, *measurements), protocol, now).latest
    height, weight = latest.get(MeasurementCode.HEIGHT), latest.get(MeasurementCode.WEIGHT)
    ages = age_years(person, now)
    older = ages is None or ages[1] >= protocol.screening.caution_age_years
    liver = asked.hepatic_impairment not in (HepaticImpairment.NONE, HepaticImpairment.MILD)
    return BaselineValues(
        height_cm=None if height is None else height.value,
        weight_kg=None if weight is None else weight.value,
        sex=None if person.sex is Sex.UNKNOWN else person.sex.value,
        pregnancy_applicable=may_be_pregnant(person, asked, protocol.screening, now),
        extended_observation=older or liver,
    )


def _result(reasons: Iterable[Reason]) -> ScreeningResult:
    everything = tuple(sorted(merged(reasons), key=lambda r: -_RANK[r.verdict]))
    worst = max((_RANK[r.verdict] for r in everything), default=0)
    lacking = dict.fromkeys(r.rule.removeprefix("NEED-").lower() for r in everything if r.missing)
    decision = Eligibility.ELIGIBLE
    if worst >= _RANK[Verdict.REFUSE]:
        decision = Eligibility.INELIGIBLE
    elif worst >= _RANK[Verdict.REVIEW] or lacking:
        decision = Eligibility.NEEDS_REVIEW
    return ScreeningResult(decision=decision, reasons=everything, missing=tuple(lacking))


def _reasons(
    facts: ScreeningFacts, protocol: Protocol, now: datetime, indication: Indication | None
) -> tuple[Reason, ...]:
    rules, asked, record = protocol.screening, facts.interview or Interview(), facts.record
    person, disagreements = _person(record, asked)
    stated = stated_contraindications(record, protocol, now)
    values = latest_values((*record.measurements, *facts.vitals), protocol, now)
    measured = measured_findings(values, asked, protocol, now)
    ages = age_years(person, now)
    heart = any(
        r.rule in HEART_RULES and (r.rule, r.verdict) != ("X06", Verdict.CAUTION)
        for r in (*stated, *measured)
    )
    return (
        *vital_status(person, now),
        *age_findings(person, rules, now),
        *disagreements,
        *_unreadable(record),
        *stated,
        *_contradicted(stated, asked),
        *interview_findings(asked, person, protocol, now),
        *interactions(record.medications, asked.current_medications, protocol, now),
        *reconciliation(asked, protocol, now),
        *measured,
        *work_up_findings(
            facts.work_up,
            protocol,
            now,
            pregnancy=may_be_pregnant(person, asked, rules, now),
            ecg=heart or ages is None or ages[1] >= rules.ecg_age_years,
        ),
        *questionnaires(facts.instruments, _wanted(protocol, indication), protocol, now),
        *_for_indication(indication, asked, facts.instruments, protocol),
    )


def _wanted(protocol: Protocol, indication: Indication | None) -> tuple[str, ...]:
    """The baseline forms of an indication; of none, those that every indication asks for."""
    if indication is not None:
        return protocol.baseline_instruments.get(indication, ())
    every = list(protocol.baseline_instruments.values())
    return tuple(name for name in every[0] if all(name in forms for forms in every)) if every else ()


def _for_indication(
    indication: Indication | None,
    asked: Interview,
    instruments: Mapping[str, InstrumentSummary],
    protocol: Protocol,
) -> tuple[Reason, ...]:
    if indication is None:
        return (missing("indication", "the referral does not say what is to be treated", "facts §1.4"),)
    unlisted: tuple[Reason, ...] = ()
    if indication in protocol.indications and not _wanted(protocol, indication):
        unlisted = (missing("baseline-instruments", "the protocol names no baseline forms", "facts §1.3"),)
    return (*unlisted, *indication_findings(indication, asked, instruments, protocol))


def _person(record: ClinicalRecord, asked: Interview) -> tuple[Person, tuple[Reason, ...]]:
    """Who is it, from the referral and the interview together? Where they disagree, neither is believed."""
    person, disagreements = record.person, []
    if asked.birth_date is not None and asked.birth_date != person.birth_date:
        if person.birth_date is not None and person.birth_precision == "day":
            disagreements.append(_disagreement("birth date"))
        else:
            person = person.model_copy(update={"birth_date": asked.birth_date, "birth_precision": "day"})
    if asked.sex is not None and asked.sex is not person.sex:
        known = person.sex is not Sex.UNKNOWN
        if known:
            disagreements.append(_disagreement("sex"))
        person = person.model_copy(update={"sex": Sex.UNKNOWN if known else asked.sex})
    return person, tuple(disagreements)


def _disagreement(what: str, rule: str = "CONTRADICTION", value: str | None = None) -> Reason:
    return Reason(
        rule=rule,
        verdict=Verdict.REVIEW,
        text=f"the referral and the interview disagree: {what}",
        source="referral; interview",
        value=value,
    )


def _contradicted(stated: tuple[Reason, ...], asked: Interview) -> tuple[Reason, ...]:
    """A finding of the referral that the clinician was told is not so: to be settled by a prescriber."""
    return tuple(
        _disagreement("denied when asked", reason.rule, reason.value)
        for reason in stated
        if reason.verdict is not Verdict.CAUTION and answered_no(reason.rule, asked)
    )


def _unreadable(record: ClinicalRecord) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            rule="UNREADABLE",
            verdict=Verdict.REVIEW,
            text=item.text,
            source=f"referral {item.pointer}",
        )
        for item in record.unreadable
    )


def _overridden(reason: Reason, override: Override | None) -> Reason:
    if override is None or reason.missing or reason.verdict is not Verdict.REVIEW:
        return reason
    until = override.expires_at.isoformat()
    text = f"{reason.text} - overridden by {override.by_role.value} until {until}: {override.reason}"
    return reason.model_copy(update={"verdict": Verdict.CAUTION, "text": text})
