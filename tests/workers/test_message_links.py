"""Does a message carry a link of its own, which nothing that is stored of the message knows?"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.links.interface import Purpose
from services.links.store import PatientLinks
from services.notifications.channel import OutgoingMessage
from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import ChannelName, SendRequest, TemplateName
from services.notifications.service import NotificationService
from services.notifications.tables import Communication
from tests.services.notifications.builders import JOURNEY, NOON, a_request
from workers.message_links import MessageLinks, link_for

STARTS_AT = datetime(2026, 3, 5, 14, tzinfo=UTC)


class Carrier:
    """A channel that loses the first message after it has been read, and keeps the others."""

    name = ChannelName.EMAIL

    def __init__(self) -> None:
        self.bodies: list[str] = []

    async def deliver(self, message: OutgoingMessage) -> str:
        self.bodies.append(message.body)
        if len(self.bodies) == 1:
            raise ChannelUnavailable(self.name, "lost")
        return "id"


async def test_each_try_has_another_token_of_one_link_and_none_is_stored(database_url: str) -> None:
    database = Database(database_url)
    cipher = FieldCipher(KeyRing({"one": bytes(range(32))}, "one"), bytes(32))
    links, carrier = PatientLinks(database, cipher, clock=lambda: NOON), Carrier()
    service = NotificationService(
        database,
        cipher,
        {ChannelName.EMAIL: carrier},
        clock=lambda: NOON,
        links=MessageLinks(links, "https://clinic.example.org/"),
    )
    with pytest.raises(ChannelUnavailable):
        await service.send(a_request())
    await service.send(a_request())
    await service.send(a_request())
    tokens = [re.findall(r"https://clinic\.example\.org/l/(\S+)", body) for body in carrier.bodies]
    assert [len(found) for found in tokens] == [1, 1]
    assert tokens[0] != tokens[1]
    found = [await links.find(token) for (token,) in tokens]
    assert found[0] == found[1] and found[0] is not None
    assert (found[0].purpose, found[0].expires_at) == (Purpose.SESSION, STARTS_AT)
    async with database.reading() as session:
        row = await session.get_one(Communication, a_request().key)
        kept = cipher.decrypt("communication.parameters", row.parameters, row=row.key)
    assert "link" not in kept
    assert await links.find(tokens[0][0] + "x") is None
    await asyncio.shield(database.dispose())


def of(template: TemplateName, name: str, **parameters: str) -> SendRequest:
    return a_request(key=f"{JOURNEY}/{name}", template=template, parameters=parameters)


def test_what_a_message_is_about_is_what_its_link_is_for() -> None:
    visit = link_for(of(TemplateName.SESSION_MOVED, "session/3/booked/1", starts_at=STARTS_AT.isoformat()))
    assert visit is not None
    assert (visit.purpose, visit.part, visit.occurrence) == ("session", "session/3", STARTS_AT.isoformat())
    week = link_for(of(TemplateName.FOLLOW_UP_DUE, "follow-up/1/week/4"))
    again = link_for(of(TemplateName.FOLLOW_UP_DUE, "follow-up/2/week/12/again"))
    assert week is not None and again is not None
    assert week.occurrence == "follow-up/1/follow-up-week-4/1"
    assert again.occurrence == "follow-up/2/follow-up-week-12/again"
    assert week.expires_at == NOON + timedelta(days=1)


def test_other_messages_and_other_people_get_none() -> None:
    assert link_for(of(TemplateName.AFTER_VISIT, "session/3/after")) is None
    assert link_for(of(TemplateName.FOLLOW_UP_DUE, "follow-up/1/other")) is None
    assert link_for(a_request(patient_id=None)) is None
    assert link_for(a_request(key="elsewhere")) is None
