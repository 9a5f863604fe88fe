"""What was sent to an endpoint, and can it be sent again? The log, replays by range, and an event for trying out."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from services.database import Database, counted
from services.events.endpoints import found, locked
from services.events.errors import CursorExpired, TooManyEvents
from services.events.feed import EventFeed
from services.events.interface import Attempt, Delivery, DeliveryStatus
from services.events.queue import copy_events
from services.events.tables import AttemptRow, DeliveryRow
from services.events.transactions import reading, writing
from services.outbox import FeedRow, OutboxRow, body_of, event_id

TEST = "webhook.test"
LARGEST_REPLAY = 5000


class DeliveryLog:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._feed = EventFeed(database)

    async def counts(self, endpoint_id: str) -> dict[str, int]:
        """Deliveries of an endpoint by status."""
        async with reading(self._database) as session:
            return await counted(session, DeliveryRow.status, DeliveryRow.endpoint_id == endpoint_id)

    async def deliveries(
        self,
        sites: Collection[str],
        endpoint_id: str,
        *,
        status: DeliveryStatus | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Delivery]:
        """Newest first, with every attempt. Raises EndpointNotFound."""
        async with reading(self._database) as session:
            await found(session, endpoint_id, sites)
            wanted = select(DeliveryRow).where(DeliveryRow.endpoint_id == endpoint_id)
            if status is not None:
                wanted = wanted.where(DeliveryRow.status == status.value)
            if before is not None:
                wanted = wanted.where(DeliveryRow.id < before)
            rows = list(await session.scalars(wanted.order_by(DeliveryRow.id.desc()).limit(limit)))
            of_rows = AttemptRow.delivery_id.in_([row.id for row in rows])
            tried: dict[int, list[Attempt]] = {}
            for one in await session.scalars(select(AttemptRow).where(of_rows).order_by(AttemptRow.number)):
                tried.setdefault(one.delivery_id, []).append(Attempt.model_validate(one))
            return [_delivery(row, tried.get(row.id, [])) for row in rows]

    async def send_test(self, sites: Collection[str], endpoint_id: str, key: str, now: datetime) -> Delivery:
        """An event of type `webhook.test` for this endpoint alone; once for each key."""
        cause = ("test", endpoint_id, key)
        async with writing(self._database) as session:
            endpoint = await locked(session, endpoint_id, sites)
            new = {
                "endpoint_id": endpoint.id,
                "event_id": event_id(*cause),
                "seq": 0,
                "type": TEST,
                "body": body_of(TEST, now, {"endpoint_id": endpoint.id}),
                "replay": key,
                "status": DeliveryStatus.PENDING.value,
                "next_at": now,
                "created_at": now,
            }
            await session.execute(insert(DeliveryRow).values(new).on_conflict_do_nothing())
            of_key = DeliveryRow.endpoint_id == endpoint.id, DeliveryRow.replay == key, DeliveryRow.seq == 0
            return _delivery((await session.scalars(select(DeliveryRow).where(*of_key))).one(), [])

    async def replay(
        self,
        sites: Collection[str],
        endpoint_id: str,
        key: str,
        since: datetime,
        until: datetime,
        now: datetime,
    ) -> int:
        """Send again what was recorded from `since` to before `until`, under the same webhook-ids. How many.

        Raises CursorExpired when a part of it is forgotten, TooManyEvents.
        """
        await self._feed.publish()
        async with writing(self._database) as session:
            endpoint = await locked(session, endpoint_id, sites)
            feed = await session.get(FeedRow, endpoint.site)
            if feed is not None and feed.forgotten_before is not None and since < feed.forgotten_before:
                raise CursorExpired(feed.site, feed.first_seq, feed.last_seq)
            in_range = (
                OutboxRow.site == endpoint.site,
                OutboxRow.seq.is_not(None),
                OutboxRow.recorded_at >= since,
                OutboxRow.recorded_at < until,
            )
            bounds = select(func.min(OutboxRow.seq), func.max(OutboxRow.seq)).where(*in_range)
            first, last = (await session.execute(bounds)).one()
            if first is None or last is None:
                return 0
            if last - first >= LARGEST_REPLAY:
                raise TooManyEvents(LARGEST_REPLAY)
            return await copy_events(session, endpoint, first, last, now, replay=key)


def _delivery(row: DeliveryRow, attempts: list[Attempt]) -> Delivery:
    pending = row.status == DeliveryStatus.PENDING.value
    return Delivery(
        id=row.id,
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        seq=row.seq or None,
        type=row.type,
        status=DeliveryStatus(row.status),
        replay=row.replay,
        created_at=row.created_at,
        next_at=row.next_at if pending else None,
        settled_at=row.settled_at,
        attempts=tuple(attempts),
    )
