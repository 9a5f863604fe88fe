"""Which HTTP status does an error have, and how is it said? The one table of problems (RFC 9457).

Nobody branches on text: `code` is stable, `type` is /problems/{code}. No problem repeats what was sent in,
and `detail` never holds anything personal; clinical `reasons` go to people who may read
the journey anyway.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from clinical.decision import Reason

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One thing wrong with a request: where (JSON Pointer; query and headers by their name), and what."""

    model_config = ConfigDict(frozen=True)

    pointer: str
    detail: str
    code: str


class ProblemDocument(BaseModel):
    """What a caller gets instead of an answer. Further members are named in the description of the route."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[Fault] = Field(default_factory=list, description="every fault of the request, at once")
    reasons: list[Reason] = Field(default_factory=list, description="every clinical reason, at once")
    retryable: bool = Field(description="true when the same request, with the same key, may work later")
    trace_id: str


class Kind(NamedTuple):
    """What a code means: its status, what it is called, whether trying again can help."""

    status: HTTPStatus
    title: str
    retryable: bool = False


S = HTTPStatus
PROBLEMS: dict[str, Kind] = {
    # the request
    "invalid-request": Kind(S.UNPROCESSABLE_ENTITY, "The request has faults"),
    "invalid-json": Kind(S.BAD_REQUEST, "The body is not JSON"),
    "idempotency-key-missing": Kind(S.BAD_REQUEST, "This act needs an Idempotency-Key"),
    "idempotency-key-reused": Kind(S.UNPROCESSABLE_ENTITY, "The Idempotency-Key came with another request"),
    "request-in-progress": Kind(S.CONFLICT, "The first request with this Idempotency-Key is running", True),
    "role-unclear": Kind(S.BAD_REQUEST, "You have several roles for this act"),
    "cursor-invalid": Kind(S.BAD_REQUEST, "The cursor was not given out for this list"),
    "cursor-expired": Kind(S.GONE, "The cursor is too old"),
    "precondition-required": Kind(S.PRECONDITION_REQUIRED, "This act needs If-Match"),
    "body-too-large": Kind(S.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    "unsupported-media-type": Kind(S.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json"),
    "method-not-allowed": Kind(S.METHOD_NOT_ALLOWED, "This method is not possible here"),
    "bad-request": Kind(S.BAD_REQUEST, "The request cannot be read"),
    "unsafe-endpoint": Kind(S.UNPROCESSABLE_ENTITY, "This address must not be called"),
    "endpoint-changed": Kind(S.PRECONDITION_FAILED, "Somebody changed the endpoint"),
    "too-many-events": Kind(S.UNPROCESSABLE_ENTITY, "The range holds too many events"),
    "too-many-streams": Kind(S.SERVICE_UNAVAILABLE, "This process serves as many streams as it may", True),
    # the caller
    "unauthenticated": Kind(S.UNAUTHORIZED, "A valid bearer token is needed"),
    "wrong-role": Kind(S.FORBIDDEN, "This act belongs to another role"),
    "purpose-required": Kind(S.FORBIDDEN, "Say what you read this for"),
    "role-not-yours-to-give": Kind(S.FORBIDDEN, "This key would have more rights than you may give"),
    "not-permitted": Kind(S.FORBIDDEN, "These notes are kept apart"),
    "second-person-required": Kind(S.FORBIDDEN, "So many courses need a second person"),
    "separation-of-duties": Kind(S.FORBIDDEN, "Another person has to do this"),
    "not-your-task": Kind(S.FORBIDDEN, "Another person has this task"),
    "signature-invalid": Kind(S.FORBIDDEN, "The signature is missing or wrong"),
    # the record
    "not-found": Kind(S.NOT_FOUND, "There is no such thing"),
    "slot-conflict": Kind(S.CONFLICT, "Not everybody and everything is free then"),
    "hold-expired": Kind(S.GONE, "The time is no longer held"),
    "resource-exists": Kind(S.CONFLICT, "The site has a resource of that code"),
    "resource-changed": Kind(S.PRECONDITION_FAILED, "Somebody changed the resource since"),
    "selection-changed": Kind(S.PRECONDITION_FAILED, "What would be moved is no longer what was looked at"),
    "contact-changed": Kind(S.PRECONDITION_FAILED, "The contact was changed meanwhile"),
    "code-wrong": Kind(S.UNPROCESSABLE_ENTITY, "This is not the code"),
    "code-expired": Kind(S.GONE, "The code is worth nothing any more"),
    "too-many-tries": Kind(S.TOO_MANY_REQUESTS, "This was tried too often", True),
    "probable-duplicate": Kind(S.CONFLICT, "This person may be registered already"),
    "unreadable-bundle": Kind(S.UNPROCESSABLE_ENTITY, "The referral cannot be read"),
    "journey-already-active": Kind(S.CONFLICT, "The patient has an open course already"),
    "version-immutable": Kind(S.CONFLICT, "A published version is never changed"),
    "migration-refused": Kind(S.CONFLICT, "The course cannot go over to this protocol"),
    "protocol-changed": Kind(S.PRECONDITION_FAILED, "The protocol is another one now"),
    "protocol-invalid": Kind(S.UNPROCESSABLE_ENTITY, "The protocol has faults"),
    "site-changed": Kind(S.PRECONDITION_FAILED, "The site is another one now"),
    "api-key-issued": Kind(S.CONFLICT, "The key was issued already, and its secret was shown then"),
    "review-closed": Kind(S.CONFLICT, "The review is closed"),
    "task-held": Kind(S.CONFLICT, "Another person has taken this task on"),
    "task-over": Kind(S.GONE, "This task is done or gone"),
    "task-changed": Kind(S.PRECONDITION_FAILED, "The task has changed since you looked"),
    "unknown-colleague": Kind(S.UNPROCESSABLE_ENTITY, "Nobody of that name works here in a fitting role"),
    # the rules
    "not-possible-now": Kind(S.CONFLICT, "This is not possible at this point"),
    "on-hold": Kind(S.CONFLICT, "The course is on hold"),
    "gate-closed": Kind(S.CONFLICT, "The pre-dose gate is closed"),
    "discharge-criteria-unmet": Kind(S.CONFLICT, "The patient cannot go home yet"),
    "consent-required": Kind(S.CONFLICT, "There is no live consent"),
    "consent-superseded": Kind(S.CONFLICT, "The consent document has a newer version"),
    "plan-changed": Kind(S.PRECONDITION_FAILED, "The plan is another one now"),
    "approval-expired": Kind(S.CONFLICT, "The deadline for approval has passed"),
    "screening-not-eligible": Kind(S.CONFLICT, "The screening does not allow this"),
    "dose-out-of-bounds": Kind(S.UNPROCESSABLE_ENTITY, "The dose is outside its bounds"),
    "invalid-observation": Kind(S.UNPROCESSABLE_ENTITY, "The reading cannot be right"),
    "invalid-answers": Kind(S.UNPROCESSABLE_ENTITY, "The answers do not fit the questionnaire"),
    "invalid-time": Kind(S.UNPROCESSABLE_ENTITY, "The time is not possible"),
    "invalid-plan": Kind(S.UNPROCESSABLE_ENTITY, "The plan is outside the protocol"),
    "movement-refused": Kind(S.UNPROCESSABLE_ENTITY, "The drug books cannot take this movement"),
    "safety-plan-required": Kind(S.CONFLICT, "There is no safety plan since the finding"),
    "note-required": Kind(S.UNPROCESSABLE_ENTITY, "A psychotherapy note is needed"),
    "reason-required": Kind(S.UNPROCESSABLE_ENTITY, "A reason is needed"),
    # the world
    "records-unavailable": Kind(S.SERVICE_UNAVAILABLE, "The record of care cannot answer now", True),
    "message-not-sent": Kind(S.SERVICE_UNAVAILABLE, "The message could not leave", True),
    "engine-unavailable": Kind(S.SERVICE_UNAVAILABLE, "The workflow engine cannot answer now", True),
    "internal-error": Kind(S.INTERNAL_SERVER_ERROR, "Something went wrong on our side"),
}


class Problem(Exception):
    """A request that cannot be done. `members` are further members of the document, such as candidates."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[Fault] = (),
        reasons: Sequence[Reason] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.kind = PROBLEMS[code]
        self.detail = detail or self.kind.title
        self.errors = list(errors)
        self.reasons = list(reasons)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def document(self, instance: str, trace_id: str) -> dict[str, Any]:
        return ProblemDocument(
            type=f"/problems/{self.code}",
            title=self.kind.title,
            status=self.kind.status,
            detail=self.detail,
            instance=instance,
            code=self.code,
            errors=self.errors,
            reasons=self.reasons,
            retryable=self.kind.retryable,
            trace_id=trace_id,
            **self.members,
        ).model_dump(mode="json")
