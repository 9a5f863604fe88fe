"""Does the same request, sent twice, happen once?"""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from sqlalchemy import text

from api.auth import ACTS
from api.engine import EngineRefused, EngineUnavailable
from api.idempotency import KEY_REQUIRED, _meaning
from clinical.people import Role
from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.api.routes_of import routes_of

Answer = asyncio.Task[httpx2.Response]

REASON = {"reason": "the patient is travelling"}


async def test_the_first_answer_is_given_again(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    first = await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")
    again = await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert [update for _, update, _ in clinic.engine.heard] == ["start", "pause"]


async def test_starting_again_with_the_same_key_is_the_same_course(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    body = {"site": SITE, "patient_id": patient, "indication": "major-depressive-disorder"}
    first = await clinic.coordinator.post("/v1/journeys", body, key="k1")
    again = await clinic.coordinator.post("/v1/journeys", body, key="k1")
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"] == first.json()["href"]
    refused = await clinic.coordinator.post("/v1/journeys", body, key="k2")
    assert (refused.status_code, refused.json()["code"]) == (409, "journey-already-active")
    assert refused.json()["journey_id"] == first.json()["journey_id"]
    assert refused.json()["href"] == first.json()["href"]


async def test_of_two_starts_at_once_one_is_refused_and_names_the_other(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    body = {"site": SITE, "patient_id": patient, "indication": "major-depressive-disorder"}
    both = [clinic.coordinator.post("/v1/journeys", body, key=key) for key in ("k1", "k2")]
    won, lost = sorted(await asyncio.gather(*both), key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (201, 409)
    assert lost.json()["journey_id"] == won.json()["journey_id"]


async def test_a_lost_answer_is_found_again_in_the_record(clinic: Clinic) -> None:
    """The process ended between the engine's answer and the caller's: course there, claim gone."""
    patient = await clinic.a_patient()
    body = {"site": SITE, "patient_id": patient, "indication": "major-depressive-disorder"}
    first = await clinic.coordinator.post("/v1/journeys", body, key="k1")
    await forget_requests(clinic)
    again = await clinic.coordinator.post("/v1/journeys", body, key="k1")
    assert (again.status_code, again.json()["href"]) == (201, first.json()["href"])
    assert [update for _, update, _ in clinic.engine.heard] == ["start"]


async def forget_requests(clinic: Clinic) -> None:
    from sqlalchemy import delete

    from services.database import Database
    from services.records.register_tables import IdempotencyRow

    requests = clinic.app.state.composition.requests
    database: Database = requests._sessions._database
    async with database.transaction() as session:
        await session.execute(delete(IdempotencyRow))


async def test_another_request_with_the_same_key_is_refused(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")
    other = await clinic.coordinator.post(f"{course}/pause", {"reason": "another"}, key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_spelling_does_not_make_another_request() -> None:
    assert _meaning(b'{"a": 1, "b": [2]}') == _meaning(b'{ "b":[2],"a":1 }')
    assert _meaning(b'{"a": 1}') != _meaning(b'{"a": "1"}')
    assert _meaning(b"<bundle>") != _meaning(b"<bundles>")


async def test_a_key_belongs_to_one_person_and_one_address(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    other = clinic.person(Role.COORDINATOR, subject="staff-other")
    for who, path in ((clinic.coordinator, "pause"), (other, "pause"), (clinic.coordinator, "resume")):
        answer = await who.post(f"{course}/{path}", REASON, key="k1")
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (200, False)
    keys = [message.key for _, _, message in clinic.engine.heard]
    assert len(set(keys)) == len(keys)


async def test_the_key_of_the_command_is_the_same_for_the_same_request(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    clinic.engine.failure = EngineUnavailable()
    await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")
    clinic.engine.failure = None
    assert (await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")).status_code == 200
    _, first, second = (message.key for _, _, message in clinic.engine.heard)
    assert first == second
    assert "k1" not in first


async def test_a_refusal_is_not_kept(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    clinic.engine.failure = EngineRefused("on-hold", "the course is on hold", {})
    assert (await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")).status_code == 409
    clinic.engine.failure = None
    assert (await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")).status_code == 200


async def test_while_the_first_is_running_the_second_waits_its_turn(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    started, go_on = asyncio.Event(), asyncio.Event()
    accept = clinic.engine.command

    async def slowly(*given: object) -> object:
        started.set()
        await go_on.wait()
        return await accept(*given)  # type: ignore[arg-type]  # as it was given

    clinic.engine.command = slowly  # type: ignore[method-assign,assignment]  # a fake's
    first = asyncio.create_task(clinic.coordinator.post(f"{course}/pause", REASON, key="k1"))
    await started.wait()
    second = await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")
    go_on.set()
    assert (second.status_code, second.json()["code"]) == (409, "request-in-progress")
    assert second.json()["retryable"] is True
    assert (await first).status_code == 200


@pytest.mark.parametrize("refused", [False, True])
async def test_who_is_late_gives_the_answer_that_was_kept_meanwhile(clinic: Clinic, refused: bool) -> None:
    """One key has one answer: not "done" here and "refused" there."""
    course = await clinic.a_journey()
    held, slow, quick = await overtaken(clinic, f"{course}/pause", refused=refused)
    kept = await quick
    held.set()
    late = await slow
    assert (kept.status_code, "idempotent-replayed" in kept.headers) == (200, False)
    assert (late.status_code, late.json(), late.headers["idempotent-replayed"]) == (200, kept.json(), "true")
    again = await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")
    assert (again.status_code, again.json()) == (200, kept.json())


async def test_who_is_late_gives_its_own_while_the_other_is_at_it(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    held, slow, quick = await overtaken(clinic, f"{course}/pause", first_to_end=True)
    late = await slow
    assert (late.status_code, "idempotent-replayed" in late.headers) == (200, False)
    running = await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")
    assert (running.status_code, running.json()["code"]) == (409, "request-in-progress")
    held.set()
    kept = await quick
    again = await clinic.coordinator.post(f"{course}/pause", REASON, key="k1")
    assert (kept.status_code, again.headers["idempotent-replayed"], again.json()) == (
        200,
        "true",
        kept.json(),
    )


async def overtaken(
    clinic: Clinic, path: str, *, refused: bool = False, first_to_end: bool = False
) -> tuple[asyncio.Event, Answer, Answer]:
    """A slow request whose key the same request, sent again, has taken over. The event lets go on who is held: the
    slow one, or, when it is the first to end, the other one."""
    started, held = asyncio.Event(), asyncio.Event()
    accept, calls = clinic.engine.command, 0

    async def slowly(*given: object) -> object:
        nonlocal calls
        calls += 1
        is_slow = calls == 1
        if is_slow:
            started.set()
            await taken_over.wait()
        else:
            taken_over.set()
        if is_slow is not first_to_end:
            await held.wait()
        if is_slow and refused:
            raise EngineRefused("on-hold", "the course is on hold", {})
        return await accept(*given)  # type: ignore[arg-type]  # as it was given

    taken_over = asyncio.Event()
    clinic.engine.command = slowly  # type: ignore[method-assign,assignment]  # a fake's
    slow = asyncio.create_task(clinic.coordinator.post(path, REASON, key="k1"))
    await started.wait()
    async with clinic.database.transaction() as session:
        await session.execute(
            text("UPDATE idempotency_key SET claimed_at = claimed_at - interval '31 seconds'")
        )
    quick = asyncio.create_task(clinic.coordinator.post(path, REASON, key="k1"))
    await taken_over.wait()
    return held, slow, quick


async def test_the_acts_that_must_not_happen_twice_need_a_key(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    everybody = clinic.person(*(role for role in Role if role is not Role.SYSTEM))
    for route in routes_of(clinic.app):
        if route.act in KEY_REQUIRED:
            allowed = min(ACTS[route.act])
            answer = await everybody.post(route.at(course), {}, kap_role=allowed.value)
            assert (route.act, answer.json()["code"]) == (route.act, "idempotency-key-missing")
    assert {route.act for route in routes_of(clinic.app)} >= KEY_REQUIRED


@pytest.mark.parametrize("key", ["", '""', "x" * 256])
async def test_a_key_that_is_none(clinic: Clinic, key: str) -> None:
    answer = await clinic.coordinator.post("/v1/journeys", {}, key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")


async def test_without_a_key_each_request_is_its_own(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    for _ in range(2):
        assert (await clinic.coordinator.post(f"{course}/pause", REASON)).status_code == 200
    first, second = (message.key for _, update, message in clinic.engine.heard if update == "pause")
    assert first != second


async def test_registering_again_with_the_same_key_is_the_same_person(clinic: Clinic) -> None:
    from tests.api.conftest import PATIENT

    first = await clinic.coordinator.post("/v1/patients", PATIENT, key="k1")
    await forget_requests(clinic)
    again = await clinic.coordinator.post("/v1/patients", PATIENT, key="k1")
    assert (again.status_code, again.json()) == (201, first.json())
