"""Which risk cases does a site have, and which of them still wait for somebody?"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query, Request, Response

from api.dependencies import CallerHere, Composed
from api.paging import CursorParameter, Limit, link_next
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.risk import RiskCasePage
from clinical.instruments.answers import RiskLevel

router = routes("/v1/risk-cases", "follow-up and risk")


@router.get("", operation_id="list_risk_cases")
async def list_risk_cases(
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    site: AtSite = None,
    status: Annotated[Literal["open", "acknowledged", "resolved", "joined"] | None, Query()] = None,
    level: Annotated[RiskLevel | None, Query()] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> RiskCasePage:
    """Risk cases of all courses, newest first; `counts` say how many stand where. Words are in the course."""
    at = one_site(caller, site)
    listing = f"risk-cases {caller.principal.id} {at} {status} {level}"
    place = None
    if cursor is not None:
        opened_at, journey, case = here.cursors.open(listing, cursor)
        place = datetime.fromisoformat(opened_at), journey, case
    found = await here.queries.risk_cases([at], status=status, level=level, cursor=place, limit=limit + 1)
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(listing, [last.opened_at.isoformat(), last.journey_id, last.case_id])
        link_next(request, response, mark)
    counts = await here.queries.risk_counts([at])
    return RiskCasePage(items=found[:limit], next_cursor=mark, counts=counts)
