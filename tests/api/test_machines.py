"""API keys: shown once, never more than their issuer may give, gone at once when they are revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from clinical.people import Role
from tests.api.caller import SITE, Person
from tests.api.conftest import Clinic


def a_key(**changes: Any) -> dict[str, Any]:
    ends = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    return {"name": "status page", "roles": ["ops"], "sites": [SITE], "expires_at": ends} | changes


async def issued(clinic: Clinic, key: str = "k1", **changes: Any) -> tuple[str, Person]:
    answer = await clinic.person(Role.MEDICAL_DIRECTOR).post("/v1/api-keys", a_key(**changes), key=key)
    assert answer.status_code == 201, answer.text
    return answer.json()["key_id"], Person(clinic.app, answer.json()["secret"])


async def test_a_key_opens_what_its_roles_may_at_its_sites_until_it_is_revoked(clinic: Clinic) -> None:
    await clinic.a_journey()
    key_id, machine = await issued(clinic)
    (line,) = (await machine.get("/v1/journeys")).json()["items"]
    assert (line["stage"], line["patient_id"]) == ("referred", None)
    assert (await machine.get("/v1/tasks")).status_code == 403
    assert (await machine.get("/v1/journeys?site=site-b")).status_code == 404
    director = clinic.person(Role.MEDICAL_DIRECTOR)
    (listed,) = (await director.get("/v1/api-keys")).json()["items"]
    assert listed["last_used_at"] is not None
    assert machine.token not in str(listed)
    revocation = f"/v1/api-keys/{key_id}/revocation"
    first = await director.post(revocation, {"reason": "leaked"})
    again = await clinic.person(Role.OPS).post(revocation, {"reason": "other"})
    assert (first.status_code, again.json()) == (200, first.json())
    assert first.json()["revoked_for"] == "leaked"
    gone = await machine.get("/v1/journeys")
    unknown = await Person(clinic.app, "kap_never-was").get("/v1/journeys")
    broken = await Person(clinic.app, "made.up.token").get("/v1/journeys")
    assert {one.status_code for one in (gone, unknown, broken)} == {401}
    assert gone.json()["detail"] == unknown.json()["detail"] == broken.json()["detail"]
    assert gone.headers["www-authenticate"] == broken.headers["www-authenticate"]


async def test_a_key_that_has_ended_is_nothing(clinic: Clinic) -> None:
    _, machine = await issued(clinic)
    assert (await machine.get("/v1/journeys")).status_code == 200
    async with clinic.database.transaction() as session:
        await session.execute(text("UPDATE api_key SET expires_at = now() - interval '1 second'"))
    assert (await machine.get("/v1/journeys")).status_code == 401


async def test_the_secret_is_shown_once_and_only_its_hash_is_kept(clinic: Clinic) -> None:
    _, machine = await issued(clinic)
    again = await clinic.person(Role.MEDICAL_DIRECTOR).post("/v1/api-keys", a_key(), key="k1")
    assert (again.status_code, again.json()["code"]) == (409, "api-key-issued")
    assert machine.token not in again.text
    assert len(machine.token) > 40
    async with clinic.database.reading() as session:
        stored = (await session.execute(text("SELECT api_key::text FROM api_key"))).scalar_one()
        answers = (await session.execute(text("SELECT count(*) FROM idempotency_key"))).scalar_one()
    assert machine.token.removeprefix("kap_") not in stored
    assert answers == 0


WRONG: list[tuple[dict[str, Any], int, str | None]] = [
    ({"roles": ["prescriber"]}, 422, "/roles/0"),
    ({"roles": []}, 422, "/roles"),
    ({"sites": ["site-b"]}, 404, None),
    ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "/expires_at"),
    ({"expires_at": "2999-01-01T00:00:00Z"}, 422, "/expires_at"),
    ({"expires_at": None}, 422, "/expires_at"),
]


async def test_what_no_key_may_be(clinic: Clinic) -> None:
    director = clinic.person(Role.MEDICAL_DIRECTOR)
    for changes, status, pointer in WRONG:
        answer = await director.post("/v1/api-keys", a_key(**changes))
        assert answer.status_code == status, answer.text
        assert pointer is None or answer.json()["errors"][0]["pointer"].startswith(pointer)
    assert (await director.get("/v1/api-keys")).json()["items"] == []


async def test_nobody_passes_on_what_they_do_not_have_and_no_machine_makes_another(clinic: Clinic) -> None:
    operations = clinic.person(Role.OPS)
    assert (await operations.post("/v1/api-keys", a_key(roles=["ops"]))).status_code == 201
    more = await operations.post("/v1/api-keys", a_key(roles=["ops", "coordinator"]))
    assert (more.status_code, more.json()["code"]) == (403, "role-not-yours-to-give")
    assert [one["pointer"] for one in more.json()["errors"]] == ["/roles/1"]
    key_id, machine = await issued(clinic)
    assert (await machine.post("/v1/api-keys", a_key())).status_code == 403
    assert (await machine.post(f"/v1/api-keys/{key_id}/revocation", {"reason": "other"})).status_code == 403
    elsewhere = clinic.person(Role.MEDICAL_DIRECTOR, sites=("site-b",))
    away = await elsewhere.post(f"/v1/api-keys/{key_id}/revocation", {"reason": "other"})
    assert away.status_code == 404
    assert (await machine.get("/v1/journeys")).status_code == 200


async def test_a_machine_says_what_it_reads_for_and_acts_under_its_own_name(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    key_id, machine = await issued(clinic, roles=["coordinator"])
    silent = await machine.get(course)
    assert (silent.status_code, silent.json()["code"]) == (403, "purpose-required")
    assert (await machine.get(course, kap_purpose="COC")).status_code == 200
    assert (await machine.post(f"{course}/pause", {"reason": "x"})).status_code == 200
    assert clinic.engine.heard[-1][2].actor.id == f"key-{key_id}"


async def test_pages_of_keys_hold_each_once(clinic: Clinic) -> None:
    made = {(await issued(clinic, key=str(number)))[0] for number in range(3)}
    director = clinic.person(Role.MEDICAL_DIRECTOR)
    first = (await director.get("/v1/api-keys?limit=2")).json()
    rest = (await director.get(f"/v1/api-keys?limit=2&cursor={first['next_cursor']}")).json()
    seen = [one["key_id"] for one in first["items"] + rest["items"]]
    assert (len(seen), set(seen), rest["next_cursor"]) == (3, made, None)
