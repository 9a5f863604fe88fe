"""What is the API made of? Everything a request can reach, put together once by `api.app`."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from fastapi import Request

from api.cursors import Cursors
from api.engine import Engine
from api.idempotency import Requests
from api.tokens import TokenVerifier
from services.booking.service import Bookings
from services.downtime.page import HelpNumbers
from services.notifications.interface import CommunicationRecord
from services.records.booking_facts import BookingFacts
from services.records.interface import Records
from services.records.queries import RecordQueries
from services.records.therapy_notes import TherapyNotes


class MessageLog(Protocol):
    async def for_journey(self, journey_id: str) -> list[CommunicationRecord]:
        """Every message of a journey, in clinical order."""
        ...


async def no_closed_days(_site: str) -> Collection[date]:
    """A site that says nothing about holidays has none."""
    return ()


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
    notes: TherapyNotes
    help_numbers: HelpNumbers
    close: Callable[[], Awaitable[None]]
    bookings: Bookings
    booking_facts: BookingFacts
    closed_days: Callable[[str], Awaitable[Collection[date]]] = no_closed_days


def composition_of(request: Request) -> Composition:
    composition = request.app.state.composition
    assert isinstance(composition, Composition)
    return composition
