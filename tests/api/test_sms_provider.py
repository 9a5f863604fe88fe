"""Do we and the SMS provider understand each other over real connections? There, back, and what became of it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import uvicorn
from pydantic import SecretStr

from api.app import create_app
from api.signatures import Provider
from deploy.ports import free_port
from deploy.sms_sink import ACCOUNT, SENDER, SmsSink
from services.notifications.channels import STATUS_CALLBACK
from services.notifications.errors import ChannelUnavailable
from services.notifications.sms import SmsChannel, SmsGateway
from tests.api.conftest import SMS_TOKEN, Clinic
from tests.api.texting import PHONE, a_reminder, a_visit, remind


@asynccontextmanager
async def serving(clinic: Clinic) -> AsyncIterator[str]:
    """The same clinic behind a port."""
    url = f"http://127.0.0.1:{free_port()}"
    provider = Provider(SecretStr(SMS_TOKEN), url)
    app = create_app(dataclasses.replace(clinic.here, sms_provider=provider))
    config = uvicorn.Config(app, port=int(url.rpartition(":")[2]), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield url
    finally:
        server.should_exit = True
        await running


async def test_a_reminder_its_reply_and_its_receipt_go_over_real_connections(clinic: Clinic) -> None:
    sink = SmsSink(SMS_TOKEN)
    sink.start()
    course, patient = await a_visit(clinic)
    async with serving(clinic) as url:
        gateway = SmsGateway(sink.url, ACCOUNT, SecretStr(SMS_TOKEN), SENDER, url + STATUS_CALLBACK)
        way = SmsChannel(gateway)
        clinic.outgoing[way.name].deliver = way.deliver  # type: ignore[method-assign]
        await remind(clinic, course, patient)
        [message] = sink.messages
        assert "Reply YES" in message.body
        answer = await asyncio.to_thread(sink.reply, url, PHONE, "¡Sí!", "SM-in-1")
        assert "confirmed" in answer
        for status in ("delivered", "sent", "unheard-of"):
            assert await asyncio.to_thread(sink.tell, message, status) == 204
        [told] = (await clinic.coordinator.get(f"{course}/messages")).json()["items"]
        assert (told["status"], told["channel"], told["delivery"]) == ("completed", "sms", "delivered")
        sink.token = "another secret"
        assert await asyncio.to_thread(sink.tell, message, "failed") == 403
    sink.stop()


async def test_a_provider_that_is_away_for_a_while_loses_nothing_and_doubles_nothing(clinic: Clinic) -> None:
    sink = SmsSink(SMS_TOKEN)
    sink.start()
    way = SmsChannel(SmsGateway(sink.url, ACCOUNT, SecretStr(SMS_TOKEN), SENDER, None))
    clinic.outgoing[way.name].deliver = way.deliver  # type: ignore[method-assign]
    (course, patient), now = await a_visit(clinic), datetime.now(UTC)
    for tried, away in enumerate(
        (sink.stop, sink.refuse_with), start=1
    ):  # nobody listens; then somebody does, and is busy
        sink.start()
        await asyncio.to_thread(away)
        with pytest.raises(ChannelUnavailable):
            await clinic.here.messages.send(a_reminder(course, patient, now))
        [told] = (await clinic.coordinator.get(f"{course}/messages")).json()["items"]
        assert (told["status"], told["channel"], told["attempts"]) == ("preparation", "sms", tried)
        assert sink.messages == []
    sink.refuse_with(None)
    for _ in range(2):
        await clinic.here.messages.send(a_reminder(course, patient, now))
    assert len(sink.messages) == 1
    [told] = (await clinic.coordinator.get(f"{course}/messages")).json()["items"]
    assert (told["status"], told["attempts"]) == ("completed", 3)
    sink.stop()


async def test_the_messages_of_a_course_come_in_pages(clinic: Clinic) -> None:
    course, patient = await a_visit(clinic)
    for number in range(3):
        await remind(clinic, course, patient, n=number)
    first = (await clinic.coordinator.get(f"{course}/messages?limit=2")).json()
    second = (await clinic.coordinator.get(f"{course}/messages?limit=2&cursor={first['next_cursor']}")).json()
    assert [len(first["items"]), len(second["items"]), second["next_cursor"]] == [2, 1, None]
    assert len({one["key"] for one in first["items"] + second["items"]}) == 3
    forged = await clinic.coordinator.get(f"/v1/inbox?cursor={first['next_cursor']}")
    assert (forged.status_code, forged.json()["code"]) == (400, "cursor-invalid")
