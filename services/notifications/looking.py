"""What can be seen of the messages of a course or a person? Reads inside the caller's transaction."""

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.encryption import FieldCipher
from services.notifications import receipts
from services.notifications.interface import (
    Answered,
    ChannelName,
    CommunicationRecord,
    CommunicationStatus,
    LastAsked,
    ReceiptRecord,
    TemplateName,
)
from services.notifications.kinds import ASKS_FOR_A_REPLY
from services.notifications.tables import Communication

Place = tuple[datetime, datetime, str]
"""Where a message stands in a list: occurred_at, recorded_at, key."""


async def messages_of(
    session: AsyncSession,
    journey_id: str,
    after: Place | None = None,
    limit: int | None = None,
    *,
    status: str | None = None,
    channel: str | None = None,
) -> list[CommunicationRecord]:
    """In clinical order, from the one after `after`."""
    order = Communication.occurred_at, Communication.recorded_at, Communication.key
    statement = select(Communication).where(Communication.journey_id == journey_id).order_by(*order)
    if after is not None:
        statement = statement.where(tuple_(*order) > after)
    if status is not None:
        statement = statement.where(Communication.status == status)
    if channel is not None:
        statement = statement.where(Communication.channel == channel)
    rows = list(await session.scalars(statement.limit(limit)))
    told = await receipts.of_messages(session, [row.provider_id for row in rows if row.provider_id])
    return [_record(row, told.get(row.provider_id or "", ())) for row in rows]


async def last_asked(
    session: AsyncSession, cipher: FieldCipher, patient_ids: Iterable[str]
) -> dict[str, LastAsked]:
    """For each patient the visit of the last text message that asked for a reply."""
    found: dict[str, LastAsked] = {}
    for patient_id in patient_ids:
        row = (
            await session.scalars(
                select(Communication)
                .where(
                    Communication.patient_id == patient_id,
                    Communication.status == CommunicationStatus.COMPLETED,
                    Communication.channel == ChannelName.SMS,
                    Communication.template.in_(ASKS_FOR_A_REPLY),
                    Communication.sent_at.is_not(None),
                )
                .order_by(Communication.sent_at.desc(), Communication.key.desc())
                .limit(1)
            )
        ).one_or_none()
        if row is not None and (asked := _asked(row, cipher)) is not None:
            found[patient_id] = asked
    return found


async def answered(session: AsyncSession, cipher: FieldCipher, message_ids: Iterable[str]) -> Answered | None:
    """The first of these e-mails that we sent to a patient. Who knows such an id has read there: it is a digest."""
    for message_id in message_ids:
        row = (
            await session.scalars(
                select(Communication)
                .where(
                    Communication.provider_id == message_id,
                    Communication.channel == ChannelName.EMAIL,
                    Communication.patient_id.is_not(None),
                    Communication.template != TemplateName.STAFF_PAGE,
                )
                .limit(1)
            )
        ).one_or_none()
        if row is not None and row.patient_id is not None:
            return Answered(patient_id=row.patient_id, asked=_asked(row, cipher))
    return None


def _asked(row: Communication, cipher: FieldCipher) -> LastAsked | None:
    if row.template not in ASKS_FOR_A_REPLY or row.sent_at is None:
        return None
    text = cipher.decrypt("communication.parameters", row.parameters, row=row.key)
    return LastAsked(starts_at=datetime.fromisoformat(json.loads(text)["starts_at"]), sent_at=row.sent_at)


def _record(row: Communication, told: tuple[ReceiptRecord, ...]) -> CommunicationRecord:
    return CommunicationRecord(
        key=row.key,
        journey_id=row.journey_id,
        site=row.site,
        patient_id=row.patient_id,
        template=TemplateName(row.template),
        language=row.language,
        channel=ChannelName(row.channel) if row.channel else None,
        status=CommunicationStatus(row.status),
        reason=row.status_reason,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        not_after=row.not_after,
        send_at=row.send_at,
        sent_at=row.sent_at,
        attempts=row.attempts,
        delivery=told[-1].status if told else None,
        receipts=told,
    )
