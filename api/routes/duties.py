"""What is owed whatever becomes of the course: reports with their proof, long-term checks, the REMS form."""

from api.dependencies import Composed, CourseHere, DeskHere, Number
from api.problems import Problem
from api.routes.router import COURSE, routes
from api.schemas.answers import AcceptedOut
from api.schemas.duties import DutiesOut, DutyDoneIn, DutyReleaseIn, SafetyChecksIn
from clinical.adverse_events import KEPT_UNTIL_DONE
from clinical.medications import interactions
from clinical.rems_form import RemsForm, draft
from workflows.messages import Accepted, CompleteDuty, RecordSafetyChecks, ReleaseDuty

router = routes(COURSE, "duties")


@router.get("/duties", operation_id="list_duties")
async def list_duties(course: CourseHere) -> DutiesOut:
    """The duties that are open. A course that was left stays open until they are done or released."""
    journey = await course.view()
    return DutiesOut(items=tuple(task for task in journey.open_tasks if task.code in KEPT_UNTIL_DONE))


@router.post("/duties/completion", operation_id="complete_duty", response_model=AcceptedOut)
async def complete_duty(body: DutyDoneIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """A duty is done, with its proof; by its owner, or by whom it was escalated to."""
    return await desk.send(course, "complete_duty", desk.message(CompleteDuty, body))


@router.post("/duties/release", operation_id="release_duty", response_model=AcceptedOut)
async def release_duty(body: DutyReleaseIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """Let go of a duty that nobody did, once everybody above its owner was called."""
    return await desk.send(course, "release_duty", desk.message(ReleaseDuty, body))


@router.post("/safety-checks", operation_id="record_safety_checks", response_model=AcceptedOut)
async def record_safety_checks(body: SafetyChecksIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """Long-term checks during the treatment; what is abnormal becomes a task of the prescriber."""
    return await desk.send(course, "record_safety_checks", desk.message(RecordSafetyChecks, body))


@router.post(
    "/follow-ups/{round}/safety-checks", operation_id="record_follow_up_checks", response_model=AcceptedOut
)
async def record_follow_up_checks(
    body: SafetyChecksIn, course: CourseHere, round: Number, desk: DeskHere
) -> Accepted:
    """Long-term checks during a round of follow-up."""
    message = desk.message(RecordSafetyChecks, body)
    return await desk.send(course, "record_safety_checks", message, part=f"follow-up/{round}")


@router.get("/sessions/{n}/rems-form", operation_id="read_rems_form")
async def read_rems_form(course: CourseHere, n: Number, here: Composed) -> RemsForm:
    """The REMS monitoring form of a session as far as the record can fill it in, to be completed and sent.

    `missing` names what a person has to add; the medicines are those of the referral, the form asks about today.
    """
    journey = await course.view()
    protocol = await here.records.protocol(course.site, journey.protocol)
    form = draft(await here.records.entries(course.id), n, None, protocol)
    if form.administered_at is None:
        raise Problem("not-found", "no dose was given in this session")
    if journey.referral_id is None:
        return form
    referral = await here.records.referral_record(journey.referral_id)
    medicines = interactions(referral.medications, (), protocol, form.administered_at)
    return draft(await here.records.entries(course.id), n, medicines, protocol)
