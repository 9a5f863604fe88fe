"""Which rooms, chairs and people does a site have, when are they there, and what is in their calendar?"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Header, Path, Query, Response

from api.booking_desk import Times
from api.dependencies import Composed, KeyHere
from api.paging import Paged
from api.problems import Problem
from api.routes.router import routes
from api.schemas.booking import AbsenceIn, AbsenceList, EmptyIn, ResourceIn, ResourceList, ResourceOut
from api.schemas.values import Identifier, Instant, Site
from clinical.booking import Kind
from clinical.booking_hours import Shift
from clinical.people import Role
from services.booking.calendar import calendar
from services.booking.interface import AbsenceView, ResourceContent, ResourceFilter, ResourceView
from services.identifiers import id_from

router = routes("/v1/resources/{site}", "rooms and times")

At = Annotated[Site, Path()]
ResourceId = Annotated[Identifier, Path()]
AbsenceId = Annotated[Identifier, Path()]
CALENDAR_FROM = timedelta(days=31)
CALENDAR = "text/calendar"
IN_CALENDAR: dict[int | str, dict[str, Any]] = {
    200: {"content": {CALENDAR: {"schema": {"type": "string"}}}, "description": "RFC 5545"}
}


@router.post("", operation_id="create_resource", status_code=201)
async def create_resource(
    body: ResourceIn, site: At, here: Composed, key: KeyHere, response: Response
) -> ResourceOut:
    """Register a room, a chair or a person. From the first one on, visits here reserve what they need.

    409 `resource-exists`; 422 with every fault. All resources of a site live in one time zone.
    """
    made = await here.bookings.add_resource(site, id_from("resource", key), _content(body))
    answer = _shown(made, response)
    response.headers["Location"] = answer.href
    return answer


@router.get("", operation_id="list_resources")
async def list_resources(
    site: At,
    here: Composed,
    paging: Paged,
    kind: Annotated[Kind | None, Query()] = None,
    role: Annotated[Role | None, Query(description="people who have this role")] = None,
    active: Annotated[bool | None, Query(description="only what can be reserved, or only the rest")] = None,
) -> ResourceList:
    """What the site has, by its code."""
    wanted = ResourceFilter(kind=kind, role=role, active=active)
    after = None if paging.place is None else paging.place[0]
    found = await here.bookings.resources(site, wanted, after=after, limit=paging.wanted)
    shown, mark = paging.page(found, lambda one: (one.code,))
    return ResourceList(items=shown, next_cursor=mark, counts=await here.bookings.resource_counts(site))


@router.get("/{resource_id}", operation_id="read_resource")
async def read_resource(site: At, resource_id: ResourceId, here: Composed, response: Response) -> ResourceOut:
    """One of them; its ETag is asked for when it is changed."""
    return _shown(await here.bookings.resource(site, resource_id), response)


@router.post("/{resource_id}/content", operation_id="change_resource")
async def change_resource(
    body: ResourceIn,
    site: At,
    resource_id: ResourceId,
    here: Composed,
    response: Response,
    if_match: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> ResourceOut:
    """Put another content in the place of the one that was read: `If-Match` with its ETag.

    428 without it, 412 `resource-changed` if somebody was quicker. What is reserved already stays reserved.
    """
    if if_match is None:
        raise Problem("precondition-required")
    version = if_match.strip().removeprefix("W/").strip('"')
    if not version.isdecimal() or len(version) > 9:
        raise Problem("resource-changed", "there never was such a version")
    content = _content(body)
    changed = await here.bookings.change_resource(site, resource_id, int(version), content)
    return _shown(changed, response)


@router.get("/{resource_id}/absences", operation_id="list_absences")
async def list_absences(
    site: At,
    resource_id: ResourceId,
    here: Composed,
    paging: Paged,
    since: Annotated[Instant | None, Query(description="that end after this; now if left out")] = None,
    until: Annotated[Instant | None, Query(description="that begin before this")] = None,
) -> AbsenceList:
    """When it is not there, in order; `total` counts every absence that was ever noted."""
    await here.bookings.resource(site, resource_id)
    found = await here.bookings.absences(
        resource_id, since or datetime.now(UTC), until, after=paging.moment, limit=paging.wanted
    )
    shown, mark = paging.page(found, lambda one: (one.starts_at, one.id))
    total = await here.bookings.absence_count(resource_id)
    return AbsenceList(items=shown, next_cursor=mark, total=total)


@router.post("/{resource_id}/absences", operation_id="add_absence", status_code=201)
async def add_absence(
    body: AbsenceIn, site: At, resource_id: ResourceId, times: Times, key: KeyHere
) -> AbsenceView:
    """Say when it is not there. Visits that are booked stay booked: move them by a closure, or one by one."""
    span = await times.span(site, body.starts_at, body.ends_at)
    return await times.books.add_absence(site, resource_id, id_from("absence", key), span, body.reason)


@router.post("/{resource_id}/absences/{absence_id}/end", operation_id="end_absence")
async def end_absence(
    _body: EmptyIn, site: At, resource_id: ResourceId, absence_id: AbsenceId, here: Composed
) -> AbsenceView:
    """It is there after all."""
    return await here.bookings.end_absence(site, resource_id, absence_id)


@router.get(
    "/{resource_id}/calendar",
    operation_id="read_resource_calendar",
    response_class=Response,
    responses=IN_CALENDAR,
)
async def read_resource_calendar(site: At, resource_id: ResourceId, here: Composed) -> Response:
    """Its visits as an iCalendar file, from last month on: times and rooms, never who or why."""
    await here.bookings.resource(site, resource_id)
    made_at = datetime.now(UTC)
    found = await here.bookings.of_resource(site, resource_id, made_at - CALENDAR_FROM)
    return in_calendar(calendar(found, made_at=made_at, with_place=True))


def in_calendar(text: str) -> Response:
    return Response(text, media_type=CALENDAR, headers={"Cache-Control": "no-store"})


def _content(body: ResourceIn) -> ResourceContent:
    hours = tuple(
        Shift(weekday=one.weekday, from_minute=one.starts, to_minute=one.ends) for one in body.hours
    )
    return ResourceContent(**body.model_dump(exclude={"hours"}), hours=hours)


def _shown(resource: ResourceView, response: Response) -> ResourceOut:
    response.headers["ETag"] = f'W/"{resource.version}"'
    return ResourceOut(href=f"/v1/resources/{resource.site}/{resource.id}", resource=resource)
