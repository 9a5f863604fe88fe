"""What does the case of a difference in the drug books put onto the work list of its site?

From the transaction that finds it: explain it; once it is a loss, both reports. Each leaves the list with the
fact that settles it, and what is owed when the case closes is gone.
"""

from datetime import datetime
from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncSession

from clinical.custody_events import (
    CaseStarted,
    CustodyDuty,
    CustodyEntry,
    DiscrepancyClosed,
    DiscrepancyExplained,
    DutyOverdue,
    LossDeclared,
    LossReported,
    StaffPaged,
)
from clinical.people import Actor, Role
from services.records.custody_tables import DiscrepancyRow
from services.records.task_names import case_task_id, task_row_id
from services.records.task_writes import open_task, overdue_task, settle_task


async def owe_explanation(session: AsyncSession, case: DiscrepancyRow) -> None:
    """Somebody has to explain it; where no protocol says until when, at once."""
    await _owe(session, case, CustodyDuty.EXPLAIN, case.owner, case.opened_at, case.explain_by)


async def work_of_case(session: AsyncSession, case: DiscrepancyRow, entry: CustodyEntry) -> None:
    """What one fact of the case changes in the list."""
    fact, at = entry.fact, entry.occurred_at
    match fact:
        case CaseStarted() | StaffPaged():
            return
        case DutyOverdue():
            await overdue_task(session, _row_id(case, fact.duty), at, fact.escalated_to.value)
        case DiscrepancyExplained():
            await _settle(session, case, CustodyDuty.EXPLAIN, "completed", entry.actor, at)
        case LossDeclared():
            await _settle(session, case, CustodyDuty.EXPLAIN, "cancelled", entry.actor, at)
            director = Role.MEDICAL_DIRECTOR.value
            await _owe(session, case, CustodyDuty.NOTICE, director, at, fact.notice_by)
            await _owe(session, case, CustodyDuty.FORM, director, at, fact.form_by)
        case LossReported():
            await _settle(session, case, fact.duty, "completed", entry.actor, at)
        case DiscrepancyClosed():
            for duty in CustodyDuty:
                await _settle(session, case, duty, "cancelled", entry.actor, at)
        case _:
            assert_never(fact)


async def _owe(
    session: AsyncSession,
    case: DiscrepancyRow,
    duty: CustodyDuty,
    owner: str,
    opened_at: datetime,
    due_at: datetime | None,
) -> None:
    named = {"task_id": case_task_id(case.container_id, case.number, duty)}
    values = {
        "site": case.site,
        "code": duty.value,
        "owner": owner,
        "opened_at": opened_at,
        "due_at": due_at or opened_at,
    }
    await open_task(session, _row_id(case, duty), named, values)


async def _settle(
    session: AsyncSession, case: DiscrepancyRow, duty: CustodyDuty, status: str, by: Actor, at: datetime
) -> None:
    await settle_task(session, _row_id(case, duty), status, by, settled_at=at)


def _row_id(case: DiscrepancyRow, duty: CustodyDuty) -> str:
    return task_row_id(case.site, None, case_task_id(case.container_id, case.number, duty))
