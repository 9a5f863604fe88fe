"""Where is it kept which sites there are, which machines may call, who looked at what, and where a glass broke?

Audit events are written once; of an API key only its hash is here; reasons that people wrote are encrypted.
"""

from datetime import datetime

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base


class SiteRow(Base):
    """One clinic site. `version` counts its changes."""

    __tablename__ = "site"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    time_zone: Mapped[str]
    phone: Mapped[str | None]
    default_protocol: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    changed_by: Mapped[str]


class ApiKeyRow(Base):
    """One machine's key: `secret_hash` is SHA-256 of 256 random bits, which need no salt and no slow hash."""

    __tablename__ = "api_key"
    __table_args__ = (Index("ix_api_key_issued_at_id", "issued_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    roles: Mapped[list[str]]
    sites: Mapped[list[str]]
    issued_by: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    revoked_for: Mapped[str | None]


class AuditRow(Base):
    """One look at something sensitive, or one act around access; each names the hash of the one before it."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_site_at_seq", "site", "at", "seq"),
        Index("ix_audit_event_site_object_id_seq", "site", "object_id", "seq"),
        Index("ix_audit_event_site_actor_id_seq", "site", "actor_id", "seq"),
        Index("ix_audit_event_not_done", "site", "outcome", "seq", postgresql_where=text("outcome <> '0'")),
    )

    site: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    act: Mapped[str]
    purpose: Mapped[str]
    object_id: Mapped[str]
    part: Mapped[str | None]
    outcome: Mapped[str]
    trace_id: Mapped[str]
    reason: Mapped[str | None]
    previous_hash: Mapped[str]
    hash: Mapped[str]


class AuditChainRow(Base):
    """Where the chain of a site ends; its lock gives the order."""

    __tablename__ = "audit_chain"

    site: Mapped[str] = mapped_column(primary_key=True)
    last_seq: Mapped[int]
    last_hash: Mapped[str]


class GlassRow(Base):
    """One time that somebody looked where they may not otherwise, and the review that it owes."""

    __tablename__ = "break_glass"
    __table_args__ = (
        Index("ix_break_glass_actor_id_scope_until", "actor_id", "scope", "until"),
        Index("ix_break_glass_site_status_review_by", "site", "status", "review_by"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    journey_id: Mapped[str]
    patient_id: Mapped[str]
    scope: Mapped[str]
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    reason: Mapped[bytes]
    opened_at: Mapped[datetime]
    until: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default=text("'requested'"))
    review_by: Mapped[datetime]
    verdict: Mapped[str | None]
    comment: Mapped[bytes | None]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
