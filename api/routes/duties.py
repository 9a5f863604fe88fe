"""What is owed whatever becomes of the course: reports with their proof, long-term checks, the REMS form."""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from api.dependencies import Composed, CourseHere, DeskHere, Number
from api.paging import Paged
from api.problems import Problem
from api.routes.router import COURSE, routes
from api.schemas.answers import AcceptedOut
from api.schemas.duties import DutiesOut, DutyDoneIn, DutyReleaseIn, SafetyChecksIn
from clinical.adverse_events import KEPT_UNTIL_DONE, Duty
from clinical.medications import interactions
from clinical.people import Role
from clinical.rems_form import RemsForm, draft
from clinical.task_priority import Priority, rank
from services.records.task_views import TaskView
from workflows.messages import Accepted, CompleteDuty, RecordSafetyChecks, ReleaseDuty

router = routes(COURSE, "duties")


def _urgency(task: TaskView) -> tuple[int, datetime, str]:
    return rank(Priority(task.priority)), task.due_at, task.id


@router.get("/duties", operation_id="list_duties")
async def list_duties(
    course: CourseHere,
    paging: Paged,
    code: Annotated[Duty | None, Query()] = None,
    owner: Annotated[Role | None, Query(description="whose it is, or to whom it went up")] = None,
    overdue: Annotated[bool | None, Query(description="only late ones, or only the others")] = None,
) -> DutiesOut:
    """The duties that are open. A course that was left stays open until they are done or released."""
    now = datetime.now(UTC)
    owed = [task for task in (await course.view()).open_tasks if task.code in KEPT_UNTIL_DONE]
    found = [
        task
        for task in sorted(owed, key=_urgency)
        if code in (None, task.code)
        and owner in (None, task.owner, task.escalated_to)
        and overdue in (None, task.due_at < now)
    ]
    if paging.place is not None:
        rank_of, due_at, row_id = paging.place
        found = [
            one for one in found if _urgency(one) > (int(rank_of), datetime.fromisoformat(due_at), row_id)
        ]
    shown, mark = paging.page(found[: paging.wanted], _urgency)
    return DutiesOut(items=shown, next_cursor=mark, counts=Counter(task.code for task in owed))


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
