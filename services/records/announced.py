"""Which facts of a course are told to other systems, and under which name?

Every kind of fact stands in exactly one of the two tables (a test walks them). What is told is thin: the
course and its version, and those members of the fact that are numbers or opaque ids; whoever may know more
reads it with authorisation.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from clinical.events import Entry
from services.outbox import event_values, tell
from services.records.tables import JourneyRow

TOLD: dict[str, str] = {
    "journey.started": "journey.started",
    "journey.stage-changed": "journey.stage_changed",
    "journey.paused": "journey.paused",
    "journey.resumed": "journey.resumed",
    "journey.protocol-migrated": "journey.protocol_migrated",
    "journey.closed": "journey.closed",
    "consultation.booked": "consultation.booked",
    "consultation.held": "consultation.held",
    "consent.given": "consent.given",
    "consent.withdrawn": "consent.withdrawn",
    "questionnaire.scored": "questionnaire.scored",
    "screening.assessed": "screening.assessed",
    "screening.signed": "screening.completed",
    "screening.lapsed": "screening.lapsed",
    "plan.proposed": "plan.proposed",
    "plan.approval-given": "plan.approval_given",
    "plan.approved": "plan.approved",
    "plan.rejected": "plan.rejected",
    "plan.lapsed": "plan.lapsed",
    "preparation.held": "preparation.held",
    "session.opened": "session.opened",
    "session.booked": "session.booked",
    "session.readiness-answered": "session.readiness_answered",
    "session.checked-in": "session.checked_in",
    "dose.given": "session.dose_given",
    "dose.ended": "session.dose_ended",
    "observation.late": "session.observation_late",
    "session.discharged": "session.discharged",
    "session.closed": "session.closed",
    "session.next-day-contact": "session.next_day_contact",
    "session.concerns-reviewed": "session.concerns_reviewed",
    "integration.held": "integration.held",
    "integration.waived": "integration.waived",
    "integration.missed": "integration.missed",
    "course.decision-asked": "course.decision_asked",
    "course.decision-made": "course.decision_made",
    "risk.opened": "risk.opened",
    "risk.joined": "risk.joined",
    "risk.acknowledged": "risk.acknowledged",
    "risk.resolved": "risk.resolved",
    "risk.contact-made": "risk.contact_made",
    "risk.contact-missed": "risk.contact_missed",
    "safety-plan.recorded": "safety_plan.recorded",
    "adverse-event.recorded": "adverse_event.recorded",
    "safety-check.recorded": "safety_check.recorded",
    "follow-up.measured": "follow_up.measured",
    "follow-up.missed": "follow_up.missed",
    "follow-up.relapse-found": "follow_up.relapse_found",
    "task.opened": "task.opened",
    "task.overdue": "task.overdue",
    "task.completed": "task.completed",
    "task.cancelled": "task.cancelled",
}
"""Kind of fact → type of event."""

NOT_TOLD: dict[str, str] = {
    "consent.reaffirmed": "a step within the order of a dose; session.dose_given says that it was taken",
    "screening.interview-recorded": "a step on the way; screening.assessed says what came of it",
    "screening.measurements-recorded": "a step on the way; screening.assessed says what came of it",
    "session.prescriber-presence": "where a member of staff is, is nobody's business outside",
    "session.downtime-sheet-made": "a paper for the chair",
    "dose.ordered": "an order that was not given yet must not be acted on outside",
    "gate.evaluated": "asked again and again; a closed gate is a task, an open one ends in session.dose_given",
    "observation.recorded": "minute by minute; who watches the chair looks at the board",
    "therapy.recorded": "psychotherapy is kept apart",
    "risk.paged": "pages go to the people on call and to nobody else; risk.acknowledged says who is at it",
    "risk.concern-raised": "risk.opened stands beside it",
    "session.confirmed": "a step within the booking; it is shown beside the visit",
    "session.move-asked": "task.opened stands beside it",
    "message.settled": "what became of a message stands in the log of messages",
}
"""Kind of fact → why nobody outside is told."""

CUSTODY_TOLD: dict[str, str] = {
    "custody.overdue": "drug.duty_overdue",
    "custody.explained": "drug.discrepancy_explained",
    "custody.loss-declared": "drug.loss_declared",
    "custody.loss-reported": "drug.loss_reported",
    "custody.closed": "drug.discrepancy_closed",
}
"""The same for the facts of a discrepancy in the drug books."""

CUSTODY_NOT_TOLD: dict[str, str] = {
    "custody.case-started": "drug.discrepancy_opened was told by the transaction that found it",
    "custody.paged": "pages go to the people on call and to nobody else",
}

DISCREPANCY_OPENED = "drug.discrepancy_opened"

EVENT_TYPES = frozenset({*TOLD.values(), *CUSTODY_TOLD.values(), DISCREPANCY_OPENED})
"""Every type of event that the record tells."""

REFERENCES = {
    "session": "session",
    "round": "round",
    "version": "number",
    "number": "number",
    "week": "week",
    "after_dose": "after_dose",
    "case_id": "case_id",
    "joined_to": "joined_to",
    "task_id": "task_id",
    "event_id": "event_id",
    "dose_id": "dose_id",
}
"""Members of facts that refer to something → what they are called outside (`version` is the course's there)."""


def announced(journey: JourneyRow, version: int, entry: Entry) -> dict[str, Any] | None:
    """The event of this fact, if it is told at all. `version`: the course's after this transaction."""
    told_as = TOLD.get(entry.fact.kind)
    if told_as is None:
        return None
    data: dict[str, Any] = {"journey_id": journey.id, "version": version}
    for member, name in REFERENCES.items():
        value = getattr(entry.fact, member, None)
        if value is not None:
            data[name] = value
    return event_values(journey.site, told_as, entry.occurred_at, (journey.id, entry.key), data)


def announce_discrepancy(
    session: AsyncSession,
    site: str,
    case: tuple[str, int],
    at: datetime,
    version: int = 0,
    fact: tuple[str, str] | None = None,
) -> None:
    """Leave the event of a difference that was found, or of one (key, kind) of the facts of its case."""
    container_id, number = case
    key, told_as = ("opened", DISCREPANCY_OPENED) if fact is None else (fact[0], CUSTODY_TOLD.get(fact[1]))
    if told_as is None:
        return
    data = {"container_id": container_id, "number": number, "version": version}
    tell(session, site, told_as, at, ("drug", container_id, str(number), key), data)
