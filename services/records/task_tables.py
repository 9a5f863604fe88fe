"""Where is the work list kept? Tasks of courses and of sites, who holds them, who held them, who works where.

A task of a course is a projection of its record; a task of a site (a difference in the drug books) has no
course. Who holds a task is bookkeeping beside both: it is no fact about the patient, ends with the task, and
its history is written once (triggers refuse any change).
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, SmallInteger, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base

OPEN = text("status = 'requested'")


class TaskRow(Base):
    """A human step. `status` is Task's: requested, completed, cancelled; `rank` sorts by priority.

    `id` is what addresses name; `task_id` is the name that its workflow gave it, unique in its course. The one
    who has taken it on is `holder`, until `held_until`.
    """

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("journey_id", "task_id"),
        Index("ix_task_site_status_rank_due_at_id", "site", "status", "rank", "due_at", "id"),
        Index("ix_task_site_status_owner_rank_due_at_id", "site", "status", "owner", "rank", "due_at", "id"),
        Index(
            "ix_task_open_escalated", "site", "escalated_to", "rank", "due_at", "id", postgresql_where=OPEN
        ),
        Index("ix_task_open_code", "site", "code", "rank", "due_at", "id", postgresql_where=OPEN),
        Index("ix_task_open_holder", "site", "holder", "rank", "due_at", "id", postgresql_where=OPEN),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    journey_id: Mapped[str | None] = mapped_column(ForeignKey("journey.id"))
    task_id: Mapped[str]
    site: Mapped[str]
    code: Mapped[str]
    owner: Mapped[str]
    status: Mapped[str]
    priority: Mapped[str]
    rank: Mapped[int] = mapped_column(SmallInteger)
    opened_at: Mapped[datetime]
    opened_seq: Mapped[int | None]
    due_at: Mapped[datetime]
    overdue_at: Mapped[datetime | None]
    escalated_to: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    settled_seq: Mapped[int | None]
    holder: Mapped[str | None]
    holder_role: Mapped[str | None]
    held_at: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    delegated_by: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))


class TaskHolding(Base):
    """One change of hands: claimed, renewed, released, delegated, or ended with the task."""

    __tablename__ = "task_holding"
    __table_args__ = (Index("ix_task_holding_task_id_n", "task_id", "n"),)

    n: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    act: Mapped[str]
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    holder: Mapped[str | None]
    held_until: Mapped[datetime | None]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ColleagueRow(Base):
    """Somebody who has acted at a site and has this role, and when last. Tokens vouch for both."""

    __tablename__ = "site_colleague"

    site: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ClosedDayRow(Base):
    """A day on which a site is closed: by the calendar on its wall, and as instants."""

    __tablename__ = "closed_days"
    __table_args__ = (Index("ix_closed_days_site_ends_at", "site", "ends_at"),)

    site: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]
    time_zone: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    added_by: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
