"""What do tasks, follow-up, messages and replies change? Tasks have a read model, a confirmed visit is marked: the
rest is read from the record.
"""

from typing import assert_never

from clinical import events
from services.records.fact_groups import WorkFact
from services.records.fresh import Fresh
from services.records.message_cases import settle_with_task
from services.records.tables import TaskRow, VisitRow


async def project_work(fact: WorkFact, fresh: Fresh) -> None:
    match fact:
        case events.TaskOpened():
            await _opened(fact, fresh)
        case events.TaskOverdue():
            late = {"overdue_at": fresh.at, "escalated_to": fact.escalated_to.value}
            await fresh.change(TaskRow, TaskRow.task_id == fact.task_id, **late)
        case events.TaskDone():
            await _settled(fact.task_id, "completed", fresh)
        case events.TaskCancelled():
            await _settled(fact.task_id, "cancelled", fresh, fact.reason)
        case events.FollowUpMeasured() | events.FollowUpMissed() | events.RelapseFound():
            return
        case events.MessageSettled():
            return  # the notification service keeps its own account of messages
        case events.SessionConfirmed():
            same = VisitRow.session == fact.session, VisitRow.starts_at == fact.starts_at
            await fresh.change(VisitRow, *same, confirmed_at=fresh.at)
        case _:
            assert_never(fact)


async def _opened(fact: events.TaskOpened, fresh: Fresh) -> None:
    values = {
        "site": fresh.journey.site,
        "code": fact.code,
        "owner": fact.owner.value,
        "status": "requested",
        "opened_at": fresh.at,
        "opened_seq": fresh.seq,
        "due_at": fact.due_at,
        # A task opened again is open again: work must not stay hidden behind its earlier end.
        **dict.fromkeys(("overdue_at", "escalated_to", "settled_at", "settled_by", "settled_seq")),
    }
    await fresh.put(TaskRow, {"task_id": fact.task_id}, values, first={})


async def _settled(task_id: str, status: str, fresh: Fresh, reason: str = "") -> None:
    await settle_with_task(fresh.session, task_id, status, reason, fresh.at, fresh.actor.id)
    settled = {"settled_at": fresh.at, "settled_by": fresh.actor.id, "settled_seq": fresh.seq}
    still_open = TaskRow.status == "requested"
    await fresh.change(TaskRow, TaskRow.task_id == task_id, still_open, status=status, **settled)
