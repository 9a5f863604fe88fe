"""What can happen in a course of treatment? The facts a journey's record is made of.

Each fact is one frozen model with a `kind`; a journey is the list of its facts in order, and the invariants
read nothing else. Clinical values carry UCUM units in their names; instants are aware and in UTC.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from clinical.adverse_events import AdverseEvent
from clinical.decision import Reason
from clinical.dosing import DoseOrder
from clinical.downtime_sheet import DowntimeSheet
from clinical.instruments.answers import InstrumentResult
from clinical.journey import Move, Stage
from clinical.long_term import SafetyCheck
from clinical.people import Actor, Role
from clinical.protocol import Indication
from clinical.recovery_scores import PadssItems
from clinical.risk import Disposition, RiskLevel
from clinical.safety_plan import SafetyPlan
from clinical.screening import Eligibility, Override
from clinical.vitals import Action, Reading, Tier


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JourneyStarted(_Fact):
    kind: Literal["journey.started"] = "journey.started"
    patient_id: str
    referral_id: str | None
    indication: Indication
    protocol: str
    protocol_hash: str
    time_zone: str


class StageChanged(_Fact):
    kind: Literal["journey.stage-changed"] = "journey.stage-changed"
    left: Stage
    entered: Stage
    move: Move
    reason: str


class JourneyPaused(_Fact):
    kind: Literal["journey.paused"] = "journey.paused"
    reason: str
    review_at: datetime


class JourneyResumed(_Fact):
    kind: Literal["journey.resumed"] = "journey.resumed"
    reason: str


class ProtocolMigrated(_Fact):
    """The course goes by another protocol from here on. `plan_anew`: the plan has to be approved again."""

    kind: Literal["journey.protocol-migrated"] = "journey.protocol-migrated"
    protocol: str
    protocol_hash: str
    before: str
    before_hash: str
    reason: str
    plan_anew: bool = False


class JourneyClosed(_Fact):
    """The closing summary: what was done, how it went, why it ended."""

    kind: Literal["journey.closed"] = "journey.closed"
    stage: Stage
    reason: str
    sessions_completed: int
    doses: int
    summary: tuple[str, ...] = ()


class ConsultationBooked(_Fact):
    kind: Literal["consultation.booked"] = "consultation.booked"
    starts_at: datetime
    ends_at: datetime


class ConsultationHeld(_Fact):
    kind: Literal["consultation.held"] = "consultation.held"
    outcome: Literal["proceed", "decline", "refer-on"]
    reason: str


class ConsentGiven(_Fact):
    kind: Literal["consent.given"] = "consent.given"
    document_version: str
    elements: tuple[str, ...]
    capacity_attested_by: str
    expires_at: datetime


class ConsentReaffirmed(_Fact):
    kind: Literal["consent.reaffirmed"] = "consent.reaffirmed"
    session: int
    capacity: bool


class ConsentWithdrawn(_Fact):
    kind: Literal["consent.withdrawn"] = "consent.withdrawn"
    channel: str
    reason: str


class QuestionnaireScored(_Fact):
    kind: Literal["questionnaire.scored"] = "questionnaire.scored"
    context: str
    result: InstrumentResult


class InterviewRecorded(_Fact):
    kind: Literal["screening.interview-recorded"] = "screening.interview-recorded"
    round: int


class MeasurementsRecorded(_Fact):
    kind: Literal["screening.measurements-recorded"] = "screening.measurements-recorded"
    round: int
    codes: tuple[str, ...]


class ScreeningAssessed(_Fact):
    kind: Literal["screening.assessed"] = "screening.assessed"
    round: int
    eligibility: Eligibility
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]


class ScreeningSigned(_Fact):
    kind: Literal["screening.signed"] = "screening.signed"
    round: int
    eligibility: Eligibility
    overrides: tuple[Override, ...]
    expires_at: datetime


class ScreeningLapsed(_Fact):
    kind: Literal["screening.lapsed"] = "screening.lapsed"
    round: int
    reason: str


class PlanProposed(_Fact):
    kind: Literal["plan.proposed"] = "plan.proposed"
    version: int
    plan_hash: str
    content: dict[str, str]
    required_roles: tuple[Role, ...]
    amends: int | None = None


class PlanApprovalGiven(_Fact):
    kind: Literal["plan.approval-given"] = "plan.approval-given"
    version: int
    plan_hash: str
    role: Role


class PlanApproved(_Fact):
    kind: Literal["plan.approved"] = "plan.approved"
    version: int
    plan_hash: str
    sessions: int
    mg_per_kg: Decimal | None = None
    dose_mg: Decimal | None = None
    max_mg: Decimal
    boosters: int = 0
    phase: str | None = None
    expires_at: datetime


class PlanRejected(_Fact):
    kind: Literal["plan.rejected"] = "plan.rejected"
    version: int
    plan_hash: str
    reason: str


class PlanLapsed(_Fact):
    kind: Literal["plan.lapsed"] = "plan.lapsed"
    version: int
    reason: str


class PreparationHeld(_Fact):
    kind: Literal["preparation.held"] = "preparation.held"
    number: int
    held_at: datetime


class SessionOpened(_Fact):
    kind: Literal["session.opened"] = "session.opened"
    session: int
    plan_hash: str
    earliest_at: datetime


class SessionBooked(_Fact):
    kind: Literal["session.booked"] = "session.booked"
    session: int
    starts_at: datetime
    ends_at: datetime
    room: str
    moved_from: datetime | None = None


class SessionConfirmed(_Fact):
    """The patient said that they will come to the visit that starts then; another time needs another word."""

    kind: Literal["session.confirmed"] = "session.confirmed"
    session: int
    starts_at: datetime
    channel: str


class ReadinessAnswered(_Fact):
    kind: Literal["session.readiness-answered"] = "session.readiness-answered"
    session: int
    light: str
    reasons: tuple[Reason, ...]


class MoveAsked(_Fact):
    """The patient asked for another time; the visit stays booked until somebody has found one with them."""

    kind: Literal["session.move-asked"] = "session.move-asked"
    session: int


class CheckedIn(_Fact):
    kind: Literal["session.checked-in"] = "session.checked-in"
    session: int
    weight_kg: float | None = None
    baseline: Reading
    tier: Tier
    adverse_events_reviewed: bool | None = None


class PrescriberPresent(_Fact):
    """The prescriber came on site (`present`) or left; presence must cover dose to discharge."""

    kind: Literal["session.prescriber-presence"] = "session.prescriber-presence"
    session: int
    present: bool


class DoseOrdered(_Fact):
    kind: Literal["dose.ordered"] = "dose.ordered"
    session: int
    order: DoseOrder
    plan_hash: str
    order_id: str | None = None


class DowntimeSheetMade(_Fact):
    """The page with which the chair can go on, for exactly one order; whole, so that it can be printed again."""

    kind: Literal["session.downtime-sheet-made"] = "session.downtime-sheet-made"
    session: int
    order_id: str
    sheet_hash: str
    sheet: DowntimeSheet


class GateEvaluated(_Fact):
    kind: Literal["gate.evaluated"] = "gate.evaluated"
    session: int
    green: bool
    reasons: tuple[Reason, ...]


class DoseGiven(_Fact):
    """A dose was started. `dose_mg` counts towards every cap from this moment, whatever happens after."""

    kind: Literal["dose.given"] = "dose.given"
    session: int
    dose_id: str
    dose_mg: Decimal
    mg_per_kg: Decimal | None = None
    weight_kg: float | None = None
    given_at: datetime
    plan_hash: str
    lot: str
    checked_by: str
    booster: bool = False
    container_id: str | None = None
    units: int | None = None
    drawn_mg: Decimal | None = None


class DoseEnded(_Fact):
    kind: Literal["dose.ended"] = "dose.ended"
    session: int
    dose_id: str
    ended_at: datetime
    given_mg: Decimal
    wasted_mg: Decimal
    witness: str | None
    stopped_early: bool
    reason: str | None = None
    returned_mg: Decimal = Decimal(0)


class ObservationRecorded(_Fact):
    kind: Literal["observation.recorded"] = "observation.recorded"
    session: int
    observation_id: str
    reading: Reading
    tier: Tier
    action: Action | None
    minute: int
    padss: PadssItems | None = None
    cadss6: int | None = None
    oriented: bool | None = None
    amends: str | None = None


class ObservationLate(_Fact):
    kind: Literal["observation.late"] = "observation.late"
    session: int
    due_at: datetime
    paged: Role


class TherapyRecorded(_Fact):
    """How long a therapist worked with the patient, and who else was there.

    What was spoken of is a psychotherapy note: kept apart, named here by id and hash. `themes` is filled in
    records that were written before notes were kept apart, and nowhere else.
    """

    kind: Literal["therapy.recorded"] = "therapy.recorded"
    session: int
    minutes: int
    themes: str = ""
    note_id: str | None = None
    note_hash: str | None = None
    present_throughout: bool | None = None
    others_present: tuple[str, ...] = ()


class SessionDischarged(_Fact):
    kind: Literal["session.discharged"] = "session.discharged"
    session: int
    discharged_at: datetime
    checklist: tuple[Reason, ...]
    overridden: bool = False
    override_reason: str | None = None


class SessionClosed(_Fact):
    """How a session ended, in the words of FHIR's Encounter and Appointment."""

    kind: Literal["session.closed"] = "session.closed"
    session: int
    status: Literal["finished", "cancelled", "noshow"]
    reason: str


class NextDayContact(_Fact):
    kind: Literal["session.next-day-contact"] = "session.next-day-contact"
    session: int
    reached: bool
    concerns: str | None = None


class ConcernsReviewed(_Fact):
    """A licensed clinician has looked at what worried the patient on the day after."""

    kind: Literal["session.concerns-reviewed"] = "session.concerns-reviewed"
    session: int
    assessment: str


class IntegrationHeld(_Fact):
    kind: Literal["integration.held"] = "integration.held"
    session: int
    held_at: datetime
    note_id: str | None = None
    note_hash: str | None = None


class IntegrationWaived(_Fact):
    """A therapist lets the next dose go on without the integration of this one (facts §4)."""

    kind: Literal["integration.waived"] = "integration.waived"
    session: int
    reason: str


class IntegrationMissed(_Fact):
    kind: Literal["integration.missed"] = "integration.missed"
    session: int
    due_at: datetime


class DecisionAsked(_Fact):
    kind: Literal["course.decision-asked"] = "course.decision-asked"
    after_dose: int
    default: str
    reasons: tuple[Reason, ...]


class DecisionMade(_Fact):
    kind: Literal["course.decision-made"] = "course.decision-made"
    after_dose: int
    choice: Literal["go-on", "change", "stop"]
    reason: str


class RiskOpened(_Fact):
    kind: Literal["risk.opened"] = "risk.opened"
    case_id: str
    level: RiskLevel
    trigger: str
    on_site: bool
    acknowledge_by: datetime


class RiskJoined(_Fact):
    kind: Literal["risk.joined"] = "risk.joined"
    case_id: str
    joined_to: str
    level: RiskLevel


class RiskPaged(_Fact):
    kind: Literal["risk.paged"] = "risk.paged"
    case_id: str
    role: Role
    rung: int


class RiskAcknowledged(_Fact):
    kind: Literal["risk.acknowledged"] = "risk.acknowledged"
    case_id: str


class RiskResolved(_Fact):
    kind: Literal["risk.resolved"] = "risk.resolved"
    case_id: str
    disposition: Disposition
    note: str
    without_plan: str | None = None


class ConcernRaised(_Fact):
    """A member of staff is worried, in their own words; the case that it opened stands beside it."""

    kind: Literal["risk.concern-raised"] = "risk.concern-raised"
    case_id: str
    level: RiskLevel
    on_site: bool
    text: str


class CaringContactMade(_Fact):
    """A contact after a crisis, or the attempt. `closed-unreached`: a licensed clinician ends the attempts."""

    kind: Literal["risk.contact-made"] = "risk.contact-made"
    case_id: str
    number: int
    outcome: Literal["reached", "not-reached", "closed-unreached"]
    worried: bool
    note: str


class CaringContactMissed(_Fact):
    kind: Literal["risk.contact-missed"] = "risk.contact-missed"
    case_id: str
    number: int
    due_at: datetime


class SafetyPlanRecorded(_Fact):
    """A version of the safety plan, made or reviewed by the actor of this entry."""

    kind: Literal["safety-plan.recorded"] = "safety-plan.recorded"
    plan: SafetyPlan
    review_by: datetime


class AdverseEventRecorded(_Fact):
    """One version of an adverse event. `linked_to`: probably the same as that one; both stay in the record."""

    kind: Literal["adverse-event.recorded"] = "adverse-event.recorded"
    session: int | None
    event: AdverseEvent
    event_id: str | None = None
    version: int = 1
    linked_to: str | None = None


class SafetyCheckRecorded(_Fact):
    """A long-term check: bladder, liver, cognition, misuse, the reason to go on (facts §7.5)."""

    kind: Literal["safety-check.recorded"] = "safety-check.recorded"
    session: int | None = None
    check: SafetyCheck


class FollowUpMeasured(_Fact):
    kind: Literal["follow-up.measured"] = "follow-up.measured"
    week: int
    points_changed: float | None
    percent_changed: float | None
    response: bool | None
    remission: bool | None


class FollowUpMissed(_Fact):
    kind: Literal["follow-up.missed"] = "follow-up.missed"
    week: int
    due_at: datetime


class RelapseFound(_Fact):
    kind: Literal["follow-up.relapse-found"] = "follow-up.relapse-found"
    reasons: tuple[Reason, ...]


class TaskOpened(_Fact):
    """A human step: who owes what until when (FHIR Task). `task_id` is unique in the journey."""

    kind: Literal["task.opened"] = "task.opened"
    task_id: str
    code: str
    owner: Role
    due_at: datetime
    reason: str


class TaskOverdue(_Fact):
    kind: Literal["task.overdue"] = "task.overdue"
    task_id: str
    escalated_to: Role


class TaskDone(_Fact):
    """`evidence`: the proof of submission, where the task asks for one."""

    kind: Literal["task.completed"] = "task.completed"
    task_id: str
    evidence: str | None = None


class TaskCancelled(_Fact):
    kind: Literal["task.cancelled"] = "task.cancelled"
    task_id: str
    reason: str


class MessageSettled(_Fact):
    """What became of one message: completed, not-done or stopped (FHIR Communication), and why."""

    kind: Literal["message.settled"] = "message.settled"
    key: str
    template: str
    status: str
    channel: str | None
    reason: str | None
    not_after: datetime
    sent_at: datetime | None


Fact = Annotated[
    JourneyStarted
    | StageChanged
    | JourneyPaused
    | JourneyResumed
    | ProtocolMigrated
    | JourneyClosed
    | ConsultationBooked
    | ConsultationHeld
    | ConsentGiven
    | ConsentReaffirmed
    | ConsentWithdrawn
    | QuestionnaireScored
    | InterviewRecorded
    | MeasurementsRecorded
    | ScreeningAssessed
    | ScreeningSigned
    | ScreeningLapsed
    | PlanProposed
    | PlanApprovalGiven
    | PlanApproved
    | PlanRejected
    | PlanLapsed
    | PreparationHeld
    | SessionOpened
    | SessionBooked
    | SessionConfirmed
    | ReadinessAnswered
    | MoveAsked
    | CheckedIn
    | PrescriberPresent
    | DoseOrdered
    | DowntimeSheetMade
    | GateEvaluated
    | DoseGiven
    | DoseEnded
    | ObservationRecorded
    | ObservationLate
    | TherapyRecorded
    | SessionDischarged
    | SessionClosed
    | NextDayContact
    | IntegrationHeld
    | IntegrationMissed
    | IntegrationWaived
    | ConcernsReviewed
    | DecisionAsked
    | DecisionMade
    | RiskOpened
    | RiskJoined
    | RiskPaged
    | RiskAcknowledged
    | RiskResolved
    | ConcernRaised
    | CaringContactMade
    | CaringContactMissed
    | SafetyPlanRecorded
    | AdverseEventRecorded
    | SafetyCheckRecorded
    | FollowUpMeasured
    | FollowUpMissed
    | RelapseFound
    | TaskOpened
    | TaskOverdue
    | TaskDone
    | TaskCancelled
    | MessageSettled,
    Field(discriminator="kind"),
]


class Entry(BaseModel):
    """One fact on its way into the record. `key` makes it unique in the journey: a second one changes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    occurred_at: datetime
    actor: Actor
    fact: Fact


class RecordedEntry(Entry):
    """A fact in the record: numbered, hashed over its predecessor, with the wall-clock time of writing."""

    seq: int
    recorded_at: datetime
    previous_hash: str
    hash: str


class JourneyStatus(StrEnum):
    """The course of care in FHIR's words (EpisodeOfCare)."""

    PLANNED = "planned"
    ACTIVE = "active"
    ON_HOLD = "onhold"
    FINISHED = "finished"
    CANCELLED = "cancelled"
