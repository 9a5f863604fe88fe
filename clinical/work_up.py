"""Is the work-up complete and in order: tests, questionnaires, treatments tried, indication?

What is absent or older than the protocol allows is missing; what was found waits for a prescriber; a positive
pregnancy test and a high suicide risk refuse. A questionnaire counts only when it is complete.
Source: clinical-facts §1.3 (work-up and validity), §1.4 (treatment-resistant depression), §6.1, §0.4
(evidence).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from clinical.decision import Confidence, Reason, Verdict, age_hours
from clinical.freshness import is_future, missing, unusable
from clinical.instruments.answers import RiskLevel
from clinical.patient_record import (
    InstrumentSummary,
    WorkUpItem,
    WorkUpOutcome,
    WorkUpResult,
)
from clinical.protocol import Protocol

C, D = Confidence.CONFIRMED, Confidence.DESIGN


class _Found(NamedTuple):
    rule: str
    verdict: Verdict
    text: str
    source: str


_WHEN_ABNORMAL: dict[WorkUpItem, _Found] = {
    WorkUpItem.PSYCHIATRIC_INTERVIEW: _Found(
        "WORK-UP", Verdict.REVIEW, "the psychiatric interview found something to weigh", "Sanacora 2017"
    ),
    WorkUpItem.MEDICAL_HISTORY: _Found(
        "WORK-UP", Verdict.REVIEW, "the medical history or examination found something to weigh", "facts §1.3"
    ),
    WorkUpItem.PREGNANCY_TEST: _Found(
        "X17", Verdict.REFUSE, "the pregnancy test is positive", "SPRAVATO US prescribing information"
    ),
    WorkUpItem.URINE_DRUG_SCREEN: _Found(
        "X15", Verdict.REVIEW, "the urine drug screen is positive", "Sanacora 2017"
    ),
    WorkUpItem.PRESCRIPTION_MONITORING: _Found(
        "X14", Verdict.REVIEW, "the prescription monitoring report needs to be looked at", "state PDMP law"
    ),
    WorkUpItem.ECG: _Found("X08", Verdict.REVIEW, "the ECG is abnormal", "NCT07139106"),
    WorkUpItem.LIVER_FUNCTION: _Found(
        "X21", Verdict.REVIEW, "liver tests are abnormal", "KETALAR US prescribing information"
    ),
    WorkUpItem.URINARY_SYMPTOMS: _Found(
        "X23", Verdict.REVIEW, "urinary symptoms are present", "SPRAVATO US prescribing information"
    ),
}

HEART_RULES = frozenset({"X06", "X07", "X08"})
"""Findings that ask for an ECG at any age."""


def work_up_findings(
    results: tuple[WorkUpResult, ...], protocol: Protocol, now: datetime, *, pregnancy: bool, ecg: bool
) -> tuple[Reason, ...]:
    """Every test that is absent, too old or found something; `pregnancy` and `ecg` say if those are due."""
    validity = protocol.screening.validity
    due = {
        WorkUpItem.PSYCHIATRIC_INTERVIEW: validity.history_hours,
        WorkUpItem.MEDICAL_HISTORY: validity.history_hours,
        WorkUpItem.URINE_DRUG_SCREEN: validity.urine_drug_screen_hours,
        WorkUpItem.PRESCRIPTION_MONITORING: validity.prescription_monitoring_hours,
        WorkUpItem.LIVER_FUNCTION: validity.laboratory_hours,
        WorkUpItem.URINARY_SYMPTOMS: validity.urinary_symptoms_hours,
    }
    if pregnancy:
        due[WorkUpItem.PREGNANCY_TEST] = validity.pregnancy_test_hours
    if ecg:
        due[WorkUpItem.ECG] = validity.ecg_hours
    reasons: list[Reason] = []
    for item in WorkUpItem:
        last = _last(item, results, protocol, now)
        if item in due:
            at = None if last is None else last.observed_at
            reasons += unusable(item.value, at, due[item], protocol, now)
        if last is not None:
            reasons += _outcome(last, now)
    reasons += [
        missing(f"{result.test.value}-time", f"lies in the future: {result.test.value}", "facts §1.3")
        for result in results
        if is_future(result.observed_at, protocol, now)
    ]
    return tuple(reasons)


def _last(
    item: WorkUpItem, results: tuple[WorkUpResult, ...], protocol: Protocol, now: datetime
) -> WorkUpResult | None:
    """The newest result of a test; of two at one instant the worse one."""
    badness = {WorkUpOutcome.CLEAR: 0, WorkUpOutcome.UNKNOWN: 1, WorkUpOutcome.ABNORMAL: 2}
    own = [r for r in results if r.test is item and not is_future(r.observed_at, protocol, now)]
    return max(own, key=lambda r: (r.observed_at, badness[r.outcome]), default=None)


def _outcome(result: WorkUpResult, now: datetime) -> tuple[Reason, ...]:
    if result.outcome is WorkUpOutcome.CLEAR:
        return ()
    if result.outcome is WorkUpOutcome.UNKNOWN:
        return (missing(result.test.value, f"no clear result: {result.test.value}", "facts §1.3"),)
    found = _WHEN_ABNORMAL[result.test]
    return (
        Reason(
            rule=found.rule,
            verdict=found.verdict,
            text=found.text,
            source=found.source,
            confidence=C,
            value=result.outcome.value,
            observed_at=result.observed_at,
            age_hours=age_hours(result.observed_at, now),
        ),
    )


def questionnaires(
    instruments: Mapping[str, InstrumentSummary], wanted: tuple[str, ...], protocol: Protocol, now: datetime
) -> tuple[Reason, ...]:
    """Every baseline form that is absent, incomplete or too old, and every risk that the forms show."""
    validity = protocol.screening.validity
    reasons: list[Reason] = []
    for name in wanted:
        form = instruments.get(name)
        suicide_screen = name == "c-ssrs-screener"
        valid = validity.suicide_screen_hours if suicide_screen else validity.outcome_baseline_hours
        if form is None or not form.complete or (form.score is None and not suicide_screen):
            open_items = "" if form is None else f" ({', '.join(form.missing)})"
            reasons.append(missing(name, f"not complete: {name}{open_items}", "facts §1.3, §5"))
        else:
            reasons += unusable(name, form.completed_at, valid, protocol, now)
        if suicide_screen and form is not None and form.risk_level in (None, RiskLevel.UNKNOWN):
            reasons.append(missing("suicide-risk", "the risk of suicide is not known", "facts §6.1"))
    for form in instruments.values():
        reasons += _risk(form, protocol, now)
    return tuple(reasons)


def _risk(form: InstrumentSummary, protocol: Protocol, now: datetime) -> tuple[Reason, ...]:
    verdicts = {
        RiskLevel.HIGH: (Verdict.REFUSE, "high risk of suicide: needs another level of care"),
        RiskLevel.MODERATE: (Verdict.REVIEW, "moderate risk of suicide: assess the same day"),
        RiskLevel.LOW: (Verdict.CAUTION, "low risk of suicide: clinician's review"),
    }
    verdict, text = verdicts.get(form.risk_level or RiskLevel.NONE, (Verdict.PASS, ""))
    value = form.risk_level.value if form.risk_level else None
    item, limit = form.suicide_item, protocol.risk.item9_positive_from
    if verdict is Verdict.PASS and item is not None and item >= limit:
        verdict, text, value = (
            Verdict.REVIEW,
            "the suicide item is positive: to be reconciled",
            str(item),
        )
    if verdict is Verdict.PASS:
        return ()
    return (
        Reason(
            rule="X29",
            verdict=verdict,
            text=f"{text} ({form.name})",
            source="Columbia C-SSRS triage; facts §5.3",
            confidence=C,
            value=value,
            observed_at=form.completed_at,
            age_hours=age_hours(form.completed_at, now),
        ),
    )
