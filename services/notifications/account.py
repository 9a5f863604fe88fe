"""What became of messages? Everything that can be asked of their account, and the receipts that are added to it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from services.database import Database, counted
from services.encryption import FieldCipher
from services.notifications import ledger, receipts
from services.notifications.interface import (
    Answered,
    ChannelName,
    CommunicationRecord,
    CommunicationStatus,
    LastAsked,
    Receipt,
    Refusal,
    Undelivered,
)
from services.notifications.looking import Place, answered, last_asked, messages_of
from services.notifications.tables import Communication


class Account:
    """Looks, and takes receipts; sends nothing."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def refusals(self, key: str) -> list[Refusal]:
        async with self._database.reading() as session:
            return await ledger.refusals(session, key)

    async def for_journey(
        self,
        journey_id: str,
        after: Place | None = None,
        limit: int | None = None,
        *,
        status: str | None = None,
        channel: str | None = None,
    ) -> list[CommunicationRecord]:
        async with self._database.reading() as session:
            return await messages_of(session, journey_id, after, limit, status=status, channel=channel)

    async def counts(self, journey_id: str) -> dict[str, int]:
        """Messages of a journey by status."""
        async with self._database.reading() as session:
            return await counted(session, Communication.status, Communication.journey_id == journey_id)

    async def went_to(self, key: str) -> tuple[ChannelName, str] | None:
        """By which channel, and to which address, did this message leave?"""
        async with self._database.reading() as session:
            row = await session.get(Communication, key)
        if row is None or row.status != CommunicationStatus.COMPLETED or not (row.channel and row.recipient):
            return None
        address = self._cipher.decrypt("communication.recipient", row.recipient, row=row.key)
        return ChannelName(row.channel), address

    async def last_asked(self, patient_ids: Sequence[str]) -> dict[str, LastAsked]:
        async with self._database.reading() as session:
            return await last_asked(session, self._cipher, patient_ids)

    async def answered(self, message_ids: Sequence[str]) -> Answered | None:
        async with self._database.reading() as session:
            return await answered(session, self._cipher, message_ids)

    async def take_receipt(self, receipt: Receipt) -> None:
        """Keep what the provider says; a message that did not arrive becomes one of `undelivered`."""
        now = self._clock()
        async with self._database.transaction() as session:
            await receipts.add(session, receipt, now)
            row = await receipts.message_of(session, receipt.provider_id)
            if row is not None:
                await receipts.apply(session, row, now)

    async def undelivered(self, limit: int = 50) -> list[Undelivered]:
        async with self._database.reading() as session:
            return await receipts.undelivered(session, self._cipher, limit, self._clock())
