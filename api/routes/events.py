"""What has happened at a site? As a stream that resumes (Server-Sent Events), or as pages to replay."""

from typing import Annotated

from fastapi import Header, Query, Request, Response

from api.dependencies import CallerHere, Composed
from api.paging import CursorParameter, Limit, link_next
from api.problems import Problem
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.events import EventOut, EventPage, EventType
from services.events.feed import require_within

router = routes("/v1/events", "events")

STREAM = "text/event-stream"
LARGEST = 2**63 - 1
Seq = Annotated[int | None, Query(ge=0, le=LARGEST)]


@router.get(
    "",
    operation_id="read_events",
    response_model=EventPage,
    responses={200: {"content": {STREAM: {"schema": {"type": "string"}}}}},
)
async def read_events(
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    site: AtSite = None,
    type: Annotated[list[EventType], Query(description="only these types", max_length=100)] = [],  # noqa: B006
    after: Seq = None,
    until: Seq = None,
    cursor: CursorParameter = None,
    limit: Limit = 100,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
    accept: Annotated[str, Header(max_length=500)] = "application/json",
) -> EventPage | Response:
    """What happened at a site, in one order: thin events that name things; read those with authorisation.

    With `Accept: text/event-stream` a stream without end: `id` is the event's number, and a client that comes
    back with `Last-Event-ID` (or `after`) misses nothing and gets nothing twice; without either it begins now.
    A comment every 15 seconds shows that it lives; after 15 minutes it ends and the client comes back.
    Otherwise pages, from the oldest event or `after` to `until`.
    410 `cursor-expired`: those events are forgotten; `snapshot` is where to begin again.
    """
    at = one_site(caller, site)
    types = sorted(set(type))
    span = await here.outside.feed.span(at)
    if _wants_stream(accept):
        given = _number(last_event_id) if last_event_id is not None else after
        start = span.last_seq if given is None else given
        require_within(at, span, start)
        return here.outside.streams.response(at, start, types)
    listing = f"events {caller.principal.id} {at} {types} {until}"
    start = span.first_seq - 1 if after is None else after
    if cursor is not None:
        start = int(here.cursors.open(listing, cursor)[0])
    last = span.last_seq if until is None else min(until, span.last_seq)
    found = await here.outside.feed.page(at, after=start, types=types, until=last, limit=limit + 1)
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [str(found[limit - 1].seq)])
        link_next(request, response, mark)
    response.headers["Vary"] = "Accept"
    items = [EventOut.of(event) for event in found[:limit]]
    return EventPage(items=items, next_cursor=mark, first_seq=span.first_seq, last_seq=span.last_seq)


def _wants_stream(accept: str) -> bool:
    return STREAM in [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]


def _number(last_event_id: str) -> int:
    plain = last_event_id.isascii() and last_event_id.isdecimal()
    if not plain or int(last_event_id) > LARGEST:
        raise Problem("cursor-invalid", "Last-Event-ID is the `id` of an event of this stream")
    return int(last_event_id)
