"""What did patients write that a person has to read or do? For those who may read what patients write."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response

from api.composition import Composition
from api.dependencies import CallerHere, Composed
from api.looking import seen_at
from api.paging import CursorParameter, Limit, link_next
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.inbox import InboxPage, SettlementIn
from api.schemas.values import Identifier
from services.records.inbox_views import InboxCase

router = routes("/v1/inbox", "messages")


@router.get("", operation_id="list_inbox")
async def list_inbox(
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    site: AtSite = None,
    status: Annotated[Literal["requested", "completed", "cancelled"], Query()] = "requested",
    patient_id: Annotated[Identifier | None, Query()] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> InboxPage:
    """What messages leave for a person to do, most urgent first, with what was written."""
    at = one_site(caller, site)
    listing = f"inbox {caller.principal.id} {at} {status} {patient_id}"
    found = await here.inbox.cases(
        [at],
        status=status,
        patient_id=patient_id,
        cursor=_position(here, listing, cursor),
        limit=limit + 1,
    )
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(listing, [last.due_at.isoformat(), last.case_id])
        link_next(request, response, mark)
    return InboxPage(items=found[:limit], next_cursor=mark, counts=await here.inbox.counts([at]))


@router.get("/{message_case_id}", operation_id="read_inbox_case")
async def read_inbox_case(
    message_case_id: Annotated[Identifier, Path()], here: Composed, caller: CallerHere, request: Request
) -> InboxCase:
    """One thing to do, with the messages it rests on."""
    found = await here.inbox.case(sorted(caller.principal.sites), message_case_id)
    seen_at(request, found.site)
    return found


@router.post("/{message_case_id}/settlement", operation_id="settle_inbox_case")
async def settle_inbox_case(
    message_case_id: Annotated[Identifier, Path()], body: SettlementIn, here: Composed, caller: CallerHere
) -> InboxCase:
    """It is done: the case and its task on the work list are closed. Closed again it stays as it was."""
    sites = sorted(caller.principal.sites)
    return await here.inbox.settle(sites, message_case_id, body.note, caller.actor, datetime.now(UTC))


def _position(here: Composition, listing: str, cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    due_at, case_id = here.cursors.open(listing, cursor)
    return datetime.fromisoformat(due_at), case_id
