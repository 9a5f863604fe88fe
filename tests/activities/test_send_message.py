"""Is everything that could have changed looked at when a message leaves, and is a bad address acted on?"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from activities.notifications import Mail, NotificationActivities
from clinical.events import Entry, Fact, JourneyStarted, SessionBooked, SessionClosed
from clinical.people import ENGINE
from clinical.protocol import Indication
from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.notifications.channel import AddressRefused, OutgoingMessage
from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    Receipt,
    ReceiptStatus,
    TemplateName,
    Undelivered,
)
from services.notifications.service import NotificationService
from services.records.contact_book import ContactBook
from services.records.inbox import Inbox
from services.records.interface import Batch, NewPatient
from services.records.sql import SqlRecords

JOURNEY = "journey/site-a/01JNE8S2V6C4Q6T5A3M1K9X7ZB"
PATIENT = "01JNE8S2V6C4Q6T5A3M1K9X7ZC"
NOON = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
START = NOON + timedelta(days=2)


@dataclass
class Way:
    name: ChannelName
    refuses: str | None = None
    away_for: int = 0
    sent: int = 0

    async def deliver(self, message: OutgoingMessage) -> str:
        if self.refuses is not None:
            raise AddressRefused(self.refuses)
        if self.away_for:
            self.away_for -= 1
            raise ChannelUnavailable(self.name, "away")
        self.sent += 1
        return f"{self.name}-{self.sent}"


@dataclass
class Desk:
    activities: NotificationActivities
    notifications: NotificationService
    records: SqlRecords
    contacts: ContactBook
    inbox: Inbox
    ways: dict[ChannelName, Way]

    async def write(self, *facts: Fact) -> None:
        entries = tuple(
            Entry(
                key=f"{fact.kind}:{getattr(fact, 'starts_at', '')}", occurred_at=NOON, actor=ENGINE, fact=fact
            )
            for fact in facts
        )
        await self.records.append(Batch(journey_id=JOURNEY, entries=entries))

    async def remind(self, starts_at: datetime = START) -> tuple[CommunicationStatus, str | None]:
        mail = Mail(
            key=f"{JOURNEY}/session/1/reminder/{starts_at.day}",
            journey_id=JOURNEY,
            site="site-a",
            patient_id=PATIENT,
            template=TemplateName.SESSION_REMINDER,
            parameters={"starts_at": starts_at.isoformat()},
            occurred_at=NOON,
            not_after=START,
        )
        result = await self.activities.send_message(mail)
        return result.status, result.reason


def booked(starts_at: datetime, moved_from: datetime | None = None) -> SessionBooked:
    end = starts_at + timedelta(hours=4)
    return SessionBooked(session=1, starts_at=starts_at, ends_at=end, room="r", moved_from=moved_from)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    database = Database(database_url)
    cipher = FieldCipher(KeyRing({"k": os.urandom(32)}, "k"), os.urandom(32))
    records, ways = SqlRecords(database, cipher), {name: Way(name) for name in ChannelName}
    notifications = NotificationService(database, cipher, ways)
    await records.add_patient(
        NewPatient(
            patient_id=PATIENT, site="site-a", name="Ana", birth_date="1980-01-01", sex="female",
            email="ana@example.org", phone_e164="+12025550143", mrn=None, language="en",
            time_zone="America/New_York", preferred_channel="sms", detail_opt_in=False,
        )
    )  # fmt: skip
    made = Desk(
        NotificationActivities(notifications, records, {}),
        notifications, records, ContactBook(database, cipher), Inbox(database, cipher), ways,
    )  # fmt: skip
    started = JourneyStarted(
        patient_id=PATIENT, referral_id=None, indication=Indication.DEPRESSION, protocol="p|1",
        protocol_hash="0f" * 32, time_zone="America/New_York",
    )  # fmt: skip
    await made.write(started, booked(START))
    yield made
    await database.dispose()


async def test_a_reminder_of_a_time_that_was_moved_does_not_leave(desk: Desk) -> None:
    await desk.write(booked(START + timedelta(days=1), moved_from=START))
    assert await desk.remind() == (CommunicationStatus.STOPPED, "no-longer-true")
    assert (await desk.remind(START + timedelta(days=1)))[0] is CommunicationStatus.COMPLETED


async def test_a_reminder_of_a_visit_that_was_called_off_does_not_leave(desk: Desk) -> None:
    await desk.write(SessionClosed(session=1, status="cancelled", reason="ill"))
    assert await desk.remind() == (CommunicationStatus.STOPPED, "no-longer-true")
    assert sum(way.sent for way in desk.ways.values()) == 0


async def test_a_message_may_be_faster_than_the_note_of_its_cause(desk: Desk) -> None:
    assert (await desk.remind(START + timedelta(days=1)))[0] is CommunicationStatus.COMPLETED


async def test_nothing_goes_to_an_address_that_is_not_verified(desk: Desk) -> None:
    both = {"phone_e164": "+12025550177", "email": "new@example.org"}
    await desk.contacts.change(["site-a"], PATIENT, 1, both, ENGINE)
    assert await desk.remind() == (CommunicationStatus.NOT_DONE, "contact-unverified")


async def test_a_bad_number_is_marked_and_the_other_channel_is_used(desk: Desk) -> None:
    desk.ways[ChannelName.SMS].refuses = "21211"
    assert (await desk.remind())[0] is CommunicationStatus.COMPLETED
    assert desk.ways[ChannelName.EMAIL].sent == 1
    assert (await desk.records.contact(PATIENT)).bad_channels == ("sms",)
    [case] = await desk.inbox.cases(["site-a"])
    assert case.kind == "contact-bad"


async def anyway(message: Undelivered) -> bool:
    return True


async def test_a_receipt_that_it_did_not_arrive_does_the_same_once(desk: Desk) -> None:
    await desk.remind()
    failed = Receipt(provider_id="sms-1", status=ReceiptStatus.UNDELIVERED, error_code="30005")
    await desk.notifications.take_receipt(failed)
    soon = NOON + timedelta(minutes=1)
    assert [await desk.activities.send_undelivered_again(soon, anyway) for _ in range(2)] == [1, 0]
    assert (desk.ways[ChannelName.SMS].sent, desk.ways[ChannelName.EMAIL].sent) == (1, 1)
    assert (await desk.records.contact(PATIENT)).bad_channels == ("sms",)
    assert (await desk.remind(START + timedelta(days=1)))[0] is CommunicationStatus.COMPLETED
    assert (desk.ways[ChannelName.SMS].sent, desk.ways[ChannelName.EMAIL].sent) == (1, 2)


async def test_what_did_not_arrive_and_is_no_longer_true_is_withdrawn(desk: Desk) -> None:
    await desk.remind()
    await desk.notifications.take_receipt(Receipt(provider_id="sms-1", status=ReceiptStatus.UNDELIVERED))
    await desk.write(booked(START + timedelta(days=1), moved_from=START))
    soon = NOON + timedelta(minutes=1)
    assert [await desk.activities.send_undelivered_again(soon, anyway) for _ in range(2)] == [1, 0]
    assert desk.ways[ChannelName.EMAIL].sent == 0
    (message,) = await desk.notifications.for_journey(JOURNEY)
    assert (message.status, message.reason) == ("stopped", "no-longer-true")


async def test_one_that_cannot_leave_now_keeps_no_other_back_and_leaves_later(desk: Desk) -> None:
    for number, starts_at in enumerate((START, START + timedelta(days=1)), 1):
        await desk.remind(starts_at)
        failed = Receipt(provider_id=f"sms-{number}", status=ReceiptStatus.UNDELIVERED, error_code="30005")
        await desk.notifications.take_receipt(failed)
    soon, mail = NOON + timedelta(minutes=1), desk.ways[ChannelName.EMAIL]
    mail.away_for = 1
    with pytest.raises(ChannelUnavailable):
        await desk.activities.send_undelivered_again(soon, anyway)
    assert mail.sent == 1
    assert [await desk.activities.send_undelivered_again(soon, anyway) for _ in range(2)] == [1, 0]
    assert mail.sent == 2
    assert (await desk.records.contact(PATIENT)).bad_channels == ("sms",)
