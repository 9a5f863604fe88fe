"""Does a course wait while the clinic is closed: nobody is called on a holiday for what only the calendar waits for?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from clinical.people import Role
from clinical.working_time import working_due
from services.database import Database
from services.records.closed_days import ClosedDays
from tests.workflows.clinic import Clinic
from tests.workflows.walk import SITE, Walk


@pytest.fixture
async def calendar(clinic: Clinic) -> AsyncIterator[ClosedDays]:
    database = Database(clinic.database_url)
    yield ClosedDays(database)
    await database.dispose()


async def test_an_overdue_notice_and_later_due_times_wait_for_the_clinic_to_open(
    walk: Callable[..., Walk], calendar: ClosedDays
) -> None:
    patient = walk()
    book = patient.protocol.consultation.book
    day = (datetime.now(UTC) + timedelta(hours=book.due_hours)).date()
    await calendar.add(SITE, [day, day + timedelta(days=1)], "Holiday", "UTC", "staff-1")
    closed = await calendar.ahead(SITE, datetime.now(UTC))
    await patient.start()
    (opened,) = await patient.facts("task.opened")
    begun = opened.due_at - timedelta(hours=book.due_hours)  # the first task cannot know the days yet
    paused = working_due(begun, book.due_hours, closed)
    assert paused >= opened.due_at + timedelta(hours=24)
    await patient.forward(hours=book.due_hours + 1)
    assert await patient.overdue("book-consultation") == []
    await patient.forward_to(paused - timedelta(minutes=5))
    assert await patient.overdue("book-consultation") == []
    await patient.forward_to(paused + timedelta(hours=1))
    await patient.until_written("task.overdue")
    assert await patient.overdue("book-consultation") == [Role.MEDICAL_DIRECTOR]


async def test_a_day_that_is_closed_meanwhile_counts_from_the_next_write_on(
    walk: Callable[..., Walk], calendar: ClosedDays
) -> None:
    patient = walk()
    later = (datetime.now(UTC) + timedelta(days=1)).date()
    days = [later + timedelta(days=number) for number in range(20)]
    await calendar.add(SITE, days, "Storm", "UTC", "staff-1")
    await patient.to_consultation()
    opened = {fact.code: fact.due_at for fact in await patient.facts("task.opened")}
    end = datetime.combine(days[-1] + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    assert opened["record-consultation"] >= end
