"""Which messages of patients has nobody answered in time, and who hears of it?

Their tasks stand in the record of the course without a workflow that watches them, so somebody has to look. What went
up is a fact of the course, told once; the protocol of the course says to whom.
Source: product F10, F19.
"""

from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.events import Entry, TaskOverdue
from clinical.people import ENGINE, Role
from services.database import Database
from services.encryption import FieldCipher
from services.records.appending import append_batch
from services.records.availability import Sessions
from services.records.interface import Batch
from services.records.ledger import Ledger
from services.records.message_cases import PART
from services.records.published import escalation_rules
from services.records.tables import JourneyRow
from services.records.task_queries import OPEN
from services.records.task_tables import TaskRow

AT_ONCE = 200


class LateMessages:
    """Each task that goes up is a transaction of its own."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._sessions = Sessions(database)
        self._ledger = Ledger(cipher)

    async def go_up(self, now: datetime) -> int:
        """How many went up; what is more than a look can take is seen by the next one."""
        late = select(TaskRow.id).where(*_is_late(now)).order_by(TaskRow.due_at).limit(AT_ONCE)
        async with self._sessions.reading() as session:
            found = (await session.scalars(late)).all()
        return sum([await self._sessions.write(partial(self._tell, row_id=one, now=now)) for one in found])

    async def _tell(self, session: AsyncSession, row_id: str, now: datetime) -> bool:
        """Asked again under the lock of the course: who answered meanwhile is not called late."""
        course = await session.scalar(
            select(JourneyRow)
            .join(TaskRow, TaskRow.journey_id == JourneyRow.id)
            .where(TaskRow.id == row_id)
            .with_for_update(key_share=True, of=JourneyRow)
        )
        task = await session.scalar(select(TaskRow).where(TaskRow.id == row_id, *_is_late(now)))
        if course is None or task is None:
            return False
        up = (await escalation_rules(session, course.site, course.protocol)).above(Role(task.owner))
        fact = TaskOverdue(task_id=task.task_id, escalated_to=up)
        entry = Entry(key=f"{task.task_id}:overdue", occurred_at=now, actor=ENGINE, fact=fact)
        await append_batch(session, self._ledger, Batch(journey_id=course.id, entries=(entry,)))
        return True


def _is_late(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        OPEN,
        TaskRow.task_id.startswith(PART),
        TaskRow.journey_id.is_not(None),
        TaskRow.due_at < now,
        TaskRow.overdue_at.is_(None),
    )
