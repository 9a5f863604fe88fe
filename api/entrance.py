"""What happens to a request before and after its own code? The same for every route, in this order.

Who is it (token or API key), may they do this (act and role, or a broken glass), does the site exist for them,
what is a sensitive read for, is the body small and JSON, was this asked before (Idempotency-Key) — and only then
the route; a sensitive read is written down before its answer leaves (`api.looking`). `ActRoute` is the class of
all routes; what it found out, the route gets by dependency (`api.dependencies`).
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message, Receive

from api.auth import ACTS, OPEN_TO_ALL, Caller, Principal, authorise, behind_glass
from api.colleagues import note_who_acted
from api.composition import Composition, composition_of
from api.idempotency import answer_once
from api.looking import answer_and_note, note_refusal
from api.problems import Problem
from api.purposes import AUDITED, purpose_of
from api.straight import straight
from api.tokens import NOT_VALID, bearer_of, refused
from services.access.api_keys import PREFIX
from services.fhir.bundle import LARGEST_BYTES

MAX_BODY_BYTES = 1024 * 1024
MAX_BYTES_OF: dict[str, int] = {"receive_referral": LARGEST_BYTES}
"""Referrals carry whole medical histories."""

READS_ITS_OWN_BODY = frozenset({"receive_referral", "publish_protocol"})
JSON_TYPES = frozenset({"application/json", "application/fhir+json"})

Handler = Callable[[Request], Awaitable[Response]]


class ActRoute(APIRoute):
    """A route that is one act of the table in `api.auth`, named by its `operation_id`."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        answer = straight(self, super().get_route_handler())
        act = self.operation_id or ""
        if act not in ACTS and act not in OPEN_TO_ALL:
            raise LookupError(f"the route {self.path} declares no act of the table in api.auth: {act!r}")

        async def handle(request: Request) -> Response:
            if act in OPEN_TO_ALL:
                return await answer(request)
            await _admit(request, act)
            if request.method not in {"POST", "PATCH"}:
                return await (answer_and_note(request, act, answer) if act in AUDITED else answer(request))
            limit = MAX_BYTES_OF.get(act, MAX_BODY_BYTES)
            _require_small(request, limit)
            bounded = Request(request.scope, _bounded(request.receive, limit))
            await _require_json(bounded, parsed=act not in READS_ITS_OWN_BODY)
            if request.method == "PATCH":  # If-Match lets it happen once
                response = await answer(bounded)
            else:
                response = await answer_once(bounded, act, composition_of(request).requests, answer)
            await note_who_acted(request)
            return response

        return handle


async def _admit(request: Request, act: str) -> None:
    here = composition_of(request)
    principal = await _principal(here, request.headers.get("authorization"))
    try:
        caller = await _caller(request, here, act, principal)
        if "site" in request.path_params:
            caller.at(request.path_params["site"])
        if act in AUDITED:
            request.state.purpose = purpose_of(act, caller, request.headers.get("kap-purpose"))
    except Problem as refusal:
        if act in AUDITED:
            await note_refusal(request, act, principal, refusal)
        raise
    request.state.caller = caller


async def _principal(here: Composition, authorization: str | None) -> Principal:
    """A machine's key is told by its first letters; all else is a token."""
    secret = bearer_of(authorization)
    if not secret.startswith(PREFIX):
        return await here.tokens.verify(authorization)
    machine = await here.access.api_keys.bearer(secret)
    if machine is None:
        raise refused(NOT_VALID)
    return Principal(id=f"key-{machine.key_id}", roles=machine.roles, sites=machine.sites, machine=True)


async def _caller(request: Request, here: Composition, act: str, principal: Principal) -> Caller:
    """Who the table refuses may have broken the glass of this very course or patient."""
    named = request.headers.get("kap-role")
    try:
        return authorise(act, principal, named)
    except Problem as refusal:
        glass = behind_glass(act, principal, named)
        if refusal.code != "wrong-role" or glass is None:
            raise
        scope, role = glass
        place = request.path_params
        course = f"journey/{place['site']}/{place['ulid']}" if "ulid" in place else ""
        patient = place.get("patient_id", "")
        if not await here.access.glass.is_open(scope, principal.id, journey_id=course, patient_id=patient):
            raise
        return Caller(principal, role, through_glass=True)


def _require_small(request: Request, limit: int) -> None:
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > limit:
        raise _too_large(limit)


def _bounded(receive: Receive, limit: int) -> Receive:
    """The same stream, until it grows beyond the limit: a length need not be announced."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _too_large(limit)
        return message

    return bounded


def _too_large(limit: int) -> Problem:
    return Problem("body-too-large", f"the body may have {limit} bytes")


async def _require_json(request: Request, *, parsed: bool) -> None:
    body = await request.body()
    if not body:
        return
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in JSON_TYPES:
        raise Problem("unsupported-media-type")
    if not parsed:
        return
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        raise Problem("invalid-json") from None
