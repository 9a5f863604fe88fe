"""What concerns a course as a whole: decide, pause, resume, leave, adverse events."""

from datetime import UTC, datetime
from typing import Any

from api.composition import Composition
from api.dependencies import Composed, Course, CourseHere, Desk, DeskHere, EventId
from api.problems import Problem
from api.routes.router import COURSE, routes
from api.schemas.answers import AcceptedOut
from api.schemas.course import AdverseEventIn, DecisionIn, LeavingIn, ReasonIn
from clinical.adverse_events import Term
from clinical.journey import Move, Stage
from workflows.messages import (
    Accepted,
    AmendAdverseEvent,
    DecideCourse,
    Leave,
    Pause,
    ReportAdverseEvent,
    Resume,
)

router = routes(COURSE, "course")

_LEFT = {Move.WITHDRAW: Stage.WITHDRAWN, Move.TRANSFER: Stage.TRANSFERRED, Move.END: Stage.ENDED}


@router.post("/decisions", operation_id="decide_course", response_model=AcceptedOut)
async def decide_course(body: DecisionIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """Go on, change the plan or stop, when the protocol asks."""
    return await desk.send(course, "decide_course", desk.message(DecideCourse, body))


@router.post("/pause", operation_id="pause_journey", response_model=AcceptedOut)
async def pause_journey(body: ReasonIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """Put the course on hold; waits stand still, monitoring never does."""
    return await desk.send(course, "pause", desk.message(Pause, body))


@router.post("/resume", operation_id="resume_journey", response_model=AcceptedOut)
async def resume_journey(body: ReasonIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """Go on where it was paused."""
    return await desk.send(course, "resume", desk.message(Resume, body))


@router.post("/withdrawal", operation_id="withdraw_consent", response_model=AcceptedOut)
async def withdraw_consent(body: LeavingIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """Consent is withdrawn: nothing more is given or sent. Doing it twice answers the same."""
    return await _leave(Move.WITHDRAW, body, course, desk)


@router.post("/transfer", operation_id="transfer_journey", response_model=AcceptedOut)
async def transfer_journey(body: LeavingIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """Treatment goes on somewhere else."""
    return await _leave(Move.TRANSFER, body, course, desk)


@router.post("/end", operation_id="end_journey", response_model=AcceptedOut)
async def end_journey(body: LeavingIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """The clinic ends the course, with a reason."""
    return await _leave(Move.END, body, course, desk)


@router.post(
    "/adverse-events", operation_id="report_adverse_event", response_model=AcceptedOut, status_code=201
)
async def report_adverse_event(
    body: AdverseEventIn, course: CourseHere, desk: DeskHere, here: Composed
) -> Accepted:
    """Report an adverse event; without grade or seriousness it is a draft to complete.

    The answer names its `event_id`, the duties that follow, `linked_to` when it was probably reported before, and
    the `suggested_grade` where raw values come to another one.
    """
    event = await _event(body, body.session, course, here)
    return await desk.send(
        course, "report_adverse_event", desk.message(ReportAdverseEvent, body, event=event)
    )


@router.post(
    "/adverse-events/{event_id}/amendment", operation_id="amend_adverse_event", response_model=AcceptedOut
)
async def amend_adverse_event(
    body: AdverseEventIn, course: CourseHere, event_id: EventId, desk: DeskHere, here: Composed
) -> Accepted:
    """Complete a draft or correct an event: a further version, the earlier ones stay in the record."""
    event = await _event(body, body.session, course, here)
    message = AmendAdverseEvent.model_validate(
        {
            **desk.message(ReportAdverseEvent, body, event=event).model_dump(exclude={"session"}),
            "event_id": event_id,
        }
    )
    return await desk.send(course, "amend_adverse_event", message)


async def _event(
    body: AdverseEventIn, session: int | None, course: Course, here: Composition
) -> dict[str, Any]:
    """The event with what the record knows about it: drug, zone, the dose before it, the highest pressure."""
    setting = await here.queries.setting(course.site, course.id, body.onset_at)
    protocol = await here.records.protocol(course.site, setting.protocol)
    measured = body.measured
    if body.term is Term.HYPERTENSION and session is not None and measured.systolic_mmhg is None:
        visit = await here.queries.session([course.site], course.id, session)
        readings = [one.reading for one in visit.observations if one.amended_by is None]
        highest = {
            "systolic_mmhg": max((reading.systolic_mmhg for reading in readings), default=None),
            "diastolic_mmhg": max((reading.diastolic_mmhg for reading in readings), default=None),
        }
        measured = measured.model_copy(update=highest)
    return {
        **body.model_dump(exclude={"session", "occurred_at", "measured"}),
        "measured": measured.model_dump(),
        "known_at": body.known_at or body.occurred_at or datetime.now(UTC),
        "dose_at": setting.dose_at,
        "drug": protocol.drug,
        "time_zone": setting.time_zone,
    }


async def _leave(move: Move, body: LeavingIn, course: Course, desk: Desk) -> Accepted:
    try:
        return await desk.send(course, "leave", desk.message(Leave, body, move=move))
    except Problem as problem:
        if problem.code != "not-possible-now":
            raise
        journey = await course.view()
        if journey.closed_at is None or journey.stage != _LEFT[move]:
            raise
        return Accepted(state=move, at=journey.closed_at)
