"""What does each act of the model write into the record? Real facts, as the engine's workflows write them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from clinical import events
from clinical.decision import Decision
from clinical.instruments.answers import RiskLevel
from clinical.journey import Move, Stage
from clinical.people import Actor, Role
from clinical.protocol import Indication
from clinical.risk import Disposition
from clinical.vitals import Tier
from tests.clinical.model.book import AUTHOR, COORDINATOR, NURSE, PATIENT, PRESCRIBER, START, THERAPIST, Book
from tests.clinical.model.guards import MG_PER_KG, PHASE, PROTOCOL, WEIGHT_KG, reading, the_order

Telling = Callable[[Book], Book]
TASK = "journey/coordinate"


def plan_hash(version: int) -> str:
    return f"{version:064x}"


def a_referral(silent: bool) -> Book:
    """The record of a course that has just begun; one task of the coordinator stays open until the end."""
    started = events.JourneyStarted(
        patient_id="patient-1",
        referral_id=None,
        indication=Indication.DEPRESSION,
        protocol=PROTOCOL.canonical,
        protocol_hash=PROTOCOL.content_hash,
        time_zone="America/New_York",
    )
    due = START + timedelta(days=3000)
    task = events.TaskOpened(
        task_id=TASK, code="coordinate", owner=Role.COORDINATOR, due_at=due, reason="due"
    )
    return Book(silent=silent).note(started, COORDINATOR).note(task)


def nothing(book: Book) -> Book:
    return book


def move(left: Stage, made: Move, entered: Stage) -> Telling:
    return lambda book: book.note(
        events.StageChanged(left=left, entered=entered, move=made, reason="as told")
    )


def closes(stage: Stage, cancels: bool) -> Telling:
    def told(book: Book) -> Book:
        if cancels:
            book = book.note(events.TaskCancelled(task_id=TASK, reason="the course is over"))
        return book.note(events.JourneyClosed(
            stage=stage, reason="over", sessions_completed=book.finished, doses=book.dosed
        ))  # fmt: skip

    return told


def pauses(book: Book) -> Book:
    return book.note(events.JourneyPaused(reason="asked", review_at=book.at + timedelta(days=14)))


def resumes(book: Book) -> Book:
    return book.note(events.JourneyResumed(reason="asked"))


def consents(book: Book) -> Book:
    return book.note(events.ConsentGiven(
        document_version=PROTOCOL.consent.document_version,
        elements=PROTOCOL.consent.required_elements,
        capacity_attested_by=PRESCRIBER.id,
        expires_at=book.at + timedelta(days=PROTOCOL.consent.valid_days),
    ), PRESCRIBER)  # fmt: skip


def withdraws(book: Book) -> Book:
    return book.note(events.ConsentWithdrawn(channel="telephone", reason="no more"), PATIENT)


def proposes(sessions: int, roles: tuple[Role, ...]) -> Telling:
    def told(book: Book) -> Book:
        version = book.version + 1
        return book.but(version=version, drafted=sessions).note(events.PlanProposed(
            version=version, plan_hash=plan_hash(version), content={}, required_roles=roles
        ), AUTHOR)  # fmt: skip

    return told


def approves(actor: Actor) -> Telling:
    return lambda book: book.note(events.PlanApprovalGiven(
        version=book.version, plan_hash=plan_hash(book.version), role=actor.role
    ), actor)  # fmt: skip


def comes_into_force(book: Book) -> Book:
    return book.but(in_force=book.version).note(events.PlanApproved(
        version=book.version,
        plan_hash=plan_hash(book.version),
        sessions=book.drafted,
        mg_per_kg=MG_PER_KG,
        max_mg=Decimal(50),
        phase=PHASE,
        expires_at=book.at + timedelta(days=PROTOCOL.plan.valid_days),
    ))  # fmt: skip


def opens(book: Book) -> Book:
    book = book.but(session=book.session + 1, visit_plan=book.in_force, visit_doses=0)
    return book.note(events.SessionOpened(
        session=book.session, plan_hash=plan_hash(book.visit_plan), earliest_at=book.at
    ))  # fmt: skip


def checks_in(book: Book) -> Book:
    return book.note(events.CheckedIn(
        session=book.session, weight_kg=float(WEIGHT_KG), baseline=reading(15), tier=Tier.NORMAL
    ), NURSE)  # fmt: skip


def orders(reaffirmed: bool) -> Telling:
    def told(book: Book) -> Book:
        number = book.session
        book = book.note(events.PrescriberPresent(session=number, present=True), PRESCRIBER)
        book = book.note(events.ConsentReaffirmed(session=number, capacity=reaffirmed), PRESCRIBER)
        ordered = events.DoseOrdered(session=number, order=the_order(), plan_hash=plan_hash(book.visit_plan))
        return book.note(ordered, PRESCRIBER)

    return told


def presence(present: bool) -> Telling:
    return lambda book: book.note(events.PrescriberPresent(session=book.session, present=present), PRESCRIBER)


def dose(decision: Decision, mg: Decimal | None = None, newest_plan: bool = False) -> Telling:
    def told(book: Book) -> Book:
        number, nth = book.session, book.visit_doses + 1
        version = book.in_force if newest_plan else book.visit_plan
        book = book.note(events.GateEvaluated(session=number, green=True, reasons=decision.reasons), NURSE)
        book = book.but(visit_doses=nth, dosed=book.dosed + (nth == 1))
        return book.note(events.DoseGiven(
            session=number,
            dose_id=f"session/{number}/dose/{nth}",
            dose_mg=the_order().dose_mg if mg is None else mg,
            mg_per_kg=MG_PER_KG,
            weight_kg=float(WEIGHT_KG),
            given_at=book.at,
            plan_hash=plan_hash(version),
            lot="LOT-1",
            checked_by=PRESCRIBER.id,
        ), NURSE)  # fmt: skip

    return told


def ends_dose(book: Book) -> Book:
    for nth in range(1, book.visit_doses + 1):
        book = book.note(events.DoseEnded(
            session=book.session,
            dose_id=f"session/{book.session}/dose/{nth}",
            ended_at=book.at,
            given_mg=the_order().dose_mg,
            wasted_mg=Decimal(0),
            witness=None,
            stopped_early=False,
        ), NURSE)  # fmt: skip
    return book


def goes_home(decision: Decision, actor: Actor, overridden: bool, reason: str) -> Telling:
    return lambda book: book.note(events.SessionDischarged(
        session=book.session,
        discharged_at=book.at,
        checklist=decision.reasons,
        overridden=overridden,
        override_reason=reason if overridden else None,
    ), actor)  # fmt: skip


def closes_session(finished: bool) -> Telling:
    def told(book: Book) -> Book:
        status = "finished" if finished else "cancelled"
        book = book.but(finished=book.finished + finished)
        return book.note(
            events.SessionClosed.model_validate({"session": book.session, "status": status, "reason": "over"})
        )

    return told


def finds_risk(book: Book) -> Book:
    book = book.but(case=book.case + 1, waits_since=book.at, paged=0)
    return book.note(events.RiskOpened(
        case_id=f"case-{book.case}",
        level=RiskLevel.HIGH,
        trigger="RISK-STAFF-CONCERN",
        on_site=True,
        acknowledge_by=book.at + timedelta(minutes=PROTOCOL.risk.high_on_site_minutes),
    ), THERAPIST)  # fmt: skip


def acknowledges(book: Book) -> Book:
    fact = events.RiskAcknowledged(case_id=f"case-{book.case}")
    return book.but(waits_since=None).note(fact, THERAPIST)


def resolves(actor: Actor, disposition: Disposition) -> Telling:
    return lambda book: book.but(waits_since=None).note(
        events.RiskResolved(case_id=f"case-{book.case}", disposition=disposition, note="agreed"), actor
    )
