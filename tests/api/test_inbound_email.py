"""Does a reply by mail do what a text message does, for whom it proves to come from, and is no machine answered?"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from activities.notifications import NotificationActivities
from api.mail_door import LARGEST_MAIL, TOLERANCE_S
from clinical.people import CLINICIANS, Role
from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import ChannelName, CommunicationStatus, Contact
from services.notifications.service import NotificationService
from tests.api.conftest import Clinic
from tests.api.mailing import hand_over, mailed, remind_by_mail
from tests.api.test_inbound_sms import inbox, tasks_of, visit_of
from tests.api.texting import a_visit, journey_of
from tests.services.notifications import mails
from tests.services.notifications.mails import PATIENT, a_mail, a_report, out_of_office
from workers.undelivered import send_again
from workflows.messages import RaiseConcern


def a_reply(text: str, to: str, n: int = 1, **headers: str) -> bytes:
    about = {"In_Reply_To": to, "References": f"<other@x> {to}", "Message_ID": f"<{n}@mail.example.org>"}
    return a_mail(text, **(about | headers))


@pytest.mark.parametrize(
    ("text", "headers", "said"),
    [
        (mails.ENGLISH, {}, "is confirmed"),
        (mails.SPANISH, {}, "is confirmed"),
        (mails.HTML, {"Content_Type": "text/html; charset=utf-8"}, "is confirmed"),
    ],
)
async def test_yes_confirms_the_visit_once(
    clinic: Clinic, text: str, headers: dict[str, str], said: str
) -> None:
    course, patient = await a_visit(clinic)
    reply = a_reply(text, await remind_by_mail(clinic, course, patient), 1, **headers)
    [answer] = await mailed(clinic, reply)
    assert said in answer
    assert "988" in answer
    assert (await visit_of(clinic, course))["confirmed_at"] is not None
    assert await mailed(clinic, reply.replace(b"mx.clinic", b"mx2.clinic")) == []  # handed over again
    timeline = (await clinic.coordinator.get(f"{course}/timeline")).json()["items"]
    assert [one["actor_role"] for one in timeline if one["kind"] == "session.confirmed"] == ["patient"]
    assert await inbox(clinic) == []


async def test_change_and_what_is_not_understood_become_tasks(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    to = await remind_by_mail(clinic, course, patient)
    assert "still stands" in (await mailed(clinic, a_reply(mails.OUTLOOK, to, 1)))[0]
    assert "did not understand" in (await mailed(clinic, a_reply("Yes, but my aunt Zephyrine", to, 2)))[0]
    assert "A person will read" in (await mailed(clinic, a_reply("she is ill", to, 3)))[0]
    assert (
        await mailed(clinic, a_reply("she is still ill", to, 4)) == []
    )  # said already: no mail goes round for ever
    cases = {str(case["kind"]): case for case in await inbox(clinic)}
    assert cases.keys() == {"reply-move", "reply-unclear"}
    read = cases["reply-unclear"]["messages"]
    assert [(one["channel"], one["text"]) for one in read] == [  # type: ignore[attr-defined]
        ("email", "she is ill"),
        ("email", "she is still ill"),
    ]
    assert await tasks_of(clinic, course) == ["answer-message"] * 2


async def test_stop_ends_mails_at_once_and_nothing_more_leaves(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    to = await remind_by_mail(clinic, course, patient)
    assert await mailed(clinic, a_reply("STOP\n\n> your visit\n", to, 1)) == []
    contact = f"/v1/patients/{patient}/contact"
    assert (await clinic.coordinator.get(contact)).json()["opted_out_channels"] == ["email"]
    assert "again" in (await mailed(clinic, a_reply("START", to, 2)))[0]
    assert (await clinic.coordinator.get(contact)).json()["opted_out_channels"] == []
    assert await mailed(clinic, a_mail("STOP", In_Reply_To="", References="", Message_ID="<9@x>")) == []
    assert (await clinic.coordinator.get(contact)).json()["opted_out_channels"] == ["email"]  # whoever asks


async def test_an_address_can_be_made_up_so_nothing_is_done_without_our_message(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await remind_by_mail(clinic, course, patient)
    assert await mailed(clinic, a_mail("YES", In_Reply_To="", References="")) == []
    guessed = f"<{'0f' * 20}@clinic.example.org>"
    assert await mailed(clinic, a_mail("CHANGE", In_Reply_To=guessed, Message_ID="<2@x>")) == []
    assert (await visit_of(clinic, course))["confirmed_at"] is None
    [case] = await inbox(clinic)
    assert (case["kind"], len(case["messages"])) == ("reply-unclear", 2)  # type: ignore[arg-type]


async def test_a_stranger_changes_nothing_and_learns_nothing(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    to = await remind_by_mail(clinic, course, patient)
    stranger = {"From": "Eve <eve@example.org>"}
    assert await mailed(clinic, a_mail("YES", In_Reply_To="", References="", **stranger)) == []
    assert await inbox(clinic) == []
    assert (
        await mailed(clinic, a_reply("YES", to, 1, **stranger)) == []
    )  # passed on, or from another address of theirs
    assert (await visit_of(clinic, course))["confirmed_at"] is None
    assert [case["kind"] for case in await inbox(clinic)] == ["reply-unclear"]
    assert await mailed(clinic, a_reply("STOP", to, 3, **stranger)) == []
    contact = (await clinic.coordinator.get(f"/v1/patients/{patient}/contact")).json()
    assert contact["opted_out_channels"] == []


async def test_a_shared_address_is_never_guessed_but_known_by_the_message(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    await a_visit(clinic, name="Yolanda Quimby")
    to = await remind_by_mail(clinic, course, patient)
    await mailed(clinic, a_mail("YES", In_Reply_To="", References="", Message_ID="<1@x>"))
    assert [case["kind"] for case in await inbox(clinic)] == ["reply-ambiguous"] * 2
    assert "confirmed" in (await mailed(clinic, a_reply("YES", to, 2)))[0]
    assert (await visit_of(clinic, course))["confirmed_at"] is not None


async def test_words_of_crisis_raise_a_concern_and_are_answered_with_help(clinic: Clinic) -> None:
    course, _ = await a_visit(clinic)
    text = "No\n\nThanks\nQuentin\nI want to die\n"
    [answer] = await mailed(clinic, a_mail(text, In_Reply_To="", References=""))
    assert "988" in answer
    assert [case["kind"] for case in await inbox(clinic)] == ["reply-crisis"]
    workflow_id, update, concern = clinic.engine.heard[-1]
    assert (workflow_id, update) == (journey_of(course), "raise_concern")
    assert isinstance(concern, RaiseConcern)


async def test_no_machine_is_answered(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    to = await remind_by_mail(clinic, course, patient)
    for header in ({"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"X_Autoreply": "yes"}):
        assert await mailed(clinic, out_of_office(In_Reply_To=to, **header)) == []
    assert await inbox(clinic) == []
    assert (await visit_of(clinic, course))["confirmed_at"] is None


async def delivery(clinic: Clinic, course: str) -> dict[str, object]:
    [message] = (await clinic.coordinator.get(f"{course}/messages")).json()["items"]
    return {name: message[name] for name in ("status", "reason", "delivery", "channel")}


async def test_a_mail_that_bounces_goes_by_text_message_and_its_address_is_bad(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    to = await remind_by_mail(clinic, course, patient)
    for _ in range(2):
        assert await mailed(clinic, a_report(about=to)) == []
    left = {"status": "not-done", "reason": "undelivered", "delivery": "failed", "channel": "email"}
    assert await delivery(clinic, course) == left
    staff = Contact(name="desk", email="desk@clinic.example.org", time_zone="UTC")
    messages = clinic.here.messages
    assert isinstance(messages, NotificationService)
    workers = NotificationActivities(
        messages, clinic.records, dict.fromkeys((Role.COORDINATOR, *CLINICIANS), staff)
    )
    assert await send_again(workers, clinic.here.bookings, datetime.now(UTC)) == 1
    assert (await delivery(clinic, course))["channel"] == "sms"
    assert len(clinic.outgoing[ChannelName.SMS].sent) == 1
    contact = (await clinic.coordinator.get(f"/v1/patients/{patient}/contact")).json()
    assert (contact["email_state"], contact["phone_state"]) == ("bad", "stated")
    assert await tasks_of(clinic, course) == ["correct-contact"]
    assert await send_again(workers, clinic.here.bookings, datetime.now(UTC)) == 0


async def test_a_delay_is_noted_and_changes_nothing(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    to = await remind_by_mail(clinic, course, patient)
    assert await mailed(clinic, a_report("delayed", "4.2.2", about=to)) == []
    noted = {
        "status": CommunicationStatus.COMPLETED,
        "reason": None,
        "delivery": "sending",
        "channel": "email",
    }
    assert await delivery(clinic, course) == noted
    assert isinstance(clinic.here.messages, NotificationService)
    assert await clinic.here.messages.undelivered() == []


@pytest.mark.parametrize("flaw", ["secret", "old", "future", "changed", "unsigned", "type", "large"])
async def test_only_our_own_mail_server_is_heard(clinic: Clinic, flaw: str) -> None:
    _, patient = await a_visit(clinic)
    mail = a_mail("STOP")
    match flaw:
        case "secret":
            answer = await hand_over(clinic, mail, secret="guessed")
        case "old" | "future":
            far = TOLERANCE_S + 5
            answer = await hand_over(clinic, mail, at=time.time() + (far if flaw == "future" else -far))
        case "changed":
            answer = await hand_over(clinic, mail, headers={"Kap-Timestamp": str(int(time.time()) + 1)})
        case "unsigned":
            answer = await hand_over(clinic, mail, headers={"Kap-Signature": ""})
        case "type":
            answer = await hand_over(clinic, mail, headers={"content-type": "text/plain"})
        case _:
            answer = await hand_over(clinic, mail + b"x" * LARGEST_MAIL)
    refused = {"type": (415, "unsupported-media-type"), "large": (413, "body-too-large")}
    assert (answer.status_code, answer.json()["code"]) == refused.get(flaw, (403, "signature-invalid"))
    contact = (await clinic.coordinator.get(f"/v1/patients/{patient}/contact")).json()
    assert contact["opted_out_channels"] == []


async def test_an_answer_that_could_not_leave_leaves_when_the_mail_comes_again(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    reply = a_reply("YES", await remind_by_mail(clinic, course, patient))
    clinic.outgoing[ChannelName.EMAIL].failure = ChannelUnavailable(ChannelName.EMAIL, "away")
    answer = await hand_over(clinic, reply)
    assert (answer.status_code, answer.json()["retryable"]) == (503, True)
    clinic.outgoing[ChannelName.EMAIL].failure = None
    assert len(await mailed(clinic, reply)) == 1
    assert await mailed(clinic, reply) == []
    assert clinic.outgoing[ChannelName.EMAIL].sent[-1].address == PATIENT
