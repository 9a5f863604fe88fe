"""What does a test of the API get? The real application on a real database, with an engine that is none."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import create_app
from api.composition import Composition
from api.cursors import Cursors
from api.mail_door import MailDoor
from api.outside import Outside
from api.signatures import Provider
from clinical.people import Role
from services.access.access import Access, access_on
from services.booking.service import Bookings
from services.bulk.store import BulkActs
from services.clock_watch import ClockWatch
from services.database import Database
from services.downtime.page import HelpNumbers
from services.encryption import FieldCipher, KeyRing
from services.events.targets import TargetGuard
from services.links.drafts import Drafts
from services.links.store import PatientLinks
from services.notifications.channel import OutgoingMessage
from services.notifications.interface import ChannelName
from services.notifications.service import NotificationService
from services.notifications.wording import HelpLines
from services.questionnaires.wording import wording_of
from services.records.booking_facts import BookingFacts
from services.records.booking_tasks import BookingTasks
from services.records.closed_days import ClosedDays
from services.records.contact_book import ContactBook
from services.records.idempotency import IdempotencyKeys
from services.records.inbox import Inbox
from services.records.queries import RecordQueries
from services.records.review_tasks import ReviewTasks
from services.records.sql import SqlRecords
from services.records.standings import Standings
from services.records.task_claims import TaskClaims
from services.records.therapy_notes import TherapyNotes
from tests.api.caller import SITE, Person, person, verifier
from tests.api.fake_engine import FakeEngine
from tests.shipped import shipped_protocol

PUBLIC = "93.184.216.34"
RESERVED = {"inside.example.org": "10.0.0.7", "localhost": "127.0.0.1"}
"""What names lead to here: without the network, everything else is public."""

PATIENT = {
    "site": SITE,
    "name": "Quentin Zimmerfeld",
    "birth_date": "1984-05-17",
    "sex": "male",
    "email": "quentin@example.org",
    "phone": "+1 202 555 0199",
    "time_zone": "America/New_York",
}


_DESCRIBED: dict[str, dict[str, Any] | None] = {}
"""What the application says of itself: a second of work, and the same for every clinic of this process."""


@dataclass
class Clock:
    """The wall clock, or one that runs ahead of it."""

    forward: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.forward


SMS_TOKEN = "the account's secret"
MAIL_SECRET = "what only the mail server knows, and we"


@dataclass
class Outgoing:
    """A channel that takes everything, unless it is told to fail."""

    name: ChannelName
    sent: list[OutgoingMessage] = field(default_factory=list)
    failure: Exception | None = None

    async def deliver(self, message: OutgoingMessage) -> str:
        if self.failure is not None:
            raise self.failure
        self.sent.append(message)
        return self.message_id(message)

    def message_id(self, message: OutgoingMessage) -> str:
        """What the provider calls it: a mail by its Message-ID, as `EmailChannel` makes it."""
        if self.name is ChannelName.EMAIL:
            return f"<{message.reference}@clinic.example.org>"
        return f"SM-{message.reference}"


@dataclass(frozen=True)
class Clinic:
    """The application and who works there."""

    app: FastAPI
    engine: FakeEngine
    records: SqlRecords
    notes: TherapyNotes
    access: Access
    database: Database
    drafts: Drafts
    here: Composition
    outgoing: dict[ChannelName, Outgoing]
    clock: Clock = field(default_factory=Clock)

    def person(self, *roles: Role, subject: str = "", sites: tuple[str, ...] = (SITE,)) -> Person:
        return person(self.app, *roles, subject=subject, sites=sites)

    @property
    def coordinator(self) -> Person:
        return self.person(Role.COORDINATOR)

    async def a_patient(self, **changes: object) -> str:
        answer = await self.coordinator.post("/v1/patients", PATIENT | {"confirm_new": True} | changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["patient_id"])

    async def a_journey(self, key: str = "start-1", patient_id: str | None = None) -> str:
        """The address of a course that has begun."""
        body = {
            "site": SITE,
            "patient_id": patient_id or await self.a_patient(),
            "indication": "major-depressive-disorder",
        }
        answer = await self.coordinator.post("/v1/journeys", body, key=key)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["href"])


@pytest.fixture
async def clinic(database_url: str) -> AsyncIterator[Clinic]:
    database = Database(database_url)
    cipher = FieldCipher(KeyRing({"f1": os.urandom(32)}, "f1"), os.urandom(32))
    records = SqlRecords(database, cipher)
    await records.publish_protocol(shipped_protocol(), SITE)
    engine, clock = FakeEngine(records), Clock()
    outgoing = {name: Outgoing(name) for name in ChannelName}

    async def names(host: str, port: int) -> list[str]:
        return [RESERVED.get(host, PUBLIC)]

    async def is_up() -> bool:
        return True

    composition = Composition(
        build="test",
        environment="development",
        public_url="http://api.example.org",
        tokens=verifier(),
        engine=engine,
        records=records,
        queries=RecordQueries(database, cipher),
        messages=NotificationService(database, cipher, outgoing),
        requests=IdempotencyKeys(database, cipher),
        cursors=Cursors(b"secret of the test"),
        database_is_up=is_up,
        clock=ClockWatch(database, clock),
        notes=TherapyNotes(database, cipher),
        access=access_on(database, cipher),
        help_numbers=HelpNumbers(),
        outside=Outside.over(database, cipher, TargetGuard(resolve=names), streams=20),
        claims=TaskClaims(database, timedelta(hours=10)),
        closed_days=ClosedDays(database),
        reviews=ReviewTasks(database),
        links=PatientLinks(database, cipher, clock),
        drafts=Drafts(database, cipher, clock),
        wording=wording_of(None),
        close=database.dispose,
        bookings=Bookings(database, BookingTasks(database)),
        booking_facts=BookingFacts(database),
        bulk=BulkActs(database),
        standings=Standings(database),
        contacts=ContactBook(database, cipher),
        inbox=Inbox(database, cipher),
        sms_provider=Provider(SecretStr(SMS_TOKEN), "http://api.example.org"),
        mail_door=MailDoor(SecretStr(MAIL_SECRET)),
        help_lines=HelpLines(),
    )
    app = create_app(composition)
    app.openapi_schema = _DESCRIBED.get("schema")
    yield Clinic(
        app=app,
        engine=engine,
        records=records,
        notes=composition.notes,
        access=composition.access,
        database=database,
        drafts=composition.drafts,
        here=composition,
        outgoing=outgoing,
        clock=clock,
    )
    _DESCRIBED["schema"] = app.openapi_schema
    await composition.outside.streams.close()
    await database.dispose()
