"""What do the tables say about a message, and who may write it now?

Every function works inside the caller's transaction. Two locks keep order: the journey's advisory lock
(shared by senders, alone for a stop, so that a claim is either before the stop and seen by it, or after it
and refused) and the message's row lock (one sender at a time).
"""

from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    Refusal,
    SendReason,
    SendResult,
    TemplateName,
)
from services.notifications.kinds import MAY_LEAVE_AFTER_STOP
from services.notifications.tables import Communication, CommunicationAttempt, CommunicationStop

FINAL = frozenset({CommunicationStatus.COMPLETED, CommunicationStatus.NOT_DONE, CommunicationStatus.STOPPED})
WAITING = (CommunicationStatus.PREPARATION, CommunicationStatus.ON_HOLD)


async def lock_journey(session: AsyncSession, journey_id: str, *, alone: bool) -> None:
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    await session.execute(
        text(f"SELECT {lock}(hashtextextended(:name, 0))"), {"name": f"communication/{journey_id}"}
    )


async def locked_row(session: AsyncSession, fresh: Communication) -> Communication:
    """The row of this key, locked; `fresh` becomes it when the key is new."""
    columns = {column.key: getattr(fresh, column.key) for column in Communication.__table__.columns}
    await session.execute(insert(Communication).values(columns).on_conflict_do_nothing())
    return (
        await session.scalars(select(Communication).where(Communication.key == fresh.key).with_for_update())
    ).one()


async def stop_reason(session: AsyncSession, row: Communication) -> str | None:
    """Why this message may not leave any more, if its journey was stopped."""
    if TemplateName(row.template) in MAY_LEAVE_AFTER_STOP:
        return None
    stop = await session.get(CommunicationStop, row.journey_id)
    return stop.reason if stop else None


async def refused_channels(session: AsyncSession, key: str) -> tuple[ChannelName, ...]:
    """The channels on which this message's address was refused for good."""
    channels = await session.scalars(
        select(CommunicationAttempt.channel)
        .where(CommunicationAttempt.communication_key == key, CommunicationAttempt.outcome == "refused")
        .order_by(CommunicationAttempt.number)
    )
    return tuple(dict.fromkeys(ChannelName(channel) for channel in channels))


async def refusals(session: AsyncSession, key: str) -> list[Refusal]:
    rows = await session.scalars(
        select(CommunicationAttempt)
        .where(CommunicationAttempt.communication_key == key, CommunicationAttempt.outcome == "refused")
        .order_by(CommunicationAttempt.number)
    )
    return [Refusal(channel=ChannelName(row.channel), code=row.error_code or "unknown") for row in rows]


def is_final(row: Communication) -> bool:
    """Is all said about this message? One that the provider could not deliver may still go another way."""
    return row.status in FINAL and row.status_reason != SendReason.UNDELIVERED


async def finish_attempt(
    session: AsyncSession, key: str, number: int, outcome: str, code: str | None, now: datetime
) -> None:
    await session.execute(
        update(CommunicationAttempt)
        .where(CommunicationAttempt.communication_key == key, CommunicationAttempt.number == number)
        .values(outcome=outcome, error_code=code, finished_at=now)
    )


async def stop_journey(
    session: AsyncSession, journey_id: str, reason: str, now: datetime, claim_for: timedelta
) -> tuple[int, int]:
    """Stops what waits, claims of dead senders included. Answers how many, and how many are on their way."""
    await session.execute(
        insert(CommunicationStop)
        .values(journey_id=journey_id, reason=reason, stopped_at=now)
        .on_conflict_do_nothing()
    )
    stopped = on_the_way = 0
    rows = await session.scalars(
        select(Communication)
        .where(
            Communication.journey_id == journey_id,
            Communication.template.not_in(MAY_LEAVE_AFTER_STOP),
            Communication.status.not_in(FINAL),
        )
        .with_for_update()
    )
    for row in rows:
        if claimed(row, now, claim_for):
            on_the_way += 1
            continue
        row.status, row.status_reason, row.send_at = CommunicationStatus.STOPPED, reason, None
        stopped += 1
    return stopped, on_the_way


def claimed(row: Communication, now: datetime, claim_for: timedelta) -> bool:
    """Does a living sender hold this message? A claim older than `claim_for` belongs to a dead one."""
    return (
        row.status == CommunicationStatus.IN_PROGRESS
        and row.claimed_at is not None
        and now - row.claimed_at < claim_for
    )


def result_of(row: Communication, refused: tuple[ChannelName, ...]) -> SendResult:
    return SendResult(
        key=row.key,
        status=CommunicationStatus(row.status),
        channel=ChannelName(row.channel) if row.channel else None,
        reason=row.status_reason,
        send_at=row.send_at,
        sent_at=row.sent_at,
        refused_channels=refused,
    )
