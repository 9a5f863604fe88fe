"""How does a task come onto the work list, and how does it leave it? For tasks of courses and of sites alike.

In the caller's transaction. Whoever held a task holds nothing once it is over, and the history says so.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor
from clinical.task_priority import priority, rank
from services.records.task_tables import TaskHolding, TaskRow

NOBODY = dict.fromkeys(("holder", "holder_role", "held_at", "held_until", "delegated_by"))
NOT_SETTLED = dict.fromkeys(("overdue_at", "escalated_to", "settled_at", "settled_by", "settled_seq"))


async def open_task(
    session: AsyncSession, row_id: str, named: dict[str, Any], values: dict[str, Any]
) -> None:
    """Put it onto the list. Opened again it is open again: work must not stay hidden behind its earlier end."""
    urgency = priority(values["code"])
    fresh = {"status": "requested", "priority": urgency.value, "rank": rank(urgency), **NOT_SETTLED, **NOBODY}
    statement = upsert(TaskRow).values(id=row_id, **named, **values, **fresh)
    again = {**values, **fresh, "version": TaskRow.version + 1}
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=again))


async def overdue_task(session: AsyncSession, row_id: str, at: datetime, escalated_to: str) -> None:
    """It went up: one more role sees it, and it is more urgent. What is not on the list cannot go up."""
    code = await session.scalar(select(TaskRow.code).where(TaskRow.id == row_id))
    if code is None:
        return
    urgency = priority(code, overdue=True)
    late = {"overdue_at": at, "escalated_to": escalated_to, "priority": urgency.value, "rank": rank(urgency)}
    await _change(session, TaskRow.id == row_id, **late)


async def settle_task(session: AsyncSession, row_id: str, status: str, by: Actor, **settled: Any) -> None:
    """It is completed or cancelled; nobody holds it any more. What is settled stays as it is."""
    still_open = TaskRow.id == row_id, TaskRow.status == "requested"
    # Settled first: from then on the row is ours, and nobody can take it on before it is taken from whoever has it.
    await _change(session, *still_open, status=status, settled_by=by.id, **settled)
    held = await session.execute(
        update(TaskRow)
        .where(TaskRow.id == row_id, TaskRow.status != "requested", TaskRow.holder.is_not(None))
        .values(**NOBODY)
        .returning(TaskRow.id)
        .execution_options(synchronize_session=False)
    )
    if held.first() is not None:
        ended = {"task_id": row_id, "act": "ended", "actor_id": by.id, "actor_role": by.role.value}
        await session.execute(insert(TaskHolding).values(**ended))


async def _change(session: AsyncSession, *conditions: ColumnElement[bool], **values: Any) -> None:
    await session.execute(
        update(TaskRow)
        .where(*conditions)
        .values(version=TaskRow.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
