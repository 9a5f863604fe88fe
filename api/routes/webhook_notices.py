"""Which endpoints were disabled without anybody asking, and who has seen it?"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query, Request, Response

from api.dependencies import CallerHere, Composed
from api.paging import CursorParameter, Limit, link_next
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.events import NothingIn, NoticeOut, NoticePage

router = routes("/v1/webhook-notices", "events")

NoticeId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("", operation_id="list_webhook_notices")
async def list_notices(
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    site: AtSite = None,
    acknowledged: Annotated[bool, Query(description="also those that somebody has seen")] = False,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> NoticePage:
    """Endpoints that were disabled without being asked: the receiver is gone, or nothing arrived for days."""
    at = one_site(caller, site)
    listing = f"webhook-notices {caller.principal.id} {at} {acknowledged}"
    after = 0 if cursor is None else int(here.cursors.open(listing, cursor)[0])
    found = await here.outside.endpoints.notices(at, open_only=not acknowledged, after=after, limit=limit + 1)
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [str(found[limit - 1].id)])
        link_next(request, response, mark)
    counts = await here.outside.endpoints.notice_counts(at)
    return NoticePage(items=[NoticeOut.of(one) for one in found[:limit]], next_cursor=mark, counts=counts)


@router.post("/{notice_id}/acknowledgement", operation_id="acknowledge_webhook_notice")
async def acknowledge_notice(
    notice_id: NoticeId, here: Composed, caller: CallerHere, body: NothingIn | None = None
) -> NoticeOut:
    """Somebody of the site has seen it. Twice is the same."""
    seen = await here.outside.endpoints.acknowledge(
        caller.principal.sites, notice_id, caller.principal.id, datetime.now(UTC)
    )
    return NoticeOut.of(seen)
