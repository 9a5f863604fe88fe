"""Does somebody above hear of it when a patient's message waits too long? Looked at again and again."""

import asyncio
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.records.errors import RecordsError
from services.records.late_messages import LateMessages

LOOK_EVERY_S = 30.0

log = structlog.get_logger()


async def keep_calling(late: LateMessages, every_s: float = LOOK_EVERY_S) -> None:
    """Look again and again until cancelled; what fails now is tried again the next time."""
    while True:
        try:
            await late.go_up(datetime.now(UTC))
        except (SQLAlchemyError, RecordsError) as failure:
            log.warning("late messages not looked at", error_type=type(failure).__name__)
        await asyncio.sleep(every_s)
