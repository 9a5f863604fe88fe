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
from starlette.exceptions import HTTPException

from api.engine import EngineRefused, EngineUnavailable
from api.problems import MEDIA_TYPE, Fault, Problem
from clinical.decision import Reason
from services.records.errors import NotFound, RecordsError, RecordsUnavailable

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
    Problem, RequestValidationError, HTTPException, RecordsError, EngineRefused, EngineUnavailable,
    OperationalError, InterfaceError,
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
        case NotFound():
            return Problem("not-found")
        case RecordsUnavailable() | OperationalError() | InterfaceError():
            return Problem("records-unavailable", "ask again in a moment, with the same Idempotency-Key")
        case RecordsError() if error.code in _RECORD_CODES:
            return Problem(_RECORD_CODES[error.code])
        case _:
            return Problem("internal-error", "it was noted; name the trace_id when you ask about it")


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


def _refused(error: EngineRefused) -> Problem:
    details = dict(error.details)
    reasons = [Reason.model_validate(one) for one in details.pop("reasons", [])]
    faults = [Fault.model_validate(one) for one in details.pop("errors", [])]
    return Problem(error.code, error.text, reasons=reasons, errors=faults, members=details)
