"""How are patients' links kept? A row a link, one a token of it, its unfinished answers, and its alarms.

Tokens are keyed hashes. Answers are encrypted, bound to their row, and deleted when they have been sent or
the link has run out.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base
from services.links.interface import Purpose

LOCK_UNTOLD = text("locked_at IS NOT NULL AND lock_told_at IS NULL")


class LinkRow(Base):
    __tablename__ = "patient_link"
    __table_args__ = (
        CheckConstraint(
            "purpose IN (" + ", ".join(f"'{purpose}'" for purpose in Purpose) + ")", name="purpose_is_known"
        ),
        Index("ix_patient_link_journey_id_made_at", "journey_id", "made_at"),
        Index("uq_patient_link_cause", "cause", unique=True),
        Index("ix_patient_link_lock_untold", "locked_at", postgresql_where=LOCK_UNTOLD),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    cause: Mapped[str]
    journey_id: Mapped[str]
    site: Mapped[str]
    patient_id: Mapped[str]
    purpose: Mapped[str]
    part: Mapped[str]
    occurrence: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    act: Mapped[str | None]
    taken_at: Mapped[datetime | None]
    spent_at: Mapped[datetime | None]
    failed_checks: Mapped[int] = mapped_column(default=0)
    locked_at: Mapped[datetime | None]
    lock_told_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]


class LinkTokenRow(Base):
    """A message that is handed over again carries another token of the same link."""

    __tablename__ = "patient_link_token"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    link_id: Mapped[str] = mapped_column(ForeignKey(LinkRow.id))
    made_at: Mapped[datetime]


class LinkDraftRow(Base):
    """Answers so far."""

    __tablename__ = "patient_link_draft"

    link_id: Mapped[str] = mapped_column(ForeignKey(LinkRow.id), primary_key=True)
    answers: Mapped[bytes]  # encrypted JSON
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LinkAlarmRow(Base):
    __tablename__ = "patient_link_alarm"
    __table_args__ = (
        Index("ix_patient_link_alarm_unsettled", "raised_at", postgresql_where=text("settled_at IS NULL")),
    )

    link_id: Mapped[str] = mapped_column(ForeignKey(LinkRow.id), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    instrument: Mapped[str]
    answers: Mapped[bytes]  # encrypted JSON
    raised_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
