"""One message leaves once per key, in time, by a channel that works, and everything is recorded."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from services.notifications.errors import ChannelUnavailable, KeyReused, MessageInvalid, SendInProgress
from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    SendReason,
    SendRequest,
    SendResult,
    TemplateName,
)
from services.notifications.tables import Communication, CommunicationAttempt
from tests.services.notifications.builders import (
    JOURNEY,
    MORNING,
    NIGHT,
    NOON,
    a_contact,
    a_request,
)
from tests.services.notifications.conftest import World


async def attempts(world: World) -> list[tuple[int, str, str, str | None]]:
    async with world.database.transaction() as session:
        rows = await session.scalars(select(CommunicationAttempt).order_by(CommunicationAttempt.number))
        return [(row.number, row.channel, row.outcome, row.error_code) for row in rows]


async def test_a_mail_arrives_and_is_recorded(world: World) -> None:
    result = await world.service.send(a_request())

    assert result.status is CommunicationStatus.COMPLETED
    assert result.channel is ChannelName.EMAIL
    assert result.sent_at == world.clock.now
    [mail] = world.mail.mails
    assert mail["To"] == "zephyrine@example.org"
    assert mail["Subject"] == "Reminder of your visit"
    assert "Thursday, March 5 at 9:00 AM EST" in mail.get_content()
    [record] = await world.service.for_journey(JOURNEY)
    assert (record.occurred_at, record.recorded_at) == (NOON, world.clock.now)
    assert (record.template, record.language, record.attempts) == (TemplateName.SESSION_REMINDER, "en", 1)
    assert await attempts(world) == [(1, "email", "delivered", None)]


async def test_a_second_call_answers_the_same_and_sends_nothing(world: World) -> None:
    first = await world.service.send(a_request())
    world.clock.advance(timedelta(days=30))
    assert await world.service.send(a_request()) == first
    assert len(world.mail.mails) == 1


async def test_twenty_at_once_send_one_mail(world: World) -> None:
    world.mail.hold = asyncio.Event()

    async def release() -> None:
        await world.mail.reached.wait()
        assert world.mail.hold is not None
        world.mail.hold.set()

    answers, _ = await asyncio.gather(
        asyncio.gather(*(world.service.send(a_request()) for _ in range(20)), return_exceptions=True),
        release(),
    )

    assert len(world.mail.mails) == 1
    completed = [answer for answer in answers if isinstance(answer, SendResult)]
    assert {answer.status for answer in completed} == {CommunicationStatus.COMPLETED}
    others = [answer for answer in answers if not isinstance(answer, SendResult)]
    assert all(isinstance(answer, SendInProgress) for answer in others)
    assert await world.service.send(a_request()) == completed[0]


@pytest.mark.parametrize(
    "other",
    [
        a_request(parameters={"starts_at": "2026-03-06T14:00:00+00:00"}),
        a_request(template=TemplateName.SESSION_CANCELLED),
        a_request(journey_id="journey/site-a/other"),
        a_request(not_after=NOON + timedelta(days=2)),
    ],
)
async def test_a_key_stands_for_one_message(world: World, other: SendRequest) -> None:
    await world.service.send(a_request())
    with pytest.raises(KeyReused):
        await world.service.send(other)
    assert len(world.mail.mails) == 1


async def test_a_malformed_message_leaves_no_trace(world: World) -> None:
    with pytest.raises(MessageInvalid) as error:
        await world.service.send(a_request(parameters={"starts_at": "tomorrow", "colour": "red"}))
    assert error.value.faults == ("colour is unknown", "starts_at is malformed")
    assert await world.service.for_journey(JOURNEY) == []


async def test_after_its_time_a_message_never_leaves(world: World) -> None:
    late = a_request(occurred_at=NOON + timedelta(days=1, microseconds=1))
    result = await world.service.send(late)
    assert (result.status, result.reason) == (CommunicationStatus.NOT_DONE, SendReason.EXPIRED)
    in_time = a_request(key="other", occurred_at=NOON + timedelta(days=1))
    assert (await world.service.send(in_time)).status is CommunicationStatus.COMPLETED
    assert len(world.mail.mails) == 1


async def test_an_outage_longer_than_the_message_is_worth_ends_it(world: World) -> None:
    world.mail.data_answers = ["451 later"] * 2
    with pytest.raises(ChannelUnavailable):
        await world.service.send(a_request(urgent=True))
    world.clock.advance(timedelta(hours=23))
    with pytest.raises(ChannelUnavailable):
        await world.service.send(a_request(urgent=True))
    world.clock.advance(timedelta(hours=2))
    result = await world.service.send(a_request(urgent=True))
    assert (result.status, result.reason) == (CommunicationStatus.NOT_DONE, SendReason.EXPIRED)
    assert world.mail.mails == []


async def test_the_night_holds_a_message_and_the_morning_sends_it(world: World) -> None:
    held = await world.service.send(a_request(occurred_at=NIGHT))
    assert (held.status, held.reason) == (CommunicationStatus.ON_HOLD, SendReason.QUIET_HOURS)
    assert held.send_at == MORNING
    assert world.mail.mails == []
    assert await attempts(world) == []

    sent = await world.service.send(a_request(occurred_at=MORNING))
    assert (sent.status, sent.reason, sent.send_at) == (CommunicationStatus.COMPLETED, None, None)
    assert len(world.mail.mails) == 1


async def test_an_urgent_message_does_not_wait_for_the_morning(world: World) -> None:
    result = await world.service.send(a_request(occurred_at=NIGHT, urgent=True))
    assert result.status is CommunicationStatus.COMPLETED


async def test_a_message_that_expires_before_the_morning_says_so(world: World) -> None:
    result = await world.service.send(a_request(occurred_at=NIGHT, not_after=NIGHT + timedelta(hours=2)))
    assert (result.status, result.reason) == (
        CommunicationStatus.NOT_DONE,
        SendReason.EXPIRES_IN_QUIET_HOURS,
    )


async def test_opting_out_of_the_preferred_channel_uses_the_other(world: World) -> None:
    contact = a_contact(opted_out_channels=frozenset({ChannelName.EMAIL}))
    result = await world.service.send(a_request(recipient=contact))
    assert (result.status, result.channel) == (CommunicationStatus.COMPLETED, ChannelName.SMS)
    assert world.mail.mails == []
    assert len(world.sms.requests) == 1


async def test_opting_out_of_everything_is_honoured(world: World) -> None:
    contact = a_contact(opted_out_channels=frozenset(ChannelName))
    result = await world.service.send(a_request(recipient=contact, urgent=True))
    assert (result.status, result.reason) == (CommunicationStatus.NOT_DONE, SendReason.OPTED_OUT)


async def test_opting_out_while_the_message_waits_is_honoured(world: World) -> None:
    await world.service.send(a_request(occurred_at=NIGHT))
    contact = a_contact(opted_out_channels=frozenset(ChannelName))
    result = await world.service.send(a_request(occurred_at=MORNING, recipient=contact))
    assert (result.status, result.reason) == (CommunicationStatus.NOT_DONE, SendReason.OPTED_OUT)


async def test_a_temporary_failure_is_retried_and_keeps_the_message_id(world: World) -> None:
    world.mail.data_answers = ["451 try later"]
    with pytest.raises(ChannelUnavailable) as failure:
        await world.service.send(a_request())
    assert (failure.value.retriable, failure.value.code) == (True, "451")

    result = await world.service.send(a_request())
    assert result.status is CommunicationStatus.COMPLETED
    assert await attempts(world) == [
        (1, "email", "unavailable", "451"),
        (2, "email", "delivered", None),
    ]


async def test_a_dead_senders_claim_is_taken_over_with_the_same_message_id(world: World) -> None:
    await world.service.send(a_request())
    async with world.database.transaction() as session:  # as if it died before it could write down the end
        row = await session.get_one(Communication, a_request().key)
        row.status, row.sent_at = CommunicationStatus.IN_PROGRESS, None

    with pytest.raises(SendInProgress):
        await world.service.send(a_request())
    world.clock.advance(timedelta(seconds=61))
    assert (await world.service.send(a_request())).status is CommunicationStatus.COMPLETED
    first, second = world.mail.mails
    assert first["Message-ID"] == second["Message-ID"]


async def test_a_refused_address_falls_back_and_is_named(world: World) -> None:
    world.mail.rcpt_answers = ["550 5.1.1 no such user"]
    result = await world.service.send(a_request())
    assert (result.status, result.channel) == (CommunicationStatus.COMPLETED, ChannelName.SMS)
    assert result.refused_channels == (ChannelName.EMAIL,)
    assert await attempts(world) == [(1, "email", "refused", "550"), (2, "sms", "delivered", None)]


async def test_no_address_left_means_the_contact_is_invalid(world: World) -> None:
    world.mail.rcpt_answers = ["550 5.1.1 no such user"]
    world.sms.answers = [(400, {"code": 21211, "message": "The 'To' number is not valid."})]
    result = await world.service.send(a_request())
    assert (result.status, result.reason) == (CommunicationStatus.NOT_DONE, SendReason.CONTACT_INVALID)
    assert result.refused_channels == (ChannelName.EMAIL, ChannelName.SMS)


async def test_a_malformed_address_never_reaches_the_network(world: World) -> None:
    contact = a_contact(email="nobody at all", phone_e164="12")
    result = await world.service.send(a_request(recipient=contact))
    assert (result.status, result.reason) == (CommunicationStatus.NOT_DONE, SendReason.CONTACT_INVALID)
    assert world.sms.requests == []


async def test_nothing_personal_stands_in_clear_in_the_database(world: World) -> None:
    await world.service.send(
        a_request(parameters={"starts_at": "2026-03-05T14:00:00Z", "clinic_phone": "4711"})
    )
    async with world.database.transaction() as session:
        rows = await session.execute(
            text(
                "SELECT to_jsonb(c)::text FROM communication c UNION ALL SELECT to_jsonb(a)::text"
                " FROM communication_attempt a"
            )
        )
        stored = " ".join(rows.scalars())
        cells = await session.execute(select(Communication.recipient, Communication.parameters))
        blobs = b"".join(blob for row in cells for blob in row if blob)
    for canary in ("Zephyrine", "Quillfeather", "zephyrine@example.org", "2026-03-05T14", "4711"):
        assert canary not in stored
        assert canary.encode() not in blobs


async def test_details_go_only_where_the_person_has_shown_to_read(world: World) -> None:
    """Both messages leave: an address that was only told is no reason to keep anything back."""
    told = a_contact(detail_opt_in=True, stated_channels={"email"})
    for number, recipient in enumerate((told, a_contact(detail_opt_in=True))):
        sent = await world.service.send(a_request(key=f"{JOURNEY}/{number}", recipient=recipient))
        assert sent.status is CommunicationStatus.COMPLETED
    said = ["psychotherapy" in mail.get_content() for mail in world.mail.mails]
    assert said == [False, True]
