"""How is a sensitive read written down before its answer leaves?

The route answers first, so that the event can say what came of it; then the event is written, and only then does
the answer go out. An audit that cannot be written is a 503, whatever the answer was: fail closed. Who is turned
away before the route is noted as well (`api.refusals` says how often), and stays refused whatever becomes of it.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable

import structlog
from fastapi import Request, Response
from sqlalchemy.exc import SQLAlchemyError

from api.auth import Caller, Principal
from api.composition import composition_of
from api.errors import problem_of, trace_id_of
from api.problems import Problem
from api.purposes import Purpose
from services.access.views import Looked, Outcome
from services.identifiers import PATTERN

_log = structlog.get_logger(__name__)

IDENTIFIER = re.compile(PATTERN)
SITE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
UNSTATED = "unstated"
"""The purpose of who named none that we know."""
LONGEST_NOTE_S = 2.0
"""A refusal waits no longer for the audit."""


def seen_at(request: Request, site: str) -> None:
    """A route whose address names no site says where the thing was that it showed."""
    request.state.seen_at = site


async def answer_and_note(
    request: Request, act: str, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    try:
        response = await answer(request)
    except Exception as error:
        problem = problem_of(error)
        outcome = Outcome.FAILED if problem.kind.status >= 500 else Outcome.REFUSED
        await _note(request, act, outcome, problem.code)
        raise
    await _note(request, act, Outcome.DONE)
    return response


async def note_refusal(request: Request, act: str, principal: Principal, refusal: Problem) -> None:
    """Somebody was turned away at the door of a sensitive read. Whatever becomes of the note, they stay refused.

    It stands in the chain of a site of theirs, never of one that they only named: nobody writes into the audit
    of another site, or makes a chain for one that is not there. Who belongs to no site is in the request log only.
    """
    named = request.path_params.get("site")
    site = named if named in principal.sites else min(principal.sites, default=None)
    here = composition_of(request)
    reason = here.refusals.told(principal.id, refusal.code)
    if site is None or reason is None:
        return
    looked = Looked(
        site=site,
        actor_id=principal.id,
        actor_role=",".join(sorted(principal.roles)) or "none",
        act=act,
        purpose=_stated(request.headers.get("kap-purpose")),
        object_id=_object(request),
        part=_part(request),
        outcome=Outcome.REFUSED.value,
        trace_id=trace_id_of(request.scope),
        reason=reason,
    )
    try:
        async with asyncio.timeout(LONGEST_NOTE_S):
            await here.access.audit.write(looked)
    except (SQLAlchemyError, OSError) as error:
        _log.error("audit not written", route=request.scope["route"].path, error_type=type(error).__name__)


def _stated(purpose: str | None) -> str:
    return purpose if purpose in set(Purpose) else UNSTATED


async def _note(request: Request, act: str, outcome: Outcome, reason: str | None = None) -> None:
    caller: Caller = request.state.caller
    site = _site(request, caller)
    if site is None:
        return
    looked = Looked(
        site=site,
        actor_id=caller.principal.id,
        actor_role=caller.role.value,
        act=act,
        purpose=request.state.purpose.value,
        object_id=_object(request),
        part=_part(request),
        outcome=outcome.value,
        trace_id=trace_id_of(request.scope),
        reason=reason,
    )
    try:
        await composition_of(request).access.audit.write(looked)
    except SQLAlchemyError as error:
        _log.error("audit not written", route=request.scope["route"].path, error_type=type(error).__name__)
        raise Problem(
            "records-unavailable", "this read cannot be written down now: it is not answered"
        ) from None


def _site(request: Request, caller: Caller) -> str | None:
    """What was not found lies nowhere: it is noted at the first site of who asked."""
    named = request.path_params.get("site") or getattr(request.state, "seen_at", None)
    return named or min(caller.principal.sites, default=None)


def _object(request: Request) -> str:
    """What was asked for. Callers put anything into addresses: only what has the form of an id is kept."""
    place = request.path_params
    if "patient_id" in place:
        return f"patient/{_id(place['patient_id'])}"
    if "message_case_id" in place:
        return f"message/{_id(place['message_case_id'])}"
    site = place["site"] if SITE_NAME.fullmatch(place["site"]) else "unreadable"
    return f"journey/{site}/{_id(place['ulid'])}"


def _part(request: Request) -> str | None:
    place = request.path_params
    if "note_id" in place:
        return f"note/{_id(place['note_id'])}"
    return f"session/{place['n']}" if place.get("n", "").isdecimal() and len(place["n"]) <= 4 else None


def _id(text: str) -> str:
    return text if IDENTIFIER.fullmatch(text) else "unreadable"
