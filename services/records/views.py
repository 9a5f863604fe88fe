"""What does the record answer to those who read it? Frozen results of queries; the API shapes its own from
these.

Instants are UTC, units stand in the names. Texts that people wrote are in clear here: what was encrypted in
the database has been opened for a reader who may see it.
"""

from datetime import datetime
from decimal import Decimal

from clinical.decision import Reason
from clinical.recovery_scores import PadssItems
from clinical.screening import Override
from clinical.vitals import Reading
from services.records.risk_views import RiskCaseView
from services.records.task_views import TaskView
from services.records.view import View as View


class JourneySummary(View):
    """One line of a list of courses. `version` changes with every write."""

    id: str
    site: str
    patient_id: str
    referral_id: str | None
    indication: str
    protocol: str
    protocol_hash: str
    stage: str
    status: str
    on_hold: bool
    review_at: datetime | None
    started_at: datetime
    closed_at: datetime | None
    consultation_at: datetime | None
    consultation_outcome: str | None
    time_zone: str
    doses: int
    sessions_completed: int
    last_seq: int
    version: int


class JourneyCount(View):
    """How many courses stand in this stage with this status."""

    stage: str
    status: str
    count: int


class DoseView(View):
    dose_id: str
    session: int
    status: str
    dose_mg: Decimal
    mg_per_kg: Decimal | None
    weight_kg: float | None
    given_at: datetime
    given_by: str
    checked_by: str
    plan_hash: str
    lot: str
    booster: bool
    ended_at: datetime | None
    given_mg: Decimal | None
    wasted_mg: Decimal | None
    witness: str | None
    returned_mg: Decimal | None = None
    container_id: str | None = None


class SessionSummary(View):
    """One visit: `status` is Encounter's word, `booking_status` Appointment's."""

    session: int
    status: str
    booking_status: str
    plan_hash: str | None
    earliest_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    room: str | None
    moves: int
    confirmed_at: datetime | None
    readiness: str | None
    consent_reaffirmed_at: datetime | None
    checked_in_at: datetime | None
    weight_kg: float | None
    baseline_tier: str | None
    prescriber_present: bool
    gate_green: bool | None
    dosed_at: datetime | None
    dose_ended_at: datetime | None
    therapy_minutes: int | None
    discharged_at: datetime | None
    discharge_overridden: bool | None
    next_day_reached: bool | None
    integration_held_at: datetime | None
    integration_missed_at: datetime | None
    closed_at: datetime | None


class ObservationView(View):
    """One set of readings. `amended_by` names the version that replaces it; the original stays."""

    observation_id: str
    status: str
    minute: int
    tier: str
    action: str | None
    amends: str | None
    amended_by: str | None
    reading: Reading
    padss: PadssItems | None
    cadss6: int | None
    oriented: bool | None
    recorded_by: str
    recorded_at: datetime


class SessionView(SessionSummary):
    """One visit with everything around it; reasons are those of the last answer."""

    journey_id: str
    site: str
    baseline: Reading | None
    readiness_reasons: tuple[Reason, ...]
    gate_reasons: tuple[Reason, ...]
    discharge_checklist: tuple[Reason, ...]
    closing_reason: str | None
    doses: tuple[DoseView, ...]
    observations: tuple[ObservationView, ...]


class ApprovalView(View):
    plan_hash: str
    role: str
    actor_id: str
    approved_at: datetime


class PlanView(View):
    """One version of the plan; `ended_reason` says why it was rejected or lapsed."""

    version: int
    plan_hash: str
    status: str
    author_id: str | None
    proposed_at: datetime | None
    required_roles: tuple[str, ...]
    amends: int | None
    sessions: int | None
    mg_per_kg: Decimal | None
    max_mg: Decimal | None
    approved_at: datetime | None
    expires_at: datetime | None
    superseded_by: int | None
    ended_at: datetime | None
    content: dict[str, str]
    ended_reason: str | None
    approvals: tuple[ApprovalView, ...]


class ConsentView(View):
    status: str
    document_version: str
    elements: tuple[str, ...]
    given_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    capacity_attested_by: str
    withdrawal_reason: str | None


class ScreeningView(View):
    """One round of screening: `eligibility` is the rules' answer, `signed_eligibility` the prescriber's."""

    round: int
    interview_at: datetime | None
    measured_at: datetime | None
    eligibility: str | None
    assessed_at: datetime | None
    signed_eligibility: str | None
    signed_at: datetime | None
    signed_by: str | None
    expires_at: datetime | None
    lapsed_at: datetime | None
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    overrides: tuple[Override, ...]


class DecisionView(View):
    after_dose: int
    proposal: str | None
    asked_at: datetime | None
    choice: str | None
    made_at: datetime | None
    made_by: str | None
    reasons: tuple[Reason, ...]
    reason: str | None


class CourseSetting(View):
    """By which protocol and in which zone a course is, and when the last dose was before some instant."""

    protocol: str
    time_zone: str
    dose_at: datetime | None


class JourneyView(JourneySummary):
    """One course whole. `open_tasks` are what it waits for; `screening` is the last round."""

    open_tasks: tuple[TaskView, ...]
    sessions: tuple[SessionSummary, ...]
    given_doses: tuple[DoseView, ...]
    plans: tuple[PlanView, ...]
    consent: ConsentView | None
    risk_cases: tuple[RiskCaseView, ...]
    decisions: tuple[DecisionView, ...]
    screening: ScreeningView | None
    preparations_held_at: tuple[datetime, ...]


class TimelineEntry(View):
    """One fact as a line. `recorded_at` is wall time, `occurred_at` clinical time."""

    seq: int
    kind: str
    session: int | None
    occurred_at: datetime
    recorded_at: datetime
    actor_id: str
    actor_role: str
    text: str


class ScoreView(View):
    """`suicide_item_positive` is None when the instrument has no such item or it was left out: never "no"."""

    seq: int
    instrument: str
    context: str
    score: float | None
    band: str | None
    complete: bool
    suicide_item_positive: bool | None
    risk_level: str | None
    measured_at: datetime
