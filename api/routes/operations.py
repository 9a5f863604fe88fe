"""What is done to many courses at once? Looked at first, confirmed by its token, carried out one by one, reported.

What operations ask of the engine itself, past this API, is written down here.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.bulk_desk import chosen, noted, present
from api.dependencies import CallerHere, Composed, CourseHere, KeyHere
from api.errors import trace_id_of
from api.ops_notes import note
from api.problems import Problem
from api.resetting import reset
from api.routes.router import COURSE, join, routes
from api.schemas.operations import BulkIn, BulkTokenIn, OpsCommandIn, OpsCommandOut, ResetIn, ResetOut
from api.schemas.values import Identifier, Site
from clinical.people import Role
from services.bulk.interface import ALONE, BulkAct, Operation, Standing, token_of
from services.identifiers import id_from

_many = routes("/v1/operations/{site}", "operations")
_one = routes(COURSE, "operations")
_engine = routes("/v1/ops-commands", "operations")

At = Annotated[Site, Path()]
OperationId = Annotated[Identifier, Path()]
REPORT: dict[int | str, dict[str, Any]] = {
    207: {"model": Operation, "description": "It is over, and some items failed."}
}


@_many.post("", operation_id="preview_operation", status_code=201)
async def preview_operation(
    request: Request, body: BulkIn, site: At, here: Composed, caller: CallerHere, key: KeyHere
) -> Operation:
    """Every course that it would touch, as it stands; nothing happens yet.

    The `token` stands for exactly this selection: it is what confirms it. With more than a few courses
    (`needs_second`) another person approves it first. To resume is a medical director's.
    """
    if body.act is BulkAct.RESUME and caller.role is not Role.MEDICAL_DIRECTOR:
        raise Problem("wrong-role", "to resume is for: medical-director")
    items = await chosen(here, site, body)
    draft = Operation(
        operation_id=id_from("bulk", key),
        site=site,
        act=body.act,
        reason=body.reason,
        status=Standing.DRAFT,
        token=token_of(site, body.act, body.reason, items),
        needs_second=len(items) > ALONE,
        items=items,
        made_at=datetime.now(UTC),
        made_by=caller.principal.id,
    )
    await noted(here, caller, draft, "preview_operation", trace_id_of(request.scope))
    return await here.bulk.draft(draft)


@_many.post("/{operation_id}/approval", operation_id="approve_operation")
async def approve_operation(
    request: Request,
    body: BulkTokenIn,
    site: At,
    operation_id: OperationId,
    here: Composed,
    caller: CallerHere,
) -> Operation:
    """Another person has looked at the same preview. 403 `second-person-required` for who made it."""
    seen = await here.bulk.operation(site, operation_id)
    await noted(here, caller, seen, "approve_operation", trace_id_of(request.scope))
    return await here.bulk.approve(site, operation_id, body.token, caller.actor)


@_many.post("/{operation_id}/confirmation", operation_id="confirm_operation", status_code=202)
async def confirm_operation(
    request: Request,
    body: BulkTokenIn,
    site: At,
    operation_id: OperationId,
    here: Composed,
    caller: CallerHere,
    response: Response,
) -> Operation:
    """Begin. `Location` is where its progress is read. 412 `selection-changed` if the courses are not the same now.

    When it is over, confirming again, with another key, takes up only what failed.
    """
    seen = await here.bulk.operation(site, operation_id)
    if seen.act is BulkAct.RESUME and caller.role is not Role.MEDICAL_DIRECTOR:
        raise Problem("wrong-role", "to resume is for: medical-director")
    await noted(here, caller, seen, "confirm_operation", trace_id_of(request.scope))
    begun = await here.bulk.confirm(
        site, operation_id, body.token, caller.actor, datetime.now(UTC), await present(here, seen)
    )
    here.work_to_do.set()
    response.headers["Location"] = f"/v1/operations/{site}/{operation_id}"
    return begun


@_many.get("/{operation_id}", operation_id="read_operation", responses=REPORT)
async def read_operation(
    site: At, operation_id: OperationId, here: Composed, response: Response
) -> Operation:
    """How far it is, and what became of each. 207 when it is over and some failed."""
    found = await here.bulk.operation(site, operation_id)
    if found.status is Standing.COMPLETED and found.failed:
        response.status_code = 207
    return found


@_one.post("/reset", operation_id="reset_workflow")
async def reset_workflow(
    request: Request, body: ResetIn, course: CourseHere, here: Composed, caller: CallerHere, key: KeyHere
) -> ResetOut:
    """Take up a failed step: an activity that fails is tried at once; else the run goes back to the last step that
    went well. 409 `not-possible-now` when nothing has failed, or when that would go behind a dose or a part that has
    begun: what was given is never taken out of the engine's memory.
    """
    await course.person()
    return await reset(here, course, caller, body, key, trace_id_of(request.scope))


@_engine.post("", operation_id="note_ops_command", status_code=201)
async def note_ops_command(
    request: Request, body: OpsCommandIn, here: Composed, caller: CallerHere
) -> OpsCommandOut:
    """Write into the audit what was asked of the engine itself, in the chain of each site that it was about."""
    return OpsCommandOut(sites=await note(here, caller, body, trace_id_of(request.scope)))


router = APIRouter()
join(router, (_many, _one, _engine))
