"""What does the API need to speak to other systems? The feed, its streams, the endpoints and what was sent to them."""

from dataclasses import dataclass

from api.event_streams import EventStreams
from services.database import Database
from services.encryption import FieldCipher
from services.events.delivery_log import DeliveryLog
from services.events.endpoints import WEBHOOKS, WebhookEndpoints
from services.events.feed import EventFeed
from services.events.targets import TargetGuard
from services.settings import Settings


@dataclass(frozen=True)
class Outside:
    feed: EventFeed
    streams: EventStreams
    endpoints: WebhookEndpoints
    deliveries: DeliveryLog

    @classmethod
    def over(cls, database: Database, cipher: FieldCipher, guard: TargetGuard, streams: int) -> "Outside":
        feed = EventFeed(database)
        return cls(
            feed=feed,
            streams=EventStreams(feed, limit=streams),
            endpoints=WebhookEndpoints(database, cipher.for_purpose(WEBHOOKS), guard),
            deliveries=DeliveryLog(database),
        )


def outside_of(settings: Settings, database: Database, cipher: FieldCipher) -> Outside:
    guard = TargetGuard(loopback_http=settings.webhook_loopback)
    return Outside.over(database, cipher, guard, settings.event_streams)
