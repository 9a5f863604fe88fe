"""What goes on beside and after the visits: follow-up questionnaires, risk cases."""

from api.dependencies import CallerHere, CaseId, CourseHere, DeskHere, Number
from api.routes.router import COURSE, routes
from api.routes.screenings import answered_on_site
from api.schemas.answers import AcceptedOut
from api.schemas.course import AcknowledgementIn, ResolutionIn
from api.schemas.screening import QuestionnairesIn
from workflows.messages import Accepted, AcknowledgeRisk, ResolveRisk, SubmitQuestionnaires

router = routes(COURSE, "follow-up and risk")


@router.post(
    "/follow-ups/{round}/questionnaires", operation_id="answer_follow_up", response_model=AcceptedOut
)
async def answer_follow_up(
    body: QuestionnairesIn, course: CourseHere, round: Number, desk: DeskHere, caller: CallerHere
) -> Accepted:
    """The questionnaires of a follow-up week, from home unless said otherwise."""
    on_site = answered_on_site(body, caller.role, usual=False)
    message = desk.message(SubmitQuestionnaires, body, on_site=on_site)
    return await desk.send(course, "submit_questionnaires", message, part=f"follow-up/{round}")


@router.post(
    "/risk-cases/{case_id}/acknowledgement", operation_id="acknowledge_risk", response_model=AcceptedOut
)
async def acknowledge_risk(
    course: CourseHere, case_id: CaseId, desk: DeskHere, body: AcknowledgementIn | None = None
) -> Accepted:
    """A clinician takes the case over; the paging stops."""
    message = desk.message(AcknowledgeRisk, body or AcknowledgementIn())
    return await desk.send(course, "acknowledge_risk", message, part=f"risk/{case_id}")


@router.post("/risk-cases/{case_id}/resolution", operation_id="resolve_risk", response_model=AcceptedOut)
async def resolve_risk(body: ResolutionIn, course: CourseHere, case_id: CaseId, desk: DeskHere) -> Accepted:
    """A licensed clinician closes the case with a disposition; until then no dose is given."""
    return await desk.send(course, "resolve_risk", desk.message(ResolveRisk, body), part=f"risk/{case_id}")
