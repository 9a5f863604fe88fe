"""Who looked at what? The audit of a site, for those who look after it."""

from typing import Annotated

from fastapi import Query, Request, Response

from api.dependencies import CallerHere, Composed
from api.paging import CursorParameter, Limit, link_next
from api.purposes import Purpose
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.access import AuditPage
from api.schemas.values import Code, Identifier, Instant
from services.access.views import AuditFilter, ChainVerdict, Outcome

JOURNEY = r"^journey/[a-z0-9-]{1,63}/[0-9A-HJKMNP-TV-Z]{26}$"

router = routes("/v1/audit-events", "audit")


@router.get("", operation_id="list_audit_events")
async def list_audit_events(
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    site: AtSite = None,
    patient_id: Annotated[
        Identifier | None, Query(description="reads of this person and of their courses")
    ] = None,
    journey_id: Annotated[
        str | None, Query(pattern=JOURNEY, description="as in the list of journeys")
    ] = None,
    actor_id: Annotated[Code | None, Query()] = None,
    act: Annotated[Code | None, Query(description="as `read_patient`")] = None,
    purpose: Annotated[Purpose | None, Query()] = None,
    outcome: Annotated[Outcome | None, Query(description="0 done, 4 refused, 8 failed")] = None,
    since: Annotated[Instant | None, Query()] = None,
    until: Annotated[Instant | None, Query()] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> AuditPage:
    """Sensitive reads, broken glasses and their reviews at a site, newest first; each names the hash before it.

    Refused reads say in `reason` why.

    404 for a patient who is not in the record of your site.
    """
    at = one_site(caller, site)
    asked_for = patient_id, journey_id, actor_id, act, purpose, outcome, since, until
    listing = f"audit {caller.principal.id} {at} {asked_for}"
    before = None if cursor is None else int(here.cursors.open(listing, cursor)[0])
    objects: tuple[str, ...] | None = None if journey_id is None else (journey_id,)
    if patient_id is not None:
        courses = (await here.queries.patient([at], patient_id)).journeys
        of_person = [f"patient/{patient_id}", *courses]
        objects = tuple(one for one in of_person if objects is None or one in objects)
    asked = AuditFilter(
        actor_id=actor_id,
        act=act,
        purpose=purpose,
        outcome=outcome,
        objects=objects,
        since=since,
        until=until,
    )
    found = await here.access.audit.events(at, asked, before_seq=before, limit=limit + 1)
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [str(found[limit - 1].seq)])
        link_next(request, response, mark)
    return AuditPage(items=found[:limit], next_cursor=mark, counts=await here.access.audit.counts(at))


@router.get("/verification", operation_id="verify_audit")
async def verify_audit(here: Composed, caller: CallerHere, site: AtSite = None) -> ChainVerdict:
    """Is the audit of the site whole and unchanged? If not, `first_bad` is the first record that is not.

    Who keeps `last_seq` and `last_hash` elsewhere can tell later that nothing before was made anew.
    """
    return await here.access.audit.verify(one_site(caller, site))
