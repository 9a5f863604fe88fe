"""The register of sites: yours are there, changes do not overwrite each other, courses follow the default."""

from __future__ import annotations

from typing import Any

from clinical.people import Role
from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.shipped import shipped_protocol

HARBOR = {"name": "Harbor Street", "time_zone": "America/New_York", "phone": "+1 202 555 0100"}


async def test_a_site_is_registered_read_and_changed_against_its_version(clinic: Clinic) -> None:
    operations, path = clinic.person(Role.OPS), f"/v1/sites/{SITE}"
    assert (await operations.get(path)).status_code == 404
    made = await operations.post(path, HARBOR)
    assert (made.status_code, made.headers["etag"], made.json()["version"]) == (200, 'W/"1"', 1)
    read = await clinic.person(Role.NURSE).get(path)
    assert (read.json()["phone"], read.headers["etag"]) == ("+12025550100", 'W/"1"')
    moved: dict[str, Any] = HARBOR | {"time_zone": "America/Denver"}
    blind = await operations.post(path, moved)
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition-required")
    assert (await operations.post(path, moved, if_match='W/"1"')).json()["version"] == 2
    late = await operations.post(path, HARBOR | {"name": "Pier"}, if_match='W/"1"')
    assert (late.status_code, late.json()["version"]) == (412, 2)
    assert (await operations.post(path, moved)).json()["version"] == 2  # what stands there already
    (event, first) = (await clinic.person(Role.AUDITOR).get("/v1/audit-events?act=change_site")).json()[
        "items"
    ]
    assert (event["object_id"], first["actor_role"]) == (f"site/{SITE}", "ops")


async def test_every_fault_of_a_site_is_named_and_other_sites_are_not_there(clinic: Clinic) -> None:
    operations, path = clinic.person(Role.OPS), f"/v1/sites/{SITE}"
    bad = await operations.post(path, {"name": " ", "time_zone": "Mars/Base", "phone": "1"})
    assert {one["pointer"] for one in bad.json()["errors"]} == {"/name", "/time_zone", "/phone"}
    unpublished = await operations.post(path, HARBOR | {"default_protocol": "urn:none|1"})
    assert unpublished.json()["errors"][0]["pointer"] == "/default_protocol"
    assert (await operations.post("/v1/sites/site-b", HARBOR)).status_code == 404
    both = clinic.person(Role.OPS, sites=(SITE, "site-b"))
    await both.post("/v1/sites/site-b", HARBOR | {"time_zone": "Europe/Lisbon"})
    await both.post(path, HARBOR)
    assert [one["site"] for one in (await operations.get("/v1/sites")).json()["items"]] == [SITE]
    listed = (await both.get("/v1/sites")).json()["items"]
    assert [one["time_zone"] for one in listed] == ["America/New_York", "Europe/Lisbon"]


async def test_a_course_gets_the_default_protocol_of_its_site_when_nobody_names_one(clinic: Clinic) -> None:
    first = shipped_protocol()
    other = shipped_protocol("im-racemic")
    await clinic.records.publish_protocol(other, SITE)  # the newest, but not the default
    body = HARBOR | {"default_protocol": first.canonical}
    assert (await clinic.person(Role.MEDICAL_DIRECTOR).post(f"/v1/sites/{SITE}", body)).status_code == 200
    course = await clinic.a_journey()
    journey = (await clinic.coordinator.get(course)).json()["journey"]
    assert journey["protocol"] == first.canonical
    assert (await clinic.coordinator.get("/v1/protocols")).json()["version"] == first.version
