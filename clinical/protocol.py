"""What has this clinic decided? Every tunable number of a course of treatment, versioned and hashed.

A protocol is a document that a medical director signs. Its models reject unknown fields and have no silent
defaults for clinical numbers. Units stand in the field names (UCUM: mg, kg, mm[Hg], min, h, d, wk).
"""

import hashlib
import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from clinical.people import Role
from clinical.protocol_base import Ask, Count, Hours, Minutes, Percent, Positive, Section
from clinical.protocol_desk import (
    BOOKING_BEFORE,
    ESCALATION_BEFORE,
    INBOX_BEFORE,
    Booking,
    Escalation,
    Inbox,
)
from clinical.protocol_dosing import (
    ByWeight,
    Devices,
    Dosing,
    Infusion,
    Injection,
    InUnits,
    Lozenges,
    Phase,
)
from clinical.protocol_duties import CaringContact, CheckCode, Custody, LongTermCheck, Reports

__all__ = [
    "Ask",
    "Booking",
    "ByWeight",
    "CaringContact",
    "CheckCode",
    "Custody",
    "Devices",
    "Dosing",
    "Drug",
    "InUnits",
    "Inbox",
    "Indication",
    "Infusion",
    "Injection",
    "Label",
    "LongTermCheck",
    "Lozenges",
    "Monitoring",
    "Phase",
    "Protocol",
    "Reports",
    "Route",
    "Rung",
    "Schedule",
    "Section",
    "Signature",
]


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


class Consultation(Section):
    book: Ask
    hold: Ask
    reminder_hours_before: Hours


class Consent(Section):
    document_version: str
    required_elements: tuple[str, ...] = Field(min_length=1)
    valid_days: Count
    ask: Ask


class Validity(Section):
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


class Screening(Section):
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
    severity_from: dict[str, Count]
    validity: Validity


class PlanRules(Section):
    draft: Ask
    approve: Ask
    approver_roles: tuple[Role, ...] = Field(min_length=2)
    director_above_mg_per_kg: Positive | None
    director_above_mg: Positive | None
    valid_days: Count
    rounds_max: Count


class Schedule(Section):
    """`min_interval_hours` and the most in a week hold in every phase; a phase may only ask for more rest."""

    min_interval_hours: Positive
    max_per_rolling_7_days: Count
    max_per_calendar_week: Count | None
    series_window_days: tuple[Count, Count]
    book: Ask
    reentry_after_days: Count
    phases: tuple[Phase, ...] = Field(min_length=1)

    @property
    def first(self) -> Phase:
        """The phase with which every course begins."""
        return self.phases[0]

    def phase(self, name: str) -> Phase | None:
        """The phase of that name, if the protocol has one."""
        return next((phase for phase in self.phases if phase.name == name), None)


class Readiness(Section):
    checks_hours_before: tuple[Positive, ...] = Field(min_length=1)
    fasting_food_hours: Hours
    fasting_clear_fluids_hours: Hours
    substance_free_hours: Hours
    nasal_spray_hours: Hours | None
    no_show_after_minutes: Count
    reschedules_max: Count


class Vitals(Section):
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


class Monitoring(Section):
    reading_minutes: tuple[Minutes, ...] = Field(min_length=2)
    repeat_after_last_minutes: Count
    tolerance_minutes: Minutes
    late_alert_minutes: Count
    late_page_minutes: Count
    future_tolerance_minutes: Minutes
    prescriber_on_site: bool


class Discharge(Section):
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


class Therapy(Section):
    preparation_sessions: Annotated[int, Field(ge=0)]
    preparation_valid_days: Count
    prepare: Ask
    integration_from_hours: Hours
    integration_due_hours: Positive
    integration_blocks_after_days: Count
    next_day_contact: Ask
    not_reached: Ask
    late_integration: Ask


class Rung(Section):
    """One step of the paging ladder: whom to page, and how long to wait for an acknowledgement."""

    page: Role
    wait_minutes: Count


class Risk(Section):
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
    concern_level: Literal["moderate", "high"]
    caring_contacts: tuple[CaringContact, ...]
    safety_plan_review_days: Count


class Decisions(Section):
    review_after_doses: tuple[Count, ...]
    default_stop_after_dose: Count
    default_stop_below_percent: Percent
    final_after_dose: Count
    then_every_doses: Count
    scores_apart_days: Count
    ask: Ask


class Outcomes(Section):
    response_percent: Percent
    partial_percent: Percent
    phq9_remission_below: Count
    gad7_remission_below: Count
    deterioration_points: Count
    relapse_phq9_from: Count
    relapse_gain_lost_percent: Percent
    relapse_apart_days: tuple[Count, Count]


class FollowUp(Section):
    weeks: tuple[Count, ...] = Field(min_length=1)
    remind_hours_before: Hours
    window_hours: Positive
    measure: Ask
    instruments: tuple[str, ...] = Field(min_length=1)


class Messages(Section):
    quiet_from_hour: Annotated[int, Field(ge=0, le=23)]
    quiet_until_hour: Annotated[int, Field(ge=0, le=23)]
    reminder_valid_hours: Positive


class Pause(Section):
    review: Ask


class Label(Section):
    """How well one number is known and who says so; keyed in the protocol by JSON Pointer."""

    confidence: Literal["C", "C*", "W", "U", "D"]
    source: str


class Signature(Section):
    """A medical director's signature over the content hash. `example` marks a signature for demonstration only."""

    by: str
    role: Role
    at: datetime
    content_hash: str
    example: bool


class Protocol(Section):
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
    reports: Reports
    custody: Custody
    long_term: tuple[LongTermCheck, ...]
    booking: Booking | None = None
    inbox: Inbox | None = None
    escalation: Escalation | None = None
    labels: dict[str, Label]
    signature: Signature | None = None

    @property
    def unsaid(self) -> frozenset[str]:
        """Sections that a stored snapshot is too old to have; they are no part of its content."""
        return frozenset(name for name in ("booking", "inbox", "escalation") if getattr(self, name) is None)

    @property
    def of_booking(self) -> Booking:
        return self.booking or BOOKING_BEFORE

    @property
    def of_inbox(self) -> Inbox:
        return self.inbox or INBOX_BEFORE

    @property
    def of_escalation(self) -> Escalation:
        return self.escalation or ESCALATION_BEFORE

    @property
    def content_hash(self) -> str:
        """SHA-256 over everything but the signature, in canonical JSON."""
        content = self.model_dump(mode="json", exclude={"signature", *self.unsaid})
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def canonical(self) -> str:
        """FHIR's way to name it: `url|version`."""
        return f"{self.url}|{self.version}"
