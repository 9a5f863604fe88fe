"""Is what the API says about itself true? Every example is sent, every answer held against its schema."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
from temporalio import workflow

from activities.queues import TaskQueue
from api.auth import ACTS, BY_LINK, OPEN_BY_SIGNATURE, OPEN_TO_ALL
from api.description import TAGS
from api.engine import JOURNEY, QUEUE
from api.idempotency import KEY_REQUIRED
from api.routes.documentation import example_of
from clinical.people import Role
from tests.api.caller import SITE, Person
from tests.api.conftest import Clinic
from tests.api.routes_of import RouteOf, routes_of
from tests.shipped import shipped_protocol
from workflows.follow_up import FollowUp
from workflows.patient_journey import PatientJourney
from workflows.plan_approval import PlanApproval
from workflows.risk_escalation import RiskEscalation
from workflows.screening import Screening
from workflows.treatment_session import TreatmentSession

HIDDEN = {"read_description", "read_documentation", *BY_LINK}
NOT_THERE_YET = {
    "read_patient",
    "read_downtime_sheet",
    "read_therapy_note",
    "amend_therapy_note",
    "read_rems_form",
    "acknowledge_webhook_notice",
    "revoke_api_key",
    "review_break_glass",
    "approve_operation",
    "confirm_operation",
    "read_operation",
    "read_task",
    "claim_task",
    "release_task",
    "delegate_task",
    "revoke_link",
    "read_contact",
    "read_contact_history",
    "change_contact",
    "send_contact_code",
    "confirm_contact_code",
    "read_inbox_case",
    "settle_inbox_case",
}
"""What only other acts make: read in tests of their own."""

NEEDS_A_FREE_TIME = {
    "create_resource",
    "read_resource",
    "change_resource",
    "list_absences",
    "add_absence",
    "end_absence",
    "read_resource_calendar",
    "read_session_calendar",
    "read_booking",
    "hold_slot",
    "release_hold",
    "leave_waitlist",
    "accept_offer",
    "decline_offer",
    "handle_booking_notice",
    "confirm_closure",
    "read_closure",
}
"""Rooms and people change what every booking needs: walked through in test_booking.py."""

QUERY = {
    "receive_referral": "?site=site-a&time_zone=America/New_York&confirm_new=true",
    "publish_protocol": "?site=site-a",
}


def described(clinic: Clinic) -> list[tuple[str, str, dict[str, Any]]]:
    paths = clinic.app.openapi()["paths"]
    return [
        (path, method, operation) for path, methods in paths.items() for method, operation in methods.items()
    ]


def validator(clinic: Clinic, schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    components = clinic.app.openapi()["components"]
    return jsonschema_rs.Draft202012Validator({**schema, "components": components}, validate_formats=True)


async def test_the_description_is_sound_openapi(clinic: Clinic) -> None:
    schema = clinic.app.openapi()
    assert schema["openapi"].startswith("3.1")
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', str(schema).replace("'", '"')))
    assert references <= set(schema["components"]["schemas"])
    assert [tag["name"] for tag in schema["tags"]] == list(TAGS)


async def test_every_route_is_described_with_its_roles(clinic: Clinic) -> None:
    acts = {operation["operationId"]: operation for _, _, operation in described(clinic)}
    assert set(acts) == (set(ACTS) | OPEN_TO_ALL) - HIDDEN
    for act, operation in acts.items():
        assert operation["tags"][0] in TAGS
        assert operation["description"]
        if act in ACTS:
            assert operation["x-kap-roles"] == sorted(ACTS[act])
            assert operation["security"] == [{"token": []}]


async def test_the_headers_of_the_entrance_are_described(clinic: Clinic) -> None:
    for _, method, operation in described(clinic):
        headers = {one["name"]: one for one in operation.get("parameters", []) if one["in"] == "header"}
        by_hand = method == "post" and operation["operationId"] not in OPEN_BY_SIGNATURE
        assert ("Idempotency-Key" in headers) == by_hand
        if by_hand:
            assert headers["Idempotency-Key"]["required"] == (operation["operationId"] in KEY_REQUIRED)
        matched = {"approve_plan", "migrate_protocol", "change_site", "change_resource", "change_contact"}
        assert ("If-Match" in headers) == (operation["operationId"] in matched)


async def test_errors_are_described_as_problems_and_nothing_else(clinic: Clinic) -> None:
    schemas = clinic.app.openapi()["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    for _, _, operation in described(clinic):
        failures = {code: answer for code, answer in operation["responses"].items() if code[0] in "45"}
        assert failures
        if operation["operationId"] not in OPEN_TO_ALL:
            assert {"401", "403", "4XX", "5XX"} <= set(failures)
            assert all(set(answer["content"]) == {"application/problem+json"} for answer in failures.values())


async def test_every_body_has_an_example_that_fits_its_schema(clinic: Clinic) -> None:
    for path, method, operation in described(clinic):
        media, example = example_of(clinic.app.openapi(), operation)
        assert bool(media) == (method in {"post", "patch"}), path
        if media:
            schema = operation["requestBody"]["content"][media]["schema"]
            assert example is not None, path
            validator(clinic, schema).validate(example)


def who_may(clinic: Clinic, act: str) -> Person:
    roles = ACTS.get(act, frozenset(Role))
    role = Role.COORDINATOR if Role.COORDINATOR in roles else min(roles - {Role.AUDITOR} or roles)
    return clinic.person(role)


async def test_every_example_works_and_its_answer_is_as_described(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    operations = {operation["operationId"]: operation for _, _, operation in described(clinic)}
    patient = await clinic.a_patient()
    taken_in = example_of(clinic.app.openapi(), operations["receive_container"])[1]
    received = await clinic.person(Role.NURSE).post(f"/v1/custody/{SITE}/containers", taken_in, key="vial")
    container = received.json()["container_id"]
    hook = example_of(clinic.app.openapi(), operations["create_webhook_endpoint"])[1]
    made = await clinic.person(Role.OPS).post("/v1/webhook-endpoints", hook, key="hook")
    endpoint = made.json()["endpoint_id"]
    for route in routes_of(clinic.app):
        if route.act in HIDDEN | NEEDS_A_FREE_TIME | OPEN_BY_SIGNATURE.keys():
            continue
        operation = operations[route.act]
        _, example = example_of(clinic.app.openapi(), operation)
        if route.act == "start_journey":
            example = example | {"patient_id": patient, "referral_id": None}
        answer = await send(who_may(clinic, route.act), route, course, example, container, endpoint)
        if route.act == "read_session":  # nothing opens a session here: it is read in another test
            assert answer.status_code == 404
            continue
        if route.act == "reset_workflow":  # nothing has failed here
            assert (answer.status_code, answer.json()["code"]) == (409, "not-possible-now")
            continue
        if route.method == "DELETE":
            assert (answer.status_code, answer.content) == (204, b"")
            continue
        if route.act in NOT_THERE_YET:
            assert answer.status_code == 404
            continue
        assert 200 <= answer.status_code < 300, (route.act, answer.text)
        content = operation["responses"][str(answer.status_code)]["content"]["application/json"]
        validator(clinic, content["schema"]).validate(answer.json())


PARTS: dict[str, type] = {
    "": PatientJourney,
    "screening": Screening,
    "plan": PlanApproval,
    "session": TreatmentSession,
    "follow-up": FollowUp,
    "risk": RiskEscalation,
}


async def test_every_command_is_one_that_the_workflows_take(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    for route in routes_of(clinic.app):
        if route.method == "POST" and "{ulid}" in route.path:
            operation = clinic.app.openapi()["paths"][route.path]["post"]
            await send(
                who_may(clinic, route.act), route, course, example_of(clinic.app.openapi(), operation)[1]
            )
    assert len({update for _, update, _ in clinic.engine.heard}) >= 30
    for workflow_id, update, message in clinic.engine.heard:
        part = workflow_id.split("/")[3:4]
        taken = workflow._Definition.must_from_class(PARTS[part[0] if part else ""]).updates
        assert (update, taken[update].arg_types) == (update, [type(message)])
    assert (workflow._Definition.must_from_class(PatientJourney).name, TaskQueue.JOURNEY) == (JOURNEY, QUEUE)


async def send(
    who: Person, route: RouteOf, course: str, example: Any, container: str = "", endpoint: str = ""
) -> Any:
    address = route.at(course, container, endpoint) + QUERY.get(route.act, "")
    published = shipped_protocol()
    if route.act == "migrate_protocol":
        example = example | {"protocol": published.canonical}
    hashes = {"approve_plan": "0f" * 32, "migrate_protocol": published.content_hash}
    headers = {"if_match": f'"{hashes[route.act]}"'} if route.act in hashes else {}
    if route.method == "DELETE":
        return await who.send("DELETE", address, None, {})
    if route.act == "change_contact":
        headers = {"if_match": 'W/"1"'}
    if route.method in {"GET", "PATCH"}:
        return await who.send(route.method, address, example, headers)
    return await who.post(address, example, key=f"key-{route.act}", **headers)


async def test_a_problem_is_as_described(clinic: Clinic) -> None:
    problem = validator(clinic, {"$ref": "#/components/schemas/Problem"})
    for answer in (
        await clinic.coordinator.get(f"/v1/journeys/{SITE}/{'0' * 26}"),
        await clinic.coordinator.post("/v1/patients", {}),
        await clinic.coordinator.post("/v1/journeys", {}),
        await clinic.person(Role.NURSE).post("/v1/journeys", {}),
    ):
        assert answer.status_code >= 400
        problem.validate(answer.json())


async def test_the_page_shows_every_route_and_needs_no_network(clinic: Clinic) -> None:
    page = (await Person(clinic.app, "").get("/docs")).text
    for _, _, operation in described(clinic):
        assert f'id="{operation["operationId"]}"' in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert "nurse" in page
    assert "Idempotency-Key" in page


async def test_what_is_open_to_all_needs_no_token(clinic: Clinic) -> None:
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json"):
        assert (await Person(clinic.app, "").get(path)).status_code == 200
    clinic.engine.up = False
    unready = await Person(clinic.app, "").get("/readyz")
    assert (unready.status_code, unready.json()["engine"]) == (503, "does not answer")


@pytest.mark.parametrize("act", sorted(OPEN_TO_ALL))
def test_what_is_open_to_all_is_no_act(act: str) -> None:
    assert act not in ACTS


def test_every_list_that_goes_on_says_how_many_there_are(clinic: Clinic) -> None:
    """A page alone does not tell whether two or two thousand are waiting."""
    schemas = clinic.app.openapi()["components"]["schemas"]
    pages = {
        name: set(one["properties"])
        for name, one in schemas.items()
        if "next_cursor" in one.get("properties", {})
    }
    assert len(pages) > 15
    assert {name for name, has in pages.items() if not has & {"counts", "total", "last_seq"}} == set()
