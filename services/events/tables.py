"""Where are webhooks kept? Endpoints, what is on its way to them, each attempt, and notices to their owners.

No patient data: bodies are thin. What signs is encrypted.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base


class EndpointRow(Base):
    """One receiver. `last_seq`: up to which event of the site deliveries were made; `secrets` is encrypted."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (Index("ix_webhook_endpoint_site_id", "site", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    url: Mapped[str]
    types: Mapped[list[str]]
    status: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    secrets: Mapped[bytes]
    previous_secret_until: Mapped[datetime | None]
    last_seq: Mapped[int] = mapped_column(BigInteger)
    disabled_at: Mapped[datetime | None]
    disabled_because: Mapped[str | None]
    last_success_at: Mapped[datetime | None]
    last_failure_at: Mapped[datetime | None]


class DeliveryRow(Base):
    """One event on its way to one endpoint.

    `claim` names the sender that holds it; `next_at` is then when it may be taken away again.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "replay", "seq"),
        Index("ix_webhook_delivery_endpoint_id_id", "endpoint_id", "id"),
        Index(
            "ix_webhook_delivery_due", "endpoint_id", "next_at", postgresql_where=text("status = 'pending'")
        ),
        Index("ix_webhook_delivery_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoint.id"))
    event_id: Mapped[str]
    seq: Mapped[int | None] = mapped_column(BigInteger)
    type: Mapped[str]
    body: Mapped[str]
    replay: Mapped[str] = mapped_column(server_default=text("''"))
    status: Mapped[str]
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    next_at: Mapped[datetime]
    claim: Mapped[str | None]
    first_attempt_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class AttemptRow(Base):
    """One attempt, as it ended."""

    __tablename__ = "webhook_attempt"

    delivery_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("webhook_delivery.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    outcome: Mapped[str]
    http_status: Mapped[int | None]
    duration_ms: Mapped[int]


class NoticeRow(Base):
    """An endpoint was disabled without its owner asking; open until somebody of the site has seen it."""

    __tablename__ = "webhook_notice"
    __table_args__ = (Index("ix_webhook_notice_site_id", "site", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoint.id"))
    site: Mapped[str]
    because: Mapped[str]
    owner_id: Mapped[str]
    opened_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
