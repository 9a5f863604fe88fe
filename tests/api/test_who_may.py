"""Role, act and site: does every route hold to the table, for every role, at home and elsewhere?"""

from __future__ import annotations

from typing import Any

import httpx2

from api.auth import ACTS, GLASS, IN_PERSON, MAY_GIVE, OPEN_TO_ALL, READS, SITE_FROM
from api.routes.documentation import example_of
from clinical.people import CLINICIANS, Role
from tests.api.caller import SITE, Person
from tests.api.conftest import PATIENT, Clinic
from tests.api.routes_of import RouteOf, routes_of

PEOPLE = [role for role in Role if role is not Role.SYSTEM]
ELSEWHERE = "site-b"
EXAMPLES: dict[str, Any] = {}
NEEDS_A_TIME = ("/waitlist", "/holds", "/calendar", "/slots")
"""What is asked about a visit that has, or wants, a time: the course of these tests has none."""


def protected(clinic: Clinic) -> list[RouteOf]:
    return [route for route in routes_of(clinic.app) if route.act not in OPEN_TO_ALL]


def purpose_for(role: Role) -> dict[str, str]:
    return {"kap_purpose": "HCOMPL"} if role is Role.AUDITOR else {}


async def test_who_may_not_is_told_before_anything_of_the_request_is_looked_at(clinic: Clinic) -> None:
    """Nonsense everywhere (body, media type, query, key): a wrong role still gets 403, nobody 401."""
    for route in protected(clinic):
        for token in ("", "kap_made-up", "made.up.token"):
            assert (route, (await nonsense(clinic, route, token)).status_code) == (route, 401)
        for role in set(PEOPLE) - ACTS[route.act]:
            answer = await nonsense(clinic, route, clinic.person(role).token)
            assert (route, role, answer.status_code) == (route, role, 403)
    assert clinic.engine.heard == []


async def nonsense(clinic: Clinic, route: RouteOf, token: str) -> httpx2.Response:
    headers = {"content-type": "text/plain", "if-match": "x", "kap-purpose": "x"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    transport = httpx2.ASGITransport(app=clinic.app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://api.example.org") as client:
        return await client.request(
            route.method, route.at() + "?limit=nonsense", content=b"{", headers=headers
        )


async def test_every_act_says_where_its_site_comes_from(clinic: Clinic) -> None:
    """Role x act x site: an address without a site stands in the table, and no other does."""
    nameless = {route.act for route in protected(clinic) if "{site}" not in route.path}
    assert nameless == set(SITE_FROM)
    assert {route.act for route in protected(clinic)} == set(ACTS)


async def test_what_belongs_to_another_site_is_not_there_for_any_role(clinic: Clinic) -> None:
    """Same role, other site: every route that names a site, a course or a person answers 404, with or without
    a right body; nothing reaches the engine."""
    course, patient = await a_course_here(clinic)
    heard = len(clinic.engine.heard)
    for route in protected(clinic):
        if not names_something(route):
            continue
        for role in sorted(ACTS[route.act]):
            stranger = clinic.person(role, sites=(ELSEWHERE,), subject=patient)
            answer = await send(clinic, stranger, route, course, patient, purpose_for(role))
            assert (route, role, answer.status_code) == (route, role, 404), answer.text
            assert answer.json()["code"] == "not-found"
            assert "Zimmerfeld" not in answer.text
    assert len(clinic.engine.heard) == heard


async def test_lists_show_nothing_of_another_site_and_refuse_to_be_asked_for_it(clinic: Clinic) -> None:
    await a_course_here(clinic)
    await clinic.person(Role.MEDICAL_DIRECTOR).post("/v1/api-keys", await an_example(clinic, "issue_api_key"))
    for route in protected(clinic):
        if names_something(route) or route.method != "GET" or SITE_FROM[route.act] in {"nowhere", "record"}:
            continue
        for role in sorted(ACTS[route.act]):
            stranger = clinic.person(role, sites=(ELSEWHERE,))
            answer = await stranger.get(route.at(), **purpose_for(role))
            if route.act == "read_protocol":
                assert answer.status_code == 404
                continue
            assert (route.act, answer.status_code) == (route.act, 200), answer.text
            assert answer.json().get("items", []) == []
            assert SITE not in answer.text
            if SITE_FROM[route.act] == "query":
                there = await stranger.get(f"{route.at()}?site={SITE}", **purpose_for(role))
                assert (route.act, there.status_code) == (route.act, 404)


async def test_a_body_or_query_that_names_another_site_makes_nothing_there(clinic: Clinic) -> None:
    for route in protected(clinic):
        place = SITE_FROM.get(route.act)
        if route.method != "POST" or place not in {"body", "query"}:
            continue
        example = await an_example(clinic, route.act)
        query = f"?site={SITE}&time_zone=America/New_York" if place == "query" else ""
        for role in sorted(ACTS[route.act]):
            stranger = clinic.person(role, sites=(ELSEWHERE,))
            answer = await stranger.post(route.path + query, example, key=f"{route.act}-{role}")
            assert (route.act, role, answer.status_code) == (route.act, role, 404), answer.text


async def test_a_referral_of_somebody_else_starts_nothing(clinic: Clinic) -> None:
    """Neither another person's nor another site's: both would put a stranger's history into this course."""
    bundle = await an_example(clinic, "receive_referral")
    query = "?site=site-a&time_zone=America/New_York&confirm_new=true"
    referred = (await clinic.coordinator.post(f"/v1/referrals{query}", bundle)).json()
    other = await clinic.a_patient()
    body = {"site": SITE, "patient_id": other, "indication": "major-depressive-disorder"}
    stolen = await clinic.coordinator.post(
        "/v1/journeys", body | {"referral_id": referred["referral_id"]}, key="stolen"
    )
    assert (stolen.status_code, stolen.json()["errors"][0]["pointer"]) == (404, "/referral_id")
    own = body | {"patient_id": referred["patient_id"], "referral_id": referred["referral_id"]}
    assert (await clinic.coordinator.post("/v1/journeys", own, key="own")).status_code == 201


async def test_a_patient_reaches_the_own_course_only_on_every_route_of_patients(clinic: Clinic) -> None:
    course, patient = await a_course_here(clinic)
    heard = len(clinic.engine.heard)
    of_patients = [route for route in protected(clinic) if Role.PATIENT in ACTS[route.act]]
    in_courses = [route for route in of_patients if "{ulid}" in route.path]
    of_persons = [route for route in of_patients if _of_person(route)]
    assert {route.act for route in of_patients} - {route.act for route in in_courses} == {
        "read_instrument", "list_sites", "read_site", "read_contact", "change_contact", "read_contact_history",
        "send_contact_code", "confirm_contact_code",
    }  # fmt: skip
    for route in (*in_courses, *of_persons):
        other = clinic.person(Role.PATIENT, subject="somebody-else")
        answer = await send(clinic, other, route, course, patient, {})
        assert (route.act, answer.status_code) == (route.act, 404)
    assert len(clinic.engine.heard) == heard
    for route in in_courses:
        if any(part in route.path for part in NEEDS_A_TIME):
            continue
        mine = clinic.person(Role.PATIENT, subject=patient)
        answer = await send(clinic, mine, route, course, patient, {})
        assert (route.act, answer.status_code) == (route.act, 200), answer.text


def test_auditors_read_and_operations_see_no_person() -> None:
    of_auditors = {act for act, roles in ACTS.items() if Role.AUDITOR in roles}
    assert of_auditors - READS == {"review_break_glass"}  # a verdict on a look, nothing of the record
    of_operations = {act for act, roles in ACTS.items() if Role.OPS in roles}
    assert of_operations <= {
        "list_journeys", "read_protocol", "read_instrument", "list_sites", "read_site", "change_site",
        "issue_api_key", "list_api_keys", "revoke_api_key", "break_glass", "list_closed_days", "read_events",
        "preview_operation", "approve_operation", "confirm_operation", "read_operation", "reset_workflow",
        "note_ops_command",
        *(act for act in ACTS if "webhook" in act),
    }  # fmt: skip


def test_no_machine_is_a_clinician_and_none_passes_on_more_than_its_issuer_has() -> None:
    assert set(MAY_GIVE) == ACTS["issue_api_key"]
    assert not any(roles & (CLINICIANS | {Role.PATIENT, Role.SYSTEM}) for roles in MAY_GIVE.values())
    assert MAY_GIVE[Role.OPS] == {Role.OPS}
    assert set(ACTS) >= IN_PERSON


def test_every_glass_opens_reads_only_for_roles_that_may_break_it() -> None:
    for glass in GLASS.values():
        assert glass.acts <= READS | {"decode_payloads"}  # the codec endpoint has no routes of the table
        assert glass.roles <= ACTS["break_glass"]


def names_something(route: RouteOf) -> bool:
    return any(place in route.path for place in ("{site}", "{patient_id}"))


async def a_course_here(clinic: Clinic) -> tuple[str, str]:
    patient = await clinic.a_patient()
    return await clinic.a_journey(patient_id=patient), patient


async def an_example(clinic: Clinic, act: str) -> Any:
    if not EXAMPLES:  # describing the application costs a second: once is enough
        schema = clinic.app.openapi()
        EXAMPLES.update(
            (operation["operationId"], example_of(schema, operation)[1])
            for methods in schema["paths"].values()
            for operation in methods.values()
        )
    return EXAMPLES[act]


async def send(
    clinic: Clinic, who: Person, route: RouteOf, course: str, patient: str, headers: dict[str, str]
) -> httpx2.Response:
    address = route.path.replace("{patient_id}", patient) if _of_person(route) else route.at(course)
    if route.method == "GET":
        return await who.get(address, **headers)
    if route.method == "DELETE":
        return await who.send("DELETE", address, None, {})
    if route.method == "PATCH":
        return await who.send("PATCH", address, await an_example(clinic, route.act), {"if_match": 'W/"1"'})
    match = {"if_match": f'"{"0f" * 32}"'} if route.act in {"approve_plan", "migrate_protocol"} else {}
    return await who.post(
        address, await an_example(clinic, route.act), key=f"{route.act}-{who.token[-9:]}", **match
    )


def _of_person(route: RouteOf) -> bool:
    return route.path.startswith("/v1/patients/{patient_id}")


def test_the_patient_of_these_tests_has_a_name_to_look_for() -> None:
    assert "Zimmerfeld" in PATIENT["name"]
