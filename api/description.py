"""What does the API say about itself? OpenAPI with everything that callers really meet.

The framework describes bodies and answers; here is what the entrance adds to each route: the token, the
roles, the headers, and problems instead of the framework's own errors.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.auth import ACTS, OPEN_BY_SIGNATURE, OPEN_TO_ALL, READS
from api.idempotency import KEY_REQUIRED
from api.problems import MEDIA_TYPE, PROBLEMS, ProblemDocument
from api.purposes import AUDITED, OF_ROLE
from services.protocols import load_protocol

TAGS = {
    "patients": "Taking people in: registration and referrals.",
    "journeys": "Courses of treatment: start, list, read.",
    "consultation": "The first meeting and consent.",
    "screening": "Collecting what the eligibility rules ask for, and the signature.",
    "plan": "The personal plan: proposal, approval by its hash, preparation.",
    "session": "A visit until the dose.",
    "dosing": "A visit from the order to integration.",
    "psychotherapy notes": "What was spoken of in therapy: kept apart, with a permission of its own.",
    "course": "Deciding, pausing, leaving, adverse events.",
    "follow-up and risk": "After the course; risk cases at any time.",
    "links": "Addresses that let a patient answer, move, fill in, withdraw or look, without a password.",
    "duties": "What is owed whatever becomes of the course: reports with proof, long-term checks.",
    "tasks": "The work list.",
    "rooms and times": "Rooms, chairs and people; which times are free, held, booked, given away.",
    "messages": "What patients wrote, what a person has to do about it, and what the SMS provider tells.",
    "drug books": "Controlled drugs, container by container: received, given, wasted, returned, counted.",
    "operations": "Many courses at once: looked at, confirmed, carried out, reported; failed steps taken up.",
    "events": "What other systems are told: a stream that resumes, and signed webhooks.",
    "protocols": "What a clinic has decided.",
    "sites": "The clinic's sites: name, time zone, telephone, default protocol.",
    "machines": "API keys: issued, listed, revoked.",
    "audit": "Who looked at what and why; broken glasses and their reviews.",
    "instruments": "Questionnaires.",
    "health": "Is it up?",
}

ABOUT = """Every act of a course of Ketamine-Assisted Psychotherapy, one route each.

**Tokens.** `Authorization: Bearer …`, signed by the issuer, with `roles` and `sites`. Who has several fitting
roles names one in `Kap-Role`. What belongs to another site does not exist (404). Machines send an API key,
`Authorization: Bearer kap_…`.

**Purpose.** Reads of one person's care are audited before they are answered. `Kap-Purpose` says what for (HL7
PurposeOfUse); who treats need not say it, auditors and machines must (403 `purpose-required`).

**Once.** Every POST takes an `Idempotency-Key`; starting, approving, booking and dosing require it. The same
request again gets the same answer, marked `Idempotent-Replayed: true`, or 409 `request-in-progress` while the first
is at it, for half a minute at most: then the second does it, under the same key, so that it happens once.

**Time.** RFC 3339 with an offset in, UTC out. `occurred_at` is when something happened, if that is not now.

**Problems.** `application/problem+json` (RFC 9457): branch on `code`. All faults come at once in `errors`,
all clinical reasons in `reasons`; `retryable` says whether the same request may work later.
"""

Operation = dict[str, Any]


PROTOCOL_EXAMPLE = "iv-racemic"


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of this application, made once."""
    if app.openapi_schema is None:
        tags = [{"name": name, "description": text} for name, text in TAGS.items()]
        schema = get_openapi(
            title=app.title, version=app.version, description=ABOUT, routes=app.routes, tags=tags
        )
        _add_components(schema)
        _add_protocol_example(schema)
        for method, operation in _operations(schema):
            _complete(operation, method)
        app.openapi_schema = schema
    return app.openapi_schema


def _operations(schema: dict[str, Any]) -> list[tuple[str, Operation]]:
    return [(method, operation) for path in schema["paths"].values() for method, operation in path.items()]


def _add_components(schema: dict[str, Any]) -> None:
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    problem["properties"]["code"]["enum"] = sorted(PROBLEMS)
    schemas["Problem"] = problem
    for ours in ("HTTPValidationError", "ValidationError"):
        schemas.pop(ours, None)
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "a JWT of the issuer, or a machine's key (kap_…)",
        },
    }


def _add_protocol_example(schema: dict[str, Any]) -> None:
    body = schema["paths"]["/v1/protocols"]["post"]["requestBody"]["content"]["application/json"]
    example = load_protocol(PROTOCOL_EXAMPLE).model_dump(mode="json")
    body["examples"] = {PROTOCOL_EXAMPLE: {"value": example}}


def _complete(operation: Operation, method: str) -> None:
    act = operation["operationId"]
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    if act in OPEN_TO_ALL:
        operation["security"] = []
        if act in OPEN_BY_SIGNATURE:
            responses["403"] = _problem("The signature is missing or wrong.")
            responses["4XX"] = _problem("The request cannot be done.")
        responses["5XX"] = _problem("It cannot answer now.")
        return
    operation["security"] = [{"token": []}]
    operation["x-kap-roles"] = sorted(ACTS[act])
    operation.setdefault("parameters", []).extend(_headers(act, method))
    responses["401"] = _problem("No valid token.")
    responses["403"] = _problem("Another role's act.")
    if method in {"post", "patch"}:
        responses["409"] = _problem("Not possible as things stand; `reasons` say why.")
        responses["422"] = _problem("The request has faults; `errors` lists them all.")
    responses["4XX"] = _problem("The request cannot be done.")
    responses["5XX"] = _problem("The world failed; `retryable` says whether to ask again.")


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def _headers(act: str, method: str) -> list[dict[str, Any]]:
    headers: list[dict[str, Any]] = []
    if act not in READS and len(ACTS[act]) > 1:
        text = "in which of your roles you act, if several fit"
        headers.append(_header("Kap-Role", text, {"type": "string", "enum": sorted(ACTS[act])}))
    if method == "post":
        text = "a value of your own that makes this request happen once"
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
        headers.append(_header("Idempotency-Key", text, schema, required=act in KEY_REQUIRED))
    if act in AUDITED:
        text = "what this read is for"
        codes = sorted({purpose for role in ACTS[act] for purpose in OF_ROLE[role]})
        headers.append(_header("Kap-Purpose", text, {"type": "string", "enum": codes}))
    if act == "change_site":
        text = "the `ETag` of the site that is changed; none to register it"
        headers.append(_header("If-Match", text, {"type": "string", "examples": ['W/"1"']}))
    if act == "change_resource":
        text = "the version that was read, as its ETag"
        schema = {"type": "string", "pattern": '^W/"[0-9]{1,9}"$', "examples": ['W/"1"']}
        headers.append(_header("If-Match", text, schema, required=True))
    if act == "approve_plan":
        text = "the plan's hash in quotes, as `detail.plan_hash` of its proposal"
        schema = {"type": "string", "pattern": '^"[0-9a-f]{64}"$', "examples": [f'"{"0f" * 32}"']}
        headers.append(_header("If-Match", text, schema, required=True))
    if act == "migrate_protocol":
        text = "the content hash of the protocol that was looked at, as the `ETag` of the look"
        schema = {"type": "string", "pattern": '^"[0-9a-f]{64}"$', "examples": [f'"{"0f" * 32}"']}
        headers.append(_header("If-Match", text, schema, required=True))
    if act == "change_contact":
        text = "the version that you have read, as its `ETag`"
        schema = {"type": "string", "pattern": '^W/"[0-9]+"$', "examples": ['W/"1"']}
        headers.append(_header("If-Match", text, schema, required=True))
    return headers


def _header(name: str, text: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": text, "schema": schema}
