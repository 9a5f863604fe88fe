"""The personal plan: proposed by one, approved by others, exactly as its hash says; then preparation."""

from typing import Annotated

from fastapi import Header

from api.dependencies import CourseHere, DeskHere, Number
from api.problems import Problem
from api.routes.router import COURSE, routes
from api.schemas.answers import AcceptedOut
from api.schemas.course import PreparationIn
from api.schemas.plan import ApprovalIn, ProposalIn, RejectionIn
from workflows.messages import Accepted, ApprovePlan, ProposePlan, RecordPreparation, RejectPlan

router = routes(COURSE, "plan")


@router.post("/plans/{version}/proposal", operation_id="propose_plan", response_model=AcceptedOut)
async def propose_plan(body: ProposalIn, course: CourseHere, version: Number, desk: DeskHere) -> Accepted:
    """Propose this content; the answer's `detail.plan_hash` is what people approve."""
    message = desk.message(ProposePlan, body)
    return await desk.send(course, "propose_plan", message, part=f"plan/{version}")


@router.post("/plans/{version}/approvals", operation_id="approve_plan", response_model=AcceptedOut)
async def approve_plan(
    course: CourseHere,
    version: Number,
    desk: DeskHere,
    body: ApprovalIn | None = None,
    if_match: Annotated[str | None, Header(max_length=80, include_in_schema=False)] = None,
) -> Accepted:
    """Approve exactly the plan whose hash stands in `If-Match`; 412 `plan-changed` when it is another one."""
    if if_match is None:
        raise Problem("precondition-required", 'send the plan\'s hash: If-Match: "<plan_hash>"')
    message = desk.message(
        ApprovePlan, body or ApprovalIn(), plan_hash=if_match.strip().removeprefix("W/").strip('"')
    )
    return await desk.send(course, "approve_plan", message, part=f"plan/{version}")


@router.post("/plans/{version}/rejections", operation_id="reject_plan", response_model=AcceptedOut)
async def reject_plan(body: RejectionIn, course: CourseHere, version: Number, desk: DeskHere) -> Accepted:
    """Return the plan for changes, with a reason."""
    message = desk.message(RejectPlan, body)
    return await desk.send(course, "reject_plan", message, part=f"plan/{version}")


@router.post("/preparations", operation_id="record_preparation", response_model=AcceptedOut)
async def record_preparation(body: PreparationIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """A preparation session was held."""
    return await desk.send(course, "record_preparation", desk.message(RecordPreparation, body))
