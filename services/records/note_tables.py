"""Where are psychotherapy notes kept? Apart from the record of care (45 CFR 164.501), with a log of every access.

The record knows a note by its id and hash only. `content` and `reason` are encrypted under a key of their own
purpose. Notes and log are written once.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base
from services.records.tables import JourneyRow


class NoteRow(Base):
    """One note, or an amendment of one. `content_hash` is over id and ciphertext: it tells nothing."""

    __tablename__ = "psychotherapy_note"
    __table_args__ = (Index("ix_psychotherapy_note_journey_id_written_at", "journey_id", "written_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    journey_id: Mapped[str] = mapped_column(ForeignKey(JourneyRow.id))
    session: Mapped[int]
    kind: Mapped[str]
    author_id: Mapped[str]
    amends: Mapped[str | None] = mapped_column(ForeignKey("psychotherapy_note.id"))
    content: Mapped[bytes]
    content_hash: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class NoteLinkRow(Base):
    """The record names this note: what it belongs to was accepted. Made by the projection of that fact."""

    __tablename__ = "psychotherapy_note_link"

    journey_id: Mapped[str] = mapped_column(ForeignKey(JourneyRow.id), primary_key=True)
    note_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]


class NoteAccessRow(Base):
    """Who did what with which note: write, amend, list, read, refused, break-glass, denied."""

    __tablename__ = "psychotherapy_note_access"
    __table_args__ = (Index("ix_psychotherapy_note_access_journey_id_at", "journey_id", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    journey_id: Mapped[str] = mapped_column(ForeignKey(JourneyRow.id))
    note_id: Mapped[str | None]
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    act: Mapped[str]
    reason: Mapped[bytes | None]
    reason_row: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
