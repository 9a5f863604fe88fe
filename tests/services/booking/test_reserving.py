"""Is everything reserved or nothing, no place twice, and does a conflict say all there is to say?"""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from clinical.booking import Part, Span
from clinical.booking_match import Obstacle
from clinical.people import Role
from clinical.schedule import PastDose
from services.booking.errors import HoldExpired, NotPossible, SlotConflict
from services.booking.interface import BookingView
from services.booking.service import Bookings
from services.database import Database
from services.identifiers import new_id
from tests.services.booking.builders import (
    NINE,
    NOW,
    SITE,
    a_resource,
    a_site,
    a_wish,
    after,
    booked,
    rules,
    somebody,
)

OVERLAPS = """
    SELECT count(*) FROM reservation a JOIN reservation b
      ON a.id < b.id AND a.resource = b.resource AND a.place = b.place AND a.span && b.span
"""


async def count(database: Database, statement: str) -> int:
    async with database.reading() as session:
        return int(await session.scalar(text(statement)) or 0)


async def test_each_part_of_a_visit_has_its_own_window(books: Bookings) -> None:
    await a_site(books, after_minutes=15)
    held = await books.hold(a_wish(), NOW)
    minutes = {
        one.part: tuple((at - NINE) / timedelta(minutes=1) for at in (one.starts_at, one.ends_at))
        for one in held.parts
    }
    assert minutes == {  # 30 to arrive, 100 until nobody may go before, 60 of talk after 40 of infusion
        "place": (0, 145),
        "monitor": (30, 145),
        "prescriber": (30, 145),
        "therapist": (70, 145),
    }
    assert (held.status, held.expires_at) == ("pending", after(minutes=15))


async def test_fifty_who_want_one_room_at_once_and_one_gets_it(books: Bookings, database: Database) -> None:
    await a_site(books, rooms=1, serving=60)
    tries = await asyncio.gather(*(books.hold(a_wish(), NOW) for _ in range(50)), return_exceptions=True)
    won = [one for one in tries if isinstance(one, BookingView)]
    lost = [one for one in tries if isinstance(one, SlotConflict)]
    assert (len(won), len(lost)) == (1, 49)
    for conflict in lost:
        assert [(one.part, one.bookings) for one in conflict.clashes] == [(Part.PLACE, (won[0].id,))]
    assert await count(database, "SELECT count(*) FROM reservation") == 4


async def test_a_storm_of_random_wishes_never_overlaps(books: Bookings, database: Database) -> None:
    await a_site(books, rooms=3, people=4, before_minutes=5, after_minutes=10)
    dice = random.Random(7)

    async def somebody_acts() -> None:
        journey_id = f"journey/{SITE}/{new_id()}"
        for _ in range(3):
            at = NINE + timedelta(minutes=15 * dice.randrange(24))
            wish = a_wish(at, rules=rules(journey_id), minutes=dice.choice((0.5, 60)))
            now = NOW + timedelta(minutes=dice.random())
            try:
                held = await books.hold(wish, now)
                if dice.random() < 0.7:
                    await books.claim(SITE, held.id, held.id, now)
                    await books.settle(SITE, held.id, now)
            except (SlotConflict, NotPossible, HoldExpired):
                continue

    await asyncio.gather(*(somebody_acts() for _ in range(16)))
    assert await count(database, OVERLAPS) == 0
    booked_ones = "SELECT count(*) FROM booking WHERE status = 'booked'"
    assert await count(database, booked_ones) >= 2
    whole = """
        SELECT count(*) FROM booking b WHERE status = 'booked'
          AND (SELECT count(*) FROM reservation r WHERE r.booking_id = b.id) <> 4
    """
    assert await count(database, whole) == 0


async def test_the_database_itself_refuses_a_place_twice(books: Bookings, database: Database) -> None:
    await a_site(books)
    held = await books.hold(a_wish(), NOW)
    again = """
        INSERT INTO reservation (booking_id, resource, place, span)
        SELECT booking_id, resource, place, span FROM reservation WHERE booking_id = :id LIMIT 1
    """
    with pytest.raises(IntegrityError, match="ex_reservation_place"):
        async with database.transaction() as session:
            await session.execute(text(again), {"id": held.id})


async def test_every_clash_is_told_at_once_with_its_owner_and_the_nearest_times(books: Bookings) -> None:
    await a_site(books)
    first = await books.hold(a_wish(), NOW)
    with pytest.raises(SlotConflict) as refused:
        await books.hold(a_wish(NINE + timedelta(minutes=60)), NOW)
    found = {(one.part, one.obstacle, one.bookings) for one in refused.value.clashes}
    assert found == {(part, Obstacle.TAKEN, (first.id,)) for part in Part if part is not Part.THERAPIST}
    nearest = [(slot.span.starts_at - NINE) / timedelta(minutes=1) for slot in refused.value.alternatives]
    # The therapist is free by then: nothing is said of them. Before nine there is no time for a whole visit.
    assert nearest == [135, 150, 165]
    for slot in refused.value.alternatives:
        again = await books.hold(a_wish(slot.span.starts_at), NOW)
        await books.give_back(SITE, again.id, "tried", NOW)


async def test_nothing_is_kept_of_what_cannot_be_had_whole(books: Bookings, database: Database) -> None:
    site = await a_site(books)
    nurse = site["nurse-1"]
    gone = nurse.model_dump(exclude={"id", "site", "version"}) | {"active": False}
    await books.change_resource(SITE, nurse.id, 1, type(a_resource("x")).model_validate(gone))
    with pytest.raises(SlotConflict) as refused:
        await books.hold(a_wish(), NOW)
    assert [(one.part, one.obstacle) for one in refused.value.clashes] == [(Part.MONITOR, Obstacle.NOBODY)]
    assert refused.value.alternatives == ()
    assert await count(database, "SELECT count(*) FROM reservation") == 0


async def test_a_prescriber_on_site_serves_as_many_visits_as_their_capacity(books: Bookings) -> None:
    await a_site(books, rooms=3, people=3)
    for n in (2, 3):
        one = (await books.resources(SITE))[n]
        assert one.code == f"nurse-{n + 1}" or one.roles
    names = {one.code: one for one in await books.resources(SITE)}
    for code in ("prescriber-2", "prescriber-3"):
        content = names[code].model_dump(exclude={"id", "site", "version"}) | {"active": False}
        await books.change_resource(SITE, names[code].id, 1, type(a_resource("x")).model_validate(content))
    only = names["prescriber-1"]
    content = only.model_dump(exclude={"id", "site", "version"}) | {"capacity": 2}
    await books.change_resource(SITE, only.id, 1, type(a_resource("x")).model_validate(content))
    both = [await books.hold(a_wish(), NOW) for _ in range(2)]
    places = [part.place for one in both for part in one.parts if part.part == "prescriber"]
    assert places == [1, 2]
    with pytest.raises(SlotConflict) as refused:
        await books.hold(a_wish(), NOW)
    assert {one.part for one in refused.value.clashes} == {Part.PRESCRIBER}


async def test_one_person_is_not_two(books: Bookings) -> None:
    await books.add_resource(SITE, new_id(), a_resource("room-1"))
    await books.add_resource(SITE, new_id(), somebody("both", Role.NURSE, Role.THERAPIST))
    await books.add_resource(SITE, new_id(), somebody("doctor", Role.PRESCRIBER))
    with pytest.raises(SlotConflict) as refused:
        await books.hold(a_wish(), NOW)
    assert {(one.part, one.obstacle) for one in refused.value.clashes} == {
        (Part.MONITOR, Obstacle.NEEDED_TWICE),
        (Part.THERAPIST, Obstacle.NEEDED_TWICE),
    }
    await books.add_resource(SITE, new_id(), somebody("second", Role.NURSE))
    assert (await books.hold(a_wish(), NOW)).status == "pending"


async def test_who_and_what_may_be_named(books: Bookings) -> None:
    await a_site(books, rooms=2, people=2)
    held = await books.hold(a_wish(room="room-2", people={"therapist": "therapist-2"}), NOW)
    assert {one.part: one.resource for one in held.parts} == {
        "place": "room-2",
        "monitor": "nurse-1",
        "prescriber": "prescriber-1",
        "therapist": "therapist-2",
    }
    with pytest.raises(SlotConflict) as refused:
        await books.hold(a_wish(room="room-9"), NOW)
    assert [one.obstacle for one in refused.value.clashes] == [Obstacle.UNKNOWN]
    assert len(refused.value.alternatives) == 3  # in a room that there is


async def test_nobody_is_booked_outside_their_hours_in_an_absence_or_on_a_closed_day(books: Bookings) -> None:
    site = await a_site(books)
    with pytest.raises(SlotConflict) as refused:
        await books.hold(a_wish(NINE + timedelta(hours=8)), NOW)  # 17:00, and the doors close at 18:00
    assert {one.obstacle for one in refused.value.clashes} == {Obstacle.NOT_AT_WORK}
    noon = Span(starts_at=NINE + timedelta(hours=1), ends_at=NINE + timedelta(hours=2))
    absence = await books.add_absence(SITE, site["nurse-1"].id, new_id(), noon, "training")
    with pytest.raises(SlotConflict) as refused:
        await books.hold(a_wish(), NOW)
    assert [(one.part, one.resource) for one in refused.value.clashes] == [(Part.MONITOR, "nurse-1")]
    await books.end_absence(SITE, site["nurse-1"].id, absence.id)
    with pytest.raises(SlotConflict) as refused:
        await books.hold(a_wish(rules=rules().model_copy(update={"closed_days": (NINE.date(),)})), NOW)
    assert [one.obstacle for one in refused.value.clashes] == [Obstacle.CLOSED]
    assert NINE.date() not in {slot.span.starts_at.date() for slot in refused.value.alternatives}
    assert (await books.hold(a_wish(), NOW)).status == "pending"


async def test_proposals_satisfy_intervals_people_and_hours_and_can_be_held(books: Bookings) -> None:
    await a_site(books)
    await booked(books, a_wish(NINE))
    last = PastDose(session=1, given_at=NOW - timedelta(hours=20), dose_mg=35)
    course = rules(doses=(last,))
    found = await books.slots(a_wish(NOW, rules=course, session=2), after(days=28), 5, NOW)
    assert len(found) == 5
    for slot in found:
        assert not course.refusals(slot.span.starts_at)
        assert slot.span.starts_at >= NOW + timedelta(hours=20)
    starts = [slot.span.starts_at for slot in found]
    assert starts == sorted(starts)
    assert starts[0] == NINE + timedelta(minutes=135)  # after the visit that is there
    held = await books.hold(a_wish(starts[0], rules=course, session=2), NOW)
    assert held.starts_at == starts[0]
    assert await books.slots(a_wish(NOW, rules=course), after(hours=1), 5, NOW) == []
