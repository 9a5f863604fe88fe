"""One fact of every kind; every place where people write words holds WORDS."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import get_args

from clinical import events
from clinical.adverse_event_terms import Grade, Term
from clinical.adverse_events import AdverseEvent, Seriousness
from clinical.decision import Reason, Verdict
from clinical.dosing import DoseOrder
from clinical.downtime_sheet import DowntimeSheet, SheetLine
from clinical.events import Fact
from clinical.instruments.answers import InstrumentId, InstrumentResult
from clinical.instruments.registry import score
from clinical.journey import Move, Stage
from clinical.long_term import CheckResult, SafetyCheck
from clinical.people import Role
from clinical.protocol import Drug, Route
from clinical.protocol_duties import CheckCode
from clinical.recovery_scores import PadssItems
from clinical.risk import Disposition, RiskLevel
from clinical.safety_plan import SafetyPlan
from clinical.screening import Eligibility
from clinical.vitals import Action, Reading, Symptom, Tier
from tests.services.records.builders import START, a_start

WORDS = "Maria Canary, +1 202 555 0100, MRN-778899, wept about her brother"
LATER = START + timedelta(days=30)
HASH = "cd" * 32
REASON = Reason(rule="G4", verdict=Verdict.REFUSE, text=WORDS, source="facts", value=WORDS)
REASONS = (REASON,)

KINDS: frozenset[str] = frozenset(
    model.model_fields["kind"].default for model in get_args(get_args(events.Fact)[0])
)


def a_reading(systolic_mmhg: int = 128, at: datetime = START) -> Reading:
    return Reading(
        systolic_mmhg=systolic_mmhg,
        diastolic_mmhg=82,
        heart_rate_per_min=76,
        spo2_percent=98,
        symptoms=frozenset(Symptom),
        taken_at=at,
    )


def a_cssrs(**answers: int) -> InstrumentResult:
    return score(InstrumentId.CSSRS, {"q1": 0, "q2": 0, "q6": 0, **answers})


def a_phq9(*answers: int) -> InstrumentResult:
    return score(InstrumentId.PHQ9, {f"q{number}": value for number, value in enumerate(answers, start=1)})


def an_order() -> DoseOrder:
    return DoseOrder(
        drug=Drug.KETAMINE,
        route=Route.IV,
        dose_mg=Decimal("36.50"),
        mg_per_kg=Decimal("0.5"),
        weight_kg=Decimal("73"),
        weight_measured_at=START,
        volume_ml=Decimal("3.65"),
        concentration_mg_per_ml=Decimal("10"),
        rate_ml_per_h=Decimal("5.4"),
        infusion_minutes=40,
        inputs={"weight_kg": "73", "remark": WORDS},
    )


def a_dose(
    session: int = 1, at: datetime = START, dose_mg: str = "36.5", **given: object
) -> events.DoseGiven:
    return events.DoseGiven.model_validate(
        {
            "session": session,
            "dose_id": f"dose-{session}",
            "dose_mg": Decimal(dose_mg),
            "mg_per_kg": Decimal("0.5"),
            "weight_kg": 73,
            "given_at": at,
            "plan_hash": HASH,
            "lot": "LOT-1",
            "checked_by": "staff-9",
            **given,
        }
    )


def an_observation(
    observation_id: str, minute: int = 15, amends: str | None = None
) -> events.ObservationRecorded:
    return events.ObservationRecorded(
        session=1,
        observation_id=observation_id,
        reading=a_reading(),
        tier=Tier.ALERT,
        action=Action.NOTIFY_PRESCRIBER,
        minute=minute,
        padss=PadssItems(vital_signs=2, ambulation=2, nausea_vomiting=1, pain=2),
        cadss6=4,
        oriented=True,
        amends=amends,
    )


def an_approved_plan(version: int = 1) -> events.PlanApproved:
    return events.PlanApproved(
        version=version,
        plan_hash=HASH,
        sessions=6,
        mg_per_kg=Decimal("0.5"),
        max_mg=Decimal("80"),
        expires_at=LATER,
    )


def a_consent(version: str = "2026-01") -> events.ConsentGiven:
    return events.ConsentGiven(
        document_version=version, elements=("acute-risks",), capacity_attested_by=WORDS, expires_at=LATER
    )


def a_risk_case(case_id: str = "case-1") -> events.RiskOpened:
    return events.RiskOpened(
        case_id=case_id, level=RiskLevel.HIGH, trigger=WORDS, on_site=False, acknowledge_by=LATER
    )


def a_safety_plan(*steps: str) -> SafetyPlan:
    return SafetyPlan.model_validate(dict.fromkeys(SafetyPlan.model_fields, steps or (WORDS,)))


def a_task(task_id: str = "task-1", owner: Role = Role.NURSE, due_at: datetime = LATER) -> events.TaskOpened:
    return events.TaskOpened(task_id=task_id, code="weigh", owner=owner, due_at=due_at, reason=WORDS)


def an_adverse_event() -> AdverseEvent:
    return AdverseEvent(
        term=Term.HYPERTENSION,
        grade=Grade.SEVERE,
        seriousness=frozenset(Seriousness),
        onset_at=START,
        known_at=START,
        dose_at=START,
        drug=Drug.KETAMINE,
        time_zone="America/New_York",
    )


def a_sheet() -> DowntimeSheet:
    """A downtime sheet with little on it."""
    lines = (SheetLine(label="DOSE", value="36.5 mg"),)
    return DowntimeSheet.model_validate(
        {
            **dict.fromkeys(("head", "order", "accounting", "call"), lines),
            **dict.fromkeys(("second_check", "reading_rules", "tiers", "stop_when", "emergency"), ()),
            **dict.fromkeys(("earliest_home", "criteria", "booster", "afterwards"), ()),
            "title": "Downtime sheet",
            "notice": "an example",
            "patient_code": "code-1",
            "session": 1,
            "order_id": "session/1/order/1",
            "made_at": START,
            "reading_minutes": (10, 20),
            "blank_readings": 4,
        }
    )


SAMPLES: tuple[Fact, ...] = (
    a_start("nobody"),
    events.StageChanged(left=Stage.REFERRED, entered=Stage.CONSULTATION, move=Move.PROCEED, reason=WORDS),
    events.JourneyPaused(reason=WORDS, review_at=LATER),
    events.JourneyResumed(reason=WORDS),
    events.ProtocolMigrated(
        protocol="url|2", protocol_hash="0f" * 32, before="url|1", before_hash="f0" * 32, reason=WORDS
    ),
    events.ConsultationBooked(starts_at=START, ends_at=LATER),
    events.ConsultationHeld(outcome="proceed", reason=WORDS),
    a_consent(),
    events.ConsentReaffirmed(session=1, capacity=True),
    events.ConsentWithdrawn(channel="phone", reason=WORDS),
    events.QuestionnaireScored(context="baseline", result=a_phq9(2, 2, 2, 2, 1, 2, 1, 1, 1)),
    events.InterviewRecorded(round=1),
    events.MeasurementsRecorded(round=1, codes=("weight", "systolic")),
    events.ScreeningAssessed(
        round=1, eligibility=Eligibility.ELIGIBLE, reasons=REASONS, missing=("WORKUP-ECG",)
    ),
    events.ScreeningSigned(round=1, eligibility=Eligibility.ELIGIBLE, overrides=(), expires_at=LATER),
    events.ScreeningLapsed(round=1, reason=WORDS),
    events.PlanProposed(
        version=1, plan_hash=HASH, content={"goals": WORDS}, required_roles=(Role.PRESCRIBER, Role.THERAPIST)
    ),
    events.PlanApprovalGiven(version=1, plan_hash=HASH, role=Role.THERAPIST),
    an_approved_plan(),
    events.PlanRejected(version=1, plan_hash=HASH, reason=WORDS),
    events.PlanLapsed(version=1, reason=WORDS),
    events.PreparationHeld(number=1, held_at=START),
    events.SessionOpened(session=1, plan_hash=HASH, earliest_at=START),
    events.SessionBooked(session=1, starts_at=START, ends_at=LATER, room="2", moved_from=START),
    events.SessionConfirmed(session=1, starts_at=START, channel="sms"),
    events.ReadinessAnswered(session=1, light="amber", reasons=REASONS),
    events.MoveAsked(session=1),
    events.CheckedIn(session=1, weight_kg=73, baseline=a_reading(), tier=Tier.NORMAL),
    events.PrescriberPresent(session=1, present=True),
    events.DoseOrdered(session=1, order=an_order(), plan_hash=HASH),
    events.DowntimeSheetMade(
        session=1, order_id="session/1/order/1", sheet_hash=a_sheet().content_hash, sheet=a_sheet()
    ),
    events.GateEvaluated(session=1, green=True, reasons=REASONS),
    a_dose(),
    events.DoseEnded(
        session=1,
        dose_id="dose-1",
        ended_at=LATER,
        given_mg=Decimal("30"),
        wasted_mg=Decimal("6.5"),
        witness="staff-8",
        stopped_early=True,
        reason=WORDS,
    ),
    an_observation("obs-1"),
    events.ObservationLate(session=1, due_at=START, paged=Role.PRESCRIBER),
    events.TherapyRecorded(session=1, minutes=50, note_id="NOTE-1", note_hash=HASH, present_throughout=False),
    events.SessionDischarged(
        session=1, discharged_at=LATER, checklist=REASONS, overridden=True, override_reason=WORDS
    ),
    events.SessionClosed(session=1, status="finished", reason=WORDS),
    events.NextDayContact(session=1, reached=True, concerns=WORDS),
    events.IntegrationHeld(session=1, held_at=LATER, note_id="NOTE-2", note_hash=HASH),
    events.IntegrationWaived(session=1, reason=WORDS),
    events.ConcernsReviewed(session=1, assessment=WORDS),
    events.IntegrationMissed(session=1, due_at=LATER),
    events.DecisionAsked(after_dose=3, default="stop", reasons=REASONS),
    events.DecisionMade(after_dose=3, choice="go-on", reason=WORDS),
    a_risk_case(),
    events.RiskJoined(case_id="case-2", joined_to="case-1", level=RiskLevel.UNKNOWN),
    events.RiskPaged(case_id="case-1", role=Role.MEDICAL_DIRECTOR, rung=2),
    events.RiskAcknowledged(case_id="case-1"),
    events.RiskResolved(case_id="case-1", disposition=Disposition.SAFETY_PLAN, note=WORDS),
    events.ConcernRaised(case_id="case-1", level=RiskLevel.MODERATE, on_site=False, text=WORDS),
    events.CaringContactMade(case_id="case-1", number=1, outcome="not-reached", worried=True, note=WORDS),
    events.CaringContactMissed(case_id="case-1", number=2, due_at=LATER),
    events.SafetyPlanRecorded(plan=a_safety_plan(), review_by=LATER),
    events.AdverseEventRecorded(session=1, event=an_adverse_event()),
    events.SafetyCheckRecorded(
        session=1,
        check=SafetyCheck(code=CheckCode.URINARY_SYMPTOMS, result=CheckResult.ABNORMAL, at=LATER, note=WORDS),
    ),
    events.FollowUpMeasured(week=2, points_changed=-9, percent_changed=-60, response=True, remission=False),
    events.FollowUpMissed(week=4, due_at=LATER),
    events.RelapseFound(reasons=REASONS),
    a_task(),
    events.TaskOverdue(task_id="task-1", escalated_to=Role.MEDICAL_DIRECTOR),
    events.TaskDone(task_id="task-1"),
    events.TaskCancelled(task_id="task-1", reason=WORDS),
    events.MessageSettled(
        key="message/1",
        template="session_reminder",
        status="not-done",
        channel="sms",
        reason="expired",
        not_after=LATER,
        sent_at=None,
    ),
    events.JourneyClosed(stage=Stage.FINISHED, reason=WORDS, sessions_completed=1, doses=1, summary=(WORDS,)),
)
