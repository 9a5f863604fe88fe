"""At the door: what was spoken of goes to the notes, the workflow hears an id, and everybody else hears 403."""

from __future__ import annotations

from typing import Any

import pytest

from api.auth import ACTS
from api.engine import EngineRefused, EngineUnavailable
from clinical import events
from clinical.people import Actor, Role
from services.records.interface import Batch
from tests.api.conftest import Clinic
from tests.services.records.builders import an_entry
from tests.services.records.facts import a_sheet

WORDS = "marmalade and the lake"
THERAPY = {"minutes": 60, "themes": WORDS, "present_throughout": True, "others_present": ["staff-2"]}
INTEGRATION = {"held_at": "2026-03-17T15:00:00-04:00", "note": WORDS}


async def told(clinic: Clinic, course: str, key: str = "t1") -> Any:
    return await clinic.person(Role.THERAPIST).post(f"{course}/sessions/1/therapy", THERAPY, key=key)


@pytest.mark.parametrize(("act", "body"), [("therapy", THERAPY), ("integration", INTEGRATION)])
async def test_the_workflow_hears_the_id_and_the_hash_and_no_word(
    act: str, body: dict[str, Any], clinic: Clinic
) -> None:
    course = await clinic.a_journey()
    therapist = clinic.person(Role.THERAPIST)
    answer = await therapist.post(f"{course}/sessions/1/{act}", body, key="t1")
    assert answer.status_code == 200, answer.text
    _, update, message = clinic.engine.heard[-1]
    assert update == f"record_{act}"
    assert WORDS not in message.model_dump_json()
    [line] = (await therapist.get(f"{course}/therapy-notes")).json()["items"]
    assert (message.note_id, line["kind"], line["session"]) == (line["note_id"], act, 1)  # type: ignore[attr-defined]
    [note] = (await therapist.get(f"{course}/therapy-notes/{line['note_id']}")).json()["items"]
    assert note["text"] == WORDS
    again = await therapist.post(f"{course}/sessions/1/{act}", body, key="t1")
    assert again.headers["idempotent-replayed"] == "true"
    assert len((await therapist.get(f"{course}/therapy-notes")).json()["items"]) == 1


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.THERAPIST, Role.SYSTEM}))
async def test_every_other_role_is_refused(role: Role, clinic: Clinic) -> None:
    course = await clinic.a_journey()
    await told(clinic, course)
    note_id = clinic.engine.heard[-1][2].note_id  # type: ignore[attr-defined]
    other = clinic.person(role)
    notes = f"{course}/therapy-notes"
    for answer in (
        await other.get(notes),
        await other.get(f"{notes}/{note_id}"),
        await other.post(f"{notes}/{note_id}/amendments", {"text": "more"}),
    ):
        assert answer.status_code == 403, answer.text
        assert WORDS not in answer.text
    glass = await other.post(f"{notes}/break-glass", {"reason": "an emergency"})
    assert glass.status_code == (201 if role is Role.MEDICAL_DIRECTOR else 403)
    assert (await other.get(f"{notes}/{note_id}")).status_code == (
        200 if role is Role.MEDICAL_DIRECTOR else 403
    )
    log = await other.get(f"{notes}/accesses")
    may_look = role in ACTS["list_therapy_note_accesses"]
    assert log.status_code == (200 if may_look else 403)
    if role is Role.MEDICAL_DIRECTOR:
        assert [one["act"] for one in log.json()["items"]] == [
            "write",
            "denied",
            "denied",
            "break-glass",
            "read",
        ]


async def test_a_note_whose_act_was_refused_is_marked_and_one_nobody_answered_for_is_not(
    clinic: Clinic,
) -> None:
    course = await clinic.a_journey()
    therapist = clinic.person(Role.THERAPIST)
    for failure, state in (
        (EngineRefused("not-possible-now", "no dose has been given", {}), "refused"),
        (EngineUnavailable(), "unconfirmed"),
    ):
        clinic.engine.failure = failure
        assert (await told(clinic, course, key=state)).status_code in (409, 503)
        lines = (await therapist.get(f"{course}/therapy-notes")).json()["items"]
        assert lines[-1]["state"] == state


async def test_a_waiver_and_a_review_reach_their_session(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    for role, act, body in (
        (Role.THERAPIST, "integration-waiver", {"reason": "ill"}),
        (Role.PRESCRIBER, "concerns-review", {"assessment": "called back"}),
    ):
        assert (await clinic.person(role).post(f"{course}/sessions/2/{act}", body)).status_code == 200
        wrong = await clinic.person(Role.NURSE).post(f"{course}/sessions/2/{act}", body)
        assert wrong.status_code == 403
    assert [update for _, update, _ in clinic.engine.heard[-2:]] == ["waive_integration", "review_concerns"]


async def a_printed_course(clinic: Clinic) -> str:
    patient = await clinic.a_patient()
    course = await clinic.a_journey(patient_id=patient)
    sheet = a_sheet().model_copy(update={"patient_code": patient})
    made = events.DowntimeSheetMade(
        session=1, order_id=sheet.order_id, sheet_hash=sheet.content_hash, sheet=sheet
    )
    journey = course.removeprefix("/v1/").replace("journeys/", "journey/")
    entry = an_entry("sheet", made, actor=Actor(id="p", role=Role.PRESCRIBER))
    await clinic.records.append(Batch(journey_id=journey, entries=(entry,)))
    return course


async def test_the_sheet_is_a_page_without_a_name_or_data_for_who_asks(clinic: Clinic) -> None:
    course = await a_printed_course(clinic)
    nurse = clinic.person(Role.NURSE)
    address = f"{course}/sessions/1/downtime-sheet"
    page = await nurse.get(address, accept="text/html,application/xhtml+xml")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "Downtime sheet" in page.text
    assert "Zimmerfeld" not in page.text
    data = await nurse.get(address, accept="application/json")
    assert data.json()["order_id"] == "session/1/order/1"
    assert (await nurse.get(f"{course}/sessions/2/downtime-sheet")).status_code == 404


async def test_names_are_printed_for_clinicians_only(clinic: Clinic) -> None:
    course = await a_printed_course(clinic)
    address = f"{course}/sessions/1/downtime-sheet?with_name=true"
    page = await clinic.person(Role.NURSE).get(address)
    assert "Quentin Zimmerfeld" in page.text
    assert "1984-05-17" in page.text
    for role in (Role.COORDINATOR, Role.AUDITOR, Role.OPS):
        assert (await clinic.person(role).get(address)).status_code == 403
