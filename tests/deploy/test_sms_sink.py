"""When the mail server and the SMS provider stop in the middle of a day and come back: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from pydantic import SecretStr

from deploy.sms_sink import ACCOUNT, SENDER, SmsSink
from deploy.smtp_sink import SmtpSink
from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.notifications.channel import Channel
from services.notifications.email import EmailChannel, SmtpServer
from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    Contact,
    SendRequest,
    TemplateName,
)
from services.notifications.service import NotificationService
from services.notifications.sms import SmsChannel, SmsGateway
from services.settings import SmtpTls

NOW = datetime.now(UTC)


@pytest.fixture
def sms_sink() -> Iterator[SmsSink]:
    sink = SmsSink("secret")
    sink.start()
    yield sink
    sink.stop()


def a_request(number: int, channel: ChannelName) -> SendRequest:
    return SendRequest(
        key=f"journey/site-a/x/{channel}/{number}",
        journey_id="journey/site-a/x",
        site="site-a",
        patient_id="p1",
        recipient=Contact(
            name="Ana",
            email="ana@example.org",
            phone_e164="+12025550143",
            time_zone="UTC",
            preferred_channel=channel,
        ),
        template=TemplateName.SESSION_REMINDER,
        parameters={"starts_at": (NOW + timedelta(days=number + 1)).isoformat()},
        occurred_at=NOW,
        not_after=NOW + timedelta(hours=6),
        urgent=True,
    )


async def until_sent(service: NotificationService, request: SendRequest) -> None:
    """What a retried activity does."""
    while True:
        try:
            result = await service.send(request)
        except ChannelUnavailable:
            await asyncio.sleep(0.02)
            continue
        assert result.status is CommunicationStatus.COMPLETED
        assert result.channel == request.recipient.preferred_channel
        return


async def test_an_outage_of_both_loses_nothing_and_repeats_nothing(
    database_url: str, smtp_sink: SmtpSink, sms_sink: SmsSink
) -> None:
    database = Database(database_url)
    gateway = SmsGateway(sms_sink.url, ACCOUNT, SecretStr("secret"), SENDER, "http://127.0.0.1:1/status")
    ways: dict[ChannelName, Channel] = {
        ChannelName.EMAIL: EmailChannel(
            SmtpServer(smtp_sink.host, smtp_sink.port, "c@example.org", SmtpTls.NONE)
        ),
        ChannelName.SMS: SmsChannel(gateway),
    }
    service = NotificationService(database, FieldCipher(KeyRing({"k": bytes(32)}, "k"), bytes(32)), ways)
    requests = [a_request(number, channel) for number, channel in product(range(3), ChannelName)]
    for request in requests[:2]:
        await until_sent(service, request)
    smtp_sink.stop()
    sms_sink.stop()
    for request in requests[2:4]:
        with pytest.raises(ChannelUnavailable):
            await service.send(request)
    waiting = [asyncio.create_task(until_sent(service, request)) for request in requests[2:]]
    smtp_sink.start()
    sms_sink.refuse_with()
    sms_sink.start()
    while sms_sink.attempts < 2:  # it is back, and busy
        await asyncio.sleep(0.02)
    sms_sink.refuse_with(None)
    await asyncio.gather(*waiting)
    for request in requests:
        await until_sent(service, request)  # asked again: answered, not sent
    assert len({message.body for message in sms_sink.messages}) == len(sms_sink.messages) == 3
    assert len({message.body for message in smtp_sink.messages}) == len(smtp_sink.messages) == 3
    assert {message.status_callback for message in sms_sink.messages} == {"http://127.0.0.1:1/status"}
    await database.dispose()
