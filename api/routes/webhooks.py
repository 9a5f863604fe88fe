"""To which other systems does a site speak, and what became of what it said? Endpoints, deliveries, replays."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Path, Query, Request, Response

from api.dependencies import CallerHere, Composed, KeyHere
from api.paging import CursorParameter, Limit, link_next
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.events import (
    DeliveryOut,
    DeliveryPage,
    EndpointChangeIn,
    EndpointIn,
    EndpointOut,
    EndpointPage,
    KeyedEndpointOut,
    NothingIn,
    ReplayIn,
    ReplayOut,
    RotationIn,
)
from api.schemas.values import Identifier
from services.events.interface import DeliveryStatus, EndpointStatus
from services.identifiers import id_from

router = routes("/v1/webhook-endpoints", "events")

EndpointId = Annotated[Identifier, Path()]


@router.post("", operation_id="create_webhook_endpoint", status_code=201)
async def create_endpoint(
    body: EndpointIn, here: Composed, caller: CallerHere, key: KeyHere, response: Response
) -> KeyedEndpointOut:
    """Send the events of a site there, from now on, signed (Standard Webhooks). The secret is shown once.

    422 `unsafe-endpoint`: only https, and only names that lead to public addresses.
    """
    at, who = caller.at(body.site), caller.principal.id
    identity = id_from("webhook", key)
    keyed = await here.outside.endpoints.create(
        identity, at, body.url, body.types, who, datetime.now(UTC), asymmetric=body.ed25519
    )
    answer = KeyedEndpointOut.with_keys(keyed)
    response.headers["Location"] = answer.href
    return answer


@router.get("", operation_id="list_webhook_endpoints")
async def list_endpoints(
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    site: AtSite = None,
    status: Annotated[EndpointStatus | None, Query()] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> EndpointPage:
    """Endpoints of a site; removed ones when asked for."""
    at = one_site(caller, site)
    listing = f"webhook-endpoints {caller.principal.id} {at} {status}"
    after = "" if cursor is None else here.cursors.open(listing, cursor)[0]
    found = await here.outside.endpoints.endpoints(at, status=status, after=after, limit=limit + 1)
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [found[limit - 1].id])
        link_next(request, response, mark)
    counts = await here.outside.endpoints.counts(at)
    return EndpointPage(items=[EndpointOut.of(one) for one in found[:limit]], next_cursor=mark, counts=counts)


@router.get("/{endpoint_id}", operation_id="read_webhook_endpoint")
async def read_endpoint(endpoint_id: EndpointId, here: Composed, caller: CallerHere) -> EndpointOut:
    """One endpoint as it stands; never its secret."""
    return EndpointOut.of(await here.outside.endpoints.endpoint(caller.principal.sites, endpoint_id))


@router.post("/{endpoint_id}/changes", operation_id="change_webhook_endpoint")
async def change_endpoint(
    body: EndpointChangeIn, endpoint_id: EndpointId, here: Composed, caller: CallerHere
) -> EndpointOut:
    """Another address or other types. 412 `endpoint-changed` when somebody was faster."""
    changed = await here.outside.endpoints.change(
        caller.principal.sites, endpoint_id, body.version, url=body.url, types=body.types
    )
    return EndpointOut.of(changed)


@router.post("/{endpoint_id}/disablement", operation_id="disable_webhook_endpoint")
async def disable_endpoint(
    endpoint_id: EndpointId, here: Composed, caller: CallerHere, body: NothingIn | None = None
) -> EndpointOut:
    """Send nothing more until it is enabled. Twice is the same."""
    endpoints = here.outside.endpoints
    return EndpointOut.of(await endpoints.disable(caller.principal.sites, endpoint_id, datetime.now(UTC)))


@router.post("/{endpoint_id}/enablement", operation_id="enable_webhook_endpoint")
async def enable_endpoint(
    endpoint_id: EndpointId, here: Composed, caller: CallerHere, body: NothingIn | None = None
) -> EndpointOut:
    """Go on where it stopped, as far as the events are kept. Its address is checked again."""
    return EndpointOut.of(await here.outside.endpoints.enable(caller.principal.sites, endpoint_id))


@router.post("/{endpoint_id}/secret-rotations", operation_id="rotate_webhook_secret", status_code=201)
async def rotate_secret(
    body: RotationIn, endpoint_id: EndpointId, here: Composed, caller: CallerHere
) -> KeyedEndpointOut:
    """A new secret, shown once; until the overlap ends both sign."""
    overlap = timedelta(hours=body.overlap_hours)
    keyed = await here.outside.endpoints.rotate(
        caller.principal.sites, endpoint_id, overlap, datetime.now(UTC)
    )
    return KeyedEndpointOut.with_keys(keyed)


@router.post("/{endpoint_id}/test-events", operation_id="send_test_webhook", status_code=201)
async def send_test(
    endpoint_id: EndpointId, here: Composed, caller: CallerHere, key: KeyHere, body: NothingIn | None = None
) -> DeliveryOut:
    """Send an event of type `webhook.test` to this endpoint alone; the list of deliveries tells what came of it."""
    sites = caller.principal.sites
    return DeliveryOut.of(await here.outside.deliveries.send_test(sites, endpoint_id, key, datetime.now(UTC)))


@router.post("/{endpoint_id}/replays", operation_id="replay_webhooks", status_code=201)
async def replay(
    body: ReplayIn, endpoint_id: EndpointId, here: Composed, caller: CallerHere, key: KeyHere
) -> ReplayOut:
    """Send a range again, each event under its first webhook-id. 410 `cursor-expired`: a part is forgotten."""
    count = await here.outside.deliveries.replay(
        caller.principal.sites, endpoint_id, key, body.since, body.until, datetime.now(UTC)
    )
    return ReplayOut(events=count)


@router.get("/{endpoint_id}/deliveries", operation_id="list_webhook_deliveries")
async def list_deliveries(
    endpoint_id: EndpointId,
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    status: Annotated[DeliveryStatus | None, Query()] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> DeliveryPage:
    """What was sent, newest first, with every attempt and when the next one is."""
    listing = f"webhook-deliveries {caller.principal.id} {endpoint_id} {status}"
    before = None if cursor is None else int(here.cursors.open(listing, cursor)[0])
    found = await here.outside.deliveries.deliveries(
        caller.principal.sites, endpoint_id, status=status, before=before, limit=limit + 1
    )
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [str(found[limit - 1].id)])
        link_next(request, response, mark)
    counts = await here.outside.deliveries.counts(endpoint_id)
    return DeliveryPage(items=[DeliveryOut.of(one) for one in found[:limit]], next_cursor=mark, counts=counts)


@router.post("/{endpoint_id}/removal", operation_id="remove_webhook_endpoint")
async def remove_endpoint(
    endpoint_id: EndpointId, here: Composed, caller: CallerHere, body: NothingIn | None = None
) -> EndpointOut:
    """Forget the endpoint and its secrets; what is on its way stops, the log of what was sent stays."""
    endpoints = here.outside.endpoints
    return EndpointOut.of(await endpoints.remove(caller.principal.sites, endpoint_id, datetime.now(UTC)))
