"""Does what one channel could not deliver go by another one? Looked at again and again.

The receipt that a message did not arrive comes long after its workflow has gone on. The key of a message makes
that it leaves once, however many workers look.
"""

import asyncio
from datetime import UTC, datetime

import structlog

from activities.notifications import NotificationActivities
from services.notifications.errors import NotificationError
from services.records.errors import RecordsError

LOOK_EVERY_S = 15.0

log = structlog.get_logger()


async def keep_sending(activities: NotificationActivities, every_s: float = LOOK_EVERY_S) -> None:
    """Look again and again until cancelled; what fails now is tried again the next time."""
    while True:
        try:
            await activities.send_undelivered_again(datetime.now(UTC))
        except (NotificationError, RecordsError) as failure:
            log.warning("undelivered messages not sent", code=type(failure).__name__)
        await asyncio.sleep(every_s)
