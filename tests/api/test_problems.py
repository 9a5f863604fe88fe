"""Does every failure end as a problem that helps, and that repeats nothing?"""

from __future__ import annotations

import json

import httpx2
import pytest

from api.engine import EngineRefused, EngineUnavailable, NotRunning
from api.entrance import MAX_BODY_BYTES
from api.problems import PROBLEMS, Problem
from clinical.decision import Reason, Verdict
from clinical.events import Entry, JourneyClosed, StageChanged
from clinical.journey import Move, Stage
from clinical.people import ENGINE, Role
from services.records.errors import RecordsUnavailable
from services.records.interface import Batch
from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.api.fake_engine import AT

SECRET = "Zimmerfeld-canary"


def is_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, object]:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = answer.json()
    assert document["type"] == f"/problems/{code}"
    assert document["status"] == status
    assert document["title"] == PROBLEMS[code].title
    assert document["trace_id"] == answer.headers["trace-id"]
    return document


async def test_all_faults_come_at_once_with_their_places(clinic: Clinic) -> None:
    body = {
        "site": SITE,
        "name": "",
        "birth_date": "yesterday",
        "sex": SECRET,
        "email": SECRET,
        "phone": "555 0143",
        "time_zone": "Europe/Nowhere",
        "nickname": SECRET,
    }
    document = is_problem(await clinic.coordinator.post("/v1/patients", body), 422, "invalid-request")
    places = {fault["pointer"]: fault["code"] for fault in document["errors"]}  # type: ignore[attr-defined]
    assert places == {
        "/name": "string-too-short",
        "/birth_date": "day",
        "/sex": "enum",
        "/email": "email",
        "/phone": "phone",
        "/time_zone": "time-zone",
        "/nickname": "extra-forbidden",
    }
    assert SECRET not in json.dumps(document)


async def test_nested_places_are_json_pointers(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    body = {"questionnaires": [{"instrument": "phq-9", "answers": {"q1": "two"}}]}
    answer = await clinic.person(Role.NURSE).post(f"{course}/screenings/1/questionnaires", body)
    document = is_problem(answer, 422, "invalid-request")
    assert [fault["pointer"] for fault in document["errors"]] == ["/questionnaires/0/answers/q1"]  # type: ignore[attr-defined]


async def test_a_fault_outside_the_body_is_named(clinic: Clinic) -> None:
    answer = await clinic.coordinator.get("/v1/journeys?limit=0&stage=limbo")
    document = is_problem(answer, 422, "invalid-request")
    assert {fault["pointer"] for fault in document["errors"]} == {"query:limit", "query:stage"}  # type: ignore[attr-defined]


async def test_what_is_not_there_is_a_problem_too(clinic: Clinic) -> None:
    is_problem(await clinic.coordinator.get("/v1/nothing"), 404, "not-found")
    is_problem(await clinic.coordinator.send("DELETE", "/v1/journeys", None, {}), 405, "method-not-allowed")
    is_problem(await clinic.coordinator.get(f"/v1/journeys/{SITE}/{'0' * 26}"), 404, "not-found")


async def raw(clinic: Clinic, content: bytes, **headers: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=clinic.app, raise_app_exceptions=False)
    sent = {"authorization": f"Bearer {clinic.coordinator.token}", "content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    async with httpx2.AsyncClient(transport=transport, base_url="http://api.example.org") as client:
        return await client.post("/v1/patients", content=content, headers=sent)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b'{"a": }'])
async def test_a_body_that_is_no_json(clinic: Clinic, content: bytes) -> None:
    is_problem(await raw(clinic, content), 400, "invalid-json")


async def test_a_body_of_another_kind(clinic: Clinic) -> None:
    is_problem(await raw(clinic, b"a=1", content_type="text/plain"), 415, "unsupported-media-type")


async def test_a_body_beyond_the_limit(clinic: Clinic) -> None:
    is_problem(await raw(clinic, b" " * (MAX_BODY_BYTES + 1)), 413, "body-too-large")


async def test_a_body_that_grows_beyond_the_limit_unannounced(clinic: Clinic) -> None:
    async def pieces() -> object:
        for _ in range(MAX_BODY_BYTES // 65536 + 2):
            yield b" " * 65536

    transport = httpx2.ASGITransport(app=clinic.app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {clinic.coordinator.token}", "content-type": "application/json"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://api.example.org") as client:
        answer = await client.post("/v1/patients", content=pieces(), headers=headers)  # type: ignore[arg-type]
    is_problem(answer, 413, "body-too-large")


async def test_a_fault_of_ours_says_nothing_but_its_trace(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    clinic.engine.failure = ValueError(SECRET)
    answer = await clinic.coordinator.post(f"{course}/pause", {"reason": "x"})
    is_problem(answer, 500, "internal-error")
    assert SECRET not in answer.text


async def test_a_rule_refuses_with_every_reason(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    reasons = [
        Reason(rule=rule, verdict=Verdict.REFUSE, text="no", source="here").model_dump(mode="json")
        for rule in ("G1", "G2")
    ]
    clinic.engine.failure = EngineRefused("gate-closed", "two gates are shut", {"reasons": reasons})
    body = {"held_at": "2026-03-12T15:00:00-04:00"}
    answer = await clinic.person(Role.THERAPIST).post(f"{course}/preparations", body)
    document = is_problem(answer, 409, "gate-closed")
    assert document["detail"] == "two gates are shut"
    assert [reason["rule"] for reason in document["reasons"]] == ["G1", "G2"]  # type: ignore[attr-defined]
    assert document["retryable"] is False


async def test_a_refusal_names_places_and_further_members(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    fault = {"pointer": "/plan_hash", "detail": "abc", "code": "current"}
    clinic.engine.failure = EngineRefused(
        "plan-changed", "another plan", {"errors": [fault], "diff": ["max_mg"]}
    )
    approver = clinic.person(Role.THERAPIST)
    answer = await approver.post(f"{course}/plans/1/approvals", {}, key="a", if_match=f'"{"0f" * 32}"')
    document = is_problem(answer, 412, "plan-changed")
    assert (document["errors"], document["diff"]) == ([fault], ["max_mg"])


async def test_an_engine_that_does_not_answer_may_be_asked_again(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    clinic.engine.failure = EngineUnavailable()
    answer = await clinic.coordinator.post(f"{course}/pause", {"reason": "x"})
    document = is_problem(answer, 503, "engine-unavailable")
    assert document["retryable"] is True
    assert answer.headers["retry-after"]


async def test_a_part_that_is_over_and_a_course_that_never_was(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    clinic.engine.failure = NotRunning()
    who = clinic.coordinator
    is_problem(await who.post(f"{course}/pause", {"reason": "x"}), 409, "not-possible-now")
    is_problem(await who.post(f"{course}/sessions/7/cancellation", {"reason": "x"}), 404, "not-found")
    nowhere = f"/v1/journeys/{SITE}/{'0' * 26}"
    is_problem(await who.post(f"{nowhere}/pause", {"reason": "x"}), 404, "not-found")


async def closed(clinic: Clinic, course: str, move: Move, stage: Stage) -> None:
    facts = (
        StageChanged(left=Stage.REFERRED, entered=stage, move=move, reason="wish"),
        JourneyClosed(stage=stage, reason="wish", sessions_completed=0, doses=0),
    )
    entries = tuple(Entry(key=f"end:{fact.kind}", occurred_at=AT, actor=ENGINE, fact=fact) for fact in facts)
    journey_id = course.replace("/v1/journeys", "journey")
    await clinic.records.append(Batch(journey_id=journey_id, entries=entries))


async def test_withdrawing_twice_answers_the_same(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    await closed(clinic, course, Move.WITHDRAW, Stage.WITHDRAWN)
    clinic.engine.failure = NotRunning()
    again = await clinic.coordinator.post(f"{course}/withdrawal", {"reason": "does not want to"})
    assert (again.status_code, again.json()["state"]) == (200, "withdraw")
    other = await clinic.coordinator.post(f"{course}/transfer", {"reason": "moves away"})
    document = is_problem(other, 409, "not-possible-now")
    assert "withdrawn" in str(document["detail"])


async def test_a_record_that_cannot_answer_is_a_503(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    clinic.engine.failure = RecordsUnavailable("secret address")
    answer = await clinic.coordinator.post(f"{course}/pause", {"reason": "x"})
    is_problem(answer, 503, "records-unavailable")
    assert "secret" not in answer.text


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_can_be_said(code: str) -> None:
    document = Problem(code).document("/v1/x", "t")
    assert 400 <= document["status"] < 600
    assert document["detail"]
    later = code in {"request-in-progress", "too-many-tries"}
    assert document["retryable"] is (document["status"] == 503 or later)


async def test_answers_stay_out_of_caches(clinic: Clinic) -> None:
    answer = await clinic.coordinator.get("/v1/journeys")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
