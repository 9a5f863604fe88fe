"""How does one see, in need, what one may not see otherwise, and who looks into that afterwards?"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.breaking import broken
from api.dependencies import CallerHere, Composed, CourseHere, KeyHere
from api.errors import trace_id_of
from api.paging import CursorParameter, Limit, link_next
from api.routes.router import COURSE, join, routes
from api.schemas.access import BreakGlassIn, GlassOut, ReviewIn, ReviewPage
from api.schemas.values import Identifier, Site
from services.access.views import GlassView, ReviewStatus

_of_course = routes(COURSE, "audit")
_reviews = routes("/v1/break-glass/{site}", "audit")

At = Annotated[Site, Path()]


@_of_course.post("/break-glass", operation_id="break_glass", status_code=201)
async def break_glass(
    request: Request, body: BreakGlassIn, course: CourseHere, here: Composed, caller: CallerHere, key: KeyHere
) -> GlassOut:
    """Say why, and see for a while: a coordinator the safety plans, operations who the person is and how to reach
    them or what the engine keeps encrypted, a medical director the psychotherapy notes.

    It is audited and opens a review that another person closes with a verdict. 403 `wrong-role` for a scope that
    is not for your role.
    """
    return await broken(here, course, caller, body.scope, body.reason, key, trace_id_of(request.scope))


@_reviews.get("", operation_id="list_break_glass")
async def list_break_glass(
    request: Request,
    site: At,
    here: Composed,
    caller: CallerHere,
    response: Response,
    status: Annotated[ReviewStatus | None, Query(description="requested: the verdict is missing")] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> ReviewPage:
    """Broken glasses with their reasons and reviews, the most urgent review first."""
    listing = f"break-glass {caller.principal.id} {site} {status}"
    place = None if cursor is None else here.cursors.open(listing, cursor)
    position = None if place is None else (datetime.fromisoformat(place[0]), place[1])
    found = await here.access.glass.reviews(site, status=status, cursor=position, limit=limit + 1)
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(listing, [last.review_by.isoformat(), last.glass_id])
        link_next(request, response, mark)
    return ReviewPage(items=found[:limit], next_cursor=mark, counts=await here.access.glass.counts(site))


@_reviews.post("/{glass_id}/review", operation_id="review_break_glass")
async def review_break_glass(
    request: Request,
    site: At,
    glass_id: Annotated[Identifier, Path()],
    body: ReviewIn,
    here: Composed,
    caller: CallerHere,
) -> GlassView:
    """Close the review with a verdict. 403 `separation-of-duties` for who broke the glass; 409 when it is closed."""
    closed = await here.access.glass.review(
        glass_id, [site], caller.actor, body.verdict, body.comment, trace_id_of(request.scope)
    )
    await here.reviews.settle(site, glass_id, caller.actor, datetime.now(UTC))
    return closed


router = APIRouter()
join(router, (_of_course, _reviews))
