"""How are the drug books kept? Containers as they stand, their movements, and the cases of discrepancies.

Movements and the entries of cases are written once (triggers refuse any change); container and discrepancy are
read models, changed in the same transaction. Masses in mg, exact. Words that people wrote are encrypted.
"""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base


class ContainerRow(Base):
    """One container of a drug and its running count. `last_seq` numbers its movements, `cases` its discrepancies."""

    __tablename__ = "drug_container"
    __table_args__ = (
        Index("ix_drug_container_site_received_at_id", "site", "received_at", "id"),
        Index("ix_drug_container_site_closed_at", "site", "closed_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    drug: Mapped[str]
    product: Mapped[str]
    strength: Mapped[str]
    lot: Mapped[str]
    expires_on: Mapped[date]
    received_at: Mapped[datetime]
    received_mg: Mapped[Decimal]
    remaining_mg: Mapped[Decimal]
    counted_at: Mapped[datetime]
    last_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    last_seq: Mapped[int] = mapped_column(server_default=text("0"))
    cases: Mapped[int] = mapped_column(server_default=text("0"))


class MovementRow(Base):
    """One movement. `remaining_mg` is the count after it; `expected_mg` what the books said before a count."""

    __tablename__ = "drug_movement"
    __table_args__ = (
        UniqueConstraint("container_id", "key"),
        Index("ix_drug_movement_dose_id", "journey_id", "dose_id"),
    )

    container_id: Mapped[str] = mapped_column(ForeignKey("drug_container.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    kind: Mapped[str]
    amount_mg: Mapped[Decimal]
    expected_mg: Mapped[Decimal | None]
    remaining_mg: Mapped[Decimal]
    lot: Mapped[str]
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    witnesses: Mapped[list[str]]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    journey_id: Mapped[str | None]
    dose_id: Mapped[str | None]
    note: Mapped[bytes | None]


class DiscrepancyRow(Base):
    """One discrepancy: open, loss, closed. `case_started_at` is empty until the engine has taken it over."""

    __tablename__ = "drug_discrepancy"
    __table_args__ = (
        Index("ix_drug_discrepancy_site_opened", "site", "opened_at", "container_id", "number"),
        Index(
            "ix_drug_discrepancy_site_status_opened", "site", "status", "opened_at", "container_id", "number"
        ),
        Index(
            "ix_drug_discrepancy_to_start",
            "site",
            postgresql_where=text("case_started_at IS NULL"),
        ),
    )

    container_id: Mapped[str] = mapped_column(ForeignKey("drug_container.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str]
    status: Mapped[str]
    kind: Mapped[str]
    expected_mg: Mapped[Decimal]
    found_mg: Mapped[Decimal]
    difference_mg: Mapped[Decimal]
    movement_seq: Mapped[int]
    involved: Mapped[list[str]]
    opened_at: Mapped[datetime]
    owner: Mapped[str]
    explain_by: Mapped[datetime | None]
    overdue: Mapped[list[str]] = mapped_column(server_default=text("'[]'::jsonb"))
    last_seq: Mapped[int] = mapped_column(server_default=text("0"))
    case_started_at: Mapped[datetime | None]
    explained_by: Mapped[str | None]
    loss_at: Mapped[datetime | None]
    notice_by: Mapped[datetime | None]
    notice_at: Mapped[datetime | None]
    form_by: Mapped[datetime | None]
    form_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class CustodyEntryRow(Base):
    """One fact of the case of a discrepancy."""

    __tablename__ = "drug_case_entry"
    __table_args__ = (
        UniqueConstraint("container_id", "number", "key"),
        ForeignKeyConstraint(
            ["container_id", "number"], ["drug_discrepancy.container_id", "drug_discrepancy.number"]
        ),
    )

    container_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    kind: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    payload: Mapped[bytes]
