"""Which ways out a process has, by its settings."""

import io

from services.notifications.channel import OutgoingMessage
from services.notifications.channels import channels
from services.notifications.console import ConsoleChannel
from services.notifications.email import EmailChannel
from services.notifications.interface import ChannelName
from services.notifications.sms import SmsChannel
from tests.services.settings_builder import some_settings


def kinds(**changes: object) -> dict[str, type]:
    return {name: type(channel) for name, channel in channels(some_settings(**changes)).items()}


def test_without_addresses_there_is_no_way_out() -> None:
    assert kinds() == {}


def test_configured_channels_are_there() -> None:
    sms = {"sms_url": "https://sms.example.org", "sms_account": "AC1", "sms_token": "t", "sms_from": "+1"}
    assert kinds(smtp_host="127.0.0.1", **sms) == {"email": EmailChannel, "sms": SmsChannel}


def test_the_console_stands_for_what_is_missing() -> None:
    assert kinds(smtp_host="127.0.0.1", notification_console=True) == {
        "email": EmailChannel,
        "sms": ConsoleChannel,
    }


async def test_the_console_shows_the_message() -> None:
    stream = io.StringIO()
    message = OutgoingMessage("a1b2", "+12025550143", "Your visit", "See you.\n", "en")
    assert await ConsoleChannel(ChannelName.SMS, stream).deliver(message) == "console:a1b2"
    assert stream.getvalue() == "--- sms to +12025550143: Your visit\nSee you.\n---\n"
