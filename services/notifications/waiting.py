"""Since when has the oldest message been tried that may still leave and has not left?

A message that waits for the morning is not late, and one that is past its time is counted as expired.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifications.tables import UNSENT, Communication


async def oldest_unsent(session: AsyncSession, now: datetime) -> datetime | None:
    return await session.scalar(
        select(func.min(Communication.asked_at)).where(UNSENT, Communication.not_after > now)
    )
