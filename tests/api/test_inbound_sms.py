"""Is a text message acted on once, for the right person, about the right visit, and never by guessing?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.engine import EngineUnavailable
from api.message_concerns import tell_the_engine
from api.signatures import signature
from clinical.events import JourneyClosed, SessionClosed
from clinical.people import Role
from services.notifications.interface import ChannelName
from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.api.texting import OTHER_PHONE, PHONE, SOON, a_visit, booked, call, journey_of, remind, text, write
from workflows.messages import RaiseConcern


async def visit_of(clinic: Clinic, course: str) -> dict[str, object]:
    visit = (await clinic.coordinator.get(f"{course}/sessions/1")).json()
    assert isinstance(visit, dict)
    return visit


async def tasks_of(clinic: Clinic, course: str) -> list[str]:
    journey = (await clinic.coordinator.get(course)).json()["journey"]
    return [task["code"] for task in journey["open_tasks"]]


async def inbox(clinic: Clinic) -> list[dict[str, object]]:
    return list((await clinic.coordinator.get(f"/v1/inbox?site={SITE}")).json()["items"])


@pytest.mark.parametrize("flaw", ["unsigned", "another secret", "changed"])
async def test_only_the_providers_word_counts(clinic: Clinic, flaw: str) -> None:
    _, patient = await a_visit(clinic)
    fields = {"MessageSid": "SM1", "From": PHONE, "Body": "STOP"}
    match flaw:
        case "unsigned":
            answer = await call(clinic.app, "/v1/inbound/sms", fields, sign=False)
        case "another secret":
            answer = await call(clinic.app, "/v1/inbound/sms", fields, token="guessed")
        case _:
            answer = await call(clinic.app, "/v1/inbound/sms?x=1", fields)
            fields["Body"] = "START"
            assert answer.status_code == 200 or answer.status_code == 403
            answer = await call(clinic.app, "/v1/inbound/sms", fields, token="guessed")
    assert (answer.status_code, answer.json()["code"]) == (403, "signature-invalid")
    contact = (await clinic.coordinator.get(f"/v1/patients/{patient}/contact")).json()
    assert contact["opted_out_channels"] == [] or flaw == "changed"


async def test_the_signature_is_the_documented_one() -> None:
    """The example of the provider's own documentation."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
    }
    address = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature("12345", address, list(fields.items())) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


async def test_yes_confirms_the_visit_once(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await remind(clinic, course, patient)
    first = await text(clinic, "Sí, gracias", "SM1")
    assert "confirmed" in first
    assert (await visit_of(clinic, course))["confirmed_at"] is not None
    version = (await clinic.coordinator.get(course)).headers["etag"]
    assert await text(clinic, "YES", "SM1") == first  # the same message again, whatever it says now
    assert (await clinic.coordinator.get(course)).headers["etag"] == version
    timeline = (await clinic.coordinator.get(f"{course}/timeline")).json()["items"]
    assert sum(one["kind"] == "session.confirmed" for one in timeline) == 1
    assert timeline[-1]["actor_role"] == "patient"
    assert await inbox(clinic) == []


async def test_a_message_that_comes_five_times_at_once_is_acted_on_once(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await remind(clinic, course, patient)
    answers = await asyncio.gather(*(text(clinic, "YES", "SM1") for _ in range(5)))
    assert len(set(answers)) == 1
    timeline = (await clinic.coordinator.get(f"{course}/timeline")).json()["items"]
    assert sum(one["kind"] == "session.confirmed" for one in timeline) == 1


async def test_a_reply_and_a_move_at_once_leave_no_wrong_confirmation(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await remind(clinic, course, patient)
    move = write(clinic, course, booked(1, SOON + timedelta(days=1), moved_from=SOON))
    said, _ = await asyncio.gather(text(clinic, "YES", "SM1"), move)
    assert "confirmed" in said or "another time" in said
    visit = await visit_of(clinic, course)
    assert visit["confirmed_at"] is None  # whoever was first: the time that is booked now was not confirmed


async def test_a_moved_visit_is_not_confirmed_by_a_reply_to_the_old_time(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await remind(clinic, course, patient)
    assert "confirmed" in await text(clinic, "YES", "SM1")
    later = SOON + timedelta(days=1)
    await write(clinic, course, booked(1, later, moved_from=SOON))
    assert (await visit_of(clinic, course))["confirmed_at"] is None
    assert "another time" in await text(clinic, "YES", "SM2")
    assert (await visit_of(clinic, course))["confirmed_at"] is None
    assert "confirmed" in await text(clinic, "YES", "SM3")  # now the new time was said
    assert (await visit_of(clinic, course))["confirmed_at"] is not None


@pytest.mark.parametrize("word", ["YES", "NO", "CHANGE"])
async def test_a_reply_after_the_visit_has_gone_changes_nothing(clinic: Clinic, word: str) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    course, patient = await a_visit(clinic, past)
    await remind(clinic, course, patient, past)
    version = (await clinic.coordinator.get(course)).headers["etag"]
    assert "already passed" in await text(clinic, word, "SM1")
    assert (await clinic.coordinator.get(course)).headers["etag"] == version
    assert await inbox(clinic) == []


async def test_change_is_a_task_until_the_visit_is_moved(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await remind(clinic, course, patient)
    assert "still stands" in await text(clinic, "CHANGE", "SM1")
    await text(clinic, "no", "SM2")
    assert await tasks_of(clinic, course) == ["answer-message"]
    [case] = await inbox(clinic)
    assert (case["kind"], case["session"], len(case["messages"])) == ("reply-move", 1, 2)  # type: ignore[arg-type]
    [step] = (await clinic.coordinator.get(f"{course}/next")).json()["waits_for"]
    assert (step["act"], step["href"]) == ("settle_inbox_case", f"/v1/inbox/{case['case_id']}/settlement")
    await write(clinic, course, booked(1, SOON + timedelta(days=1), moved_from=SOON))
    assert await tasks_of(clinic, course) == []
    assert await inbox(clinic) == []


async def test_a_case_is_settled_by_a_person_once(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await remind(clinic, course, patient)
    await text(clinic, "CHANGE", "SM1")
    [case] = await inbox(clinic)
    path = f"/v1/inbox/{case['case_id']}/settlement"
    for note in ("called", "called again"):
        answer = await clinic.coordinator.post(path, {"note": note})
        assert (answer.status_code, answer.json()["status"], answer.json()["note"]) == (
            200,
            "completed",
            "called",
        )
    assert await tasks_of(clinic, course) == []
    stranger = clinic.person(Role.COORDINATOR, sites=("site-b",))
    assert (await stranger.post(path, {"note": "x"})).status_code == 404
    assert (await stranger.get(f"/v1/inbox/{case['case_id']}")).status_code == 404


async def test_no_task_outlives_the_course_and_no_message_goes_unread(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await text(clinic, "can somebody call my mother", "SM1")
    await text(clinic, "please", "SM2")
    assert await tasks_of(clinic, course) == ["answer-message"]
    closed = JourneyClosed(stage="ended", reason="moved away", sessions_completed=0, doses=0)
    await write(clinic, course, SessionClosed(session=1, status="cancelled", reason="over"), closed)
    entries = await clinic.records.entries(journey_of(course))
    assert [one.fact.kind for one in entries[-2:]] == ["task.cancelled", "journey.closed"]
    assert [case["kind"] for case in await inbox(clinic)] == ["reply-unclear"]
    assert (await clinic.records.verify_chain(journey_of(course))).passes
    assert patient


async def test_what_is_not_understood_is_asked_once_and_then_read_by_a_person(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await remind(clinic, course, patient)
    assert "did not understand" in await text(clinic, "maybe, my aunt Zephyrine is ill", "SM1")
    assert await inbox(clinic) == []
    assert "A person will read" in await text(clinic, "still thinking about Zephyrine", "SM2")
    [case] = await inbox(clinic)
    assert [one["text"] for one in case["messages"]] == ["still thinking about Zephyrine"]  # type: ignore[attr-defined]
    assert (await clinic.person(Role.AUDITOR).get(f"/v1/inbox?site={SITE}")).status_code == 403
    timeline = (await clinic.coordinator.get(f"{course}/timeline")).text
    assert "Zephyrine" not in timeline  # the work list says that there is something to read, not what


async def test_stop_holds_at_once_for_everybody_at_that_number_and_start_ends_it(clinic: Clinic) -> None:
    _, one = await a_visit(clinic)
    other = await clinic.a_patient(name="Yolanda Quimby")
    assert "no more text messages" in await text(clinic, "stop", "SM1")
    for patient in (one, other):
        contact = (await clinic.coordinator.get(f"/v1/patients/{patient}/contact")).json()
        assert contact["opted_out_channels"] == ["sms"]
    assert "again" in await text(clinic, "whatever", "SM2", OptOutType="START")
    contact = (await clinic.coordinator.get(f"/v1/patients/{one}/contact")).json()
    assert contact["opted_out_channels"] == []
    history = (await clinic.coordinator.get(f"/v1/patients/{one}/contact/history")).json()["items"]
    assert [(change["source"], change["actor_role"]) for change in history] == [("sms", "patient")] * 2


async def test_one_number_of_two_patients_is_never_guessed(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await a_visit(clinic, name="Yolanda Quimby")
    await remind(clinic, course, patient)
    assert "A person will read" in await text(clinic, "YES", "SM1")
    assert (await visit_of(clinic, course))["confirmed_at"] is None
    assert [case["kind"] for case in await inbox(clinic)] == ["reply-ambiguous"] * 2


async def test_the_old_number_of_a_patient_counts_for_nobody(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await remind(clinic, course, patient)
    path = f"/v1/patients/{patient}/contact"
    changed = await clinic.coordinator.send("PATCH", path, {"phone": OTHER_PHONE}, {"if_match": 'W/"1"'})
    assert changed.status_code == 200
    assert "cannot tell who" in await text(clinic, "YES", "SM1")
    assert await text(clinic, "YES", "SM2") == ""  # said once
    assert "cannot tell who" in await text(clinic, "YES", "SM3", OTHER_PHONE)  # not verified yet
    assert (await visit_of(clinic, course))["confirmed_at"] is None
    code = clinic.outgoing[ChannelName.SMS].sent[-1].body.split("code is ")[1][:6]
    verified = await clinic.coordinator.post(f"{path}/codes/confirmation", {"channel": "sms", "code": code})
    assert verified.status_code == 200
    assert "confirmed" in await text(clinic, "YES", "SM4", OTHER_PHONE)


async def test_words_of_crisis_are_answered_with_help_and_raise_a_concern(clinic: Clinic) -> None:
    course, _ = await a_visit(clinic)
    said = await text(clinic, "no. I want to die", "SM1")
    assert "988" in said
    assert "911" in said
    [case] = await inbox(clinic)
    assert case["kind"] == "reply-crisis"
    workflow_id, update, concern = clinic.engine.heard[-1]
    assert (workflow_id, update) == (journey_of(course), "raise_concern")
    assert isinstance(concern, RaiseConcern)
    assert "die" not in concern.text
    heard = len(clinic.engine.heard)
    assert await text(clinic, "no. I want to die", "SM1") == said
    await tell_the_engine(clinic.here)
    assert len(clinic.engine.heard) == heard


async def test_a_crisis_is_told_to_the_engine_when_it_is_back(clinic: Clinic) -> None:
    await a_visit(clinic)
    clinic.engine.failure = EngineUnavailable()
    assert "988" in await text(clinic, "voy a matarme", "SM1")
    clinic.engine.failure = None
    before = [update for _, update, _ in clinic.engine.heard].count("raise_concern")
    await tell_the_engine(clinic.here)
    keys = {message.key for _, update, message in clinic.engine.heard if update == "raise_concern"}
    assert [update for _, update, _ in clinic.engine.heard].count("raise_concern") == before + 1
    assert len(keys) == 1  # the same concern, so that it is one case whichever time it arrived


async def test_a_stranger_in_crisis_gets_the_numbers(clinic: Clinic) -> None:
    assert "988" in await text(clinic, "quiero morir", "SM1", OTHER_PHONE)
    assert await inbox(clinic) == []


async def test_every_fault_of_a_call_is_named(clinic: Clinic) -> None:
    answer = await call(clinic.app, "/v1/inbound/sms", {"From": PHONE})
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/MessageSid", "/Body"]
