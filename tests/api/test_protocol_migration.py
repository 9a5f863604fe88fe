"""One patient's course goes over to another protocol over HTTP: by the exact hash that was looked at."""

from __future__ import annotations

from datetime import UTC, datetime

from api.engine import EngineRefused
from clinical.people import Role
from clinical.protocol import Protocol
from services.protocol_signing import signature_of
from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.shipped import shipped_protocol
from workflows.messages import MigrateProtocol


def the_next_version() -> Protocol:
    before = shipped_protocol()
    longer = before.discharge.model_copy(update={"min_after_start_minutes": 150})
    after = before.model_copy(update={"version": "next", "discharge": longer})
    return after.model_copy(update={"signature": signature_of(after, "A", datetime.now(UTC), example=True)})


async def test_it_is_looked_at_and_then_done_by_its_hash(clinic: Clinic) -> None:
    course, after = f"{await clinic.a_journey()}/protocol-migration", the_next_version()
    director = clinic.person(Role.MEDICAL_DIRECTOR)
    unknown = await director.get(f"{course}?canonical=urn:none%7C1")
    assert unknown.status_code == 404
    await clinic.records.publish_protocol(after, SITE)
    look = await director.get(f"{course}?canonical={after.canonical.replace('|', '%7C')}")
    assert look.status_code == 200, look.text
    assert (look.json()["allowed"], look.json()["plan_anew"]) == (True, True)
    assert any("the shortest stay" in change for change in look.json()["changes"])
    assert look.headers["etag"] == f'"{after.content_hash}"'
    body = {"protocol": after.canonical, "reason": "a longer stay"}
    blind = await director.post(course, body)
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition-required")
    other = await director.post(course, body, if_match=f'"{"0f" * 32}"')
    assert (other.status_code, other.json()["code"]) == (412, "protocol-changed")
    done = await director.post(course, body, if_match=look.headers["etag"])
    assert done.status_code == 200, done.text
    [message] = [said for _, update, said in clinic.engine.heard if update == "migrate_protocol"]
    assert isinstance(message, MigrateProtocol)
    assert (message.protocol, message.in_the_chair) == (after, False)


async def test_a_refusal_comes_with_its_reasons_and_nobody_else_may(clinic: Clinic) -> None:
    course, after = f"{await clinic.a_journey()}/protocol-migration", the_next_version()
    await clinic.records.publish_protocol(after, SITE)
    assert (await clinic.person(Role.PRESCRIBER).get(course)).status_code == 403
    reason = {"rule": "MIG-CHAIR", "verdict": "refuse", "text": "in the chair", "source": "the test"}
    clinic.engine.refuses["migrate_protocol"] = EngineRefused(
        "migration-refused", "this course cannot go over", {"reasons": [reason], "errors": []}
    )
    refused = await clinic.person(Role.MEDICAL_DIRECTOR).post(
        course, {"protocol": after.canonical, "reason": "why"}, if_match=f'"{after.content_hash}"'
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "migration-refused")
    assert refused.json()["reasons"][0]["rule"] == "MIG-CHAIR"
