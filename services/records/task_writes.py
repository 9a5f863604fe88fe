"""How does a task come onto the work list, and how does it leave it? For tasks of courses and of sites alike.

In the caller's transaction. Whoever held a task holds nothing once it is over, and the history says so.
"""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor
from clinical.task_priority import priority, rank
from services.asking import Question, told
from services.database import table_of
from services.records.task_tables import TaskHolding, TaskRow

TASK = table_of(TaskRow)
NOBODY = dict.fromkeys(("holder", "holder_role", "held_at", "held_until", "delegated_by"))
NOT_SETTLED = dict.fromkeys(("overdue_at", "escalated_to", "settled_at", "settled_by", "settled_seq"))


async def open_task(
    session: AsyncSession, row_id: str, named: dict[str, Any], values: dict[str, Any]
) -> None:
    """Put it onto the list. Opened again it is open again: work must not stay hidden behind its earlier end."""
    urgency = priority(values["code"])
    fresh = {"status": "requested", "priority": urgency.value, "rank": rank(urgency), **NOT_SETTLED, **NOBODY}
    row = {"id": row_id, **named, **values, **fresh}
    statement = _opening(tuple(row), (*values, *fresh))
    await told(session, statement, row)


@cache
def _opening(columns: tuple[str, ...], again: tuple[str, ...]) -> Question:
    """Made once for each set of columns: to put a statement together costs as much as to send it."""
    statement = upsert(TASK).values({name: bindparam(name) for name in columns})
    changed: dict[str, Any] = {name: statement.excluded[name] for name in again}
    changed["version"] = TASK.c.version + 1
    return Question(statement.on_conflict_do_update(index_elements=["id"], set_=changed))


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
    over = {"of_id": row_id, "status": status, "settled_by": by.id, **settled, **NOBODY}
    found = await told(session, _settling(tuple(over)[1:]), over)
    if any(row.holder is not None for row in found):
        ended = {"task_id": row_id, "act": "ended", "actor_id": by.id, "actor_role": by.role.value}
        await session.execute(insert(TaskHolding).values(**ended))


@cache
def _settling(columns: tuple[str, ...]) -> Question:
    """Settle an open task; answers who held it."""
    before = (
        select(TASK.c.id, TASK.c.holder)
        .where(TASK.c.id == bindparam("of_id"), TASK.c.status == "requested")
        .with_for_update()
        .cte("before")
    )
    return Question(
        update(TASK)
        .where(TASK.c.id == before.c.id)
        .values({"version": TASK.c.version + 1, **{name: bindparam(name) for name in columns}})
        .returning(before.c.holder)
    )


async def _change(session: AsyncSession, *conditions: ColumnElement[bool], **values: Any) -> None:
    changed = update(TASK).where(*conditions).values(version=TASK.c.version + 1, **values)
    await (await session.connection()).execute(changed)
