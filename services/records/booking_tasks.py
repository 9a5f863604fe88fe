"""How does what booking asks of a person come onto the work list of its site?

Why it is asked stands with the booking service; here is only the task, in the transaction that finds the reason
or takes it away. A task that is late goes up, as one of a course does.
"""

from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.booking_tasks import TASK_OF, BookingTask, NoticeKind
from clinical.people import Actor, Role
from clinical.working_time import PAUSES, working_due
from services.database import Database
from services.records.availability import Sessions
from services.records.closed_days import closed_ahead
from services.records.errors import NotFound
from services.records.published import escalation_rules, published_protocol
from services.records.tables import JourneyRow
from services.records.task_names import task_row_id
from services.records.task_queries import OPEN
from services.records.task_tables import TaskRow
from services.records.task_writes import open_task, overdue_task, settle_task

PART = "booking/"
"""The ids of these tasks begin so; the number of the visit and of the notice follow."""

OWNER = Role.COORDINATOR


class Notice(Protocol):
    """Why somebody has to see to a time. `due_at` is None where a protocol says how long they have."""

    @property
    def id(self) -> int: ...
    @property
    def site(self) -> str: ...
    @property
    def kind(self) -> NoticeKind: ...
    @property
    def journey_id(self) -> str: ...
    @property
    def session(self) -> int: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def at(self) -> datetime: ...
    @property
    def due_at(self) -> datetime | None: ...
    @property
    def handled_at(self) -> datetime | None: ...
    @property
    def outcome(self) -> str | None: ...


class BookingTasks:
    """Satisfies `WorkList` of booking."""

    def __init__(self, database: Database) -> None:
        self._sessions = Sessions(database)

    async def owe(self, session: AsyncSession, notice: Notice) -> None:
        task = TASK_OF[notice.kind]
        named = {"journey_id": notice.journey_id, "task_id": task_id(notice)}
        values = {
            "site": notice.site,
            "code": task.value,
            "owner": OWNER.value,
            "opened_at": notice.at,
            "due_at": notice.due_at or await _due_at(session, notice, task),
        }
        await open_task(session, _row_id(notice), named, values)

    async def settle(self, session: AsyncSession, notice: Notice, by: Actor) -> None:
        status = "cancelled" if notice.outcome == "cancelled" else "completed"
        await settle_task(session, _row_id(notice), status, by, settled_at=notice.handled_at)

    async def go_up(self, site: str, now: datetime) -> None:
        """What was due before now is seen by one more role."""
        late = (
            select(TaskRow.id, JourneyRow.protocol)
            .join(JourneyRow, JourneyRow.id == TaskRow.journey_id)
            .where(TaskRow.site == site, OPEN, TaskRow.code.in_([task.value for task in BookingTask]))
            .where(TaskRow.due_at < now, TaskRow.overdue_at.is_(None))
            .order_by(TaskRow.id)
        )

        async def work(session: AsyncSession) -> None:
            for row_id, canonical in (await session.execute(late)).all():
                rules = await escalation_rules(session, site, canonical)
                await overdue_task(session, row_id, now, rules.above(OWNER).value)

        await self._sessions.write(work)


def task_id(notice: Notice) -> str:
    return f"{PART}{notice.session}/{notice.id}"


async def _due_at(session: AsyncSession, notice: Notice, task: BookingTask) -> datetime:
    """So many hours while the clinic is open, and never after the time that it is about; at once without a protocol."""
    closed = await closed_ahead(session, notice.site, notice.at) if task in PAUSES else ()
    canonical = await session.scalar(select(JourneyRow.protocol).where(JourneyRow.id == notice.journey_id))
    try:
        rules = (await published_protocol(session, notice.site, canonical)).of_booking
    except NotFound:
        return notice.at
    return min(working_due(notice.at, rules.see_to_hours, closed), max(notice.starts_at, notice.at))


def _row_id(notice: Notice) -> str:
    return task_row_id(notice.site, notice.journey_id, task_id(notice))
