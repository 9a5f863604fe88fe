"""How are bulk acts kept? A row each, with its courses and what became of each."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base


class BulkRow(Base):
    """`work_at`: when somebody has to go on with it; None while it is a draft or over."""

    __tablename__ = "bulk_act"
    __table_args__ = (
        Index("ix_bulk_act_work_at", "work_at", postgresql_where=text("work_at IS NOT NULL")),
        Index("ix_bulk_act_site_made_at", "site", "made_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    act: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    token: Mapped[str]
    items: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    approved_by: Mapped[str | None]
    confirmed_by: Mapped[str | None]
    confirmed_as: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    work_at: Mapped[datetime | None]
