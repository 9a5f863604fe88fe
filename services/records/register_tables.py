"""What is kept beside the courses of treatment? Patients, referrals, published protocols, answered requests.

Whatever names or reaches a person is encrypted (`bytes`, bound to its row); equal values are found by blind
indexes.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base


class PatientRow(Base):
    """One person at one site. `…_index` columns are keyed hashes of normalised values."""

    __tablename__ = "patient"
    __table_args__ = (
        Index("ix_patient_site_person_index", "site", "person_index"),
        Index("ix_patient_site_phone_index", "site", "phone_index"),
        Index("ix_patient_site_email_index", "site", "email_index"),
        Index("ix_patient_phone_index", "phone_index"),
        Index("ix_patient_email_index", "email_index"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    name: Mapped[bytes]
    birth_date: Mapped[bytes]
    sex: Mapped[bytes]
    email: Mapped[bytes | None]
    phone: Mapped[bytes | None]
    mrn: Mapped[bytes | None]
    person_index: Mapped[str]
    phone_index: Mapped[str | None]
    email_index: Mapped[str | None]
    language: Mapped[str]
    time_zone: Mapped[str]
    preferred_channel: Mapped[str]
    opted_out_channels: Mapped[list[str]] = mapped_column(server_default=text("'[]'::jsonb"))
    detail_opt_in: Mapped[bool]
    email_state: Mapped[str] = mapped_column(server_default="stated")
    phone_state: Mapped[str] = mapped_column(server_default="stated")
    contact_version: Mapped[int] = mapped_column(server_default=text("1"))
    registered_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ReferralRow(Base):
    """A referral as it was read: the clinical record of one person, encrypted whole."""

    __tablename__ = "referral"

    id: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    site: Mapped[str]
    record: Mapped[bytes]
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ProtocolVersionRow(Base):
    """A protocol published to a site. Triggers refuse every change."""

    __tablename__ = "protocol_version"

    site: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str]
    document: Mapped[dict[str, Any]]
    published_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class IdempotencyRow(Base):
    """One request that must not happen twice: running, or done with the answer that is given again."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("ix_idempotency_key_created_at", "created_at"),)

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[str]
    response_status: Mapped[int | None]
    response_body: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    claimed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    claimed_by: Mapped[str | None]
    """The claim that is at it: its process and a number. A version that does not say so is another process."""
