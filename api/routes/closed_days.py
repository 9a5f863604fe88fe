"""On which days is the clinic closed? What only waits for the calendar stands still then."""

from datetime import date
from typing import Annotated

from fastapi import Path, Query, Request, Response

from api.dependencies import CallerHere, Composed
from api.paging import CursorParameter, Limit, link_next
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.values import Day, Site
from api.schemas.work import ClosedDayIn, ClosedDayOut, ClosedDaysOut, ClosedNowOut
from clinical.working_time import weekly
from services.records.task_views import ClosedDayView

router = routes("/v1/closed-days", "tasks")


@router.get("", operation_id="list_closed_days")
async def list_closed_days(
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    site: AtSite = None,
    since: Annotated[Day | None, Query(description="from this day on")] = None,
    until: Annotated[Day | None, Query(description="to this day")] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> ClosedDaysOut:
    """The days on which a site is closed, earliest first; `total` counts all of them."""
    at = one_site(caller, site)
    listing = f"closed-days {caller.principal.id} {at} {since} {until}"
    after = None if cursor is None else date.fromisoformat(here.cursors.open(listing, cursor)[0])
    found = await here.closed_days.days(at, since=since, until=until, after=after, limit=limit + 1)
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [found[limit - 1].day.isoformat()])
        link_next(request, response, mark)
    total = await here.closed_days.count(at)
    return ClosedDaysOut(items=[_out(one) for one in found[:limit]], next_cursor=mark, total=total)


@router.post("", operation_id="add_closed_day", status_code=201)
async def add_closed_day(body: ClosedDayIn, here: Composed, caller: CallerHere) -> ClosedNowOut:
    """Closed on that day, or on that day of every week. Open tasks that pause are due later; twice is once.

    Clocks of the chair, of a crisis, of doses and of the law go on. 404 for a site that is not yours.
    """
    at, by = caller.at(body.site), caller.principal.id
    days = weekly(body.day, body.weekly_until or body.day)
    closed = await here.closed_days.add(at, days, body.name, body.time_zone, by)
    return ClosedNowOut(items=[_out(one) for one in closed])


@router.delete("/{site}/{day}", operation_id="remove_closed_day", status_code=204)
async def remove_closed_day(
    site: Annotated[Site, Path()], day: Annotated[Day, Path()], here: Composed, caller: CallerHere
) -> None:
    """Open after all: due times go back. 404 when the site is not closed on that day."""
    await here.closed_days.remove(caller.at(site), day)


def _out(one: ClosedDayView) -> ClosedDayOut:
    return ClosedDayOut.model_validate(one.model_dump())
