"""SMS over a real connection, in the shape the gateway documents."""

import base64

import pytest
from pydantic import SecretStr

from services.notifications.channel import AddressRefused, OutgoingMessage
from services.notifications.errors import ChannelUnavailable
from services.notifications.sms import BAD_NUMBER_CODES, SmsChannel, SmsGateway
from tests.services.notifications.servers import an_sms_server


def a_message(number: str = "+12025550143") -> OutgoingMessage:
    return OutgoingMessage(reference="a1b2", address=number, subject="-", body="See you.\n", language="en")


def a_channel(url: str) -> SmsChannel:
    return SmsChannel(SmsGateway(url, "AC1", SecretStr("token"), sender="+12025550100"))


async def test_what_the_gateway_is_asked() -> None:
    async with an_sms_server() as server:
        assert await a_channel(server.url).deliver(a_message()) == "SM1"
    [(line, headers, form)] = server.requests
    assert line.startswith("POST /2010-04-01/Accounts/AC1/Messages.json ")
    assert form == {"To": "+12025550143", "From": "+12025550100", "Body": "See you.\n"}
    assert headers["authorization"] == "Basic " + base64.b64encode(b"AC1:token").decode()
    assert headers["idempotency-key"] == "a1b2"


@pytest.mark.parametrize("code", sorted(BAD_NUMBER_CODES))
async def test_a_bad_number_is_told_apart(code: int) -> None:
    async with an_sms_server() as server:
        server.answers = [(400, {"code": code})]
        with pytest.raises(AddressRefused) as refused:
            await a_channel(server.url).deliver(a_message())
    assert refused.value.code == str(code)


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, {"code": 21606}), (401, {"code": 20003}), (429, {}), (503, "busy"), (201, {}), (200, ["?"])],
)
async def test_everything_else_may_succeed_later(status: int, body: object) -> None:
    async with an_sms_server() as server:
        server.answers = [(status, body)]
        with pytest.raises(ChannelUnavailable):
            await a_channel(server.url).deliver(a_message())


@pytest.mark.parametrize("number", ["", "555-1234", "+1", "call me", "+999123456789"])
async def test_no_number_that_cannot_exist_is_sent_to(number: str) -> None:
    async with an_sms_server() as server:
        with pytest.raises(AddressRefused):
            await a_channel(server.url).deliver(a_message(number))
    assert server.requests == []


async def test_no_gateway_is_a_failure_that_names_nobody() -> None:
    async with an_sms_server() as server:
        pass
    with pytest.raises(ChannelUnavailable) as unavailable:
        await a_channel(server.url).deliver(a_message())
    assert "2025550143" not in str(unavailable.value)
