"""How does one patient's course go over to another protocol? Looked at first, then on purpose, by its exact hash."""

from typing import Annotated

from fastapi import Header, Query, Response

from api.composition import Composition
from api.dependencies import CallerHere, Composed, Course, CourseHere, DeskHere
from api.engine import NotRunning
from api.problems import Problem
from api.routes.router import COURSE, routes
from api.schemas.answers import AcceptedOut, MigrationOut
from api.schemas.course import MigrationIn
from clinical.protocol import Protocol
from clinical.protocol_diff import changes
from services.protocols import ProtocolInvalid, verify_signature
from services.records.views import JourneyView, SessionSummary
from workflows.messages import Accepted, MigrateProtocol, MigrationLook

router = routes(COURSE, "course")

Canonical = Annotated[str | None, Query(max_length=300, pattern=r"^[!-~]+$", description="url|version")]
LOOK = "look"


@router.get("/protocol-migration", operation_id="read_protocol_migration")
async def read_protocol_migration(
    response: Response, course: CourseHere, caller: CallerHere, here: Composed, canonical: Canonical = None
) -> MigrationOut:
    """What would change for this patient, and what speaks against it; the site's protocol if none is named."""
    journey = await _open(course)
    before = await here.records.protocol(course.site, journey.protocol)
    after = await _published(course, here, canonical)
    asked = MigrateProtocol(
        key=LOOK,
        actor=caller.actor,
        protocol=after,
        reason=LOOK,
        in_the_chair=_somebody_in_the_chair(journey),
    )
    try:
        look = await here.engine.look(course.id, "look_at_migration", asked, MigrationLook)
    except NotRunning:
        raise Problem("not-possible-now", "the course is over, or has not begun") from None
    response.headers["ETag"] = f'"{after.content_hash}"'
    return MigrationOut(
        before=look.before,
        after=after.canonical,
        after_hash=after.content_hash,
        allowed=look.found.decision.passes,
        plan_anew=look.found.plan_anew,
        reasons=list(look.found.decision.reasons),
        changes=[str(change) for change in changes(before, after)],
        keeps=_begun(journey),
    )


@router.post("/protocol-migration", operation_id="migrate_protocol", response_model=AcceptedOut)
async def migrate_protocol(
    body: MigrationIn,
    course: CourseHere,
    desk: DeskHere,
    here: Composed,
    if_match: Annotated[str | None, Header(max_length=80, include_in_schema=False)] = None,
) -> Accepted:
    """Go over to exactly the protocol that was looked at; 409 `migration-refused` has every reason against it."""
    if if_match is None:
        raise Problem("precondition-required", 'send the hash that was looked at: If-Match: "<after_hash>"')
    journey = await _open(course)
    after = await _published(course, here, body.protocol)
    if if_match.strip().removeprefix("W/").strip('"') != after.content_hash:
        raise Problem("protocol-changed", "If-Match is not the hash of this protocol: look at it again")
    in_the_chair = _somebody_in_the_chair(journey)
    message = desk.message(MigrateProtocol, body, protocol=after, in_the_chair=in_the_chair)
    return await desk.send(course, "migrate_protocol", message)


def _somebody_in_the_chair(journey: JourneyView) -> bool:
    return any(_in_the_chair(visit) for visit in journey.sessions)


def _in_the_chair(visit: SessionSummary) -> bool:
    """From check-in until they have gone home, or the visit came to nothing."""
    return visit.checked_in_at is not None and visit.discharged_at is None and visit.closed_at is None


async def _open(course: Course) -> JourneyView:
    journey = await course.view()
    if journey.closed_at is not None:
        raise Problem("not-possible-now", f"the course is {journey.stage} and takes no further step")
    return journey


async def _published(course: Course, here: Composition, canonical: str | None) -> Protocol:
    """One that the site has published, signed as this environment asks; raises NotFound."""
    wanted = canonical or await here.access.sites.default_protocol(course.site)
    protocol = await here.records.protocol(course.site, wanted)
    try:
        verify_signature(protocol, here.environment)
    except ProtocolInvalid as invalid:
        told = "; ".join(fault.detail for fault in invalid.faults)
        raise Problem("migration-refused", told) from None
    return protocol


def _begun(journey: JourneyView) -> list[str]:
    """What goes on by the protocol it began with."""
    found = [
        f"session {visit.session}"
        for visit in journey.sessions
        if visit.checked_in_at and not visit.closed_at
    ]
    if journey.stage in ("screening", "planning", "follow-up"):
        found.append(f"the {journey.stage} that is under way")
    found += [
        "an open risk case"
        for case in journey.risk_cases
        if case.resolved_at is None and case.joined_to is None
    ]
    return found
