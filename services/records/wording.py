"""How does a fact read in the timeline? One plain sentence for each, for people who may read the record.

Local times are those of the course's zone. A line may hold what people wrote (a reason, a concern): it is for
the record's readers only, never for logs, messages or search attributes.
"""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import assert_never
from zoneinfo import ZoneInfo

from clinical import events
from clinical.decision import Reason, Verdict
from clinical.events import Fact
from clinical.instruments.answers import InstrumentId, InstrumentResult
from clinical.vitals import Reading
from services.records.fact_groups import (
    AfterCrisisFact,
    ChairFact,
    CourseFact,
    PlanFact,
    SafetyFact,
    SuitabilityFact,
    VisitFact,
    WorkFact,
)
from services.records.plain_words import words as _words
from services.records.safety_wording import after_crisis, safety

NAMES = {
    InstrumentId.PHQ9: "PHQ-9",
    InstrumentId.GAD7: "GAD-7",
    InstrumentId.PCL5: "PCL-5",
    InstrumentId.CSSRS: "C-SSRS screener",
    InstrumentId.AUDIT_C: "AUDIT-C",
    InstrumentId.DAST10: "DAST-10",
    InstrumentId.PDSS_SR: "PDSS-SR",
    InstrumentId.QIDS_SR16: "QIDS-SR16",
    InstrumentId.MADRS: "MADRS",
    InstrumentId.CADSS6: "CADSS-6",
    InstrumentId.MEQ30: "MEQ30",
    InstrumentId.EDI: "EDI",
}


def line(fact: Fact, zone: ZoneInfo) -> str:
    """What happened, in one line."""
    return " ".join(_sentence(fact, zone).split())


def _sentence(fact: Fact, zone: ZoneInfo) -> str:
    if isinstance(fact, CourseFact):
        return _course(fact, zone)
    if isinstance(fact, SuitabilityFact):
        return _suitability(fact, zone)
    if isinstance(fact, PlanFact):
        return _plan(fact, zone)
    if isinstance(fact, VisitFact):
        return _visit(fact, zone)
    if isinstance(fact, ChairFact):
        return _chair(fact, zone)
    if isinstance(fact, SafetyFact):
        return safety(fact, partial(_at, zone=zone))
    if isinstance(fact, AfterCrisisFact):
        return after_crisis(fact, partial(_at, zone=zone))
    if isinstance(fact, WorkFact):
        return _work(fact, zone)
    assert_never(fact)


def _course(fact: CourseFact, zone: ZoneInfo) -> str:
    match fact:
        case events.JourneyStarted():
            return f"Course started: {_words(fact.indication)}, protocol {fact.protocol}"
        case events.StageChanged():
            return f"Stage {fact.left} → {fact.entered} ({_words(fact.move)}): {fact.reason}"
        case events.JourneyPaused():
            return f"Course paused until a review on {_at(fact.review_at, zone)}: {fact.reason}"
        case events.JourneyResumed():
            return f"Course resumed: {fact.reason}"
        case events.ProtocolMigrated():
            anew = "; the plan is approved anew" if fact.plan_anew else ""
            return f"Course goes by protocol {fact.protocol} instead of {fact.before}{anew}: {fact.reason}"
        case events.JourneyClosed():
            done = f"{fact.sessions_completed} sessions, {fact.doses} doses"
            return f"Course closed as {fact.stage} after {done}: {fact.reason}"
        case events.ConsultationBooked():
            return f"Consultation booked for {_at(fact.starts_at, zone)}"
        case events.ConsultationHeld():
            return f"Consultation held: {fact.outcome}. {fact.reason}"
        case _:
            assert_never(fact)


def _suitability(fact: SuitabilityFact, zone: ZoneInfo) -> str:
    match fact:
        case events.ConsentGiven():
            count = len(fact.elements)
            until = _at(fact.expires_at, zone)
            return (
                f"Consent given to document {fact.document_version} ({count} elements), valid until {until}"
            )
        case events.ConsentReaffirmed():
            capacity = "" if fact.capacity else "; capacity was NOT found"
            return f"Consent affirmed again for session {fact.session}{capacity}"
        case events.ConsentWithdrawn():
            return f"Consent withdrawn ({fact.channel}): {fact.reason}"
        case events.QuestionnaireScored():
            return _result(fact.result)
        case events.InterviewRecorded():
            return f"Screening round {fact.round}: interview recorded"
        case events.MeasurementsRecorded():
            return f"Screening round {fact.round}: measured {', '.join(fact.codes)}"
        case events.ScreeningAssessed():
            absent = f"; missing: {', '.join(fact.missing)}" if fact.missing else ""
            return f"Screening round {fact.round}: {fact.eligibility}{_objections(fact.reasons)}{absent}"
        case events.ScreeningSigned():
            count = len(fact.overrides)
            overrides = f" with {count} override{'s' if count > 1 else ''}" if count else ""
            until = _at(fact.expires_at, zone)
            return f"Screening round {fact.round} signed: {fact.eligibility}{overrides}, valid until {until}"
        case events.ScreeningLapsed():
            return f"Screening round {fact.round} lapsed: {fact.reason}"
        case _:
            assert_never(fact)


def _plan(fact: PlanFact, zone: ZoneInfo) -> str:
    match fact:
        case events.PlanProposed():
            amends = f", amending version {fact.amends}" if fact.amends is not None else ""
            return f"Plan version {fact.version} proposed{amends}"
        case events.PlanApprovalGiven():
            return f"Plan version {fact.version} approved by the {_words(fact.role)}"
        case events.PlanApproved():
            single = (
                f"{_number(fact.mg_per_kg)} mg/kg"
                if fact.mg_per_kg is not None
                else f"{_number(fact.dose_mg or Decimal(0))} mg"
            )
            dose = f"{single}, at most {_number(fact.max_mg)} mg"
            until = _at(fact.expires_at, zone)
            return f"Plan version {fact.version} in force: {fact.sessions} sessions, {dose}, until {until}"
        case events.PlanRejected():
            return f"Plan version {fact.version} rejected: {fact.reason}"
        case events.PlanLapsed():
            return f"Plan version {fact.version} lapsed: {fact.reason}"
        case events.PreparationHeld():
            return f"Preparation session {fact.number} held"
        case events.DecisionAsked():
            proposed = f"proposed: {fact.default}{_objections(fact.reasons)}"
            return f"Decision due after dose {fact.after_dose}; {proposed}"
        case events.DecisionMade():
            return f"Decision after dose {fact.after_dose}: {_words(fact.choice)}. {fact.reason}"
        case _:
            assert_never(fact)


def _visit(fact: VisitFact, zone: ZoneInfo) -> str:
    match fact:
        case events.SessionOpened():
            return f"Session {fact.session} opened, not before {_at(fact.earliest_at, zone)}"
        case events.SessionBooked():
            moved = f" (was {_at(fact.moved_from, zone)})" if fact.moved_from else ""
            return f"Session {fact.session} booked for {_at(fact.starts_at, zone)}, room {fact.room}{moved}"
        case events.ReadinessAnswered():
            return f"Session {fact.session} readiness: {fact.light}{_objections(fact.reasons)}"
        case events.CheckedIn():
            weight = "" if fact.weight_kg is None else f"{fact.weight_kg:g} kg, "
            return f"Session {fact.session} checked in: {weight}{_reading(fact.baseline)}, tier {fact.tier}"
        case events.PrescriberPresent():
            return f"Session {fact.session}: prescriber {'on site' if fact.present else 'left the site'}"
        case events.SessionClosed():
            return f"Session {fact.session} {fact.status}: {fact.reason}"
        case events.NextDayContact():
            concerns = f"; concerns: {fact.concerns}" if fact.concerns else ""
            reached = "reached" if fact.reached else "not reached"
            return f"Session {fact.session} next-day contact: {reached}{concerns}"
        case events.IntegrationHeld():
            return f"Integration after session {fact.session} held"
        case events.IntegrationWaived():
            return f"Integration after session {fact.session} waived by a therapist: {fact.reason}"
        case events.ConcernsReviewed():
            return f"Concerns after session {fact.session} reviewed: {fact.assessment}"
        case events.IntegrationMissed():
            return f"Integration after session {fact.session} missed, was due {_at(fact.due_at, zone)}"
        case _:
            assert_never(fact)


def _chair(fact: ChairFact, zone: ZoneInfo) -> str:
    match fact:
        case events.DoseOrdered():
            order = fact.order
            over = f" over {order.infusion_minutes} min" if order.infusion_minutes else ""
            return f"Dose ordered for session {fact.session}: {_number(order.dose_mg)} mg{over}"
        case events.DowntimeSheetMade():
            return f"Downtime sheet made for session {fact.session}: {fact.sheet_hash[:12]}"
        case events.GateEvaluated():
            light = "green" if fact.green else "closed"
            return f"Session {fact.session} gate {light}{_objections(fact.reasons)}"
        case events.DoseGiven():
            kind = "Booster" if fact.booster else "Dose"
            how = f"{fact.units} units" if fact.units is not None else "in all"
            if fact.mg_per_kg is not None and fact.weight_kg is not None:
                how = f"{_number(fact.mg_per_kg)} mg/kg at {fact.weight_kg:g} kg"
            dose = f"{_number(fact.dose_mg)} mg ({how})"
            return f"{kind} given in session {fact.session}: {dose}, lot {fact.lot}"
        case events.DoseEnded():
            early = f", stopped early: {fact.reason}" if fact.stopped_early else ""
            amounts = f"{_number(fact.given_mg)} mg given, {_number(fact.wasted_mg)} mg wasted"
            return f"Dose of session {fact.session} ended: {amounts}{early}"
        case events.ObservationRecorded():
            amends = " (amended)" if fact.amends else ""
            action = f", {_words(fact.action)}" if fact.action else ""
            found = f"{_reading(fact.reading)}, tier {fact.tier}"
            return f"Observation at {fact.minute} min{amends}: {found}{action}"
        case events.ObservationLate():
            return f"Observation due {_at(fact.due_at, zone)} is late; {_words(fact.paged)} paged"
        case events.TherapyRecorded():
            left = ", the patient was left alone" if fact.present_throughout is False else ""
            return f"Therapy in session {fact.session}: {fact.minutes} min{left}"
        case events.SessionDischarged():
            how = f" by override: {fact.override_reason}" if fact.overridden else ""
            return f"Session {fact.session} discharged at {_at(fact.discharged_at, zone)}{how}"
        case _:
            assert_never(fact)


def _work(fact: WorkFact, zone: ZoneInfo) -> str:
    match fact:
        case events.FollowUpMeasured():
            return f"Follow-up week {fact.week}: {_change(fact)}"
        case events.FollowUpMissed():
            return f"Follow-up week {fact.week} missed, was due {_at(fact.due_at, zone)}"
        case events.RelapseFound():
            return f"Relapse found{_objections(fact.reasons)}"
        case events.TaskOpened():
            return f"Task for {_words(fact.owner)}: {_words(fact.code)}, due {_at(fact.due_at, zone)}"
        case events.TaskOverdue():
            return f"Task overdue, escalated to {_words(fact.escalated_to)}"
        case events.MoveAsked():
            return f"Session {fact.session}: the patient asks for another time"
        case events.TaskDone():
            return f"Task completed: {fact.evidence}" if fact.evidence else "Task completed"
        case events.TaskCancelled():
            return f"Task cancelled: {fact.reason}"
        case events.MessageSettled():
            how = f" by {fact.channel}" if fact.channel else ""
            why = f": {fact.reason}" if fact.reason else ""
            return f"Message {_words(fact.template)} {fact.status}{how}{why}"
        case events.SessionConfirmed():
            at = _at(fact.starts_at, zone)
            return f"Session {fact.session} on {at} confirmed by the patient ({_words(fact.channel)})"
        case _:
            assert_never(fact)


def _result(result: InstrumentResult) -> str:
    """ "PHQ-9: 14 (moderate)"; what has no score says what it found, or what is missing."""
    found = _words(result.band or "") or (f"risk {result.risk_level}" if result.risk_level else "")
    value = f"{result.score:g}" if result.score is not None else ""
    if not value and not found:
        value = f"no score, missing {', '.join(result.missing)}" if result.missing else "recorded"
    text = f"{value} ({found})" if value and found else value or found
    item = "; suicide item positive" if result.suicide_item else ""
    return f"{NAMES[result.instrument]}: {text}{item}"


def _change(fact: events.FollowUpMeasured) -> str:
    if fact.points_changed is None:
        return "change not computable"
    percent = f" ({fact.percent_changed:+.0f} %)" if fact.percent_changed is not None else ""
    words = [name for name, found in (("response", fact.response), ("remission", fact.remission)) if found]
    return f"changed by {fact.points_changed:+g} points{percent}" + "".join(f", {word}" for word in words)


def _reading(reading: Reading) -> str:
    pressure = f"{reading.systolic_mmhg}/{reading.diastolic_mmhg} mm[Hg]"
    return f"{pressure}, pulse {reading.heart_rate_per_min}/min, SpO2 {reading.spo2_percent:g} %"


def _objections(reasons: tuple[Reason, ...]) -> str:
    """What stood in the way, each with its rule."""
    texts = [f"{r.text} [{r.rule}]" for r in reasons if r.verdict in (Verdict.REVIEW, Verdict.REFUSE)]
    return f": {'; '.join(texts)}" if texts else ""


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
