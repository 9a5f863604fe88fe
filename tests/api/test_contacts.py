"""May only who should change how a person is reached, with what was read, and is a new address shown to be theirs?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clinical.people import Role
from services.links.interface import NewLink, Purpose
from services.notifications.channel import AddressRefused
from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    Contact,
    SendRequest,
    TemplateName,
)
from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.api.link_holder import a_browser
from tests.api.texting import OTHER_PHONE, PHONE

FIRST = {"if_match": 'W/"1"'}


async def patch(
    clinic: Clinic, patient: str, body: object, version: int = 1
) -> tuple[int, dict[str, object]]:
    path = f"/v1/patients/{patient}/contact"
    answer = await clinic.coordinator.send("PATCH", path, body, {"if_match": f'W/"{version}"'})
    return answer.status_code, answer.json()


def last_code(clinic: Clinic, channel: ChannelName) -> str:
    return clinic.outgoing[channel].sent[-1].body.split("code is ")[1][:6]


async def test_a_change_needs_the_version_that_was_read(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    path = f"/v1/patients/{patient}/contact"
    assert (await clinic.coordinator.get(path)).headers["etag"] == 'W/"1"'
    without = await clinic.coordinator.send("PATCH", path, {"language": "es"}, {})
    assert (without.status_code, without.json()["code"]) == (428, "precondition-required")
    first = await clinic.coordinator.send("PATCH", path, {"language": "es"}, FIRST)
    assert (first.status_code, first.headers["etag"]) == (200, 'W/"2"')
    late = await clinic.coordinator.send("PATCH", path, {"language": "en"}, FIRST)
    assert (late.status_code, late.json()["code"]) == (412, "contact-changed")
    same = await clinic.coordinator.send("PATCH", path, {"language": "es"}, {"if_match": 'W/"2"'})
    assert (same.status_code, same.headers["etag"]) == (200, 'W/"2"')


async def test_every_change_is_kept_with_who_and_what(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    await patch(clinic, patient, {"opted_out_channels": ["sms"], "time_zone": "America/Chicago"})
    [change] = (await clinic.coordinator.get(f"/v1/patients/{patient}/contact/history")).json()["items"]
    assert (change["actor_id"], change["actor_role"], change["source"]) == (
        "staff-coordinator",
        "coordinator",
        "api",
    )
    assert change["was"] == {"opted_out_channels": [], "time_zone": "America/New_York"}
    assert change["now"] == {"opted_out_channels": ["sms"], "time_zone": "America/Chicago"}


async def test_every_fault_is_named_at_once(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    status, answer = await patch(
        clinic,
        patient,
        {"email": "nobody", "phone": "12", "time_zone": "Mars", "nickname": "Q", "language": None},
    )
    assert status == 422
    errors = answer["errors"]
    assert isinstance(errors, list)
    assert {fault["pointer"] for fault in errors} == {
        "/email",
        "/phone",
        "/time_zone",
        "/nickname",
        "/language",
    }
    status, answer = await patch(clinic, patient, {"email": None})
    assert (status, answer["errors"][0]["code"]) == (422, "no-contact-channel")  # type: ignore[index]


async def test_a_new_address_gets_a_code_and_nothing_else_until_it_comes_back(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    status, contact = await patch(clinic, patient, {"email": "new@example.org"})
    assert (status, contact["email_state"], contact["codes"]) == (200, "unverified", {"email": "sent"})
    assert (await clinic.records.contact(patient)).unverified_channels == ("email",)
    sent = clinic.outgoing[ChannelName.EMAIL].sent[-1]
    assert sent.address == "new@example.org"
    assert "Quentin" not in sent.body  # whoever reads there may be somebody else
    path = f"/v1/patients/{patient}/contact/codes/confirmation"
    body = {"channel": "email", "code": last_code(clinic, ChannelName.EMAIL)}
    wrong = await clinic.coordinator.post(path, body | {"code": "x" * 6})
    assert wrong.status_code == 422
    verified = await clinic.coordinator.post(path, body)
    assert (verified.status_code, verified.json()["email_state"]) == (200, "verified")
    again = await clinic.coordinator.post(path, body)
    assert (again.status_code, again.json()["code"]) == (410, "code-expired")  # once


async def test_a_code_is_worth_nothing_after_five_guesses(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    await patch(clinic, patient, {"phone": OTHER_PHONE})
    code = last_code(clinic, ChannelName.SMS)
    path = f"/v1/patients/{patient}/contact/codes/confirmation"
    guess = {"channel": "sms", "code": f"{(int(code) + 1) % 10**6:06}"}
    assert [(await clinic.coordinator.post(path, guess)).status_code for _ in range(6)] == [422] * 5 + [410]
    right = await clinic.coordinator.post(path, {"channel": "sms", "code": code})
    assert right.status_code == 410
    other = await clinic.coordinator.post(path.removesuffix("/confirmation"), {"channel": "sms"})
    assert other.status_code == 202
    fresh = {"channel": "sms", "code": last_code(clinic, ChannelName.SMS)}
    assert (await clinic.coordinator.post(path, fresh)).status_code == 200


async def test_a_code_belongs_to_the_address_it_was_sent_to(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    await patch(clinic, patient, {"phone": OTHER_PHONE})
    code = last_code(clinic, ChannelName.SMS)
    clinic.outgoing[ChannelName.SMS].failure = ChannelUnavailable("sms", "503")
    status, contact = await patch(clinic, patient, {"phone": "+12025550155"}, version=2)
    assert (status, contact["codes"]) == (200, {"sms": "not-sent"})
    path = f"/v1/patients/{patient}/contact/codes"
    old = await clinic.coordinator.post(f"{path}/confirmation", {"channel": "sms", "code": code})
    assert old.status_code in (410, 422)
    unsent = await clinic.coordinator.post(path, {"channel": "sms"})
    assert (unsent.status_code, unsent.json()["code"]) == (503, "message-not-sent")
    assert unsent.json()["retryable"]


async def test_codes_are_not_asked_for_without_end(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    path = f"/v1/patients/{patient}/contact/codes"
    answers = [await clinic.coordinator.post(path, {"channel": "email"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert answers[-1].headers["retry-after"]


async def test_not_even_a_code_goes_where_the_person_wants_nothing(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    status, contact = await patch(clinic, patient, {"phone": OTHER_PHONE, "opted_out_channels": ["sms"]})
    assert (status, contact["codes"]) == (200, {})
    answer = await clinic.coordinator.post(f"/v1/patients/{patient}/contact/codes", {"channel": "sms"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-possible-now")
    assert clinic.outgoing[ChannelName.SMS].sent == []


async def test_a_patient_has_the_own_contact_only(clinic: Clinic) -> None:
    mine, other = await clinic.a_patient(), await clinic.a_patient()
    me = clinic.person(Role.PATIENT, subject=mine)
    assert (await me.get(f"/v1/patients/{mine}/contact")).status_code == 200
    opted = await me.send("PATCH", f"/v1/patients/{mine}/contact", {"opted_out_channels": ["email"]}, FIRST)
    assert opted.status_code == 200
    for path in ("contact", "contact/history"):
        assert (await me.get(f"/v1/patients/{other}/{path}")).status_code == 404
    assert (
        await me.send("PATCH", f"/v1/patients/{other}/contact", {"language": "es"}, FIRST)
    ).status_code == 404
    stranger = clinic.person(Role.COORDINATOR, sites=("site-b",))
    assert (await stranger.get(f"/v1/patients/{mine}/contact")).status_code == 404


async def test_who_else_has_a_number_that_was_verified_is_asked(clinic: Clinic) -> None:
    before = await clinic.a_patient()
    now = await clinic.a_patient(name="Yolanda Quimby", phone=OTHER_PHONE)
    await patch(clinic, now, {"phone": PHONE})
    code = {"channel": "sms", "code": last_code(clinic, ChannelName.SMS)}
    await clinic.coordinator.post(f"/v1/patients/{now}/contact/codes/confirmation", code)
    [case] = (await clinic.coordinator.get("/v1/inbox")).json()["items"]
    assert (case["kind"], case["patient_id"]) == ("contact-shared", before)


@pytest.mark.parametrize(("code", "state", "out"), [("21211", "bad", []), ("21610", "stated", ["sms"])])
async def test_a_bad_number_is_marked_once_and_a_coordinator_knows(
    clinic: Clinic, code: str, state: str, out: list[str]
) -> None:
    patient = await clinic.a_patient()
    course = await clinic.a_journey(patient_id=patient)
    now = (await clinic.records.entries(course.replace("/v1/journeys", "journey")))[0].recorded_at
    for address in (OTHER_PHONE, PHONE, PHONE):  # the first one is not theirs any more
        await clinic.records.channel_refused(patient, "sms", address, code, now)
    contact = (await clinic.coordinator.get(f"/v1/patients/{patient}/contact")).json()
    assert (contact["phone_state"], contact["opted_out_channels"], contact["version"]) == (state, out, 2)
    tasks = [task["code"] for task in (await clinic.coordinator.get(course)).json()["journey"]["open_tasks"]]
    assert tasks == (["correct-contact"] if state == "bad" else [])


async def test_a_code_to_an_address_that_is_none_is_said(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    clinic.outgoing[ChannelName.EMAIL].failure = AddressRefused("550")
    answer = await clinic.coordinator.post(f"/v1/patients/{patient}/contact/codes", {"channel": "email"})
    assert (answer.status_code, answer.json()["code"]) == (503, "message-not-sent")


async def a_message_with_link(clinic: Clinic, patient: str, course: str, cause: str) -> str:
    """The path of the link in a message that left by mail; of no message when `cause` was never sent."""
    journey, now = f"journey/{course.removeprefix('/v1/journeys/')}", datetime.now(UTC)
    if cause.startswith(journey):
        known = await clinic.records.contact(patient)
        recipient = Contact(name="", email=known.email, time_zone="UTC")
        request = SendRequest(
            key=cause, journey_id=journey, site=SITE, patient_id=patient, recipient=recipient,
            template=TemplateName.FOLLOW_UP_DUE, occurred_at=now, not_after=now + timedelta(days=1), urgent=True,
        )  # fmt: skip
        assert (await clinic.here.messages.send(request)).status is CommunicationStatus.COMPLETED
    new = NewLink(
        cause=cause, journey_id=journey, site=SITE, patient_id=patient, purpose=Purpose.NEXT,
        expires_at=now + timedelta(days=1), made_by="engine",
    )  # fmt: skip
    return f"/l/{(await clinic.here.links.make(new))[1]}"


async def states(clinic: Clinic, patient: str) -> tuple[str, str]:
    contact = (await clinic.coordinator.get(f"/v1/patients/{patient}/contact")).json()
    return contact["email_state"], contact["phone_state"]


async def test_who_opens_the_link_of_a_message_and_is_the_patient_reads_there(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    course = await clinic.a_journey(patient_id=patient)
    key = f"journey/{course.removeprefix('/v1/journeys/')}/x"
    assert await states(clinic, patient) == ("stated", "stated")
    by_hand = await a_message_with_link(clinic, patient, course, "desk:key")
    by_mail = await a_message_with_link(clinic, patient, course, f"{key}/1")
    async with a_browser(clinic.app) as browser:
        await browser.prove(by_hand)
        await browser.prove(by_mail, "1901-01-01")
        assert await states(clinic, patient) == ("stated", "stated")
        await browser.prove(by_mail)
    assert await states(clinic, patient) == ("verified", "stated")
    [change] = (await clinic.coordinator.get(f"/v1/patients/{patient}/contact/history")).json()["items"]
    assert (change["source"], change["actor_role"]) == ("link", "patient")


async def test_an_older_message_says_nothing_of_an_address_that_was_changed(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    course = await clinic.a_journey(patient_id=patient)
    key = f"journey/{course.removeprefix('/v1/journeys/')}/x"
    path = await a_message_with_link(clinic, patient, course, key)
    await patch(clinic, patient, {"email": "new@example.org"})
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
    assert await states(clinic, patient) == ("unverified", "stated")


async def test_asking_whether_a_person_reads_there_locks_nobody_out(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    path = f"/v1/patients/{patient}/contact/codes"
    assert (await clinic.coordinator.post(path, {"channel": "email"})).status_code == 202
    assert await states(clinic, patient) == ("stated", "stated")
    contact = await clinic.records.contact(patient)
    assert (contact.stated_channels, contact.unverified_channels) == (("email", "sms"), ())
    code = {"channel": "email", "code": last_code(clinic, ChannelName.EMAIL)}
    assert (await clinic.coordinator.post(f"{path}/confirmation", code)).status_code == 200
    assert await states(clinic, patient) == ("verified", "stated")
