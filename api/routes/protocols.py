"""Which protocol does a site treat by, and how is a new version published? Published once, never changed."""

import asyncio
from typing import Annotated

from fastapi import Query, Request, Response

from api.dependencies import CallerHere, Composed
from api.problems import Fault, Problem
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.answers import PublishedOut
from clinical.protocol import Protocol
from services.protocols import ProtocolInvalid, read_protocol, verify_signature

router = routes("/v1/protocols", "protocols")

BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Protocol"}}},
    }
}


@router.post("", operation_id="publish_protocol", status_code=201, openapi_extra=BODY)
async def publish_protocol(
    request: Request, response: Response, here: Composed, caller: CallerHere, site: AtSite = None
) -> PublishedOut:
    """Publish a protocol to a site, whole and signed. 422 `protocol-invalid` lists every fault.

    The same content again changes nothing; other content under a published version is refused.
    """
    at = one_site(caller, site)
    written = (await request.body()).decode("utf-8", "replace")
    try:
        protocol = await asyncio.to_thread(read_protocol, written)
        verify_signature(protocol, here.environment)
    except ProtocolInvalid as error:
        faults = [Fault(pointer=one.pointer, detail=one.detail, code="protocol") for one in error.faults]
        raise Problem("protocol-invalid", errors=faults) from None
    await here.records.publish_protocol(protocol, at)
    response.headers["Location"] = f"/v1/protocols?site={at}"
    return PublishedOut(canonical=protocol.canonical, content_hash=protocol.content_hash, site=at)


@router.get("", operation_id="read_protocol")
async def read_published_protocol(
    here: Composed,
    caller: CallerHere,
    site: AtSite = None,
    canonical: Annotated[
        str | None, Query(max_length=300, pattern=r"^[!-~]+$", description="url|version")
    ] = None,
) -> Protocol:
    """The protocol that a new course at this site would get, or a version by its canonical name."""
    at = one_site(caller, site)
    return await here.records.protocol(at, canonical or await here.access.sites.default_protocol(at))
