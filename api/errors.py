"""How does a failure become a problem? One handler for each family, for the whole API.

Nothing that was sent in is repeated, and no exception's text reaches a caller: of our own refusals the code
and the words written for people, of everything else a 500 that can be found by its trace id.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api.booking_problems import problem_of_booking
from api.engine import EngineRefused, EngineUnavailable
from api.problems import MEDIA_TYPE, PROBLEMS, Fault, Problem
from clinical.decision import Reason
from services.access.errors import AccessError
from services.booking.errors import BookingError
from services.bulk.errors import BulkError
from services.events.errors import CursorExpired, EventsError, EventsUnavailable, TooManyEvents, UnsafeTarget
from services.records.errors import NotFound, RecordsError, RecordsUnavailable
from services.records.task_errors import TaskChanged, TaskHeld, TaskOver, UnknownColleague

RETRY_AFTER_S = "2"

_HTTP_CODES = {
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body-too-large",
    HTTPStatus.UNAUTHORIZED: "unauthenticated",
}

_RECORD_CODES = {
    "not-found": "not-found",
    "not-permitted": "not-permitted",
    "idempotency-key-reused": "idempotency-key-reused",
    "journey-already-active": "journey-already-active",
    "version-immutable": "version-immutable",
    "records-unavailable": "records-unavailable",
    "too-many-tries": "too-many-tries",
}


FAMILIES: tuple[type[Exception], ...] = (
    Problem, RequestValidationError, HTTPException, RecordsError, AccessError, BookingError, BulkError, EventsError,
    EngineRefused, EngineUnavailable, OperationalError, InterfaceError, PoolTimeout,
)  # fmt: skip


def install(app: FastAPI) -> None:
    """Let every failure of this application end as a problem."""
    for family in FAMILIES:
        app.add_exception_handler(family, _answer)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    return problem_response(problem_of(error), request.scope["path"], trace_id_of(request.scope))


def problem_response(problem: Problem, path: str, trace_id: str) -> JSONResponse:
    headers = dict(problem.headers)
    if problem.kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", RETRY_AFTER_S)
    document = problem.document(path, trace_id)
    return JSONResponse(document, int(problem.kind.status), headers=headers, media_type=MEDIA_TYPE)


def trace_id_of(scope: Mapping[str, Any]) -> str:
    return str(scope.get("state", {}).get("trace_id", ""))


def problem_of(error: Exception) -> Problem:
    """The problem that stands for this failure."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return invalid(error.errors())
        case HTTPException():
            code = _HTTP_CODES.get(HTTPStatus(error.status_code), "bad-request")
            return Problem(code, headers=error.headers)
        case EngineRefused():
            return _refused(error)
        case EngineUnavailable():
            return Problem(
                "engine-unavailable",
                "the engine or its workers did not answer in time; ask again with the same Idempotency-Key",
            )
        case BookingError():
            return problem_of_booking(error)
        case BulkError():
            return Problem(error.code, str(error))
        case NotFound():
            return Problem("not-found")
        case RecordsUnavailable() | OperationalError() | InterfaceError() | PoolTimeout():
            return Problem("records-unavailable", "ask again in a moment, with the same Idempotency-Key")
        case EventsError():
            return _of_events(error)
        case RecordsError() | AccessError():
            return _of_services(error)
        case _:
            return _ours()


def _of_services(error: RecordsError | AccessError) -> Problem:
    match error:
        case TaskOver() | TaskChanged() | TaskHeld() | UnknownColleague():
            return _of_task(error)
        case RecordsError() if error.code in _RECORD_CODES:
            return Problem(_RECORD_CODES[error.code])
        case AccessError() if error.code in PROBLEMS:
            return Problem(error.code)
        case _:
            return _ours()


def _ours() -> Problem:
    return Problem("internal-error", "it was noted; name the trace_id when you ask about it")


def _of_events(error: EventsError) -> Problem:
    match error:
        case UnsafeTarget():
            faults = [Fault(pointer="/url", detail=text, code=code) for code, text in error.faults]
            return Problem("unsafe-endpoint", errors=faults)
        case CursorExpired():
            left = {"first_seq": error.first_seq, "last_seq": error.last_seq}
            text = "those events are forgotten: read the snapshot, then go on after last_seq"
            return Problem(
                "cursor-expired", text, members={**left, "snapshot": f"/v1/journeys?site={error.site}"}
            )
        case TooManyEvents():
            return Problem("too-many-events", f"a range may hold {error.limit} events")
        case EventsUnavailable():
            return Problem("records-unavailable", "ask again in a moment, with the same Idempotency-Key")
        case _:
            return Problem(error.code if error.code in PROBLEMS else "internal-error")


def invalid(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """All faults of a request at once, each with its place and without its value."""
    faults = [_fault(error) for error in errors]
    words = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return Problem("invalid-request", words, errors=faults)


def invalid_model(error: ValidationError) -> Problem:
    """The faults of a model that was made of a request's body."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    return invalid([{**one, "loc": ("body", *one["loc"])} for one in errors])


def _fault(error: Mapping[str, Any]) -> Fault:
    place, *rest = error["loc"]
    path = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in rest if part != "[key]")
    pointer = path if place == "body" else f"{place}:{path.lstrip('/')}"
    words = str(error["msg"]).removeprefix("Value error, ")
    return Fault(pointer=pointer, detail=words, code=str(error["type"]).replace("_", "-"))


def _of_task(error: TaskOver | TaskChanged | TaskHeld | UnknownColleague) -> Problem:
    """Who has it, which version it has, or who would fit."""
    match error:
        case TaskOver():
            return Problem("task-over", f"the task is {error.status}")
        case TaskChanged():
            return Problem("task-changed", members={"version": error.version})
        case TaskHeld():
            until = error.held_until.isoformat() if error.held_until else None
            return Problem(error.code, members={"holder": error.holder, "held_until": until})
        case UnknownColleague():
            fault = Fault(pointer="/person", detail="is no colleague who may do this", code=error.code)
            return Problem(error.code, errors=[fault], members={"candidates": error.candidates})


def _refused(error: EngineRefused) -> Problem:
    details = dict(error.details)
    reasons = [Reason.model_validate(one) for one in details.pop("reasons", [])]
    faults = [Fault.model_validate(one) for one in details.pop("errors", [])]
    return Problem(error.code, error.text, reasons=reasons, errors=faults, members=details)
