"""Services that are never asked: enough to see which activities are registered."""

from __future__ import annotations

from services.notifications.interface import (
    CommunicationRecord,
    Contact,
    Notifications,
    Refusal,
    SendRequest,
    SendResult,
    Undelivered,
)
from services.records.sql import SqlRecords


class NoRecords(SqlRecords):
    """A record that is not connected to anything."""

    def __init__(self) -> None:
        """Nothing to connect."""


class NoNotifications(Notifications):
    async def send(self, request: SendRequest) -> SendResult:
        raise AssertionError("nothing is sent here")

    async def stop_pending(self, journey_id: str, reason: str) -> int:
        raise AssertionError("nothing is stopped here")

    async def withdraw(self, request: SendRequest, reason: str) -> SendResult:
        raise AssertionError("nothing is withdrawn here")

    async def refusals(self, key: str) -> list[Refusal]:
        raise AssertionError("nothing is sent here")

    async def undelivered(self) -> list[Undelivered]:
        raise AssertionError("nothing is sent here")

    async def send_again(self, key: str, recipient: Contact, *, true: bool = True) -> SendResult:
        raise AssertionError("nothing is sent here")

    async def for_journey(self, journey_id: str) -> list[CommunicationRecord]:
        raise AssertionError("nobody asks here")
