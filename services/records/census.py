"""How many courses, tasks, risk cases and people in the chair are there now? Numbers only, of all sites together.

Every query goes over an index of what is open: it costs what is open, not what was ever recorded.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnExpressionArgument, TextClause, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.database import Database, counted
from services.records.tables import HERE, UNCLOSED, JourneyRow, RiskCaseRow, VisitRow
from services.records.task_tables import OPEN, TaskRow

Where = ColumnExpressionArgument[bool] | TextClause


@dataclass(frozen=True)
class Census:
    """Counts by the code that they are counted by."""

    active: dict[str, int]
    on_hold: int
    open_tasks: dict[str, int]
    overdue_tasks: dict[str, int]
    open_risks: dict[str, int]
    risks_not_taken_over: int
    in_chair: int
    readings_overdue: int


async def census(database: Database, now: datetime) -> Census:
    """One moment of the record. Raises what the driver raises."""
    open_course = JourneyRow.closed_at.is_(None)
    alarm = TaskRow.code == "take-reading"
    late = RiskCaseRow.status == "open", RiskCaseRow.acknowledge_by < now
    async with database.reading() as session:
        return Census(
            active=await counted(session, JourneyRow.stage, open_course),
            on_hold=await _number(session, open_course, JourneyRow.on_hold),
            open_tasks=await counted(session, TaskRow.owner, OPEN),
            overdue_tasks=await counted(session, TaskRow.owner, OPEN, TaskRow.due_at < now),
            open_risks=await counted(session, RiskCaseRow.level, UNCLOSED),
            risks_not_taken_over=await _number(session, UNCLOSED, *late),
            in_chair=await _number(session, HERE, VisitRow.dosed_at.is_not(None)),
            readings_overdue=await _number(session, OPEN, alarm),
        )


async def _number(session: AsyncSession, *where: Where) -> int:
    return await session.scalar(select(func.count()).where(*where)) or 0
