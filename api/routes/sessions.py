"""One visit, before the dose: booked, prepared, the patient arrives. And how it all went."""

from api.booking_desk import Times
from api.dependencies import CallerHere, Composed, CourseHere, DeskHere, Number
from api.minimum import shown_session
from api.problems import Fault, Problem
from api.routes.router import COURSE, routes
from api.routes.screenings import answered_on_site
from api.schemas.answers import AcceptedOut
from api.schemas.booking import BookingIn
from api.schemas.course import ReasonIn
from api.schemas.screening import QuestionnairesIn
from api.schemas.session import BaselineIn, CheckInIn, MoveRequestIn, ReadinessAnswersIn
from clinical.readiness import ReadinessAnswers, answers_refused
from services.records.views import SessionView
from workflows.messages import (
    Accepted,
    AnswerReadiness,
    AskToMove,
    CancelSession,
    CheckIn,
    RecordBaseline,
    SubmitQuestionnaires,
)

router = routes(COURSE + "/sessions/{n}", "session")


@router.get("", operation_id="read_session")
async def read_session(course: CourseHere, n: Number, here: Composed, caller: CallerHere) -> SessionView:
    """The visit with its doses, observations, amendments and the reasons of its gates; readings for clinicians."""
    return shown_session(await here.queries.session([course.site], course.id, n), caller.role)


@router.post("/booking", operation_id="book_session", response_model=AcceptedOut)
async def book_session(
    body: BookingIn, course: CourseHere, n: Number, desk: DeskHere, times: Times
) -> Accepted:
    """Book or move the visit; the patient is told and reminded. What it had before is free again.

    Where the site has rooms and people registered, all of what the visit needs is reserved or nothing:
    409 `slot-conflict` with every clash and the nearest alternatives, 410 `hold-expired`.
    """
    return await times.book(course, n, body, desk)


@router.post("/cancellation", operation_id="cancel_session", response_model=AcceptedOut)
async def cancel_session(
    body: ReasonIn, course: CourseHere, n: Number, desk: DeskHere, times: Times
) -> Accepted:
    """Call the visit off before the dose; its time is offered to who waits for one."""
    message = desk.message(CancelSession, body)
    accepted = await desk.send(course, "cancel_session", message, part=f"session/{n}")
    await times.freed(course, n)
    return accepted


@router.post("/readiness", operation_id="answer_readiness", response_model=AcceptedOut)
async def answer_readiness(
    body: ReadinessAnswersIn, course: CourseHere, n: Number, desk: DeskHere, here: Composed
) -> Accepted:
    """What the patient says before the visit; the state is the light: green, amber or red."""
    contact = await here.records.contact(await course.person())
    answers = ReadinessAnswers(**body.answers.model_dump(), patient_phone=contact.phone_e164)
    faults = [
        Fault(pointer=f"/answers/{fault.field}", detail=fault.text, code="escort")
        for fault in answers_refused(answers)
    ]
    if faults:
        raise Problem("invalid-answers", errors=faults)
    message = desk.message(AnswerReadiness, body, answers=answers)
    return await desk.send(course, "answer_readiness", message, part=f"session/{n}")


@router.post("/move-request", operation_id="ask_to_move", response_model=AcceptedOut)
async def ask_to_move(body: MoveRequestIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """The patient asks for another time: the visit stays booked, a coordinator has the task to find one."""
    return await desk.send(course, "ask_to_move", desk.message(AskToMove, body), part=f"session/{n}")


@router.post("/check-in", operation_id="check_in", response_model=AcceptedOut)
async def check_in(body: CheckInIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """The patient is here."""
    return await desk.send(course, "check_in", desk.message(CheckIn, body), part=f"session/{n}")


@router.post("/baseline", operation_id="record_baseline", response_model=AcceptedOut)
async def record_baseline(body: BaselineIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """Another reading before the dose, after rest."""
    return await desk.send(course, "record_baseline", desk.message(RecordBaseline, body), part=f"session/{n}")


@router.post("/questionnaires", operation_id="answer_session", response_model=AcceptedOut)
async def answer_session(
    body: QuestionnairesIn, course: CourseHere, n: Number, desk: DeskHere, caller: CallerHere
) -> Accepted:
    """The questionnaires of the day; a positive suicide item keeps the gate shut."""
    on_site = answered_on_site(body, caller.role, usual=True)
    message = desk.message(SubmitQuestionnaires, body, on_site=on_site)
    return await desk.send(course, "submit_questionnaires", message, part=f"session/{n}")
