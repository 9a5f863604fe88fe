"""What is there to do, and who is at it? The work list of a site: most urgent first, filtered, counted, claimed."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query, Request, Response

from api.answering import written
from api.colleagues import registered
from api.composition import Composition
from api.dependencies import CallerHere, Composed
from api.next_steps import course_href, is_overdue, may_hold, way_of
from api.paging import CursorParameter, Limit, link_next
from api.problems import Problem
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.values import Code, Identifier, Instant
from api.schemas.work import DelegationIn, HoldIn, HoldingOut, TaskLine, TaskOut, TaskPage
from api.task_desk import TaskDesk, version_in
from clinical.people import Role
from clinical.task_priority import Priority, rank
from services.records.task_queries import Place, TaskFilter
from services.records.task_views import TaskView
from workflows.names import journey_id

router = routes("/v1/tasks", "tasks")

RowId = Annotated[Identifier, Path()]
IfMatch = Annotated[str | None, Header(max_length=40)]


@router.get("", operation_id="list_tasks", response_model=TaskPage)
async def list_tasks(
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    site: AtSite = None,
    owner: Annotated[Role | None, Query(description="the role that owes it, or to which it went up")] = None,
    status: Annotated[Literal["requested", "completed", "cancelled"], Query()] = "requested",
    code: Annotated[Code | None, Query(description="what kind of step")] = None,
    priority: Annotated[Priority | None, Query()] = None,
    held: Annotated[
        Literal["by-me", "by-nobody"] | None, Query(description="taken on by you, or by nobody")
    ] = None,
    overdue: Annotated[bool, Query(description="only what was due before now")] = False,
    due_before: Annotated[Instant | None, Query()] = None,
    journey: Annotated[Identifier | None, Query(description="of one course: the last part of its id")] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> Response:
    """Human steps, most urgent first, each with the command that completes it and who has taken it on.

    `counts` are the open, overdue and more than routine ones of each role.
    """
    at = one_site(caller, site)
    person, now = caller.principal.id, datetime.now(UTC)
    listing = (
        f"tasks {person} {at} {owner} {status} {code} {priority} {held} {overdue} {due_before} {journey}"
    )
    wanted = TaskFilter(
        status=status,
        owner=owner,
        code=code,
        priority=priority,
        holder=person if held == "by-me" else None,
        unclaimed=held == "by-nobody",
        due_before=min(filter(None, (due_before, now if overdue else None)), default=None),
        journey_id=journey and journey_id(at, journey),
    )
    place = _position(here, listing, cursor)
    found, counts = await here.queries.work_list([at], wanted, now, cursor=place, limit=limit + 1)
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(
            listing, [str(rank(Priority(last["priority"]))), last["due_at"].isoformat(), last["id"]]
        )
        link_next(request, response, mark)
    items = [_fields(task, now) for task in found[:limit]]
    return written({"items": items, "next_cursor": mark, "counts": counts}, response)


@router.get("/{task_id}", operation_id="read_task")
async def read_task(task_id: RowId, here: Composed, caller: CallerHere, response: Response) -> TaskOut:
    """One task with who took it on, passed it on, gave it back. `ETag` is its version."""
    sites = sorted(caller.principal.sites)
    task = await here.queries.task(sites, task_id)
    response.headers["ETag"] = f'W/"{task.version}"'
    history = await here.queries.task_history(sites, task_id)
    return TaskOut(task=_line(task, datetime.now(UTC)), history=history)


@router.post("/{task_id}/claim", operation_id="claim_task")
async def claim_task(
    task_id: RowId,
    desk: TaskDesk,
    here: Composed,
    response: Response,
    if_match: IfMatch = None,
    _: HoldIn | None = None,
) -> HoldingOut:
    """Take a task on, or hold it longer: for those whose role may do it.

    409 `task-held` names who was first; 410 `task-over` when it is done or gone. It runs out by itself.
    """
    task = await desk.task(task_id)
    actor = desk.fitting(task)
    await here.claims.claim(task.id, actor, version_in(if_match))
    return await desk.holding(task_id, response)


@router.post("/{task_id}/release", operation_id="release_task")
async def release_task(
    task_id: RowId,
    desk: TaskDesk,
    here: Composed,
    response: Response,
    if_match: IfMatch = None,
    _: HoldIn | None = None,
) -> HoldingOut:
    """Give a task back. What another person holds, only a coordinator or the medical director gives back."""
    task = await desk.task(task_id)
    await here.claims.release(task.id, desk.actor, version_in(if_match), overrule=desk.steers)
    return await desk.holding(task_id, response)


@router.post("/{task_id}/delegation", operation_id="delegate_task")
async def delegate_task(
    body: DelegationIn,
    task_id: RowId,
    desk: TaskDesk,
    here: Composed,
    response: Response,
    if_match: IfMatch = None,
) -> HoldingOut:
    """Hand a task to a colleague of this site whose role may do it.

    By whoever holds it, or may do it while nobody does, or by a coordinator or the medical director. Colleagues
    are whom the register of people names (`/v1/resources/{site}`) and who has acted here within 90 days. `If-Match`
    is the task's ETag. 422 `unknown-colleague` names those who fit.
    """
    task = await desk.task(task_id)
    if if_match is None:
        raise Problem("precondition-required", 'send the ETag of the task: If-Match: W/"<version>"')
    if not desk.steers:
        desk.fitting(task)
    fitting = may_hold(task)
    await here.claims.delegate(
        task.id,
        desk.actor,
        body.person,
        fitting,
        version_in(if_match),
        overrule=desk.steers,
        registered=await registered(here, task.site, fitting),
    )
    return await desk.holding(task_id, response)


def _line(task: TaskView, now: datetime) -> TaskLine:
    return TaskLine(**_fields(dict(task), now))


def _fields(task: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Of a `TaskLine`: what a line says beyond the task itself."""
    journey = task["journey_id"]
    return {
        **task,
        "overdue": is_overdue(task["status"], task["due_at"], now),
        **way_of(task["site"], journey, task["task_id"], task["code"], task["owner"], task["escalated_to"]),
        "course": course_href(journey) if journey else None,
    }


def _position(here: Composition, listing: str, cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    place, due_at, task = here.cursors.open(listing, cursor)
    return int(place), datetime.fromisoformat(due_at), task
