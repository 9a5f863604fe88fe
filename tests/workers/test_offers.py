"""Does who waits hear once of the time that is offered to them, and never of one that they cannot have?"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from activities.notifications import NotificationActivities
from clinical.people import Role
from services.booking.interface import BookingView, Status, WaitingView
from services.database import Database
from services.identifiers import new_id
from services.links.interface import Purpose
from services.links.store import PatientLinks
from services.notifications.channel import OutgoingMessage
from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import ChannelName, Contact, Receipt, ReceiptStatus
from services.notifications.service import NotificationService
from tests.services.booking.builders import NOW, SITE, a_site, after, booked
from tests.services.notifications.test_wording import TELLING
from tests.workers.test_bookings import Desk
from workers.message_links import MessageLinks
from workers.offers import tell_of_offers
from workers.undelivered import send_again


class Carrier:
    """A channel that keeps what it is given, unless it is `down`."""

    def __init__(self, name: ChannelName = ChannelName.EMAIL) -> None:
        self.name = name
        self.messages: list[OutgoingMessage] = []
        self.down = False

    async def deliver(self, message: OutgoingMessage) -> str:
        if self.down:
            raise ChannelUnavailable(self.name, "down")
        self.messages.append(message)
        return f"{self.name}-{len(self.messages)}"


class Office:
    """The desk of the tests of booking, with a way for messages to leave; time is what the test says."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.carrier, self.now = desk, Carrier(), NOW
        self.links = PatientLinks(desk.database, desk.cipher, clock=lambda: self.now)
        self.open_by(self.carrier)

    def open_by(self, *carriers: Carrier) -> None:
        """From now on messages leave by these."""
        self.service = NotificationService(
            self.desk.database,
            self.desk.cipher,
            {carrier.name: carrier for carrier in carriers},
            clock=lambda: self.now,
            links=MessageLinks(self.links, "https://clinic.example.org"),
        )
        nobody = Contact(name="x", email="x@example.org", time_zone="UTC")
        self.post = NotificationActivities(self.service, self.desk.records, {Role.COORDINATOR: nobody})

    async def look(self, at: datetime) -> list[str]:
        """The bodies of everything that has left until then."""
        self.now = at
        await tell_of_offers(self.desk.books, self.desk.facts, self.post, at)
        return [message.body for message in self.carrier.messages]

    async def an_offer(self, **more: Any) -> BookingView:
        """A time that became free, offered at NOW + 5 min until an hour later."""
        books, journey_id = self.desk.books, await self.desk.course()
        one = await booked(books, await self.desk.wish(await self.desk.course()))
        values = {"site": SITE, "session": 1, "status": "waiting", "added_at": NOW, "from_at": None}
        rest = {"until_at": None, "booking_id": None, "offers": 0, "journey_id": journey_id, "id": new_id()}
        await books.join(WaitingView.model_validate({**values, **rest, **more}))
        await books.release(SITE, one.journey_id, 1, Status.CANCELLED, "flu", NOW)
        assert await books.offer_freed(self.desk.facts.rules, after(minutes=5)) == 1
        (offer,) = await books.of_session(journey_id, 1)
        return offer


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    database = Database(database_url)
    found = Office(Desk(database))
    await a_site(found.desk.books)
    yield found
    await database.dispose()


async def test_the_patient_hears_once_with_a_link_of_the_offer(office: Office) -> None:
    offer = await office.an_offer()
    await office.look(after(minutes=6))
    (body,) = await office.look(after(minutes=7))
    assert "para su visita: el martes 2 de junio a las 9:00" in body and TELLING.findall(body) == []
    (token,) = re.findall(r"https://clinic\.example\.org/l/(\S+)", body)
    link = await office.links.find(token)
    assert link is not None
    assert (link.purpose, link.occurrence, link.part) == (Purpose.OFFER, offer.id, "session/1")
    assert link.expires_at == offer.expires_at == after(minutes=65)
    assert await office.desk.books.untold_offers(10) == []


async def test_it_leaves_once_though_the_process_dies_before_it_can_say_so(office: Office) -> None:
    await office.an_offer()
    told = office.desk.books.note_told

    async def dies(notice_id: int, now: datetime) -> None:
        raise RuntimeError("the process died")

    office.desk.books.note_told = dies  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await office.look(after(minutes=6))
    office.desk.books.note_told = told  # type: ignore[method-assign]
    assert len(await office.look(after(minutes=7))) == 1
    assert await office.desk.books.untold_offers(10) == []


async def test_mail_that_was_down_leaves_while_the_offer_is_open_and_never_afterwards(office: Office) -> None:
    offer = await office.an_offer()
    office.carrier.down = True
    assert await office.look(after(minutes=6)) == []
    office.carrier.down = False
    await office.desk.books.give_back(SITE, offer.id, "the offer was declined", after(minutes=7))
    assert await office.look(after(minutes=8)) == []
    assert await office.desk.books.untold_offers(10) == []
    (message,) = await office.service.for_journey(offer.journey_id)
    assert (message.status, message.reason) == ("stopped", "no-longer-true")


async def test_an_offer_that_lapsed_before_anybody_could_be_told_is_not_told(office: Office) -> None:
    await office.an_offer()
    assert await office.look(after(minutes=65)) == []  # nobody has swept; its time is over all the same
    assert await office.desk.books.untold_offers(10) == []


@pytest.mark.parametrize("becomes", ["open", "declined", "gone"])
async def test_an_offer_that_did_not_arrive_is_told_another_way_only_while_it_is_open(
    office: Office, becomes: str
) -> None:
    offer = await office.an_offer()
    assert len(await office.look(after(minutes=6))) == 1
    texts = Carrier(ChannelName.SMS)
    office.open_by(office.carrier, texts)
    await office.service.take_receipt(Receipt(provider_id="email-1", status=ReceiptStatus.FAILED))
    office.now = after(minutes=8)
    if becomes == "declined":
        await office.desk.books.give_back(SITE, offer.id, "the offer was declined", after(minutes=7))
    elif becomes == "gone":  # the record was restored from before it, the message was not
        async with office.desk.database.transaction() as session:
            for table in ("booking_notice", "reservation"):
                await session.execute(text(f"DELETE FROM {table} WHERE booking_id = :id"), {"id": offer.id})
            await session.execute(text("DELETE FROM booking WHERE id = :id"), {"id": offer.id})
    looks = [await send_again(office.post, office.desk.books, office.now) for _ in range(2)]
    assert (looks, len(office.carrier.messages)) == ([1, 0], 1)
    (message,) = await office.service.for_journey(offer.journey_id)
    if becomes == "open":
        assert ["/l/" in one.body for one in texts.messages] == [True]
        assert (message.status, message.channel) == ("completed", ChannelName.SMS)
    else:
        assert texts.messages == []
        assert (message.status, message.reason) == ("stopped", "no-longer-true")
