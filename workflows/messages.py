"""What may be said to a workflow, and what does it answer? The models that history stores.

They outlive every release: a field may be added with a default, never renamed or removed. HTTP has models of
its own. Instants are aware; a command's `occurred_at` is when the person acted, if that is not now.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from activities.notifications import Mail
from clinical.adverse_events import AdverseEvent
from clinical.custody import FindingKind
from clinical.custody_events import Cause, CustodyDuty
from clinical.decision import Reason
from clinical.dosing import DoseOrder
from clinical.follow_up import DecisionNeeded
from clinical.instruments.answers import InstrumentId, InstrumentResult
from clinical.instruments.answers import Measurement as ScoredAt
from clinical.journey import Move, Stage
from clinical.long_term import DueCheck, SafetyCheck
from clinical.patient_record import Interview, Measurement, WorkUpResult
from clinical.people import Actor, Role
from clinical.plan import Standing
from clinical.protocol import Indication, Protocol
from clinical.protocol_desk import ESCALATION_BEFORE, Escalation
from clinical.protocol_duties import Custody
from clinical.protocol_migration import Migration
from clinical.readiness import ReadinessAnswers
from clinical.recovery_scores import PadssItems
from clinical.risk import Disposition, RiskLevel
from clinical.safety_plan import SafetyPlan
from clinical.schedule import PastDose
from clinical.screening import Eligibility, Override
from clinical.vitals import Action, Reading
from clinical.working_time import Span


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Command(Message):
    """Anything a person asks for. `key` is the caller's idempotency key: the same key never acts twice."""

    key: str = Field(min_length=1, max_length=128)
    actor: Actor
    occurred_at: AwareDatetime | None = None


class Accepted(Message):
    """The answer to a command: it is in the record. `state` says in one word where things stand now."""

    state: str
    at: datetime
    detail: dict[str, str] = {}


class StartJourney(Command):
    patient_id: str
    referral_id: str | None
    site: str
    time_zone: str
    indication: Indication
    protocol: Protocol
    closed: tuple[Span, ...] = ()
    """When the clinic is closed, as the record knew it: what only the calendar waits for stands still."""


class BookConsultation(Command):
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class RecordConsultation(Command):
    outcome: Literal["proceed", "decline", "refer-on"]
    reason: str = Field(min_length=1, max_length=2000)


class GiveConsent(Command):
    document_version: str
    elements: tuple[str, ...]
    capacity_attested: bool


class RecordPreparation(Command):
    held_at: AwareDatetime


class DecideCourse(Command):
    choice: Literal["go-on", "change", "stop"]
    reason: str = Field(min_length=1, max_length=2000)


class Pause(Command):
    reason: str = Field(min_length=1, max_length=2000)


class MigrateProtocol(Command):
    """Go by this protocol from here on. `in_the_chair`: a visit is under way, as the record knew it."""

    protocol: Protocol
    reason: str = Field(min_length=1, max_length=2000)
    in_the_chair: bool = False


class MigrationLook(Message):
    """What would speak against it, or come with it; nothing is done."""

    before: str
    before_hash: str
    found: Migration


class TakeProtocol(Message):
    """Journey to a visit: go by this protocol, if nobody has arrived yet."""

    protocol: Protocol


class Resume(Command):
    reason: str = Field(min_length=1, max_length=2000)


class Leave(Command):
    """Withdraw consent, transfer or end: `move` says which."""

    move: Literal[Move.WITHDRAW, Move.TRANSFER, Move.END]
    reason: str = Field(min_length=1, max_length=2000)
    channel: str = "in-person"


class ReportAdverseEvent(Command):
    session: int | None
    event: AdverseEvent


class AmendAdverseEvent(Command):
    """A further version of an event: a draft completed, a grade or an outcome corrected."""

    event_id: str
    event: AdverseEvent


class CompleteDuty(Command):
    """Say that a duty is done, and by what proof."""

    task_id: str
    evidence: str = Field(min_length=1, max_length=2000)


class ReleaseDuty(Command):
    """Let go of a duty that nobody did, after everybody was called: the medical director, with a reason."""

    task_id: str
    reason: str = Field(min_length=1, max_length=2000)


class RecordSafetyChecks(Command):
    checks: tuple[SafetyCheck, ...] = Field(min_length=1)


class DutyOwed(Message):
    """Something that must be done whatever becomes of the course, by whom and until when.

    `escalated_to`: who was called last. `event_id`, `session`: what it belongs to. `opened_at`: since when it is owed.
    """

    code: str
    owner: Role
    due_at: datetime
    reason: str
    overdue: bool = False
    reminded: bool = False
    escalated_to: Role | None = None
    event_id: str | None = None
    session: int | None = None
    opened_at: datetime | None = None


class DutyArose(Message):
    """A part tells its journey of a duty that has to outlive the part. The task is in the record already."""

    task_id: str
    duty: DutyOwed


class KnownEvent(Message):
    """What a journey has to remember of an adverse event: its last version, and which duties it brought."""

    event: AdverseEvent
    session: int | None = None
    version: int = 1
    linked_to: str | None = None
    owed: tuple[str, ...] = ()


class AdmissionOrAttempt(Message):
    """Journey to follow-up: after a response this alone is a relapse."""

    at: datetime


class ConsentTaken(Message):
    document_version: str
    elements: tuple[str, ...]
    given_at: datetime
    expires_at: datetime
    capacity_attested_by: str


class JourneyState(BaseModel):
    """Everything a journey knows; the argument of continue-as-new. Bounded however long the course is."""

    model_config = ConfigDict(extra="forbid")

    stage: Stage = Stage.REFERRED
    consultation: BookConsultation | None = None
    consultation_held: RecordConsultation | None = None
    consent: ConsentTaken | None = None
    screening_rounds: int = 0
    screening: "ScreeningOutcome | None" = None
    plan_versions: int = 0
    plan: "PlanAgreed | None" = None
    preparations: list[datetime] = []
    visits: int = 0
    missed_in_a_row: int = 0
    doses: list[PastDose] = []
    doses_before_plan: int = 0
    last_weight_kg: Decimal | None = None
    reported_at: datetime | None = None
    primary: list[ScoredAt] = []
    decided_after: list[int] = []
    decision: DecideCourse | None = None
    decision_needed: DecisionNeeded | None = None
    duties: dict[str, DutyOwed] = {}
    forms_owed: list[int] = []
    adverse_events: dict[str, KnownEvent] = {}
    admissions: list[datetime] = []
    checks: list[SafetyCheck] = []
    rounds_without_dose: int = 0
    suspended: bool = False
    follow_up_rounds: int = 0
    summary: tuple[str, ...] = ()
    sessions_completed: int = 0
    risk_open: str | None = None
    safety_plan_at: datetime | None = None
    safety_plan_review: "ReviewOwed | None" = None
    pauses: int = 0
    plan_outdated: bool = False
    held_since: datetime | None = None
    held_for: timedelta = timedelta()
    leaving: Leave | None = None
    reason: str = ""
    answers: dict[str, Accepted] = {}


class JourneyInput(Message):
    """`state` is set when the journey continues as new."""

    journey_id: str
    start: StartJourney
    state: JourneyState | None = None


class JourneyOutcome(Message):
    stage: Stage
    reason: str
    doses: int
    sessions_completed: int


class StartScreening(Message):
    journey_id: str
    site: str
    patient_id: str
    referral_id: str | None
    round: int
    protocol: Protocol
    indication: Indication
    opened_at: datetime
    closed: tuple[Span, ...] = ()


class RecordInterview(Command):
    interview: Interview


class RecordMeasurements(Command):
    measurements: tuple[Measurement, ...] = ()
    work_up: tuple[WorkUpResult, ...] = ()


class QuestionnaireAnswers(Message):
    instrument: InstrumentId
    answers: dict[str, int]
    client_score: float | None = None


class SubmitQuestionnaires(Command):
    """`checks`: what was asked about long-term effects in the same breath, in a week of follow-up."""

    questionnaires: tuple[QuestionnaireAnswers, ...] = Field(min_length=1)
    on_site: bool = True
    checks: tuple[SafetyCheck, ...] = ()


class SignScreening(Command):
    eligibility: Eligibility
    overrides: tuple[Override, ...] = ()


class Baseline(Message):
    """What later phases need of a screening."""

    height_cm: float | None
    weight_kg: float | None
    sex: str | None
    pregnancy_applicable: bool
    results: dict[str, InstrumentResult]
    extended_observation: bool
    """True when age or liver ask for a longer stay after each dose."""


class ScreeningOutcome(Message):
    ended: Literal["signed", "lapsed", "stopped"]
    eligibility: Eligibility | None = None
    expires_at: datetime | None = None
    baseline: Baseline | None = None
    reason: str = ""
    at: datetime | None = None


class PlanContent(Message):
    """The personal plan. Its hash is what people approve."""

    sessions: int = Field(ge=1, le=20)
    mg_per_kg: Decimal | None = Field(default=None, gt=0)
    dose_mg: Decimal | None = Field(default=None, gt=0)
    max_mg: Decimal = Field(gt=0)
    boosters: int = Field(default=0, ge=0, le=5)
    infusion_minutes: int | None = Field(default=None, gt=0)
    phase: str | None = Field(default=None, max_length=40)
    preparation_sessions: int = Field(ge=0)
    goals: str = Field(min_length=1, max_length=4000)


class StartPlanApproval(Message):
    journey_id: str
    site: str
    patient_id: str
    version: int
    amends: int | None
    protocol: Protocol
    screening_expires_at: datetime
    opened_at: datetime
    standing: Standing = Standing()
    closed: tuple[Span, ...] = ()


class ProposePlan(Command):
    content: PlanContent


class ApprovePlan(Command):
    plan_hash: str


class RejectPlan(Command):
    plan_hash: str
    reason: str = Field(min_length=1, max_length=2000)


class PlanAgreed(Message):
    version: int
    plan_hash: str
    content: PlanContent
    expires_at: datetime


class PlanOutcome(Message):
    ended: Literal["approved", "lapsed", "stopped"]
    plan: PlanAgreed | None = None
    reason: str = ""
    at: datetime | None = None


class StartSession(Message):
    journey_id: str
    site: str
    patient_id: str
    session: int
    dose_number: int
    protocol: Protocol
    indication: Indication
    plan: PlanAgreed
    baseline: Baseline
    earliest_at: datetime
    opened_at: datetime
    time_zone: str
    past_doses: tuple[PastDose, ...]
    previous_weight_kg: Decimal | None = None
    on_hold: bool = False
    checks: tuple[DueCheck, ...] = ()
    """The long-term checks that are due: asked for at the door of this session."""
    closed: tuple[Span, ...] = ()


class BookSession(Command):
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    room: str = Field(min_length=1, max_length=64)


class CancelSession(Command):
    reason: str = Field(min_length=1, max_length=2000)


class AnswerReadiness(Command):
    answers: ReadinessAnswers


class AskToMove(Command):
    """The patient asks for another time: a coordinator finds one with them."""


class CheckIn(Command):
    weight_kg: Decimal | None = Field(default=None, gt=0, le=1000)
    weight_verified: bool = False
    baseline: Reading
    identifiers_confirmed: int
    food_at: AwareDatetime | None
    fluids_at: AwareDatetime | None
    escort_confirmed: bool
    substance_free: bool | None
    pregnancy_test_negative_at: AwareDatetime | None = None
    medications_reconciled_at: AwareDatetime | None
    blocking_interactions: tuple[str, ...] | None
    other_clinic_dose: bool | None
    nasal_spray_free: bool | None = None
    rems_setting_certified: bool | None = None
    rems_patient_enrolled: bool | None = None
    cadss6_baseline: int | None = None
    adverse_events_reviewed: bool | None = None
    checks: tuple[SafetyCheck, ...] = ()


class RecordBaseline(Command):
    """Another pre-dose reading, after rest, when the first was too high."""

    baseline: Reading


class OrderDose(Command):
    """By weight `mg_per_kg`, in whole units `dose_mg`. After the first dose this orders a booster."""

    mg_per_kg: Decimal | None = Field(default=None, gt=0)
    dose_mg: Decimal | None = Field(default=None, gt=0)
    capacity_today: bool
    consent_reaffirmed: bool
    new_psychosis_or_mania: bool | None
    caution_attested: str | None = None
    reentry_reviewed: str | None = Field(default=None, max_length=2000)


class GiveDose(Command):
    dose_mg: Decimal
    plan_hash: str
    lot: str = Field(min_length=1, max_length=64)
    lot_expires_on: str
    product: str = Field(min_length=1, max_length=200)
    second_check_by: str
    container_id: str | None = Field(default=None, max_length=64)
    monitor_present: bool
    equipment_checked: bool


class EndDose(Command):
    given_mg: Decimal = Field(ge=0)
    wasted_mg: Decimal = Field(ge=0)
    witness: str | None
    stopped_early: bool = False
    reason: str | None = None
    returned_mg: Decimal = Field(default=Decimal(0), ge=0)
    """Unopened units that went back into their container."""


class RecordObservation(Command):
    reading: Reading
    action: Action | None = None
    padss: PadssItems | None = None
    cadss6: int | None = Field(default=None, ge=0, le=24)
    oriented: bool | None = None
    amends: str | None = None


class SetPresence(Command):
    present: bool


class RecordTherapy(Command):
    """`note_id` and `note_hash` name the psychotherapy note; `themes` held it before notes were kept apart."""

    minutes: int = Field(gt=0, le=600)
    themes: str = Field(default="", max_length=8000)
    note_id: str | None = Field(default=None, max_length=64)
    note_hash: str | None = Field(default=None, max_length=64)
    present_throughout: bool | None = None
    others_present: tuple[str, ...] = Field(default=(), max_length=10)


class Discharge(Command):
    escort_present: bool
    instructions_given: bool
    dissociation_attested: bool = False
    override_reason: str | None = None


class RecordContact(Command):
    reached: bool
    concerns: str | None = Field(default=None, max_length=4000)


class RecordIntegration(Command):
    """`note_id` and `note_hash` name the psychotherapy note; `note` held it before notes were kept apart."""

    held_at: AwareDatetime
    note: str = Field(default="", max_length=8000)
    note_id: str | None = Field(default=None, max_length=64)
    note_hash: str | None = Field(default=None, max_length=64)


class WaiveIntegration(Command):
    reason: str = Field(min_length=1, max_length=2000)


class ReviewConcerns(Command):
    """What a licensed clinician made of the concerns of the day after."""

    assessment: str = Field(min_length=1, max_length=2000)


class DoseOrdered(Accepted):
    order: DoseOrder
    reasons: tuple[Reason, ...]


class SessionDischargedSignal(Message):
    """Child to journey: the person went home; the next session may be opened."""

    session: int
    at: datetime
    dose: PastDose
    primary: InstrumentResult | None
    weight_kg: Decimal | None
    checks: tuple[SafetyCheck, ...] = ()
    duties: tuple[DutyArose, ...] = ()


class SessionOutcome(Message):
    """`unsent`: what the patient is to be told in the morning, when the session is long over."""

    session: int
    status: Literal["finished", "cancelled", "noshow"]
    reason: str
    dose: PastDose | None
    at: datetime
    checks: tuple[SafetyCheck, ...] = ()
    duties: tuple[DutyArose, ...] = ()
    unsent: tuple[Mail, ...] = ()


class StartFollowUp(Message):
    journey_id: str
    site: str
    patient_id: str
    round: int
    protocol: Protocol
    indication: Indication
    baseline: Baseline | None
    last_dose_at: datetime
    doses: int = 0
    first_dose_at: datetime | None = None
    opened_at: datetime
    time_zone: str
    scored_before: tuple[ScoredAt, ...] = ()
    """The scores taken during the treatment: a relapse is the loss of a response, and that is where it shows."""
    dosed_at: tuple[datetime, ...] = ()
    checks: tuple[SafetyCheck, ...] = ()
    admissions: tuple[datetime, ...] = ()


class FollowUpOutcome(Message):
    """`checks`: the long-term checks that were recorded in this round."""

    ended: Literal["completed", "relapse", "stopped"]
    reason: str
    at: datetime
    summary: tuple[str, ...] = ()
    checks: tuple[SafetyCheck, ...] = ()


class RiskSignal(Message):
    """A finding on its way from where it was made to the journey that owns the case."""

    case_id: str
    level: RiskLevel
    trigger: str
    on_site: bool
    found_at: datetime
    patient_id: str


class StartRisk(Message):
    journey_id: str
    site: str
    protocol: Protocol
    finding: RiskSignal
    paged: int = 0
    last_page_at: datetime | None = None
    acknowledged_at: datetime | None = None
    worsened: bool = False
    """A worse finding came after somebody had taken over, and nobody has taken that over yet."""
    planned_at: datetime | None = None
    concern: "RaiseConcern | None" = None
    """Set when the concern of this key opens the case on its own, because the course is over."""
    resolution: "ResolveRisk | None" = None
    resolved_at: datetime | None = None


class AcknowledgeRisk(Command):
    pass


class ResolveRisk(Command):
    disposition: Disposition
    note: str = Field(min_length=1, max_length=4000)
    without_plan: str | None = Field(default=None, max_length=2000)
    """Why a case of moderate or more is closed without a safety plan."""


class RaiseConcern(Command):
    """A member of staff is worried about the patient. Without a level the protocol's counts."""

    text: str = Field(min_length=1, max_length=4000)
    on_site: bool
    level: Literal[RiskLevel.MODERATE, RiskLevel.HIGH] | None = None


class RecordSafetyPlan(Command):
    """A new version of the safety plan, made or reviewed with the person by who sends this."""

    plan: SafetyPlan


class ReviewOwed(Message):
    """The task to review a safety plan, and whether it has been called overdue."""

    task_id: str
    due_at: datetime
    overdue: bool = False
    opened_at: datetime | None = None


class SafetyPlanMade(Message):
    """Journey to its open case: there is a safety plan, of this instant or of now."""

    at: datetime | None


class RecordCaringContact(Command):
    """`number`: which of the contacts owed; default the first that is open."""

    outcome: Literal["reached", "not-reached", "closed-unreached"]
    note: str = Field(min_length=1, max_length=4000)
    worried: bool = False
    on_site: bool = False
    number: int | None = Field(default=None, ge=1, le=20)


class RiskClosed(Message):
    case_id: str
    at: datetime


class Stop(Message):
    """The journey asks a part to come to its end: at once, or when the person in the chair has gone home."""

    reason: str
    withdrawn: bool


class Hold(Message):
    on_hold: bool
    at: datetime


class StartDiscrepancy(Message):
    """A difference in the drug books whose case the engine takes over, with the numbers of the site's protocol."""

    site: str
    container_id: str
    number: int
    kind: FindingKind
    difference_mg: Decimal
    opened_at: datetime
    owner: Role
    involved: tuple[str, ...]
    custody: Custody
    escalation: Escalation = ESCALATION_BEFORE


class ExplainDiscrepancy(Command):
    cause: Cause
    note: str = Field(min_length=1, max_length=4000)


class DeclareLoss(Command):
    reason: str = Field(min_length=1, max_length=2000)


class ReportLoss(Command):
    """Notice or Form 106 has gone out; `proof` is what the receiver gave back."""

    duty: Literal[CustodyDuty.NOTICE, CustodyDuty.FORM]
    proof: str = Field(min_length=1, max_length=2000)


class DiscrepancyOutcome(Message):
    outcome: Literal["explained", "loss-reported"]
    at: datetime
