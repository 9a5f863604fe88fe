"""Events on a real database, with a receiver of webhooks on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from deploy.postgres import PostgresServer
from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.events.delivery_log import DeliveryLog
from services.events.endpoints import WebhookEndpoints
from services.events.feed import EventFeed
from services.events.interface import KeyedEndpoint
from services.events.queue import DeliveryQueue
from services.events.sender import WebhookSender
from services.events.targets import TargetGuard
from services.outbox import tell
from services.records.sql import SqlRecords
from tests.databases import Databases
from tests.services.events.receiver import Receiver, a_receiver
from workers.webhooks import WebhookPost, deliver_due

SITE = "site-a"
EMPTIED = (
    "event_outbox",
    "event_feed",
    "webhook_attempt",
    "webhook_delivery",
    "webhook_notice",
    "webhook_endpoint",
)


@dataclass
class Clock:
    """Time that moves when it is moved."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class World:
    database: Database
    records: SqlRecords
    feed: EventFeed
    endpoints: WebhookEndpoints
    log: DeliveryLog
    post: WebhookPost
    receiver: Receiver
    clock: Clock

    async def an_endpoint(
        self, id: str = "hook-1", *types: str, url: str = "", **more: bool
    ) -> KeyedEndpoint:
        return await self.endpoints.create(
            id, SITE, url or self.receiver.url, types, "staff-ops", self.clock(), **more
        )

    async def tell(self, *causes: str, type: str = "plan.approved", site: str = SITE) -> None:
        """One event for each cause, in one transaction."""
        async with self.database.transaction() as session:
            for cause in causes:
                tell(session, site, type, self.clock(), (cause,), {"journey_id": f"journey/{site}/{cause}"})

    async def deliver(self) -> int:
        return await deliver_due(self.post, self.clock)


@pytest.fixture(scope="module")
def shared_url(postgres: PostgresServer, databases: Databases) -> Iterator[str]:
    """One database for a file of tests."""
    name = databases.take()
    yield postgres.url(name)
    databases.give_back(name)


@pytest.fixture
async def world(shared_url: str) -> AsyncIterator[World]:
    """No event and no endpoint is there; courses of earlier tests may be."""
    database, clock = Database(shared_url), Clock()
    async with database.transaction() as session:
        await session.execute(text(f"TRUNCATE {', '.join(EMPTIED)}"))
    cipher = FieldCipher(KeyRing({"one": bytes(range(32))}, "one"), bytes(32))
    guard = TargetGuard(loopback_http=True)
    feed = EventFeed(database)
    async with a_receiver() as receiver:
        yield World(
            database,
            SqlRecords(database, cipher),
            feed,
            WebhookEndpoints(database, cipher, guard),
            DeliveryLog(database),
            WebhookPost(
                feed,
                DeliveryQueue(database, cipher, dice=lambda: 0.5),
                WebhookSender(guard, timeout_s=2),
                timedelta(days=30),
            ),
            receiver,
            clock,
        )
    await database.dispose()
