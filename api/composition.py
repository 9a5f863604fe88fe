"""What is the API made of? Everything a request can reach, put together once by `api.app`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from zoneinfo import ZoneInfo

from fastapi import Request

from api.cursors import Cursors
from api.engine import Engine
from api.idempotency import Requests
from api.limiter import Limiter
from api.mail_door import MailDoor
from api.noted import Noted
from api.outside import Outside
from api.refusals import Refusals
from api.signatures import Provider
from api.tokens import TokenVerifier
from services.access.access import Access
from services.booking.service import Bookings
from services.bulk.store import BulkActs
from services.clock_watch import ClockWatch
from services.downtime.page import HelpNumbers
from services.links.drafts import Drafts
from services.links.store import PatientLinks
from services.notifications.interface import (
    Answered,
    ChannelName,
    CommunicationRecord,
    LastAsked,
    Receipt,
    SendRequest,
    SendResult,
)
from services.notifications.looking import Place
from services.notifications.wording import HelpLines
from services.questionnaires.wording import Wording
from services.records.booking_facts import BookingFacts
from services.records.closed_days import ClosedDays
from services.records.contact_book import ContactBook
from services.records.inbox import Inbox
from services.records.interface import Records
from services.records.queries import RecordQueries
from services.records.review_tasks import ReviewTasks
from services.records.standings import Standings
from services.records.task_claims import TaskClaims
from services.records.therapy_notes import TherapyNotes
from services.telemetry.tracing import Tracing


class MessageLog(Protocol):
    async def for_journey(
        self,
        journey_id: str,
        after: Place | None = None,
        limit: int | None = None,
        *,
        status: str | None = None,
        channel: str | None = None,
    ) -> list[CommunicationRecord]:
        """Every message of a journey, in clinical order, from the one after `after`."""
        ...

    async def counts(self, journey_id: str) -> dict[str, int]:
        """How many there are by status."""
        ...

    async def last_asked(self, patient_ids: Sequence[str]) -> dict[str, LastAsked]:
        """For each patient the visit that the last text message asked about."""
        ...

    async def answered(self, message_ids: Sequence[str]) -> Answered | None:
        """The first of these e-mails that went to a patient, and the visit that it asked about."""

    async def went_to(self, key: str) -> tuple[ChannelName, str] | None:
        """By which channel, and to which address, this message left."""
        ...

    async def take_receipt(self, receipt: Receipt) -> None:
        """Keep what the provider says became of a message."""
        ...

    async def send(self, request: SendRequest) -> SendResult:
        """Send once per key. Raises NotificationError."""
        ...


@dataclass(frozen=True)
class Composition:
    build: str
    environment: str
    public_url: str
    tokens: TokenVerifier
    engine: Engine
    records: Records
    queries: RecordQueries
    messages: MessageLog
    requests: Requests
    cursors: Cursors
    database_is_up: Callable[[], Awaitable[bool]]
    clock: ClockWatch
    notes: TherapyNotes
    access: Access
    help_numbers: HelpNumbers
    outside: Outside
    claims: TaskClaims
    reviews: ReviewTasks
    closed_days: ClosedDays
    links: PatientLinks
    drafts: Drafts
    wording: Wording
    close: Callable[[], Awaitable[None]]
    bookings: Bookings
    booking_facts: BookingFacts
    contacts: ContactBook
    inbox: Inbox
    sms_provider: Provider
    mail_door: MailDoor
    help_lines: HelpLines
    bulk: BulkActs
    standings: Standings
    work_to_do: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when somebody has confirmed an operation: whoever carries them out need not wait to look."""
    limiter: Limiter = field(default_factory=Limiter)
    tracing: Tracing = field(default_factory=lambda: Tracing("kap-api", "unknown"))
    refusals: Refusals = field(default_factory=Refusals)
    noted: Noted = field(default_factory=Noted)

    async def zone_of(self, site: str) -> ZoneInfo:
        """The zone on the wall of a site: as registered, else as its rooms have it, else UTC."""
        return await self.access.sites.zone(site) or await self.bookings.zone(site)


def composition_of(request: Request) -> Composition:
    composition = request.app.state.composition
    assert isinstance(composition, Composition)
    return composition
