"""Broken glass: opens one thing for one person for a while, is never unseen, and somebody else judges it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from clinical.people import Role
from tests.api.caller import SITE
from tests.api.conftest import Clinic

WHY = "the patient calls in a crisis and nobody clinical is here"
SCOPES = {
    "safety-plans": Role.COORDINATOR,
    "identity": Role.OPS,
    "psychotherapy-notes": Role.MEDICAL_DIRECTOR,
}


async def a_break(clinic: Clinic, course: str, scope: str, **who: Any) -> Any:
    body = {"scope": scope, "reason": WHY}
    return await clinic.person(SCOPES[scope], **who).post(f"{course}/break-glass", body, key=f"break-{scope}")


async def work(clinic: Clinic) -> list[dict[str, Any]]:
    """The reviews on the work list."""
    answer = await clinic.person(Role.AUDITOR).get("/v1/tasks?code=review-break-glass")
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def reviews(clinic: Clinic, query: str = "") -> list[dict[str, Any]]:
    answer = await clinic.person(Role.AUDITOR).get(f"/v1/break-glass/{SITE}{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


@pytest.mark.parametrize("scope", sorted(SCOPES))
async def test_it_opens_what_was_closed_for_this_person_in_this_course_for_a_while(
    clinic: Clinic, scope: str
) -> None:
    course, other = await clinic.a_journey("one"), await clinic.a_journey("two")
    someone = clinic.person(SCOPES[scope])
    opened = await a_break(clinic, course, scope)
    assert opened.status_code == 201, opened.text
    place = opened.json()["opens"]
    assert (await someone.get(place)).status_code == 200
    colleague = clinic.person(SCOPES[scope], subject="staff-colleague")
    assert (await colleague.get(place)).status_code == 403
    elsewhere = (await a_break(clinic, other, scope, subject="staff-third")).json()["opens"]
    assert (await someone.get(elsewhere)).status_code == 403
    async with clinic.database.transaction() as session:
        await session.execute(text("UPDATE break_glass SET until = now() - interval '1 second'"))
        await session.execute(text("ALTER TABLE psychotherapy_note_access DISABLE TRIGGER USER"))
        await session.execute(text("UPDATE psychotherapy_note_access SET at = at - interval '61 minutes'"))
    assert (await someone.get(place)).status_code == 403


async def test_breaking_looking_and_judging_stand_in_the_audit(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    opened = (await a_break(clinic, course, "identity")).json()
    shown = (await clinic.person(Role.OPS).get(opened["opens"])).json()
    assert (shown["name"], shown["phone_e164"]) == ("Quentin Zimmerfeld", "+12025550199")
    assert (shown["birth_date"], shown["mrn"], shown["journeys"]) == (None, None, [])
    again = await a_break(clinic, course, "identity")
    assert again.headers["idempotent-replayed"] == "true"
    (task,) = await reviews(clinic, "?status=requested")
    assert (task["reason"], task["actor_role"], task["verdict"]) == (WHY, "ops", None)
    (todo,) = await work(clinic)
    assert (todo["owner"], todo["due_at"]) == ("medical-director", task["review_by"])
    verdict = {"verdict": "not-justified", "comment": "the patient was reached already"}
    path = f"/v1/break-glass/{SITE}/{task['glass_id']}/review"
    judged = await clinic.person(Role.AUDITOR).post(path, verdict)
    assert (judged.status_code, judged.json()["status"]) == (200, "completed")
    assert await reviews(clinic, "?status=requested") == []
    assert await work(clinic) == []
    late = await clinic.person(Role.MEDICAL_DIRECTOR).post(path, verdict | {"verdict": "justified"})
    assert (late.status_code, late.json()["code"]) == (409, "review-closed")
    events = (await clinic.person(Role.AUDITOR).get("/v1/audit-events")).json()["items"]
    assert [(one["act"], one["purpose"]) for one in reversed(events)] == [
        ("break_glass", "BTG"),
        ("read_patient", "BTG"),
        ("review_break_glass", "HCOMPL"),
    ]


async def test_nobody_judges_the_own_look_and_every_scope_has_its_role(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    for scope, role in SCOPES.items():
        wrong = next(other for other in SCOPES.values() if other is not role)
        refused = await clinic.person(wrong).post(f"{course}/break-glass", {"scope": scope, "reason": WHY})
        assert (refused.status_code, refused.json()["code"]) == (403, "wrong-role")
    silent = await clinic.coordinator.post(f"{course}/break-glass", {"scope": "safety-plans", "reason": " "})
    assert silent.status_code == 422
    assert await reviews(clinic) == []
    opened = await clinic.person(Role.MEDICAL_DIRECTOR).post(
        f"{course}/therapy-notes/break-glass", {"reason": WHY}
    )
    path = f"/v1/break-glass/{SITE}/{opened.json()['glass_id']}/review"
    verdict = {"verdict": "justified", "comment": "as it should be"}
    own = await clinic.person(Role.MEDICAL_DIRECTOR).post(path, verdict)
    assert (own.status_code, own.json()["code"]) == (403, "separation-of-duties")
    other = clinic.person(Role.MEDICAL_DIRECTOR, subject="staff-second")
    assert (await other.post(path, verdict)).status_code == 200
    assert (await other.post(path, verdict)).status_code == 200


async def test_reasons_are_not_readable_in_the_database(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    await a_break(clinic, course, "safety-plans")
    async with clinic.database.reading() as session:
        row = (await session.execute(text("SELECT reason FROM break_glass"))).scalar_one()
    assert WHY.encode() not in bytes(row)
