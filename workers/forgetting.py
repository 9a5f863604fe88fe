"""What need not be kept, and is it gone? Answers to requests that nobody will send again.

A loop beside the work: what fails now is done the next time.
"""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.records.errors import RecordsError
from services.records.idempotency import IdempotencyKeys

LOOK_EVERY_S = 3600.0

log = structlog.get_logger()


async def keep_forgetting(keys: IdempotencyKeys, keep: timedelta, every_s: float = LOOK_EVERY_S) -> None:
    """Look again and again until cancelled."""
    while True:
        try:
            log.info("old answers forgotten", count=await keys.forget(keep))
        except (SQLAlchemyError, RecordsError) as failure:
            log.warning("old answers not forgotten", error_type=type(failure).__name__)
        await asyncio.sleep(every_s)
