"""What has this clinic decided? Every tunable number of a course of treatment, versioned and hashed.

A protocol is a document that a medical director signs. Its models reject unknown fields and have no silent
defaults for clinical numbers. Units stand in the field names (UCUM: mg, kg, mm[Hg], min, h, d, wk).
"""

import hashlib
import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from clinical.people import Role

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]
Minutes = Annotated[int, Field(ge=0)]
Hours = Annotated[float, Field(ge=0)]
Days = Annotated[int, Field(ge=0)]
Percent = Annotated[float, Field(gt=0, le=100)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Route(StrEnum):
    IV = "intravenous"
    IM = "intramuscular"
    SL = "sublingual"
    NASAL = "nasal"


class Drug(StrEnum):
    KETAMINE = "ketamine-racemic"
    ESKETAMINE = "esketamine"


class Indication(StrEnum):
    DEPRESSION = "major-depressive-disorder"
    ANXIETY = "generalised-anxiety-disorder"
    PANIC = "panic-disorder"
    PTSD = "post-traumatic-stress-disorder"


class Ask(_Section):
    """A wait for a person: who owns it, when it is due, and when the engine stops waiting.

    After `due_hours` the task is overdue and its owner is reminded; after `give_up_hours` the wait ends and
    the journey does what the phase says (an escalation, another round, an ending). Never nothing.
    """

    owner: Role
    due_hours: Annotated[float, Field(gt=0)]
    give_up_hours: Annotated[float, Field(gt=0)]


class Consultation(_Section):
    book: Ask
    hold: Ask
    reminder_hours_before: Hours


class Consent(_Section):
    document_version: str
    required_elements: tuple[str, ...] = Field(min_length=1)
    valid_days: Count
    ask: Ask


class Validity(_Section):
    """How long a screening value may be used, in hours."""

    history_hours: Positive
    vitals_hours: Positive
    weight_hours: Positive
    laboratory_hours: Positive
    ecg_hours: Positive
    pregnancy_test_hours: Positive
    reconciliation_hours: Positive
    suicide_screen_hours: Positive
    outcome_baseline_hours: Positive
    urine_drug_screen_hours: Positive
    urinary_symptoms_hours: Positive
    prescription_monitoring_hours: Positive


class Screening(_Section):
    collect: Ask
    sign: Ask
    valid_days: Count
    rounds_max: Count
    minimum_age_years: Count
    caution_age_years: Count
    ecg_age_years: Count
    bmi_review_kg_m2: Positive
    weight_plausible_kg: tuple[Positive, Positive]
    systolic_review_mmhg: Count
    diastolic_review_mmhg: Count
    systolic_refuse_mmhg: Count
    diastolic_refuse_mmhg: Count
    substance_lookback_days: Count
    cardiac_event_days: Count
    suicide_attempt_days: Count
    child_bearing_age_years: tuple[Count, Count]
    prior_antidepressant_trials_min: Count
    adequate_trial_weeks: Count
    validity: Validity


class PlanRules(_Section):
    draft: Ask
    approve: Ask
    approver_roles: tuple[Role, ...] = Field(min_length=2)
    director_above_mg_per_kg: Positive
    valid_days: Count
    rounds_max: Count


class Dosing(_Section):
    start_mg_per_kg: Positive
    step_mg_per_kg: Positive
    min_mg_per_kg: Positive
    max_mg_per_kg: Positive
    max_session_mg: Positive
    infusion_minutes: Count
    infusion_minutes_min: Count
    concentration_mg_per_ml: Positive
    volume_step_ml: Positive
    ideal_weight_above_bmi_kg_m2: Positive
    weight_valid_hours: Positive
    weight_change_reverify_percent: Percent
    weight_change_reverify_kg: Positive
    boosters_max: Annotated[int, Field(ge=0)]
    tolerance_percent: Annotated[float, Field(ge=0, le=5)]


class Schedule(_Section):
    sessions: Count
    min_interval_hours: Positive
    max_per_rolling_7_days: Count
    max_interval_days: Count
    series_window_days: tuple[Count, Count]
    book: Ask
    reentry_after_days: Count


class Readiness(_Section):
    checks_hours_before: tuple[Positive, ...] = Field(min_length=1)
    fasting_food_hours: Hours
    fasting_clear_fluids_hours: Hours
    substance_free_hours: Hours
    no_show_after_minutes: Count
    reschedules_max: Count


class Vitals(_Section):
    caution_systolic_mmhg: Count
    caution_diastolic_mmhg: Count
    hold_systolic_mmhg: Count
    hold_diastolic_mmhg: Count
    hold_repeat_minutes: Count
    hold_repeats: Count
    alert_systolic_mmhg: Count
    alert_diastolic_mmhg: Count
    intervene_pair_systolic_mmhg: Count
    intervene_pair_diastolic_mmhg: Count
    intervene_pair_minutes: Count
    intervene_single_systolic_mmhg: Count
    intervene_single_diastolic_mmhg: Count
    rise_systolic_mmhg: Count
    rise_diastolic_mmhg: Count
    heart_rate_high_per_min: Count
    heart_rate_high_minutes: Count
    heart_rate_low_per_min: Count
    respiratory_rate_low_per_min: Count
    spo2_alert_percent: Percent
    spo2_emergency_percent: Percent
    moaas_alert: Annotated[int, Field(ge=0, le=5)]
    moaas_emergency: Annotated[int, Field(ge=0, le=5)]
    pre_dose_valid_minutes: Count


class Monitoring(_Section):
    reading_minutes: tuple[Minutes, ...] = Field(min_length=2)
    repeat_after_last_minutes: Count
    tolerance_minutes: Minutes
    late_alert_minutes: Count
    late_page_minutes: Count
    future_tolerance_minutes: Minutes
    prescriber_on_site: bool


class Discharge(_Section):
    min_after_start_minutes: Count
    min_after_end_minutes: Minutes
    extra_minutes_if_extended: Minutes
    minimum_is_absolute: bool
    padss_min: Annotated[int, Field(ge=0, le=10)]
    padss_consecutive: Count
    padss_apart_minutes: Count
    moaas_min: Annotated[int, Field(ge=0, le=5)]
    cadss6_above_baseline_max: Annotated[int, Field(ge=0)]
    spo2_min_percent: Percent
    long_stay_page_minutes: Count


class Therapy(_Section):
    preparation_sessions: Annotated[int, Field(ge=0)]
    preparation_valid_days: Count
    prepare: Ask
    integration_from_hours: Hours
    integration_due_hours: Positive
    integration_blocks_after_days: Count
    next_day_contact: Ask


class Rung(_Section):
    """One step of the paging ladder: whom to page, and how long to wait for an acknowledgement."""

    page: Role
    wait_minutes: Count


class Risk(_Section):
    item9_positive_from: Annotated[int, Field(ge=1, le=3)]
    item9_rise_from: Annotated[int, Field(ge=1, le=3)]
    qids12_positive_from: Annotated[int, Field(ge=1, le=3)]
    qids12_urgent_from: Annotated[int, Field(ge=1, le=3)]
    madrs10_positive_from: Annotated[int, Field(ge=1, le=6)]
    madrs10_urgent_from: Annotated[int, Field(ge=1, le=6)]
    screen_valid_hours: Positive
    high_on_site_minutes: Count
    high_remote_minutes: Count
    moderate_minutes: Count
    low_minutes: Count
    ladder: tuple[Rung, ...] = Field(min_length=2)
    resolve_hours: Positive
    repeat_page_minutes: Count


class Decisions(_Section):
    review_after_doses: tuple[Count, ...]
    default_stop_after_dose: Count
    default_stop_below_percent: Percent
    final_after_dose: Count
    ask: Ask


class Outcomes(_Section):
    response_percent: Percent
    partial_percent: Percent
    phq9_remission_below: Count
    gad7_remission_below: Count
    deterioration_points: Count
    relapse_phq9_from: Count
    relapse_gain_lost_percent: Percent
    relapse_apart_days: tuple[Count, Count]


class FollowUp(_Section):
    weeks: tuple[Count, ...] = Field(min_length=1)
    remind_hours_before: Hours
    window_hours: Positive
    measure: Ask
    instruments: tuple[str, ...] = Field(min_length=1)


class Messages(_Section):
    quiet_from_hour: Annotated[int, Field(ge=0, le=23)]
    quiet_until_hour: Annotated[int, Field(ge=0, le=23)]
    reminder_valid_hours: Positive


class Pause(_Section):
    review: Ask


class Label(_Section):
    """How well one number is known and who says so; keyed in the protocol by JSON Pointer."""

    confidence: Literal["C", "C*", "W", "U", "D"]
    source: str


class Signature(_Section):
    """A medical director's signature over the content hash. `example` marks a signature for demonstration only."""

    by: str
    role: Role
    at: datetime
    content_hash: str
    example: bool


class Protocol(_Section):
    """One clinic's protocol (FHIR PlanDefinition). Immutable; its identity is url, version and content hash."""

    url: str
    version: str
    title: str
    notice: str
    drug: Drug
    route: Route
    indications: tuple[Indication, ...] = Field(min_length=1)
    baseline_instruments: dict[Indication, tuple[str, ...]]
    consultation: Consultation
    consent: Consent
    screening: Screening
    plan: PlanRules
    dosing: Dosing
    schedule: Schedule
    readiness: Readiness
    vitals: Vitals
    monitoring: Monitoring
    discharge: Discharge
    therapy: Therapy
    risk: Risk
    decisions: Decisions
    outcomes: Outcomes
    follow_up: FollowUp
    messages: Messages
    pause: Pause
    labels: dict[str, Label]
    signature: Signature | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 over everything but the signature, in canonical JSON."""
        content = self.model_dump(mode="json", exclude={"signature"})
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def canonical(self) -> str:
        """FHIR's way to name it: `url|version`."""
        return f"{self.url}|{self.version}"
