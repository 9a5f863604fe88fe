"""What is known about one person when a screening question is asked? Facts only, no names and no judgement.

`ClinicalRecord` is what a referral says, `Interview` what a clinician asked, `ScreeningFacts` both together
with what the clinic measured. Everything is optional or `unknown` until somebody says otherwise.
Units are UCUM codes; instants are aware and in UTC; `pointer` is a JSON Pointer into the referral.
Source: clinical-facts §1.1 (questions), §1.3 (work-up), §1.4 (antidepressant trials).
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from clinical.instants import Instant
from clinical.instruments.answers import InstrumentResult, RiskLevel


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sex(StrEnum):
    """As far as it decides who may be pregnant; `unknown` also when the sources disagree."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class Person(_Facts):
    """A birth date known to the month or year is stored as its first day, with the precision beside it."""

    birth_date: date | None = None
    birth_precision: Literal["day", "month", "year"] = "day"
    sex: Sex = Sex.UNKNOWN
    deceased: bool | None = None
    deceased_at: Instant | None = None


class Coding(_Facts):
    """`system` is `snomed`, `icd-10-cm`, `rxnorm`, or the sender's own address; empty when none was sent."""

    system: str = ""
    code: str
    display: str | None = None


class Presence(StrEnum):
    """What the sender says of a condition: still there, over, or nothing that can be understood."""

    CURRENT = "current"
    PAST = "past"
    UNKNOWN = "unknown"


class Condition(_Facts):
    """A diagnosis, of the person or a close relative; `ended_at` counts when `presence` says nothing."""

    codings: tuple[Coding, ...] = ()
    text: str = ""
    presence: Presence = Presence.UNKNOWN
    confirmed: bool = True
    onset_at: Instant | None = None
    ended_at: Instant | None = None
    of_relative: bool = False
    pointer: str = ""


class Medication(_Facts):
    """One prescribed or reported medicine; `current` is the sender's status, `until` an end given with it."""

    codings: tuple[Coding, ...] = ()
    text: str = ""
    current: bool = True
    since: Instant | None = None
    until: Instant | None = None
    pointer: str = ""


class Allergy(_Facts):
    """One documented intolerance; whether it is said to be over does not matter for a drug reaction."""

    codings: tuple[Coding, ...] = ()
    text: str = ""
    confirmed: bool = True
    pointer: str = ""


class MeasurementCode(StrEnum):
    SYSTOLIC = "systolic"
    DIASTOLIC = "diastolic"
    HEART_RATE = "heart-rate"
    RESPIRATORY_RATE = "respiratory-rate"
    SPO2 = "spo2"
    TEMPERATURE = "temperature"
    WEIGHT = "weight"
    HEIGHT = "height"
    BMI = "bmi"
    CREATININE = "creatinine"
    EGFR = "egfr"
    ALT = "alt"
    AST = "ast"
    ALP = "alp"
    GGT = "ggt"
    BILIRUBIN = "bilirubin"
    GLUCOSE = "glucose"
    HBA1C = "hba1c"
    TSH = "tsh"


class Measurement(_Facts):
    """One measured value in any unit that `clinical.units` knows for its code."""

    code: MeasurementCode
    value: FiniteFloat
    unit: str
    observed_at: Instant
    source: str = ""


class Unreadable(_Facts):
    """Something that was sent and not understood; it becomes a reason, never silence."""

    pointer: str
    text: str


class ClinicalRecord(_Facts):
    person: Person
    conditions: tuple[Condition, ...] = ()
    medications: tuple[Medication, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class HepaticImpairment(StrEnum):
    """Child-Pugh: none, A, B, C."""

    NONE = "none"
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"
    UNKNOWN = "unknown"


class AntidepressantTrial(_Facts):
    """One trial, of this episode or an earlier one; `outcome_percent` is improvement, negative when worse."""

    drug: str = Field(min_length=1)
    weeks: FiniteFloat | None = None
    adequate_dose: Answer = Answer.UNKNOWN
    current_episode: Answer = Answer.UNKNOWN
    outcome_percent: FiniteFloat | None = None


class Interview(_Facts):
    """The clinician's structured history: what no referral can be trusted to say."""

    completed_at: Instant | None = None
    birth_date: date | None = None
    sex: Sex | None = None
    diagnosis_confirmed: Answer = Answer.UNKNOWN
    ketamine_allergy: Answer = Answer.UNKNOWN
    aneurysm: Answer = Answer.UNKNOWN
    arteriovenous_malformation: Answer = Answer.UNKNOWN
    intracerebral_haemorrhage: Answer = Answer.UNKNOWN
    pressure_rise_hazard: Answer = Answer.UNKNOWN
    cardiac_event: Answer = Answer.UNKNOWN
    cardiac_event_on: date | None = None
    unstable_heart_disease: Answer = Answer.UNKNOWN
    significant_heart_disease: Answer = Answer.UNKNOWN
    stroke_or_tia: Answer = Answer.UNKNOWN
    raised_intracranial_pressure: Answer = Answer.UNKNOWN
    psychosis_current: Answer = Answer.UNKNOWN
    psychosis_past: Answer = Answer.UNKNOWN
    mania_current: Answer = Answer.UNKNOWN
    mania_lifetime: Answer = Answer.UNKNOWN
    family_psychosis: Answer = Answer.UNKNOWN
    substance_use_disorder_active: Answer = Answer.UNKNOWN
    illicit_use: Answer = Answer.UNKNOWN
    ketamine_misuse: Answer = Answer.UNKNOWN
    ketamine_dependence: Answer = Answer.UNKNOWN
    pregnancy_possible: Answer = Answer.UNKNOWN
    trying_to_conceive: Answer = Answer.UNKNOWN
    breastfeeding: Answer = Answer.UNKNOWN
    hepatic_impairment: HepaticImpairment = HepaticImpairment.UNKNOWN
    hyperthyroidism_untreated: Answer = Answer.UNKNOWN
    cystitis_or_urinary_symptoms: Answer = Answer.UNKNOWN
    severe_respiratory_disease: Answer = Answer.UNKNOWN
    sleep_apnoea: Answer = Answer.UNKNOWN
    sleep_apnoea_treated: Answer = Answer.UNKNOWN
    raised_intraocular_pressure: Answer = Answer.UNKNOWN
    seizures_uncontrolled: Answer = Answer.UNKNOWN
    dementia: Answer = Answer.UNKNOWN
    brain_injury_or_intellectual_disability: Answer = Answer.UNKNOWN
    suicidal_intent_or_plan: Answer = Answer.UNKNOWN
    suicide_attempt_recent: Answer = Answer.UNKNOWN
    porphyria: Answer = Answer.UNKNOWN
    capacity: Answer = Answer.UNKNOWN
    consent_able: Answer = Answer.UNKNOWN
    escort_available: Answer = Answer.UNKNOWN
    severe_personality_disorder: Answer = Answer.UNKNOWN
    ketamine_failure_or_reaction: Answer = Answer.UNKNOWN
    antidepressant_trials: tuple[AntidepressantTrial, ...] = ()
    current_medications: tuple[str, ...] = ()
    medications_reconciled_at: Instant | None = None
    allergies_reconciled_at: Instant | None = None


class WorkUpItem(StrEnum):
    PSYCHIATRIC_INTERVIEW = "psychiatric-interview"
    MEDICAL_HISTORY = "medical-history"
    PREGNANCY_TEST = "pregnancy-test"
    URINE_DRUG_SCREEN = "urine-drug-screen"
    PRESCRIPTION_MONITORING = "prescription-monitoring"
    ECG = "ecg"
    LIVER_FUNCTION = "liver-function"
    URINARY_SYMPTOMS = "urinary-symptoms"


class WorkUpOutcome(StrEnum):
    """`clear` is a negative test or nothing found; `abnormal` a positive test or something found."""

    CLEAR = "clear"
    ABNORMAL = "abnormal"
    UNKNOWN = "unknown"


class WorkUpResult(_Facts):
    test: WorkUpItem
    outcome: WorkUpOutcome
    observed_at: Instant


class InstrumentSummary(_Facts):
    """A scored questionnaire as screening needs it; `suicide_item` is the raw answer of such an item."""

    name: str
    score: FiniteFloat | None
    complete: bool
    missing: tuple[str, ...] = ()
    completed_at: Instant
    risk_level: RiskLevel | None = None
    suicide_item: int | None = None


class ScreeningFacts(_Facts):
    """Everything a screening decision looks at. `vitals` are the clinic's own measurements."""

    record: ClinicalRecord
    interview: Interview | None = None
    vitals: tuple[Measurement, ...] = ()
    instruments: Mapping[str, InstrumentSummary] = Field(default_factory=dict)
    work_up: tuple[WorkUpResult, ...] = ()

    @classmethod
    def gathered(
        cls,
        *,
        record: ClinicalRecord | None,
        interview: Interview | None,
        vitals: tuple[Measurement, ...],
        work_up: tuple[WorkUpResult, ...],
        results: Mapping[str, InstrumentResult],
        answered_at: Mapping[str, datetime],
    ) -> Self:
        """From what a screening collected; without a referral the record is empty, which clears nothing.

        A result whose time nobody knows is left out: it then counts as missing.
        """
        summaries = {
            str(name): InstrumentSummary(
                name=str(name),
                score=result.score,
                complete=result.complete,
                missing=result.missing,
                completed_at=answered_at[name],
                risk_level=result.risk_level,
                suicide_item=result.suicide_item,
            )
            for name, result in results.items()
            if name in answered_at
        }
        return cls(
            record=record or ClinicalRecord(person=Person()),
            interview=interview,
            vitals=vitals,
            instruments=summaries,
            work_up=work_up,
        )
