"""Does what one channel could not deliver go by another one? Looked at again and again.

The receipt that a message did not arrive comes long after its workflow has gone on. The key of a message makes
that it leaves once, however many workers look. Of an offer it is asked again whether anybody can still take it.
"""

import asyncio
from datetime import UTC, datetime

import structlog

from activities.notifications import NotificationActivities
from services.booking.errors import BookingError
from services.booking.service import Bookings
from services.notifications.errors import NotificationError
from services.notifications.interface import Undelivered
from services.records.errors import RecordsError
from workers.offers import still_stands

LOOK_EVERY_S = 15.0

log = structlog.get_logger()


async def send_again(activities: NotificationActivities, books: Bookings, now: datetime) -> int:
    """One look; how many there were. Raises NotificationError, RecordsError, BookingError."""

    async def stands(one: Undelivered) -> bool:
        return await still_stands(books, one, now)

    return await activities.send_undelivered_again(now, stands)


async def keep_sending(
    activities: NotificationActivities, books: Bookings, every_s: float = LOOK_EVERY_S
) -> None:
    """Look again and again until cancelled; what fails now is tried again the next time."""
    while True:
        try:
            await send_again(activities, books, datetime.now(UTC))
        except (NotificationError, RecordsError, BookingError) as failure:
            log.warning("undelivered messages not sent", code=type(failure).__name__)
        await asyncio.sleep(every_s)
