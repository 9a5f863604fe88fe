"""What goes on after the visits: follow-up questionnaires."""

from api.dependencies import CallerHere, CourseHere, DeskHere, Number
from api.routes.router import COURSE, routes
from api.routes.screenings import answered_on_site
from api.schemas.answers import AcceptedOut
from api.schemas.screening import QuestionnairesIn
from workflows.messages import Accepted, SubmitQuestionnaires

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
