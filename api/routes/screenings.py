"""One round of screening: interview, measurements, questionnaires, signature.

Each answer says what the rules make of it so far; all reasons stand in the course.
"""

from api.dependencies import CallerHere, CourseHere, DeskHere, Number
from api.routes.router import COURSE, routes
from api.schemas.answers import AcceptedOut
from api.schemas.screening import InterviewIn, MeasurementsIn, QuestionnairesIn, SignatureIn
from clinical.people import Role
from workflows.messages import (
    Accepted,
    RecordInterview,
    RecordMeasurements,
    SignScreening,
    SubmitQuestionnaires,
)

router = routes(COURSE + "/screenings/{round}", "screening")


@router.post("/interview", operation_id="record_interview", response_model=AcceptedOut)
async def record_interview(body: InterviewIn, course: CourseHere, round: Number, desk: DeskHere) -> Accepted:
    """The clinician's structured history."""
    message = desk.message(RecordInterview, body)
    return await desk.send(course, "record_interview", message, part=f"screening/{round}")


@router.post("/measurements", operation_id="record_measurements", response_model=AcceptedOut)
async def record_measurements(
    body: MeasurementsIn, course: CourseHere, round: Number, desk: DeskHere
) -> Accepted:
    """Vital signs, laboratory values and examinations, in their units."""
    message = desk.message(RecordMeasurements, body)
    return await desk.send(course, "record_measurements", message, part=f"screening/{round}")


@router.post("/questionnaires", operation_id="answer_screening", response_model=AcceptedOut)
async def answer_screening(
    body: QuestionnairesIn, course: CourseHere, round: Number, desk: DeskHere, caller: CallerHere
) -> Accepted:
    """Questionnaires, filled in by the patient or entered for them; scored here."""
    on_site = answered_on_site(body, caller.role, usual=True)
    message = desk.message(SubmitQuestionnaires, body, on_site=on_site)
    return await desk.send(course, "submit_questionnaires", message, part=f"screening/{round}")


@router.post("/signature", operation_id="sign_screening", response_model=AcceptedOut)
async def sign_screening(
    body: SignatureIn, course: CourseHere, round: Number, desk: DeskHere, caller: CallerHere
) -> Accepted:
    """Eligible or ineligible; an override carries the signer's role, a reason and an end."""
    overrides = [{**one.model_dump(), "by_role": caller.role} for one in body.overrides]
    message = desk.message(SignScreening, body, overrides=overrides)
    return await desk.send(course, "sign_screening", message, part=f"screening/{round}")


def answered_on_site(body: QuestionnairesIn, role: Role, *, usual: bool) -> bool:
    """Was the form filled in at the clinic? A patient who sends it by themselves is elsewhere."""
    if role is Role.PATIENT:
        return False
    return usual if body.on_site is None else body.on_site
