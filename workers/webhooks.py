"""Does every endpoint get its events? Publishes, makes deliveries, and sends what is due, until cancelled.

Any number of processes may do this: what one has taken the others leave. When one dies between sending and
noting, its lease ends and the same webhook-id goes out again. A slow receiver holds up its own deliveries only.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.events.errors import EventsError
from services.events.feed import EventFeed
from services.events.queue import SHARE, Claimed, DeliveryQueue
from services.events.sender import WebhookSender

LOOK_EVERY_S = 0.5
FORGET_EVERY = timedelta(hours=1)

log = structlog.get_logger()


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class WebhookPost:
    """What it takes to deliver: the events, the queue of deliveries, and the sender."""

    feed: EventFeed
    queue: DeliveryQueue
    sender: WebhookSender
    keep: timedelta
    """How long events can be read and replayed."""


async def deliver_due(post: WebhookPost, clock: Callable[[], datetime] = wall_clock) -> int:
    """One round: everything that is due now, and its end noted. How many attempts."""
    await post.feed.publish()
    await post.queue.spread(clock())
    claimed = await post.queue.claim(clock())
    await asyncio.gather(*(_deliver(post, one, clock) for one in claimed))
    return len(claimed)


async def keep_delivering(
    post: WebhookPost, clock: Callable[[], datetime] = wall_clock, every_s: float = LOOK_EVERY_S
) -> None:
    """Look again and again until cancelled; what fails now is tried again the next time."""
    running: set[asyncio.Task[None]] = set()
    under_way: Counter[str] = Counter()
    forgotten_at = clock()
    try:
        while True:
            try:
                busy = [endpoint for endpoint, count in under_way.items() if count >= SHARE]
                for one in await _next(post, clock, busy):
                    under_way[one.endpoint_id] += 1
                    task = asyncio.create_task(_one(post, one, clock, under_way))
                    running.add(task)
                    task.add_done_callback(running.discard)
                if clock() - forgotten_at >= FORGET_EVERY:
                    forgotten_at = clock()
                    await post.feed.forget(clock() - post.keep)
                    await post.queue.forget(clock())
            except (EventsError, SQLAlchemyError) as failure:
                log.warning("webhooks not sent", error_type=type(failure).__name__)
            await asyncio.sleep(every_s)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _next(post: WebhookPost, clock: Callable[[], datetime], busy: list[str]) -> list[Claimed]:
    """What is due now. Asked twice a second and mostly in vain: nothing more is asked than there is to do."""
    found = await post.queue.look(clock())
    if found.to_publish:
        await post.feed.publish()
    if not found.to_send:
        return []
    await post.queue.spread(clock())
    return await post.queue.claim(clock(), busy=busy)


async def _one(
    post: WebhookPost, claimed: Claimed, clock: Callable[[], datetime], under_way: Counter[str]
) -> None:
    try:
        await _deliver(post, claimed, clock)
    except (
        EventsError,
        SQLAlchemyError,
    ) as failure:  # sent but not noted: it goes out again when the lease ends
        log.warning("webhook not noted", error_type=type(failure).__name__)
    finally:
        under_way[claimed.endpoint_id] -= 1


async def _deliver(post: WebhookPost, claimed: Claimed, clock: Callable[[], datetime]) -> None:
    sent = await post.sender.send(claimed.url, claimed.headers, claimed.body)
    disabled = await post.queue.settle(claimed, sent, clock())
    if disabled is not None:
        log.warning("webhook endpoint disabled", decision=disabled.value, reasons=[sent.outcome.value])
