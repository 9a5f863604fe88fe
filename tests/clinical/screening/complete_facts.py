"""A person about whom everything is known and nothing objects: tests change one thing at a time."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from clinical.instruments.answers import RiskLevel
from clinical.interview_questions import QUESTIONS
from clinical.patient_record import (
    Answer,
    AntidepressantTrial,
    ClinicalRecord,
    Coding,
    Condition,
    HepaticImpairment,
    InstrumentSummary,
    Interview,
    Measurement,
    MeasurementCode,
    Person,
    Presence,
    ScreeningFacts,
    Sex,
    WorkUpItem,
    WorkUpOutcome,
    WorkUpResult,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AN_HOUR_AGO = NOW - timedelta(hours=1)

_M = MeasurementCode
_VITALS = {
    _M.SYSTOLIC: (118, "mm[Hg]"),
    _M.DIASTOLIC: (74, "mm[Hg]"),
    _M.HEART_RATE: (68, "/min"),
    _M.RESPIRATORY_RATE: (14, "/min"),
    _M.SPO2: (98, "%"),
    _M.TEMPERATURE: (36.6, "Cel"),
    _M.WEIGHT: (80, "kg"),
    _M.HEIGHT: (178, "cm"),
}


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def a_measurement(code: MeasurementCode, value: float, unit: str, at: datetime = AN_HOUR_AGO) -> Measurement:
    return Measurement(code=code, value=value, unit=unit, observed_at=at)


def vitals(**changed: float | None) -> tuple[Measurement, ...]:
    """Normal vital signs of an hour ago; a keyword like `systolic=150` changes one, None leaves it out."""
    chosen = {code: (changed.get(code.name.lower(), value), unit) for code, (value, unit) in _VITALS.items()}
    return tuple(
        a_measurement(code, value, unit) for code, (value, unit) in chosen.items() if value is not None
    )


def an_interview(**changed: Any) -> Interview:
    """Every question asked an hour ago and answered well."""
    good: dict[str, Any] = {q.field: Answer.NO if q.bad is Answer.YES else Answer.YES for q in QUESTIONS}
    trials = tuple(
        AntidepressantTrial(
            drug=drug, weeks=8, adequate_dose=Answer.YES, current_episode=Answer.YES, outcome_percent=10
        )
        for drug in ("sertraline", "venlafaxine")
    )
    good |= {
        "completed_at": AN_HOUR_AGO,
        "diagnosis_confirmed": Answer.YES,
        "cardiac_event": Answer.NO,
        "pregnancy_possible": Answer.NO,
        "trying_to_conceive": Answer.NO,
        "breastfeeding": Answer.NO,
        "hepatic_impairment": HepaticImpairment.NONE,
        "sleep_apnoea": Answer.NO,
        "antidepressant_trials": trials,
        "medications_reconciled_at": AN_HOUR_AGO,
        "allergies_reconciled_at": AN_HOUR_AGO,
    }
    return Interview.model_validate(good | changed)


def work_up(**changed: WorkUpOutcome | None) -> tuple[WorkUpResult, ...]:
    """Every test done an hour ago and clear; a keyword like `ecg=…` changes one, None leaves it out."""
    outcomes = {item: changed.get(item.name.lower(), WorkUpOutcome.CLEAR) for item in WorkUpItem}
    return tuple(
        WorkUpResult(test=item, outcome=outcome, observed_at=AN_HOUR_AGO)
        for item, outcome in outcomes.items()
        if outcome is not None
    )


def a_form(name: str, **changed: Any) -> InstrumentSummary:
    form: dict[str, Any] = {"name": name, "score": 15, "complete": True, "completed_at": AN_HOUR_AGO}
    if name == "pcl-5":
        form["score"] = 42
    if name == "c-ssrs-screener":
        form |= {"score": None, "risk_level": RiskLevel.NONE}
    return InstrumentSummary.model_validate(form | changed)


def forms(**changed: InstrumentSummary) -> dict[str, InstrumentSummary]:
    names = ("phq-9", "gad-7", "pcl-5", "pdss-sr", "c-ssrs-screener")
    return {name: a_form(name) for name in names} | {form.name: form for form in changed.values()}


def a_record(**changed: Any) -> ClinicalRecord:
    person = Person(birth_date=date(1984, 5, 1), sex=Sex.MALE, deceased=False)
    return ClinicalRecord.model_validate({"person": person} | changed)


def facts(**changed: Any) -> ScreeningFacts:
    complete: dict[str, Any] = {
        "record": a_record(),
        "interview": an_interview(),
        "vitals": vitals(),
        "instruments": forms(),
        "work_up": work_up(),
    }
    return ScreeningFacts.model_validate(complete | changed)


def a_condition(
    code: str = "",
    text: str = "",
    *,
    system: str = "snomed",
    presence: Presence = Presence.CURRENT,
    onset: datetime | None = None,
    **changed: Any,
) -> Condition:
    codes = (Coding(system=system, code=code),) if code else ()
    return Condition.model_validate(
        {"codings": codes, "text": text, "presence": presence, "onset_at": onset} | changed
    )
