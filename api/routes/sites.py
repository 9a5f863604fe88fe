"""Which sites are there, in which time zone, and how is one registered or changed?"""

from typing import Annotated

from fastapi import Header, Path, Query, Request, Response

from api.dependencies import CallerHere, Composed
from api.errors import trace_id_of
from api.paging import Paged
from api.problems import Fault, Problem
from api.routes.router import routes
from api.schemas.access import SiteIn, SitesOut
from api.schemas.booking import Zone
from api.schemas.values import Site
from services.access.errors import SiteMoved
from services.access.views import SiteDetails, SiteView
from services.records.errors import NotFound

router = routes("/v1/sites", "sites")

At = Annotated[Site, Path()]


@router.get("", operation_id="list_sites")
async def list_sites(
    here: Composed,
    caller: CallerHere,
    paging: Paged,
    time_zone: Annotated[Zone | None, Query(description="only of this zone")] = None,
) -> SitesOut:
    """Your sites, with name, time zone, telephone and default protocol. Sites that are not yours are not there."""
    register, yours = here.access.sites, caller.principal.sites
    after = None if paging.place is None else paging.place[0]
    found = await register.sites(yours, time_zone=time_zone, after=after, limit=paging.wanted)
    shown, mark = paging.page(found, lambda one: (one.site,))
    return SitesOut(items=shown, next_cursor=mark, counts=await register.counts(yours))


@router.post("/{site}", operation_id="change_site")
async def change_site(
    request: Request,
    site: At,
    body: SiteIn,
    here: Composed,
    caller: CallerHere,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40, include_in_schema=False)] = None,
) -> SiteView:
    """Register a site of yours, or change it: then with `If-Match`, the `ETag` of what is changed.

    428 `precondition-required` without it, 412 `site-changed` when the site is another one now; 422 names every
    fault, such as a default protocol that is not published there.
    """
    await _require_published(here, site, body.default_protocol)
    details = SiteDetails.model_validate(body.model_dump())
    version = _version(if_match)
    try:
        changed = await here.access.sites.change(
            site, details, caller.actor, version, trace_id_of(request.scope)
        )
    except SiteMoved as moved:
        if if_match is None:
            raise Problem("precondition-required", "send If-Match with the ETag of the site") from None
        members = {"version": moved.version}
        raise Problem("site-changed", "read the site again, then change it", members=members) from None
    response.headers["ETag"] = _etag(changed)
    return changed


@router.get("/{site}", operation_id="read_site")
async def read_site(site: At, here: Composed, response: Response) -> SiteView:
    """One site; `ETag` is its version. 404 while nobody has registered it."""
    found = await here.access.sites.site(site)
    response.headers["ETag"] = _etag(found)
    return found


async def _require_published(here: Composed, site: str, canonical: str | None) -> None:
    if canonical is None:
        return
    try:
        await here.records.protocol(site, canonical)
    except NotFound:
        text = "no protocol of this name and version is published at this site"
        fault = Fault(pointer="/default_protocol", detail=text, code="not-found")
        raise Problem("invalid-request", text, errors=[fault]) from None


def _etag(site: SiteView) -> str:
    return f'W/"{site.version}"'


def _version(if_match: str | None) -> int | None:
    """The version that the caller has seen; what is no ETag of ours fits no version."""
    if if_match is None:
        return None
    number = if_match.strip().removeprefix("W/").strip('"')
    return int(number) if number.isdecimal() and number.isascii() else -1
