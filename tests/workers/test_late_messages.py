"""Does somebody above hear of a patient's message that waits too long, once, and of no other?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from clinical.events import TaskDone, TaskOpened, TaskOverdue
from clinical.people import Role
from services.encryption import FieldCipher, KeyRing
from services.records.late_messages import LateMessages
from services.records.ledger import Ledger
from services.records.message_cases import CaseKind, NewCase
from services.records.replies import write_case
from services.records.tables import JourneyRow
from services.records.task_tables import TaskRow
from tests.services.booking.builders import SITE
from tests.services.records.builders import add
from tests.workers.test_bookings import Desk, desk

__all__ = ["desk"]  # a fixture
NOW = datetime(2026, 6, 2, 9, tzinfo=UTC)
EVENING = NOW + timedelta(hours=12)


CIPHER = FieldCipher(KeyRing({"one": bytes(range(32))}, "one"), bytes(32))


@pytest.fixture
def late(desk: Desk) -> LateMessages:
    return LateMessages(desk.database, CIPHER)


async def a_message(desk: Desk, journey_id: str) -> None:
    async with desk.database.transaction() as session:
        journey = await session.get_one(JourneyRow, journey_id)
        new = NewCase(CaseKind.REPLY_UNCLEAR, SITE, journey.patient_id, journey_id)
        await write_case(session, Ledger(CIPHER), new, NOW)


async def overdue(desk: Desk, journey_id: str) -> list[TaskOverdue]:
    told = await desk.records.entries(journey_id)
    return [entry.fact for entry in told if isinstance(entry.fact, TaskOverdue)]


async def test_what_nobody_answers_in_time_goes_up_once(desk: Desk, late: LateMessages) -> None:
    journey_id = await desk.course()
    await a_message(desk, journey_id)
    assert await late.go_up(NOW + timedelta(hours=1)) == 0
    assert [await late.go_up(EVENING), await late.go_up(EVENING + timedelta(days=1))] == [1, 0]
    [fact] = await overdue(desk, journey_id)
    assert fact.escalated_to is Role.MEDICAL_DIRECTOR
    async with desk.database.transaction() as session:
        [task] = (await session.scalars(select(TaskRow).where(TaskRow.journey_id == journey_id))).all()
        assert (task.escalated_to, task.overdue_at, task.status) == ("medical-director", EVENING, "requested")


async def test_what_was_answered_in_time_and_what_workflows_watch_stays(
    desk: Desk, late: LateMessages
) -> None:
    journey_id = await desk.course()
    await a_message(desk, journey_id)
    async with desk.database.reading() as session:
        name = await session.scalar(select(TaskRow.task_id).where(TaskRow.journey_id == journey_id))
    assert name is not None
    await add(desk.records, journey_id, TaskDone(task_id=name))
    watched = TaskOpened(
        task_id="journey/review/1",
        code="review",
        owner=Role.COORDINATOR,
        due_at=NOW,
        reason="the workflow's own",
    )
    await add(desk.records, journey_id, watched)
    assert (await late.go_up(EVENING), await overdue(desk, journey_id)) == (0, [])
