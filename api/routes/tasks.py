"""What is there to do? The work list of a site: most urgent first, filtered, counted."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Query, Response

from api.composition import Composition
from api.dependencies import CallerHere, Composed
from api.routes.journeys import AtSite, CursorParameter, Limit, link_next, one_site
from api.routes.router import routes
from api.schemas.answers import TaskPage
from api.schemas.values import Instant
from clinical.people import Role

router = routes("/v1/tasks", "tasks")


@router.get("", operation_id="list_tasks")
async def list_tasks(
    here: Composed,
    caller: CallerHere,
    response: Response,
    site: AtSite = None,
    owner: Annotated[Role | None, Query(description="the role that owes it, or to which it went up")] = None,
    status: Annotated[Literal["requested", "completed", "cancelled"], Query()] = "requested",
    due_before: Annotated[Instant | None, Query()] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> TaskPage:
    """Human steps with owner and due time; `counts` are the open and overdue ones of each role."""
    at = one_site(caller, site)
    listing = f"tasks {caller.principal.id} {at} {owner} {status} {due_before}"
    found = await here.queries.tasks(
        [at],
        owner=owner,
        status=status,
        due_before=due_before,
        cursor=_position(here, listing, cursor),
        limit=limit + 1,
    )
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(listing, [last.due_at.isoformat(), last.journey_id, last.task_id])
        link_next(response, "/v1/tasks", mark)
    counts = await here.queries.task_counts([at], datetime.now(UTC))
    return TaskPage(items=found[:limit], next_cursor=mark, counts=counts)


def _position(here: Composition, listing: str, cursor: str | None) -> tuple[datetime, str, str] | None:
    if cursor is None:
        return None
    due_at, journey, task = here.cursors.open(listing, cursor)
    return datetime.fromisoformat(due_at), journey, task
