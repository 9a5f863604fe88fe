"""Which journeys does the corpus hold? Between them they use every workflow and every command of the engine."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from clinical.adverse_events import AdverseEvent, Outcome
from clinical.custody import MovementKind
from clinical.custody_events import Cause, CustodyDuty
from clinical.follow_up import measurement_times
from clinical.journey import FINAL, Move
from clinical.long_term import CheckResult
from clinical.patient_record import Person
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.protocol_duties import CheckCode
from clinical.risk import Disposition
from clinical.safety_plan import SafetyPlan
from services.protocol_signing import signature_of
from services.records.custody_interface import NewContainer, NewMovement
from tests.workflows.shortcut import shortened
from tests.workflows.walk import PEOPLE, SITE, Walk, a_key, a_reading
from workers.drug_cases import open_pending_cases
from workflows import messages as m
from workflows.names import drug_case_id

SAFETY_PLAN = SafetyPlan.model_validate(dict.fromkeys(SafetyPlan.model_fields, ("one thing that helps",)))
AT_RISK = {"q1": 1, "q2": 1, "q3": 1, "q4": 0, "q5": 0, "q6": 0}


@dataclass(frozen=True)
class Journey:
    """`walk` leaves the course at its end, or one step before one that comes by itself."""

    walk: Callable[[Walk], Awaitable[None]]
    protocol: Callable[[Protocol], Protocol]


def _acts(
    patient: Walk, command: type[m.Command], role: Role, part: str = ""
) -> Callable[..., Awaitable[Any]]:
    """Say something that Walk has no word for, as one of the clinic's people."""

    async def act(update: str, **fields: Any) -> m.Accepted:
        message = command.model_validate({"key": a_key(), "actor": PEOPLE[role], **fields})
        return await patient.say(update, message, part)

    return act


async def _fact(patient: Walk, kind: str, **wanted: str) -> Any:
    """The last fact of this kind with these values, as soon as it is in the record."""
    found: list[Any] = []

    async def there() -> bool:
        facts = [entry.fact for entry in await patient.record() if entry.fact.kind == kind]
        found[:] = [f for f in facts if all(getattr(f, name) == value for name, value in wanted.items())]
        return bool(found)

    await patient.eventually(there)
    return found[-1]


async def whole_course(patient: Walk) -> None:
    """Six sessions and a year of follow-up, and nothing goes wrong."""
    await patient.to_follow_up()
    await patient.follow_up()


async def ineligible_at_referral(patient: Walk) -> None:
    """The referral is for a child: it ends where it began."""
    await patient.start(person=Person.model_validate({"birth_date": "2015-03-02", "sex": "female"}))


async def nobody_acts(patient: Walk) -> None:
    """No consultation is ever booked: reminded, escalated, given up."""
    await patient.start()
    await patient.forward(days=3)
    await patient.forward(days=13)


async def risk_case(patient: Walk) -> None:
    """A positive screen, pages up the ladder, a second finding that joins, taken over late, closed later still."""
    await patient.to_screening()
    await patient.answer("screening/1", cssrs=AT_RISK)
    case = (await _fact(patient, "risk.opened")).case_id
    part = f"risk/{case}"
    await patient.until_there(part)
    await patient.forward(part, hours=4, minutes=25)
    await patient.answer("screening/1", cssrs={**AT_RISK, "q4": 1})
    await _fact(patient, "risk.joined")
    await patient.forward(part, minutes=30)
    await _acts(patient, m.AcknowledgeRisk, Role.THERAPIST, part)("acknowledge_risk")
    await patient.forward(part, hours=75)
    await _acts(patient, m.RaiseConcern, Role.COORDINATOR)("raise_concern", text="cried", on_site=False)
    await _fact(patient, "risk.joined", case_id=(await _fact(patient, "risk.concern-raised")).case_id)
    await _acts(patient, m.RecordSafetyPlan, Role.THERAPIST)("record_safety_plan", plan=SAFETY_PLAN)
    await _acts(patient, m.ResolveRisk, Role.PRESCRIBER, part)(
        "resolve_risk", disposition=Disposition.SAFETY_PLAN, note="agreed with the patient"
    )
    await _followed_up(patient, part)
    await patient.leave(Move.END)


async def _followed_up(patient: Walk, case: str) -> None:
    """The first contact does not reach the person and goes to the prescriber, the second leaves one worried."""
    contact = _acts(patient, m.RecordCaringContact, Role.PRESCRIBER, case)
    await patient.forward(case, hours=30)
    await contact("record_caring_contact", outcome="not-reached", note="no answer")
    await _fact(patient, "task.opened", code="contact-not-reached")
    await contact("record_caring_contact", outcome="reached", note="better")
    await patient.forward(case, days=5, hours=12)
    await contact("record_caring_contact", outcome="reached", note="worse", worried=True)
    raised = await _fact(patient, "risk.concern-raised", text="worse")
    next_case = f"risk/{raised.case_id}"
    await patient.until_there(next_case)
    await _acts(patient, m.ResolveRisk, Role.PRESCRIBER, next_case)(
        "resolve_risk",
        disposition=Disposition.FALSE_POSITIVE_RECONCILED,
        note="spoke with them at length: tired, not in danger",
    )


async def plan_returned(patient: Walk) -> None:
    """A plan comes back; a pause; another protocol; visits moved, called off and missed; the course is stopped."""
    await patient.to_planning()
    first = await patient.propose(sessions=1)
    await _acts(patient, m.RejectPlan, Role.THERAPIST, "plan/1")(
        "reject_plan", plan_hash=first, reason="fewer sessions to begin with"
    )
    patient.plan_hash = await patient.propose(sessions=2)
    await patient.approve(patient.plan_hash)
    await _acts(patient, m.Pause, Role.COORDINATOR)("pause", reason="away")
    await patient.forward(days=3)
    await _acts(patient, m.Resume, Role.COORDINATOR)("resume", reason="back again")
    for _ in range(2):
        await patient.forward(days=1)
        at = await patient.now()
        await _acts(patient, m.RecordPreparation, Role.THERAPIST)("record_preparation", held_at=at)
    patient.session = 1
    await patient.until_there(patient.part)
    await _goes_over(patient)
    await patient.book_session()
    await _acts(patient, m.AskToMove, Role.PATIENT, patient.part)("ask_to_move")
    await patient.book_session(days=4)
    await _acts(patient, m.CancelSession, Role.COORDINATOR, patient.part)("cancel_session", reason="ill")
    patient.session = 2
    await patient.until_there(patient.part)
    starts = await patient.book_session()
    await patient.forward_to(starts + timedelta(hours=2), patient.part)
    await patient.decide("stop")


async def _goes_over(patient: Walk) -> None:
    """The course goes over to a protocol with a longer stay, and the open visit takes it on."""
    before = patient.protocol
    longer = before.discharge.model_copy(update={"min_after_start_minutes": 120})
    changed = before.model_copy(update={"discharge": longer, "version": f"{before.version}-next"})
    signature = signature_of(changed, "A. Director", datetime.now(UTC), example=True)
    patient.goes_by(changed.model_copy(update={"signature": signature}))
    migrate = _acts(patient, m.MigrateProtocol, Role.MEDICAL_DIRECTOR)
    await migrate("migrate_protocol", protocol=patient.protocol, reason="a longer stay")


async def withdrawn_in_the_chair(patient: Walk) -> None:
    """Consent is withdrawn while the drug runs: readings come late, are alarmed for, and go on until discharge."""
    await patient.to_treating()
    order = await _arrive(patient)
    given = await patient.give(order)
    await patient.forward_to(given.at + timedelta(minutes=10), patient.part)
    await patient.observe(10)
    await patient.leave()
    for minutes in (40, 55, 70, 85, 100):  # the readings at 20 and 30 minutes are missing
        await patient.forward_to(given.at + timedelta(minutes=minutes), patient.part)
        await patient.observe(minutes)
        if minutes == 40:
            await _end_dose(patient, order.order.dose_mg)
    presence = _acts(patient, m.SetPresence, Role.PRESCRIBER, patient.part)
    await presence("set_presence", present=False)
    await presence("set_presence", present=True)
    await patient.discharge(override_reason="the prescriber was away for a moment")


async def _arrive(patient: Walk) -> m.DoseOrdered:
    starts = await patient.book_session()
    await patient.ready()
    await patient.forward_to(starts, patient.part)
    await patient.check_in()
    baseline = _acts(patient, m.RecordBaseline, Role.NURSE, patient.part)
    await baseline("record_baseline", baseline=a_reading(await patient.here()))
    await patient.answer(patient.part)
    return await patient.order()


async def _end_dose(patient: Walk, dose_mg: Decimal) -> None:
    given = {"given_mg": dose_mg, "wasted_mg": Decimal(0), "witness": None}
    await _acts(patient, m.EndDose, Role.NURSE, patient.part)("end_dose", **given)


async def relapse(patient: Walk) -> None:
    """One dose, adverse events, nobody reached afterwards; a response that is lost again; no new plan in time."""
    await patient.to_planning()
    patient.plan_hash = await patient.propose(sessions=1, preparation_sessions=0)
    await patient.approve(patient.plan_hash)
    patient.session = 1
    await patient.until_there(patient.part)
    order = await _arrive(patient)
    given = await patient.give(order)
    await patient.in_the_chair(given.at, order.order.dose_mg)
    therapy = _acts(patient, m.RecordTherapy, Role.THERAPIST, patient.part)
    await therapy("record_therapy", minutes=50, themes="grief")
    await _adverse_events(patient, given.at)
    await patient.discharge()
    contact = _acts(patient, m.RecordContact, Role.NURSE, patient.part)
    await contact("record_contact", reached=False)
    await patient.forward(patient.part, days=4)
    await contact("record_contact", reached=True, concerns="sleeps badly")
    review = _acts(patient, m.ReviewConcerns, Role.PRESCRIBER, patient.part)
    await review("review_concerns", assessment="called back: sleeps again")
    await patient.forward(patient.part, days=5)
    integration = _acts(patient, m.RecordIntegration, Role.THERAPIST, patient.part)
    await integration("record_integration", held_at=await patient.here(), note="late, but held")
    await _lose_the_response(patient, given.at)
    await _fact(patient, "task.opened", task_id="plan/2/draft-plan/1")
    await patient.forward("plan/2", days=60)  # from wherever its clock begins, past its last deadline
    await _settle_duties(patient)


async def _adverse_events(patient: Walk, given_at: datetime) -> None:
    """One that nobody has judged yet, and a serious one, which suspends the plan until it is released."""
    at = await patient.here()  # the clock of the journey stands still while a part runs
    report = _acts(patient, m.ReportAdverseEvent, Role.NURSE)
    draft = AdverseEvent.model_validate({
        "term": "nausea", "grade": None, "seriousness": None, "outcome": Outcome.RECOVERED, "onset_at": at,
        "known_at": at, "dose_at": given_at, "drug": patient.protocol.drug, "time_zone": "America/New_York",
    })  # fmt: skip
    await report("report_adverse_event", session=1, event=draft)
    reported = await _fact(patient, "adverse-event.recorded")
    judged = draft.model_copy(update={"grade": 1, "seriousness": frozenset()})
    amend = _acts(patient, m.AmendAdverseEvent, Role.NURSE)
    await amend("amend_adverse_event", event_id=reported.event_id, event=judged)
    serious = draft.model_copy(
        update={"term": "other", "grade": 3, "seriousness": frozenset({"important-medical-event"})}
    )
    await report("report_adverse_event", session=1, event=serious)
    release = _acts(patient, m.Resume, Role.MEDICAL_DIRECTOR)
    await release("resume", reason="looked into, not caused by the treatment")


async def _lose_the_response(patient: Walk, given_at: datetime) -> None:
    """Well after two weeks, ill again after three, and still so when it is measured again a week later."""
    part = "follow-up/1"
    await patient.until_there(part)
    (_, well_at), (_, ill_at) = measurement_times(given_at, patient.protocol, "America/New_York")
    for at, phq9 in ((well_at, 0), (ill_at, 2), (ill_at + timedelta(days=8), 2)):
        await patient.forward_to(at, part)
        await patient.answer(part, phq9=phq9)


async def duties_outlive_the_course(patient: Walk) -> None:
    """An integration is waived, a check finds something, somebody is admitted; what is owed is done or let go."""
    await patient.to_planning()
    patient.plan_hash = await patient.propose(sessions=1, preparation_sessions=0)
    await patient.approve(patient.plan_hash)
    patient.session = 1
    await patient.until_there(patient.part)
    order = await _arrive(patient)
    given = await patient.give(order)
    await patient.in_the_chair(given.at, order.order.dose_mg)
    await patient.discharge()
    await patient.forward(patient.part, hours=20)
    await _acts(patient, m.RecordContact, Role.NURSE, patient.part)("record_contact", reached=True)
    waive = _acts(patient, m.WaiveIntegration, Role.THERAPIST, patient.part)
    await waive("waive_integration", reason="spoke at length on the day itself")
    checks = _acts(patient, m.RecordSafetyChecks, Role.NURSE, part := "follow-up/1")
    await patient.until_there(part)
    (well_at, *_) = [at for _, at in measurement_times(given.at, patient.protocol, "America/New_York")]
    await patient.forward_to(well_at, part)
    at = await patient.now(part)
    found = {"code": CheckCode.URINARY_SYMPTOMS, "result": CheckResult.ABNORMAL, "at": at}
    await checks("record_safety_checks", checks=[found])
    admitted = AdverseEvent.model_validate({
        "term": "other", "grade": 3, "seriousness": frozenset({"hospitalisation"}), "outcome": Outcome.RECOVERED,
        "onset_at": at, "known_at": at, "dose_at": given.at, "drug": patient.protocol.drug,
        "time_zone": "America/New_York",
    })  # fmt: skip
    await _acts(patient, m.ReportAdverseEvent, Role.NURSE)("report_adverse_event", session=1, event=admitted)
    await patient.leave(Move.END)
    await _settle_duties(patient)


async def _settle_duties(patient: Walk) -> None:
    """When the course is over: the first of them is done, the others are let go once everybody was called."""

    async def over() -> bool:
        return await patient.stage() in FINAL

    await patient.eventually(over)
    opened = [e.fact for e in await patient.record() if e.fact.kind == "task.opened"]
    ended = {
        e.fact.task_id for e in await patient.record() if e.fact.kind in {"task.completed", "task.cancelled"}
    }
    owed = [task for task in opened if task.task_id not in ended and task.code != "review-pause"]
    if not owed:
        return
    first, *others = sorted(owed, key=lambda task: task.due_at)
    done = _acts(patient, m.CompleteDuty, first.owner)
    await done("complete_duty", task_id=first.task_id, evidence="spoken with on the day")
    for duty in others:
        await patient.forward_to(duty.due_at + timedelta(days=4))
        release = _acts(patient, m.ReleaseDuty, Role.MEDICAL_DIRECTOR)
        await release("release_duty", task_id=duty.task_id, reason="seen elsewhere")


async def drug_books(patient: Walk) -> None:
    """Beside a course that nobody takes up: one difference that a second person explains, and one that is a loss."""
    await patient.start()
    await patient.records.publish_protocol(patient.protocol, SITE)
    at = datetime.now(UTC)
    for cause in (Cause.RECORDING, None):
        vial = secrets.token_hex(13)
        about = {"container_id": vial, "site": SITE, "actor": PEOPLE[Role.NURSE], "occurred_at": at}
        await patient.records.receive_container(
            NewContainer.model_validate({
                **about, "key": a_key(), "drug": patient.protocol.drug, "product": "ketamine 10 mg/mL",
                "strength": "10 mg/mL", "lot": "LOT-1", "expires_on": "2099-01-01", "amount_mg": "500",
            }), at,
        )  # fmt: skip
        counted = {**about, "key": a_key(), "kind": MovementKind.COUNTED, "amount_mg": "480"}
        await patient.records.move(NewMovement.model_validate(counted), at)
        await open_pending_cases(patient.client, patient.records)
        await _through_the_books(patient, drug_case_id(SITE, vial, 1), cause)
    await patient.leave(Move.END)


async def _through_the_books(patient: Walk, case: str, cause: Cause | None) -> None:
    patient.beside.append(case)
    handle = patient.client.get_workflow_handle(case)

    async def say(update: str, command: type[m.Command], **fields: Any) -> None:
        message = command.model_validate({"key": a_key(), "actor": PEOPLE[Role.MEDICAL_DIRECTOR], **fields})
        await handle.execute_update(update, message, id=message.key)

    if cause is not None:
        return await say("explain_discrepancy", m.ExplainDiscrepancy, cause=cause, note="not written down")
    await say("declare_loss", m.DeclareLoss, reason="searched, not found")
    await say("report_loss", m.ReportLoss, duty=CustodyDuty.NOTICE, proof="no. 4711")
    await say("report_loss", m.ReportLoss, duty=CustodyDuty.FORM, proof="no. 4712")


def _whole(protocol: Protocol) -> Protocol:
    return protocol


def _short(protocol: Protocol) -> Protocol:
    return shortened(protocol, follow_up={"weeks": (2, 3)})


JOURNEYS: dict[str, Journey] = {
    "whole-course": Journey(whole_course, _whole),
    "ineligible-at-referral": Journey(ineligible_at_referral, _short),
    "nobody-acts": Journey(nobody_acts, _short),
    "risk-case": Journey(risk_case, _short),
    "plan-returned": Journey(plan_returned, _short),
    "withdrawn-in-the-chair": Journey(withdrawn_in_the_chair, _whole),
    "relapse": Journey(relapse, _short),
    "duties": Journey(duties_outlive_the_course, _short),
    "drug-books": Journey(drug_books, _short),
}
