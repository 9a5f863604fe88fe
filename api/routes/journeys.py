"""How does a course begin, and which courses are there?"""

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Query, Request, Response

from api.auth import Caller
from api.composition import Composition
from api.dependencies import CallerHere, Composed, Desk, DeskHere, KeyHere
from api.engine import EngineRefused
from api.minimum import shown_line
from api.paging import CursorParameter, Limit, link_next
from api.problems import Fault, Problem
from api.routes.router import routes
from api.schemas.answers import JourneyLine, JourneyPage, StartedOut
from api.schemas.intake import JourneyIn
from api.schemas.values import Site
from clinical.events import JourneyStatus
from clinical.journey import Stage
from clinical.people import Role
from clinical.protocol import Protocol
from services.identifiers import id_from
from services.records.errors import NotFound
from services.records.views import JourneySummary
from workflows.messages import Accepted, StartJourney
from workflows.names import journey_id

router = routes("/v1/journeys", "journeys")

T = TypeVar("T")
AtSite = Annotated[Site | None, Query(description="one of your sites; needed when you have several")]


@router.post("", operation_id="start_journey", status_code=201)
async def start_journey(
    body: JourneyIn, here: Composed, caller: CallerHere, desk: DeskHere, key: KeyHere, response: Response
) -> StartedOut:
    """Start one course of treatment. The same key again answers with the same course.

    409 `journey-already-active` names the patient's open course in `journey_id`.
    """
    caller.at(body.site)
    ulid = id_from("journey", key)
    identity, href = journey_id(body.site, ulid), f"/v1/journeys/{body.site}/{ulid}"
    accepted = await _started(here, desk, identity, body)
    response.headers["Location"] = href
    return StartedOut(**accepted.model_dump(), journey_id=identity, href=href)


@router.get("", operation_id="list_journeys")
async def list_journeys(
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    site: AtSite = None,
    stage: Annotated[Stage | None, Query()] = None,
    status: Annotated[JourneyStatus | None, Query()] = None,
    on_hold: Annotated[bool | None, Query(description="only those on hold, or only the others")] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> JourneyPage:
    """Courses, newest first, with counts. Operations see where they stand, nothing about the person."""
    at = one_site(caller, site)
    listing = f"journeys {caller.principal.id} {at} {stage} {status} {on_hold}"
    position = _journey_position(here, listing, cursor)
    found = await here.queries.list_journeys(
        [at], stage=stage, status=status, on_hold=on_hold, cursor=position, limit=limit + 1
    )
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(listing, [last.started_at.isoformat(), last.id])
        link_next(request, response, mark)
    counts = await here.queries.journey_counts([at])
    items = [_line(one, caller.role) for one in found[:limit]]
    return JourneyPage(items=items, next_cursor=mark, counts=counts)


def one_site(caller: Caller, site: str | None) -> str:
    """The site a list is about."""
    if site is not None:
        return caller.at(site)
    if len(caller.principal.sites) != 1:
        fault = Fault(pointer="query:site", detail="say which of your sites", code="missing")
        raise Problem("invalid-request", errors=[fault])
    return next(iter(caller.principal.sites))


async def _started(here: Composition, desk: Desk, identity: str, body: JourneyIn) -> Accepted:
    earlier = await _earlier(here, body.site, identity)
    if earlier is not None:
        return earlier
    patient = await _found(here.queries.patient([body.site], body.patient_id), "/patient_id")
    await _refuse_a_second_course(here, body.site, patient.journeys)
    if body.referral_id is not None:
        await _found(
            here.queries.require_referral(body.site, body.patient_id, body.referral_id), "/referral_id"
        )
    wanted = body.protocol or await here.access.sites.default_protocol(body.site)
    protocol = await _found(here.records.protocol(body.site, wanted), "/protocol")
    _require_indicated(protocol, body)
    closed = await here.closed_days.ahead(body.site, datetime.now(UTC))
    message = desk.message(StartJourney, body, protocol=protocol, time_zone=patient.time_zone, closed=closed)
    try:
        return await here.engine.start_journey(identity, message)
    except EngineRefused:
        # Two requests at once: the record lets one through, and by now knows which.
        again = await here.queries.patient([body.site], body.patient_id)
        await _refuse_a_second_course(here, body.site, again.journeys)
        raise


async def _earlier(here: Composition, site: str, identity: str) -> Accepted | None:
    """The course, if this very request has started it before and its answer was lost."""
    try:
        journey = await here.queries.journey([site], identity)
    except NotFound:
        return None
    return Accepted(state=journey.stage, at=journey.started_at, detail={"journey_id": identity})


async def _found(question: Awaitable[T], pointer: str) -> T:
    """What the record holds; otherwise 404 naming the field that led nowhere."""
    try:
        return await question
    except NotFound:
        fault = Fault(pointer=pointer, detail="there is no such thing at this site", code="not-found")
        raise Problem("not-found", errors=[fault]) from None


def _require_indicated(protocol: Protocol, body: JourneyIn) -> None:
    if body.indication not in protocol.indications:
        text = f"the protocol is for: {', '.join(protocol.indications)}"
        fault = Fault(pointer="/indication", detail=text, code="indication")
        raise Problem("invalid-request", text, errors=[fault])


async def _refuse_a_second_course(here: Composition, site: str, courses: Sequence[str]) -> None:
    for identity in courses:
        if (await here.queries.journey([site], identity)).closed_at is None:
            members = {"journey_id": identity, "href": href_of(identity)}
            raise Problem("journey-already-active", members=members)


def href_of(identity: str) -> str:
    """Where a course can be read."""
    return "/v1/journeys/" + identity.removeprefix("journey/")


def _journey_position(here: Composition, listing: str, cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    started_at, identity = here.cursors.open(listing, cursor)
    return datetime.fromisoformat(started_at), identity


def _line(journey: JourneySummary, role: Role) -> JourneyLine:
    return JourneyLine(journey_id=journey.id, href=href_of(journey.id), **shown_line(journey, role))
