"""How does the same request, sent twice, happen once?

Every POST honours `Idempotency-Key`; the acts in KEY_REQUIRED refuse to go without. A key belongs to one
person and one address (which names the site). It is used twice: its hash is the update id and the key of the
fact, so the engine and the record do nothing twice; and the finished answer is kept and given again, marked
`Idempotent-Replayed: true`. Only 2xx answers are kept: a refusal may turn into a yes when the world has
changed, and the engine's own memory covers what is not kept. Asking with another request is refused, asking
while the first one runs as well. Of a key only its hash is stored: callers put anything into keys.

A request that runs for longer than half a minute may be taken over by the same request, sent again: its process may
be dead. If it was only slow, both ask for the same under the same key, and it is done once. One key has one answer all
the same: the claim decides whose is kept, and whoever comes too late gives the kept one, whatever its own was: done
here and refused there would be two truths. While there is none yet it gives its own, which nobody keeps.
"""

import hashlib
import json
import os
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog
from fastapi import Request, Response

from api.auth import Caller
from api.problems import Problem
from services.records.errors import KeyReused, RecordsUnavailable
from services.records.idempotency import Claimed, Replay, Running

KEY_REQUIRED = frozenset(
    {
        "start_journey",
        "approve_plan",
        "give_dose",
        "book_session",
        "hold_slot",
        "accept_offer",
        "confirm_closure",
        "confirm_operation",
        "book_consultation",
        "receive_container",
        "count_container",
        "waste_drug",
        "return_drug",
        "destroy_drug",
    }
)
NEVER_KEPT = frozenset({"issue_api_key", "make_link"})
"""Answers with a secret that is shown once: given again they would be a second copy, kept they would be a store."""

KEY = re.compile(r"[\x20-\x7e]{1,255}")
REPLAYED = "Idempotent-Replayed"
KEPT_HEADERS = ("location", "etag")
CHOOSING_HEADERS = ("kap-role", "if-match")
"""Headers that make it another request."""

_log = structlog.get_logger(__name__)


class Requests(Protocol):
    """The memory of requests; `services.records.idempotency` has it in the database."""

    async def claim(self, scope: str, key: str, request_hash: str) -> Claimed | Running | Replay: ...

    async def finish(
        self, scope: str, key: str, claimed: Claimed, status: int, body: str
    ) -> Replay | None: ...

    async def release(self, scope: str, key: str, claimed: Claimed) -> Replay | None: ...


async def answer_once(
    request: Request, act: str, requests: Requests, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Answer this POST, or give the answer that was given before."""
    caller: Caller = request.state.caller
    scope = f"{caller.principal.id} {request.url.path}"
    given = _given_key(request)
    if given is None and act in KEY_REQUIRED:
        raise Problem("idempotency-key-missing", "send a header Idempotency-Key with a value of your own")
    key = _hash(scope, given or os.urandom(16).hex())
    request.state.key = key
    if given is None:
        return await answer(request)
    match await _claim(requests, scope, key, await _fingerprint(request)):
        case Running():
            raise Problem("request-in-progress", headers={"Retry-After": "1"})
        case Replay() as kept:
            return _again(kept)
        case Claimed() as claimed:
            mine = _Claim(requests, scope, key, claimed, keep=act not in NEVER_KEPT)
            return await _first_time(request, mine, answer)


async def _claim(requests: Requests, scope: str, key: str, request_hash: str) -> Claimed | Running | Replay:
    try:
        return await requests.claim(scope, key, request_hash)
    except KeyReused:
        raise Problem("idempotency-key-reused") from None


@dataclass(frozen=True)
class _Claim:
    """This request is ours to answer, unless it takes too long."""

    requests: Requests
    scope: str
    key: str
    claimed: Claimed
    keep: bool

    async def end(self, response: Response | None) -> Replay | None:
        """Keep the answer, or give the key back; what was kept meanwhile, if another one has answered."""
        if response is None or not self.keep or not 200 <= response.status_code < 300:
            return await self.requests.release(self.scope, self.key, self.claimed)
        headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        kept = json.dumps({"headers": headers, "body": bytes(response.body).decode()})
        return await self.requests.finish(self.scope, self.key, self.claimed, response.status_code, kept)


async def _first_time(
    request: Request, mine: _Claim, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    answered = None
    try:
        response = await answer(request)
    except BaseException as failure:
        # Given back or not: this process takes it up again at once, another one after half a minute.
        with suppress(RecordsUnavailable):
            answered = await mine.end(None)
        if answered is None or not isinstance(failure, Exception):
            raise
        return _again(answered)
    try:
        answered = await mine.end(response)
    except RecordsUnavailable:
        # It happened and the caller must hear so. Asking again finds it done by the engine's own memory.
        _log.warning("answer not kept", route=request.scope["route"].path)
    return response if answered is None else _again(answered)


def _again(kept: Replay) -> Response:
    answer = json.loads(kept.body)
    headers = {**answer["headers"], REPLAYED: "true"}
    return Response(answer["body"], kept.status, headers=headers, media_type="application/json")


def _given_key(request: Request) -> str | None:
    """The key as sent; the draft standard puts it in quotes, most clients do not."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    key = given.strip().strip('"')
    if not KEY.fullmatch(key):
        raise Problem("idempotency-key-missing", "an Idempotency-Key has 1 to 255 plain characters")
    return key


async def _fingerprint(request: Request) -> str:
    """What makes this request this one: method, address, query, choosing headers, the meaning of the body."""
    meaning = _meaning(await request.body())
    chosen = [request.headers.get(name, "") for name in CHOOSING_HEADERS]
    return _hash(request.method, request.url.path, request.url.query, *chosen, meaning)


def _meaning(body: bytes) -> str:
    """The body without its spelling (spaces, order of members), where that can be had."""
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except (ValueError, RecursionError):
        return hashlib.sha256(body).hexdigest()


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
