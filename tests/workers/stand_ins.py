"""Services that are never asked: enough to see which activities are registered."""

from __future__ import annotations

from services.notifications.interface import CommunicationRecord, Notifications, SendRequest, SendResult
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

    async def for_journey(self, journey_id: str) -> list[CommunicationRecord]:
        raise AssertionError("nobody asks here")
