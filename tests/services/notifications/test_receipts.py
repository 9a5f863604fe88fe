"""Is it known what became of a message after it left, in whatever order it is told, and does another way follow?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from services.database import table_of
from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    Contact,
    Receipt,
    ReceiptStatus,
    SendReason,
)
from services.notifications.receipts import ENDED_BADLY, to_send_again
from services.notifications.tables import Communication
from tests.services.notifications.builders import JOURNEY, MORNING, NOON, a_contact, a_request
from tests.services.notifications.conftest import World

BY_SMS = a_contact(preferred_channel=ChannelName.SMS)


async def told(world: World, sid: str, *statuses: ReceiptStatus, code: str | None = None) -> None:
    for status in statuses:
        bad = code if status in ENDED_BADLY else None
        await world.service.take_receipt(Receipt(provider_id=sid, status=status, error_code=bad))


async def the_message(world: World) -> tuple[CommunicationStatus, str | None, ReceiptStatus | None]:
    [record] = await world.service.for_journey(JOURNEY)
    return record.status, record.reason, record.delivery


async def test_receipts_out_of_order_never_go_backwards(world: World) -> None:
    await world.service.send(a_request(recipient=BY_SMS))
    await told(world, "SM1", ReceiptStatus.DELIVERED, ReceiptStatus.QUEUED, ReceiptStatus.SENT)
    assert await the_message(world) == (CommunicationStatus.COMPLETED, None, ReceiptStatus.DELIVERED)
    await told(world, "SM1", ReceiptStatus.UNDELIVERED, ReceiptStatus.DELIVERED)
    assert await the_message(world) == (CommunicationStatus.COMPLETED, None, ReceiptStatus.DELIVERED)
    assert await world.service.undelivered() == []


async def test_what_did_not_arrive_goes_by_the_other_channel_once(world: World) -> None:
    await world.service.send(a_request(recipient=BY_SMS))
    await told(world, "SM1", ReceiptStatus.SENT, ReceiptStatus.UNDELIVERED, code="30003")
    assert (await the_message(world))[:2] == (CommunicationStatus.NOT_DONE, SendReason.UNDELIVERED)
    [one] = await world.service.undelivered()
    assert (one.channel, one.address, one.code, one.lasting) == ("sms", "+12025550143", "30003", True)
    for _ in range(2):
        result = await world.service.send_again(one.key, BY_SMS)
        assert (result.status, result.channel) == (CommunicationStatus.COMPLETED, ChannelName.EMAIL)
    assert await world.service.undelivered() == []
    assert (len(world.sms.requests), len(world.mail.mails)) == (1, 1)


async def test_a_receipt_may_overtake_our_own_note_that_the_message_left(world: World) -> None:
    await told(world, "SM1", ReceiptStatus.FAILED, code="30005")
    result = await world.service.send(a_request(recipient=BY_SMS, urgent=True))
    assert (result.status, result.channel) == (CommunicationStatus.COMPLETED, ChannelName.EMAIL)
    assert result.refused_channels == (ChannelName.SMS,)
    assert [one.code for one in await world.service.refusals(a_request().key)] == ["30005"]


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        (a_contact(preferred_channel=ChannelName.SMS, email=None), SendReason.CONTACT_INVALID),
        (
            a_contact(preferred_channel=ChannelName.SMS, opted_out_channels=frozenset({ChannelName.EMAIL})),
            SendReason.CONTACT_INVALID,
        ),
    ],
)
async def test_without_another_channel_it_says_so(world: World, contact: Contact, reason: SendReason) -> None:
    await world.service.send(a_request(recipient=contact))
    await told(world, "SM1", ReceiptStatus.UNDELIVERED, code="30006")
    result = await world.service.send_again(a_request().key, contact)
    assert (result.status, result.reason) == (CommunicationStatus.NOT_DONE, reason)
    assert await world.service.undelivered() == []


async def test_what_comes_too_late_does_not_leave_by_another_channel(world: World) -> None:
    await world.service.send(a_request(recipient=BY_SMS))
    await told(world, "SM1", ReceiptStatus.UNDELIVERED, code="30008")
    world.clock.advance(timedelta(days=2))
    result = await world.service.send_again(a_request().key, BY_SMS)
    assert (result.status, result.reason) == (CommunicationStatus.NOT_DONE, SendReason.EXPIRED)
    assert world.mail.mails == []


async def test_what_is_no_longer_true_never_leaves(world: World) -> None:
    world.mail.data_answers = ["451 later"]
    with pytest.raises(ChannelUnavailable):
        await world.service.send(a_request())
    for ask in (world.service.withdraw(a_request(), "no-longer-true"), world.service.send(a_request())):
        result = await ask
        assert (result.status, result.reason) == (CommunicationStatus.STOPPED, "no-longer-true")
    assert world.mail.mails == []


async def test_the_last_visit_that_was_asked_about_by_sms_is_known(world: World) -> None:
    patient = a_request().patient_id or ""
    await world.service.send(a_request())  # by e-mail: nobody replies to that
    assert await world.service.last_asked([patient]) == {}
    later = {"starts_at": (NOON + timedelta(days=9)).isoformat()}
    await world.service.send(a_request(key="k2", recipient=BY_SMS, parameters=later))
    asked = (await world.service.last_asked([patient]))[patient]
    assert asked.starts_at == NOON + timedelta(days=9)
    [first, second] = await world.service.for_journey(JOURNEY)
    [page] = await world.service.for_journey(JOURNEY, (first.occurred_at, first.recorded_at, first.key), 1)
    assert page == second


async def test_what_did_not_arrive_in_the_evening_goes_another_way_in_the_morning(world: World) -> None:
    await world.service.send(a_request(recipient=BY_SMS))
    world.clock.advance(timedelta(hours=11))
    await told(world, "SM1", ReceiptStatus.UNDELIVERED, code="30003")
    [one] = await world.service.undelivered()
    assert (await world.service.send_again(one.key, BY_SMS)).status is CommunicationStatus.ON_HOLD
    assert await world.service.undelivered() == []
    world.clock.advance(MORNING - NOON - timedelta(hours=11))
    [one] = await world.service.undelivered()
    assert not one.lasting  # its number was marked the first time
    assert (await world.service.send_again(one.key, BY_SMS)).channel is ChannelName.EMAIL
    assert (await world.service.undelivered(), len(world.mail.mails)) == ([], 1)


async def test_what_did_not_arrive_is_tried_until_the_other_way_is_back(world: World) -> None:
    await world.service.send(a_request(recipient=BY_SMS))
    await told(world, "SM1", ReceiptStatus.UNDELIVERED, code="30003")
    world.mail.data_answers = ["451 later", "451 later"]
    for _ in range(2):
        [one] = await world.service.undelivered()
        with pytest.raises(ChannelUnavailable):
            await world.service.send_again(one.key, BY_SMS)
    [one] = await world.service.undelivered()
    assert (await world.service.send_again(one.key, BY_SMS)).channel is ChannelName.EMAIL
    assert (await world.service.undelivered(), len(world.mail.mails)) == ([], 1)


async def test_what_did_not_arrive_is_found_by_an_index(world: World) -> None:
    """Sixty thousand messages that arrived or never left, a hundred that did not arrive: a look reads no others."""
    await world.service.send(a_request(recipient=BY_SMS))
    await told(world, "SM1", ReceiptStatus.UNDELIVERED, code="30003")
    columns = [column.name for column in table_of(Communication).columns]
    other = {
        "key": "key || n",
        "provider_id": "CASE WHEN n % 3 < 2 THEN 'X' || n END",
        "status": "CASE WHEN n % 600 = 0 THEN 'not-done' WHEN n % 3 < 2 THEN 'completed' ELSE 'on-hold' END",
        "status_reason": "CASE WHEN n % 600 = 0 THEN 'undelivered' WHEN n % 3 < 2 THEN NULL ELSE 'quiet-hours' END",
        "sent_at": "sent_at + n * interval '1 second'",
    }
    values = ", ".join(other.get(name, name) for name in columns)
    copied = f"SELECT {values} FROM communication, generate_series(1, 60000) n"
    async with world.database.transaction() as session:
        await session.execute(text(f"INSERT INTO communication ({', '.join(columns)}) {copied}"))
        await session.execute(text("ANALYZE communication"))
    page = to_send_again(50, world.clock.now)
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's
    spoken = page.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    async with world.database.reading() as session:
        plan = await session.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {spoken}"))
        top = plan.scalar_one()[0]["Plan"]
    assert top["Actual Rows"] == 50
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 200, top
