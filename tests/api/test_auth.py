"""Does every route ask who calls and in which role, before anything else?"""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import pytest
from joserfc.jwk import ECKey

from api.auth import ACTS, OPEN_TO_ALL, READS, Principal, authorise
from api.entrance import ActRoute
from api.problems import Problem
from clinical.people import Role
from tests.api.caller import KEY, SITE, Person, claims, signed
from tests.api.conftest import Clinic
from tests.api.routes_of import RouteOf, routes_of

PEOPLE = [role for role in Role if role is not Role.SYSTEM]


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def none_token() -> str:
    return f"{encoded({'alg': 'none'})}.{encoded(claims(Role.COORDINATOR))}."


def bad_tokens() -> dict[str, str]:
    good = claims(Role.COORDINATOR)
    stranger = ECKey.generate_key("P-256", {"kid": "k1"})
    head, _, signature = signed(good).split(".")
    other = encoded(good | {"roles": ["prescriber"]})
    return {
        "no token": "",
        "no JWT": "abc",
        "none": none_token(),
        "another key": signed(good, stranger),
        "unknown key": signed(good, stranger, kid="k9"),
        "changed": f"{head}.{other}.{signature}",
        "expired": signed(good | {"exp": int(time.time()) - 60}),
        "without end": signed({name: value for name, value in good.items() if name != "exp"}),
        "not yet": signed(good | {"nbf": int(time.time()) + 600}),
        "another audience": signed(good | {"aud": "somebody-else"}),
        "another issuer": signed(good | {"iss": "https://evil.example.org"}),
        "named person": signed(good | {"sub": "jane@example.org"}),
    }


def protected(clinic: Clinic) -> list[RouteOf]:
    return [route for route in routes_of(clinic.app) if route.act not in OPEN_TO_ALL]


async def test_every_route_is_an_act_and_every_act_is_a_route(clinic: Clinic) -> None:
    acts = [route.act for route in routes_of(clinic.app)]
    assert sorted(acts) == sorted([*ACTS, *OPEN_TO_ALL])


def test_a_route_that_is_not_in_the_table_cannot_be_made() -> None:
    async def endpoint() -> None: ...

    with pytest.raises(LookupError, match="declares no act"):
        ActRoute("/v1/secret", endpoint, operation_id="read_secret")
    with pytest.raises(LookupError, match="declares no act"):
        ActRoute("/v1/secret", endpoint)


async def test_without_a_genuine_token_no_route_answers(clinic: Clinic) -> None:
    for route in protected(clinic):
        answer = await Person(clinic.app, "").send(route.method, route.at(), None, {})
        assert (route, answer.status_code) == (route, 401)
        assert answer.json()["code"] == "unauthenticated"
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("flaw", bad_tokens())
async def test_a_token_with_a_flaw_is_refused(clinic: Clinic, flaw: str) -> None:
    answer = await Person(clinic.app, bad_tokens()[flaw]).get("/v1/journeys")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_public_key_is_no_shared_secret(clinic: Clinic) -> None:
    forged = signed_with_public_key()
    answer = await Person(clinic.app, forged).get("/v1/journeys")
    assert answer.status_code == 401


def signed_with_public_key() -> str:
    """By hand: the library refuses to make such a thing."""
    head, body = (encoded(part) for part in ({"alg": "HS256", "kid": "k1"}, claims(Role.COORDINATOR)))
    tag = hmac.digest(KEY.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{base64.urlsafe_b64encode(tag).decode().rstrip('=')}"


async def test_each_role_gets_exactly_its_own_acts(clinic: Clinic) -> None:
    for role in PEOPLE:
        caller = clinic.person(role)
        for route in protected(clinic):
            purpose = {"kap-purpose": "HCOMPL"} if role is Role.AUDITOR else {}
            answer = await caller.send(route.method, route.at(), None, purpose)
            refused = answer.status_code == 403
            assert (route.act, role, refused) == (route.act, role, role not in ACTS[route.act])
            assert answer.status_code != 401
            if refused:
                assert answer.json()["code"] == "wrong-role"


async def test_nobody_comes_as_the_engine_or_in_a_made_up_role(clinic: Clinic) -> None:
    for role in ("system", "superuser"):
        answer = await Person(clinic.app, signed(claims(role))).get("/v1/journeys")
        assert answer.status_code == 403


async def test_another_site_does_not_exist(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    stranger = clinic.person(Role.COORDINATOR, sites=("site-b",))
    assert (await stranger.get(course)).status_code == 404
    assert (await stranger.post(f"{course}/pause", {"reason": "x"})).status_code == 404
    assert (await stranger.get(f"/v1/journeys?site={SITE}")).status_code == 404
    assert (await stranger.get("/v1/journeys")).json()["items"] == []
    patient = (await clinic.coordinator.get(course)).json()["journey"]["patient_id"]
    assert (await stranger.get(f"/v1/patients/{patient}")).status_code == 404
    assert clinic.engine.heard[-1][1] == "start"


async def test_who_has_two_roles_for_an_act_says_which(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    both = clinic.person(Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)
    path, body = f"{course}/decisions", {"choice": "stop", "reason": "enough"}
    unclear = await both.post(path, body)
    assert (unclear.status_code, unclear.json()["code"]) == (400, "role-unclear")
    assert (await both.post(path, body, kap_role="medical-director")).status_code == 200
    assert clinic.engine.heard[-1][2].actor.role is Role.MEDICAL_DIRECTOR
    assert (await both.post(path, body, kap_role="nurse")).status_code == 403
    assert (await both.post(f"{course}/sessions/1/order", {})).status_code == 422  # one role fits: no choice


async def test_a_patient_sees_nothing_and_acts_in_the_own_course_only(clinic: Clinic) -> None:
    mine = await clinic.a_patient()
    course = await clinic.a_journey(patient_id=mine)
    answers = {"questionnaires": [{"instrument": "gad-7", "answers": {"q1": 1}}], "on_site": True}
    path = f"{course}/screenings/1/questionnaires"
    assert (await clinic.person(Role.PATIENT, subject=mine).post(path, answers)).status_code == 200
    assert clinic.engine.heard[-1][2].model_dump()["on_site"] is False
    assert (await clinic.person(Role.PATIENT, subject="somebody").post(path, answers)).status_code == 404
    assert (await clinic.person(Role.PATIENT, subject=mine).get(course)).status_code == 403


async def test_operations_see_where_courses_stand_and_nothing_about_people(clinic: Clinic) -> None:
    await clinic.a_journey()
    (line,) = (await clinic.person(Role.OPS).get("/v1/journeys")).json()["items"]
    assert line["stage"] == "referred"
    hidden = ("patient_id", "indication", "consultation_at", "doses", "sessions_completed")
    assert [line[name] for name in hidden] == [None] * len(hidden)
    (full,) = (await clinic.coordinator.get("/v1/journeys")).json()["items"]
    assert full["indication"] == "major-depressive-disorder"


def test_reading_needs_no_choice_and_takes_the_widest_role() -> None:
    someone = Principal("x", frozenset({Role.OPS, Role.AUDITOR}), frozenset())
    assert authorise("list_journeys", someone, None).role is Role.AUDITOR
    for act in READS:
        assert authorise(act, Principal("x", frozenset(PEOPLE), frozenset()), None).role in ACTS[act]


def test_the_role_that_is_named_must_fit() -> None:
    someone = Principal("x", frozenset({Role.NURSE}), frozenset())
    with pytest.raises(Problem, match="wrong-role"):
        authorise("order_dose", someone, "prescriber")
