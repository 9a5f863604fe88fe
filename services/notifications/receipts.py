"""What became of a message after the provider took it?

Receipts come late, twice and in any order, and may overtake our own note that the message left. They are only
ever added; the furthest step counts, and of two steps that end it the first. Works inside the caller's
transaction. Words are those of https://www.twilio.com/docs/messaging (message status, error codes); codes of mail
have dots in them, as RFC 3463 writes them.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.encryption import FieldCipher
from services.notifications import ledger
from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    Receipt,
    ReceiptRecord,
    ReceiptStatus,
    SendReason,
    TemplateName,
    Undelivered,
)
from services.notifications.tables import NOT_THERE_YET, Communication, CommunicationReceipt

STEPS = {
    ReceiptStatus.QUEUED: 0,
    ReceiptStatus.SENDING: 1,
    ReceiptStatus.SENT: 2,
    ReceiptStatus.DELIVERED: 3,
    ReceiptStatus.UNDELIVERED: 3,
    ReceiptStatus.FAILED: 3,
}
ENDED_BADLY = frozenset({ReceiptStatus.UNDELIVERED, ReceiptStatus.FAILED})
# Nobody there, no such number, a landline, opted out at the provider: trying again reaches nobody.
LASTING_CODES = frozenset({"21211", "21214", "21217", "21610", "21612", "21614", "30003", "30005", "30006"})

SURELY_DEAD = timedelta(minutes=10)
"""Nobody who lives holds a message for so long."""

_NOT_ARRIVED = (Communication.status == CommunicationStatus.NOT_DONE) & (
    Communication.status_reason == SendReason.UNDELIVERED
)


async def add(session: AsyncSession, receipt: Receipt, now: datetime) -> None:
    """Keep it; the same word again changes nothing."""
    await session.execute(
        insert(CommunicationReceipt)
        .values(
            provider_id=receipt.provider_id,
            status=receipt.status.value,
            step=STEPS[receipt.status],
            error_code=receipt.error_code,
            received_at=now,
        )
        .on_conflict_do_nothing()
    )


async def of_messages(
    session: AsyncSession, provider_ids: Sequence[str]
) -> dict[str, tuple[ReceiptRecord, ...]]:
    """The receipts of these messages, the furthest last."""
    rows = await session.scalars(
        select(CommunicationReceipt)
        .where(CommunicationReceipt.provider_id.in_(provider_ids))
        .order_by(
            CommunicationReceipt.step,
            CommunicationReceipt.received_at.desc(),
            CommunicationReceipt.status.desc(),  # at the very same moment: delivered
        )
    )
    found: dict[str, tuple[ReceiptRecord, ...]] = {}
    for row in rows:
        word = ReceiptRecord(
            status=ReceiptStatus(row.status), error_code=row.error_code, received_at=row.received_at
        )
        found[row.provider_id] = (*found.get(row.provider_id, ()), word)
    return found


async def apply(session: AsyncSession, row: Communication, now: datetime) -> None:
    """A message that was taken and did not arrive has not been sent: another channel may try."""
    if row.provider_id is None or row.status != CommunicationStatus.COMPLETED:
        return
    told = (await of_messages(session, [row.provider_id])).get(row.provider_id)
    if told is None or told[-1].status not in ENDED_BADLY:
        return
    code = told[-1].error_code or told[-1].status.value
    await ledger.finish_attempt(session, row.key, row.attempts, "refused", code, now)
    row.status, row.status_reason = CommunicationStatus.NOT_DONE, SendReason.UNDELIVERED


async def message_of(session: AsyncSession, provider_id: str) -> Communication | None:
    """The message that the provider knows by this id, locked; None if it is not known (yet)."""
    return (
        await session.scalars(
            select(Communication)
            .where(Communication.provider_id == provider_id)
            .order_by(Communication.key)
            .limit(1)
            .with_for_update()
        )
    ).one_or_none()


async def undelivered(
    session: AsyncSession, cipher: FieldCipher, limit: int, now: datetime
) -> list[Undelivered]:
    """Messages that another channel may still bring, oldest first."""
    rows = list(await session.scalars(to_send_again(limit, now)))
    told = await of_messages(session, [row.provider_id or "" for row in rows])
    return [_undelivered(row, told.get(row.provider_id or "", ()), cipher) for row in rows]


def to_send_again(limit: int, now: datetime) -> Select[Communication]:
    """Asked all day by every worker: in the words of an index that holds nothing else."""
    return (
        select(Communication)
        .where(NOT_THERE_YET, or_(_NOT_ARRIVED, _begun_again(now)))
        .order_by(Communication.sent_at, Communication.key)
        .limit(limit)
    )


def _begun_again(now: datetime) -> ColumnElement[bool]:
    """It had left once, and its way by another channel was not the end: the night is over by its own clock, that
    channel was away, or who sent it died."""
    status = Communication.status
    morning = Communication.send_at - Communication.occurred_at <= now - Communication.asked_at
    return Communication.provider_id.is_not(None) & or_(
        status == CommunicationStatus.PREPARATION,
        (status == CommunicationStatus.ON_HOLD) & morning,
        (status == CommunicationStatus.IN_PROGRESS) & (Communication.claimed_at < now - SURELY_DEAD),
    )


def _undelivered(row: Communication, told: tuple[ReceiptRecord, ...], cipher: FieldCipher) -> Undelivered:
    code = (told[-1].error_code or told[-1].status.value) if told else "unknown"
    address = cipher.decrypt("communication.recipient", row.recipient, row=row.key) if row.recipient else ""
    return Undelivered(
        key=row.key,
        journey_id=row.journey_id,
        site=row.site,
        patient_id=row.patient_id,
        template=TemplateName(row.template),
        parameters=json.loads(cipher.decrypt("communication.parameters", row.parameters, row=row.key)),
        channel=ChannelName(row.channel or ChannelName.SMS),
        address=address,
        code=code,
        # Begun again, its channel is another one than that of the receipt, and the address was marked the first time.
        lasting=row.status == CommunicationStatus.NOT_DONE
        and (code in LASTING_CODES or _will_never_arrive(code)),
    )


def _will_never_arrive(code: str) -> bool:
    """A permanent fault of a mail address (RFC 3463); 5.7.x is policy and says something about us."""
    return code.startswith("5.") and not code.startswith("5.7.")
