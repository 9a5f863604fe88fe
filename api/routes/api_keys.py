"""How does a machine get its key, which keys are there, and how is one taken away?"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Path, Query, Request, Response

from api.auth import MAY_GIVE, Caller
from api.dependencies import CallerHere, Composed, KeyHere
from api.errors import trace_id_of
from api.paging import CursorParameter, Limit, link_next
from api.problems import Fault, Problem
from api.routes.router import routes
from api.schemas.access import ApiKeyIn, ApiKeyPage, IssuedOut, RevocationIn
from api.schemas.values import Identifier, Site
from services.access.views import ApiKeyView, NewApiKey
from services.identifiers import id_from

router = routes("/v1/api-keys", "machines")

LONGEST = timedelta(days=366)


@router.post("", operation_id="issue_api_key", status_code=201)
async def issue_api_key(
    request: Request,
    body: ApiKeyIn,
    here: Composed,
    caller: CallerHere,
    key: KeyHere,
    response: Response,
) -> IssuedOut:
    """Issue a key; its secret is in this answer and nowhere else, so a repeated request gets 409 `api-key-issued`.

    403 `role-not-yours-to-give`: a medical director gives what machines may have, operations only their own role.
    404 for a site that is not yours. 422 for an end that has passed or lies beyond a year.
    """
    for site in body.sites:
        caller.at(site)
    _require_given(caller, body)
    _require_end(body.expires_at)
    new = NewApiKey(
        key_id=id_from("api-key", key),
        name=body.name,
        roles=tuple(sorted(set(body.roles))),
        sites=tuple(sorted(set(body.sites))),
        expires_at=body.expires_at,
    )
    secret = await here.access.api_keys.issue(new, caller.actor, trace_id_of(request.scope))
    response.headers["Location"] = f"/v1/api-keys/{new.key_id}"
    return IssuedOut(key_id=new.key_id, secret=secret, expires_at=new.expires_at)


@router.get("", operation_id="list_api_keys")
async def list_api_keys(
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    site: Annotated[Site | None, Query(description="only of this one of your sites")] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> ApiKeyPage:
    """Keys of your sites, newest first, without their secrets: who issued them, when they were last used."""
    sites = caller.principal.sites if site is None else frozenset({caller.at(site)})
    listing = f"api-keys {caller.principal.id} {sorted(sites)}"
    place = None if cursor is None else here.cursors.open(listing, cursor)
    position = None if place is None else (datetime.fromisoformat(place[0]), place[1])
    found = await here.access.api_keys.keys(sites, cursor=position, limit=limit + 1)
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(listing, [last.issued_at.isoformat(), last.key_id])
        link_next(request, response, mark)
    return ApiKeyPage(items=found[:limit], next_cursor=mark, counts=await here.access.api_keys.counts(sites))


@router.post("/{key_id}/revocation", operation_id="revoke_api_key")
async def revoke_api_key(
    request: Request,
    key_id: Annotated[Identifier, Path()],
    body: RevocationIn,
    here: Composed,
    caller: CallerHere,
) -> ApiKeyView:
    """Take a key away: the machine's next request is refused. Doing it twice answers the same."""
    return await here.access.api_keys.revoke(
        key_id, caller.principal.sites, caller.actor, body.reason, trace_id_of(request.scope)
    )


def _require_given(caller: Caller, body: ApiKeyIn) -> None:
    possible = MAY_GIVE[caller.role]
    faults = [
        Fault(pointer=f"/roles/{place}", detail=f"you may give: {', '.join(sorted(possible))}", code="role")
        for place, role in enumerate(body.roles)
        if role not in possible
    ]
    if faults:
        raise Problem("role-not-yours-to-give", errors=faults)


def _require_end(expires_at: datetime) -> None:
    now = datetime.now(UTC)
    if not now < expires_at <= now + LONGEST:
        text = f"a key ends in the future, and within {LONGEST.days} days"
        fault = Fault(pointer="/expires_at", detail=text, code="expiry")
        raise Problem("invalid-request", text, errors=[fault])
