"""How are messages recorded?

`communication` has one row a message and is unique by key; `communication_attempt` one row for every try,
kept for ever; `communication_stop` one row for a journey that sends nothing more. The address and the
parameters are encrypted, bound to their row; the text itself is not stored.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base
from services.notifications.interface import ChannelName, CommunicationStatus

UNSENT = text("status IN ('preparation', 'in-progress')")
NOT_THERE_YET = text(
    "((status = 'not-done' AND status_reason = 'undelivered')"
    " OR (provider_id IS NOT NULL AND status IN ('preparation', 'on-hold', 'in-progress')))"
)
"""It had left, did not arrive, and another channel may still bring it."""
OUTCOMES = ("started", "delivered", "refused", "unavailable")

_Instant = DateTime(timezone=True)


def _one_of(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


class Communication(Base):
    __tablename__ = "communication"
    __table_args__ = (
        CheckConstraint(_one_of("status", tuple(CommunicationStatus)), name="status_is_known"),
        CheckConstraint(_one_of("channel", tuple(ChannelName)), name="channel_is_known"),
        Index("ix_communication_journey_id_occurred_at", "journey_id", "occurred_at"),
        Index("ix_communication_provider_id", "provider_id"),
        Index("ix_communication_patient_id_sent_at", "patient_id", "sent_at"),
        Index("ix_communication_unsent", "not_after", postgresql_where=UNSENT),
        Index("ix_communication_not_there_yet", "sent_at", "key", postgresql_where=NOT_THERE_YET),
    )

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    journey_id: Mapped[str] = mapped_column(String(200))
    site: Mapped[str] = mapped_column(String(100))
    patient_id: Mapped[str | None] = mapped_column(String(100))
    template: Mapped[str] = mapped_column(String(50))
    language: Mapped[str] = mapped_column(String(10))
    parameters: Mapped[bytes] = mapped_column(LargeBinary)  # encrypted JSON
    fingerprint: Mapped[str] = mapped_column(String(64))  # keyed, of what the key stands for
    channel: Mapped[str | None] = mapped_column(String(10))
    recipient: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted address of the last try
    status: Mapped[str] = mapped_column(String(20))
    status_reason: Mapped[str | None] = mapped_column(String(100))
    attempts: Mapped[int] = mapped_column(default=0)
    not_after: Mapped[datetime] = mapped_column(_Instant)
    occurred_at: Mapped[datetime] = mapped_column(_Instant)  # clinical time of the latest ask
    asked_at: Mapped[datetime] = mapped_column(_Instant)  # wall time when that ask first came
    recorded_at: Mapped[datetime] = mapped_column(_Instant)
    claimed_at: Mapped[datetime | None] = mapped_column(_Instant)
    send_at: Mapped[datetime | None] = mapped_column(_Instant)
    sent_at: Mapped[datetime | None] = mapped_column(_Instant)
    provider_id: Mapped[str | None] = mapped_column(String(200))


class CommunicationAttempt(Base):
    __tablename__ = "communication_attempt"
    __table_args__ = (CheckConstraint(_one_of("outcome", OUTCOMES), name="outcome_is_known"),)

    communication_key: Mapped[str] = mapped_column(ForeignKey("communication.key"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(10))
    started_at: Mapped[datetime] = mapped_column(_Instant)
    finished_at: Mapped[datetime | None] = mapped_column(_Instant)
    outcome: Mapped[str] = mapped_column(String(20))
    error_code: Mapped[str | None] = mapped_column(String(100))


class CommunicationReceipt(Base):
    """What the provider told about a message it took. Only ever added to: the furthest step counts, whatever
    the order in which they came; of two that end it, the first."""

    __tablename__ = "communication_receipt"

    provider_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    status: Mapped[str] = mapped_column(String(20), primary_key=True)
    step: Mapped[int]
    error_code: Mapped[str | None] = mapped_column(String(100))
    received_at: Mapped[datetime] = mapped_column(_Instant)


class CommunicationStop(Base):
    __tablename__ = "communication_stop"

    journey_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    reason: Mapped[str] = mapped_column(String(100))
    stopped_at: Mapped[datetime] = mapped_column(_Instant)
