"""How is a sensitive read written down before its answer leaves?

The route answers first, so that the event can say what came of it; then the event is written, and only then does
the answer go out. An audit that cannot be written is a 503, whatever the answer was: fail closed.
"""

import re
from collections.abc import Awaitable, Callable

import structlog
from fastapi import Request, Response
from sqlalchemy.exc import SQLAlchemyError

from api.auth import Caller
from api.composition import composition_of
from api.errors import problem_of, trace_id_of
from api.problems import Problem
from services.access.views import Looked
from services.identifiers import PATTERN

_log = structlog.get_logger(__name__)

IDENTIFIER = re.compile(PATTERN)
DONE, REFUSED, FAILED = "0", "4", "8"
"""AuditEvent's outcomes."""


def seen_at(request: Request, site: str) -> None:
    """A route whose address names no site says where the thing was that it showed."""
    request.state.seen_at = site


async def answer_and_note(
    request: Request, act: str, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    try:
        response = await answer(request)
    except Exception as error:
        status = problem_of(error).kind.status
        await _note(request, act, FAILED if status >= 500 else REFUSED)
        raise
    await _note(request, act, DONE)
    return response


async def _note(request: Request, act: str, outcome: str) -> None:
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
        outcome=outcome,
        trace_id=trace_id_of(request.scope),
    )
    try:
        await composition_of(request).access.audit.write(looked)
    except SQLAlchemyError as error:
        _log.error("audit not written", route=request.scope["route"].path, reason=type(error).__name__)
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
    return f"journey/{place['site']}/{_id(place['ulid'])}"


def _part(request: Request) -> str | None:
    place = request.path_params
    if "note_id" in place:
        return f"note/{_id(place['note_id'])}"
    return f"session/{place['n']}" if place.get("n", "").isdecimal() and len(place["n"]) <= 4 else None


def _id(text: str) -> str:
    return text if IDENTIFIER.fullmatch(text) else "unreadable"
