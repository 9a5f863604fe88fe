"""The first meeting: when it is, how it ended, and the consent taken there."""

from api.dependencies import CourseHere, DeskHere
from api.routes.router import COURSE, routes
from api.schemas.answers import AcceptedOut
from api.schemas.intake import ConsentIn, ConsultationIn, OutcomeIn
from workflows.messages import Accepted, BookConsultation, GiveConsent, RecordConsultation

router = routes(COURSE, "consultation")


@router.post("/consultation", operation_id="book_consultation", response_model=AcceptedOut)
async def book_consultation(body: ConsultationIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """Book or move the consultation; the patient is told and reminded."""
    return await desk.send(course, "book_consultation", desk.message(BookConsultation, body))


@router.post("/consultation/outcome", operation_id="record_consultation", response_model=AcceptedOut)
async def record_consultation(body: OutcomeIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """Proceed, decline or refer on, with a reason."""
    return await desk.send(course, "record_consultation", desk.message(RecordConsultation, body))


@router.post("/consent", operation_id="give_consent", response_model=AcceptedOut)
async def give_consent(body: ConsentIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """Informed consent, taken by a clinician who attests capacity."""
    return await desk.send(course, "give_consent", desk.message(GiveConsent, body))
