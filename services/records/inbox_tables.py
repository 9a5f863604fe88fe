"""Where is it kept what patients write, what a person has to do about it, and how their addresses changed?

What was written and what was changed is encrypted, bound to its row. Changes of contact data are written once:
triggers refuse UPDATE, DELETE and TRUNCATE.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base
from services.records.register_tables import PatientRow


class ContactChangeRow(Base):
    """One change of how a person is reached: who, when, by which way, and (encrypted) what was and is."""

    __tablename__ = "contact_change"

    patient_id: Mapped[str] = mapped_column(ForeignKey(PatientRow.id), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str]
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    change: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ContactCodeRow(Base):
    """A code on its way to an address, to show that somebody reads there. Keyed hashes of code and address."""

    __tablename__ = "contact_code"
    __table_args__ = (
        Index("ix_contact_code_patient_id_channel_made_at", "patient_id", "channel", "made_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey(PatientRow.id))
    channel: Mapped[str]
    address_index: Mapped[str]
    code_index: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class MessageCaseRow(Base):
    """Something that a message leaves for a person to do. At most one of a kind is open for a patient."""

    __tablename__ = "message_case"
    __table_args__ = (
        Index("ix_message_case_site_status_due_at", "site", "status", "due_at", "id"),
        Index(
            "uq_message_case_open",
            "patient_id",
            "kind",
            unique=True,
            postgresql_where=text("status = 'requested' AND patient_id IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    patient_id: Mapped[str | None] = mapped_column(ForeignKey(PatientRow.id))
    journey_id: Mapped[str | None]
    kind: Mapped[str]
    session: Mapped[int | None]
    status: Mapped[str]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    concern_raised_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    note: Mapped[bytes | None]


class InboundMessageRow(Base):
    """One message that came in, under the provider's id or a digest of the mail's, with the answer to it.

    `told`: the answer leaves. An opt-out by mail is not answered by mail, nor is a machine again and again.
    """

    __tablename__ = "inbound_message"
    __table_args__ = (Index("ix_inbound_message_sender_index_received_at", "sender_index", "received_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    sender_index: Mapped[str]
    sender: Mapped[bytes]
    body: Mapped[bytes]
    patient_id: Mapped[str | None]
    received_at: Mapped[datetime]
    reply: Mapped[str]
    answer: Mapped[str | None]
    answer_language: Mapped[str]
    answer_zone: Mapped[str]
    answer_at: Mapped[datetime | None]
    channel: Mapped[str] = mapped_column(server_default="sms")
    told: Mapped[bool] = mapped_column(server_default=text("true"))


class InboundCaseRow(Base):
    """Which messages does a case rest on?"""

    __tablename__ = "inbound_case"

    case_id: Mapped[str] = mapped_column(ForeignKey(MessageCaseRow.id), primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey(InboundMessageRow.id), primary_key=True)
