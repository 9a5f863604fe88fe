"""What do tasks, follow-up, messages and replies change? Tasks have a read model, a confirmed visit is marked: the
rest is read from the record.
"""

from typing import assert_never

from clinical import events
from services.records.fact_groups import WorkFact
from services.records.fresh import Fresh
from services.records.message_cases import settle_with_task
from services.records.tables import VisitRow
from services.records.task_names import task_row_id
from services.records.task_writes import open_task, overdue_task, settle_task


async def project_work(fact: WorkFact, fresh: Fresh) -> None:
    match fact:
        case events.TaskOpened():
            await _opened(fact, fresh)
        case events.TaskOverdue():
            row_id = _row_id(fact.task_id, fresh)
            await overdue_task(fresh.session, row_id, fresh.at, fact.escalated_to.value)
        case events.TaskDone():
            await _settled(fact.task_id, "completed", fresh)
        case events.TaskCancelled():
            await _settled(fact.task_id, "cancelled", fresh, fact.reason)
        case events.FollowUpMeasured() | events.FollowUpMissed() | events.RelapseFound():
            return
        case events.MoveAsked():
            return  # the task that it opens shows it
        case events.MessageSettled():
            return  # the notification service keeps its own account of messages
        case events.SessionConfirmed():
            same = VisitRow.session == fact.session, VisitRow.starts_at == fact.starts_at
            await fresh.change(VisitRow, *same, confirmed_at=fresh.at)
        case _:
            assert_never(fact)


async def _opened(fact: events.TaskOpened, fresh: Fresh) -> None:
    named = {"journey_id": fresh.journey.id, "task_id": fact.task_id}
    values = {
        "site": fresh.journey.site,
        "code": fact.code,
        "owner": fact.owner.value,
        "opened_at": fresh.at,
        "opened_seq": fresh.seq,
        "due_at": fact.due_at,
    }
    await open_task(fresh.session, _row_id(fact.task_id, fresh), named, values)


async def _settled(task_id: str, status: str, fresh: Fresh, reason: str = "") -> None:
    await settle_with_task(fresh.session, task_id, status, reason, fresh.at, fresh.actor.id)
    settled = {"settled_at": fresh.at, "settled_seq": fresh.seq}
    await settle_task(fresh.session, _row_id(task_id, fresh), status, fresh.actor, **settled)


def _row_id(task_id: str, fresh: Fresh) -> str:
    return task_row_id(fresh.journey.site, fresh.journey.id, task_id)
