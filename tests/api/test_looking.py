"""Sensitive reads: written down with their purpose before they are answered, or not answered."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from api.auth import ACTS
from api.purposes import AUDITED, OF_ROLE, PURPOSE_REQUIRED, Purpose
from api.refusals import Refusals
from clinical.people import CLINICIANS, Role
from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.api.routes_of import routes_of


async def audit_of(clinic: Clinic, query: str = "") -> list[dict[str, Any]]:
    answer = await clinic.person(Role.AUDITOR).get(f"/v1/audit-events{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_every_audited_read_is_one_event_and_lists_of_the_day_are_none(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    reads = [route for route in routes_of(clinic.app) if route.act in AUDITED]
    assert {route.act for route in reads} == AUDITED
    for route in reads:
        role = min(ACTS[route.act] & CLINICIANS)
        await clinic.person(role).get(route.at(course))
    for path in ("/v1/journeys", "/v1/tasks", f"{course}/next"):
        assert (await clinic.coordinator.get(path)).status_code == 200
    written = list(reversed(await audit_of(clinic, "?limit=200")))
    assert [one["act"] for one in written] == [route.act for route in reads]
    assert [one["seq"] for one in written] == list(range(1, len(reads) + 1))


async def test_an_event_says_who_what_why_when_and_what_came_of_it(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    course = await clinic.a_journey(patient_id=patient)
    nurse = clinic.person(Role.NURSE)
    seen = await nurse.get(f"{course}/timeline", kap_purpose="HPAYMT")
    await nurse.get(f"{course}/sessions/9")
    await nurse.get(f"/v1/patients/{patient}")
    person, missing, timeline = await audit_of(clinic)
    journey = course.replace("/v1/journeys/", "journey/")
    assert {
        name: timeline[name] for name in ("actor_id", "actor_role", "purpose", "object_id", "outcome")
    } == {
        "actor_id": "staff-nurse",
        "actor_role": "nurse",
        "purpose": "HPAYMT",
        "object_id": journey,
        "outcome": "0",
    }
    assert timeline["trace_id"] == seen.headers["trace-id"]
    assert (missing["part"], missing["outcome"], missing["purpose"]) == ("session/9", "4", "TREAT")
    assert (person["object_id"], person["site"]) == (f"patient/{patient}", SITE)
    about = await audit_of(clinic, f"?patient_id={patient}")
    assert [one["seq"] for one in about] == [3, 2, 1]
    assert [one["seq"] for one in await audit_of(clinic, "?purpose=HPAYMT")] == [1]
    assert [one["seq"] for one in await audit_of(clinic, "?act=read_patient&actor_id=staff-nurse")] == [3]
    assert await audit_of(clinic, f"?until={timeline['at']}") == []
    page = (await clinic.person(Role.AUDITOR).get("/v1/audit-events?limit=2")).json()
    rest = (
        await clinic.person(Role.AUDITOR).get(f"/v1/audit-events?limit=2&cursor={page['next_cursor']}")
    ).json()
    assert [one["seq"] for one in page["items"] + rest["items"]] == [3, 2, 1]


async def test_what_was_asked_for_is_kept_only_if_it_has_the_form_of_an_id(clinic: Clinic) -> None:
    await clinic.coordinator.get("/v1/patients/Quentin-Zimmerfeld")
    (event,) = await audit_of(clinic)
    assert (event["object_id"], event["outcome"]) == ("patient/unreadable", "4")


async def test_when_it_cannot_be_written_there_is_no_answer(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    course = await clinic.a_journey(patient_id=patient)
    async with clinic.database.transaction() as session:
        await session.execute(text("ALTER TABLE audit_event RENAME TO audit_event_away"))
    for path in (f"/v1/patients/{patient}", course, f"{course}/timeline"):
        answer = await clinic.coordinator.get(path)
        assert (answer.status_code, answer.json()["retryable"]) == (503, True)
        assert "Zimmerfeld" not in answer.text
        assert "referred" not in answer.text
    assert (await clinic.coordinator.get("/v1/journeys")).status_code == 200


async def test_who_has_no_daily_reason_says_one(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    auditor = clinic.person(Role.AUDITOR)
    for route in routes_of(clinic.app):
        if route.act not in PURPOSE_REQUIRED or Role.AUDITOR not in ACTS[route.act]:
            continue
        for purpose in ({}, {"kap_purpose": "TREAT"}, {"kap_purpose": "curiosity"}):
            answer = await auditor.get(route.at(course), **purpose)
            assert (answer.status_code, answer.json()["code"]) == (403, "purpose-required")
        named = await auditor.get(route.at(course), kap_purpose="HCOMPL")
        assert (route.act, named.status_code) in {(route.act, 200), (route.act, 404)}
    let_in = [one for one in await audit_of(clinic, "?limit=200") if "purpose" not in (one["reason"] or "")]
    assert {one["purpose"] for one in let_in} == {"HCOMPL"}


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM}))
def test_every_role_can_say_something_and_only_a_director_says_that_glass_broke(role: Role) -> None:
    assert OF_ROLE[role]
    assert (Purpose.BREAK_GLASS in OF_ROLE[role]) == (role is Role.MEDICAL_DIRECTOR)


async def test_the_audit_says_itself_whether_it_is_whole(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    for _ in range(3):
        await clinic.coordinator.get(course)
    auditor = clinic.person(Role.AUDITOR)
    whole = (await auditor.get("/v1/audit-events/verification")).json()
    assert (whole["whole"], whole["last_seq"], whole["first_bad"]) == (True, 3, None)
    async with clinic.database.transaction() as session:
        await session.execute(text("ALTER TABLE audit_event DISABLE TRIGGER USER"))
        await session.execute(text("UPDATE audit_event SET actor_id = 'nobody' WHERE seq = 2"))
    broken = (await auditor.get("/v1/audit-events/verification")).json()
    assert (broken["whole"], broken["first_bad"]) == (False, 2)


async def test_a_refused_read_is_in_the_audit_with_its_reason(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    course = await clinic.a_journey(patient_id=patient)
    turned_away = [
        (clinic.person(Role.OPS), f"{course}/timeline", 403, "wrong-role"),
        (clinic.person(Role.AUDITOR), f"{course}/scores", 403, "purpose-required"),
        (clinic.person(Role.NURSE, Role.OPS), course.replace(SITE, "site-b"), 404, "not-found"),
        (clinic.person(Role.OPS), "/v1/patients/Quentin-Zimmerfeld", 403, "wrong-role"),
    ]
    for who, path, status, code in turned_away:
        answer = await who.get(path, kap_purpose="no such purpose")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    kept = list(reversed(await audit_of(clinic, "?outcome=4")))
    assert [one["reason"] for one in kept] == [code for *_, code in turned_away]
    assert {one["purpose"] for one in kept} == {"unstated"}
    assert [one["act"] for one in kept] == ["read_timeline", "read_scores", "read_journey", "read_patient"]
    assert kept[2]["actor_role"] == "nurse,ops"
    assert kept[2]["object_id"] == course.replace(f"/v1/journeys/{SITE}", "journey/site-b")
    assert kept[3]["object_id"] == "patient/unreadable"
    assert (await clinic.access.audit.verify(SITE)).whole
    assert (await clinic.access.audit.counts("site-b")) == {"all": 0}


async def test_a_flood_of_refused_reads_leaves_few_rows_that_say_so(clinic: Clinic) -> None:
    course, ops = await clinic.a_journey(), clinic.person(Role.OPS)
    for _ in range(45):
        assert (await ops.get(f"{course}/timeline")).status_code == 403
    kept = await audit_of(clinic, "?outcome=4&limit=200")
    assert len(kept) == 31
    assert kept[0]["reason"] == "wrong-role; 10 more since 30 were kept"
    assert (await clinic.person(Role.OPS, subject="another").get(f"{course}/timeline")).status_code == 403
    assert (await audit_of(clinic, "?actor_id=another"))[0]["reason"] == "wrong-role"


def test_a_person_is_counted_anew_after_an_hour_and_a_flood_by_its_size() -> None:
    now = [0.0]
    refusals = Refusals(clock=lambda: now[0], remembered=2)
    told = [refusals.told("eve", "wrong-role") for _ in range(1030 + 1)]
    assert [n for n, one in enumerate(told, start=1) if one is not None] == [*range(1, 31), 40, 130, 1030]
    now[0] = 3600.0
    assert refusals.told("eve", "wrong-role") == "wrong-role"


async def test_an_audit_that_is_away_lets_nobody_in_and_says_nothing_more(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    async with clinic.database.transaction() as session:
        await session.execute(text("ALTER TABLE audit_event RENAME TO audit_event_away"))
    answer = await clinic.person(Role.OPS).get(f"{course}/timeline")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
