"""Does every reservation follow the record, whatever stopped in between, and does what is free go to who waits?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from clinical import events
from clinical.journey import Move, Stage
from services.booking.interface import WaitingView
from services.booking.service import Bookings
from services.booking.tables import BookingRow
from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.identifiers import new_id
from services.records.booking_facts import BookingFacts
from services.records.booking_tasks import BookingTasks
from services.records.interface import Batch
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords
from services.records.task_queries import TaskFilter
from tests.services.booking.builders import NINE, NOW, PROTOCOL, SITE, a_site, a_wish, after, booked
from tests.services.records.builders import a_patient, a_start, add, an_entry
from tests.services.records.facts import a_dose
from workers.bookings import sweep

NOON = NINE + timedelta(hours=3)


class Desk:
    """The books, the record, and both doors' way to look at it."""

    def __init__(self, database: Database) -> None:
        cipher = FieldCipher(KeyRing({"one": bytes(range(32))}, "one"), bytes(32))
        self.cipher = cipher
        self.records = SqlRecords(database, cipher)
        self.tasks = BookingTasks(database)
        self.books = Bookings(database, self.tasks)
        self.queries = RecordQueries(database, cipher)
        self.facts = BookingFacts(database)
        self.database = database

    async def course(self) -> str:
        await self.records.publish_protocol(PROTOCOL, SITE)
        patient = a_patient(patient_id=new_id())
        await self.records.add_patient(patient)
        journey_id = f"journey/{SITE}/{new_id()}"
        start = a_start(patient.patient_id).model_copy(
            update={"protocol": PROTOCOL.canonical, "protocol_hash": PROTOCOL.content_hash}
        )
        await self.records.append(Batch(journey_id=journey_id, entries=(an_entry("start", start),)))
        return journey_id

    async def wish(self, journey_id: str, **given: Any) -> Any:
        rules = await self.facts.rules(journey_id)
        assert rules is not None
        return a_wish(given.pop("starts_at", NINE), rules=rules, **given)

    async def told(self, journey_id: str, at: Any = NINE, room: str = "room-1") -> None:
        """The workflow has booked the visit."""
        fact = events.SessionBooked(
            session=1, starts_at=at, ends_at=at + timedelta(minutes=130), room=room, moved_from=None
        )
        await add(self.records, journey_id, fact)

    async def sweep(self, **later: float) -> None:
        await sweep(self.books, self.facts, self.tasks, after(**later))

    async def status(self, booking_id: str) -> str:
        return (await self.books.booking(SITE, booking_id)).status

    async def kinds(self) -> list[str]:
        return [one.kind for one in await self.books.open_notices(0, 10)]

    async def list(self, status: str = "requested") -> list[Any]:
        """What booking has on the work list."""
        return await self.queries.tasks([SITE], TaskFilter(status=status))


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    database = Database(database_url)
    found = Desk(database)
    await a_site(found.books)
    yield found
    await database.dispose()


async def test_a_request_that_died_before_the_workflow_was_asked_holds_nothing_for_ever(desk: Desk) -> None:
    held = await desk.books.hold(await desk.wish(await desk.course()), NOW)
    await desk.books.claim(SITE, held.id, "key", NOW)
    await desk.sweep(minutes=9)
    assert await desk.status(held.id) == "confirming"
    await desk.sweep(minutes=11)
    assert (await desk.status(held.id), await desk.kinds()) == ("expired", ["not-confirmed"])
    (task,) = await desk.list()
    assert (task.code, task.owner, task.priority) == ("finish-booking", "coordinator", "urgent")
    assert task.due_at == after(hours=4, minutes=11)
    await desk.sweep(hours=5)
    (late,) = await desk.list()
    assert (late.escalated_to, late.priority) == ("medical-director", "asap")
    assert (await desk.books.hold(a_wish(), after(minutes=11))).status == "pending"


async def test_a_request_that_died_after_the_workflow_answered_is_finished(desk: Desk) -> None:
    journey_id = await desk.course()
    held = await desk.books.hold(await desk.wish(journey_id), NOW)
    await desk.books.claim(SITE, held.id, "key", NOW)
    await desk.told(journey_id)
    await desk.sweep(seconds=1)
    assert await desk.status(held.id) == "booked"
    await desk.sweep(days=1, hours=2)
    assert (await desk.status(held.id), await desk.kinds()) == ("booked", [])


@pytest.mark.parametrize(
    ("ended", "status"), [("cancelled", "cancelled"), ("noshow", "noshow"), ("finished", "fulfilled")]
)
async def test_a_visit_that_is_over_needs_no_room(desk: Desk, ended: Any, status: str) -> None:
    journey_id = await desk.course()
    one = await booked(desk.books, await desk.wish(journey_id))
    await desk.told(journey_id)
    await desk.sweep(minutes=1)
    assert await desk.status(one.id) == "booked"
    await add(desk.records, journey_id, events.SessionClosed(session=1, status=ended, reason="so it was"))
    await desk.sweep(minutes=2)
    assert await desk.status(one.id) == status
    assert (await desk.books.hold(a_wish(), after(minutes=2))).status == "pending"


@pytest.mark.parametrize("leaves", [True, False])
async def test_who_withdraws_on_the_day_before_has_not_called_off_late(desk: Desk, leaves: bool) -> None:
    journey_id = await desk.course()
    one = await booked(desk.books, await desk.wish(journey_id))
    await desk.told(journey_id)
    if leaves:
        gone = events.StageChanged(
            left=Stage.TREATING, entered=Stage.WITHDRAWN, move=Move.WITHDRAW, reason="withdrew"
        )
        await add(desk.records, journey_id, gone)
    await add(desk.records, journey_id, events.SessionClosed(session=1, status="cancelled", reason="no"))
    await desk.sweep(hours=2)
    view = await desk.books.booking(SITE, one.id)
    assert (view.status, view.late) == ("cancelled", not leaves)
    assert await desk.list() == []


async def test_a_visit_that_moved_without_the_books_is_followed(desk: Desk) -> None:
    journey_id = await desk.course()
    one = await booked(desk.books, await desk.wish(journey_id))
    await desk.told(journey_id, at=NOON)
    await desk.sweep(minutes=1)
    assert await desk.status(one.id) == "moved"
    (new,) = [view for view in await desk.books.of_session(journey_id, 1) if view.status == "booked"]
    assert (new.starts_at, new.room) == (NOON, "room-1")


async def test_a_visit_without_a_reservation_gets_one_or_is_told_of_once(desk: Desk) -> None:
    first, second = await desk.course(), await desk.course()
    await desk.told(first)
    await desk.sweep()
    assert [one.status for one in await desk.books.of_session(first, 1)] == ["booked"]
    await desk.told(second)
    await desk.sweep(minutes=1)
    await desk.sweep(minutes=2)
    assert (await desk.books.of_session(second, 1), await desk.kinds()) == ([], ["without-reservation"])
    (task,) = await desk.list()
    assert (task.code, task.journey_id) == ("reserve-visit", second)
    await desk.told(second, at=NOON, room="room-1")
    await desk.sweep(minutes=3)  # it moved to where there is room
    assert ([one.status for one in await desk.list("cancelled")], await desk.list()) == (["cancelled"], [])


async def test_a_task_goes_with_its_course_and_with_its_time(desk: Desk) -> None:
    ended, waits = await desk.course(), await desk.course()
    for journey_id, at in ((ended, NINE), (waits, NOON)):
        await desk.books.hold(await desk.wish(journey_id, starts_at=at), NOW)
    await desk.sweep(minutes=20)
    assert {task.code for task in await desk.list()} == {"finish-booking"}
    gone = events.StageChanged(
        left=Stage.TREATING, entered=Stage.WITHDRAWN, move=Move.WITHDRAW, reason="withdrew"
    )
    await add(desk.records, ended, gone)
    await desk.sweep(minutes=21)
    assert [task.journey_id for task in await desk.list()] == [waits]
    await desk.sweep(hours=29)
    assert await desk.list() == []


async def test_what_became_free_is_offered_to_who_waits_and_may_come(desk: Desk) -> None:
    leaving, too_soon, fits = [await desk.course() for _ in range(3)]
    dose = a_dose(at=NINE - timedelta(hours=30))
    await add(desk.records, too_soon, dose, at=NINE - timedelta(hours=30))
    one = await booked(desk.books, await desk.wish(leaving))
    await desk.told(leaving)
    for number, journey_id in enumerate((too_soon, fits)):
        waiting = WaitingView(
            id=new_id(),
            site=SITE,
            journey_id=journey_id,
            session=1,
            status="waiting",
            added_at=after(minutes=number),
            from_at=None,
            until_at=None,
            booking_id=None,
            offers=0,
        )
        await desk.books.join(waiting)
    await add(desk.records, leaving, events.SessionClosed(session=1, status="cancelled", reason="flu"))
    await desk.sweep(minutes=5)
    line = {one.journey_id: one.status for one in await desk.books.in_line(SITE)}
    assert line == {too_soon: "waiting", fits: "offered"}
    (offer,) = await desk.books.of_session(fits, 1)
    assert (offer.starts_at, offer.status) == (one.starts_at, "pending")
    await desk.sweep(minutes=70)  # nobody answered
    assert await desk.status(offer.id) == "expired"
    assert "offer-lapsed" in await desk.kinds()
    await desk.sweep(minutes=71)
    assert len(await desk.books.of_session(fits, 1)) == 1  # nobody is asked twice about the same time


async def test_a_booking_that_changed_while_one_looked_is_left_alone(desk: Desk) -> None:
    journey_id = await desk.course()
    one = await booked(desk.books, await desk.wish(journey_id))
    async with desk.database.transaction() as session:
        await session.execute(update(BookingRow).values(status="cancelled"))
    found = await desk.books.reconcile(one, None, NOW)
    assert (found.value, await desk.status(one.id)) == ("keep", "cancelled")
