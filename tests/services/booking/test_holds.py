"""Does a hold lapse, a claim not, and is nothing lost whatever stops in between?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor, Role
from services.booking.errors import HoldExpired, NotFound, NotPossible, ResourceFaulty, SlotConflict
from services.booking.interface import NoticeView, Status
from services.booking.service import Bookings
from services.database import Database
from services.identifiers import new_id
from tests.services.booking.builders import NINE, NOW, SITE, a_resource, a_site, a_wish, after, booked
from tests.services.booking.conftest import Listed
from tests.services.booking.test_reserving import OVERLAPS, count


async def status_of(books: Bookings, *bookings: str) -> list[str]:
    return [(await books.booking(SITE, one)).status for one in bookings]


async def test_a_hold_is_asked_for_twice_and_held_once(books: Bookings, database: Database) -> None:
    await a_site(books)
    wish = a_wish()
    assert await books.hold(wish, NOW) == await books.hold(wish, after(minutes=1))
    assert await count(database, "SELECT count(*) FROM booking") == 1


async def test_a_hold_lapses_on_time_and_says_so_once(books: Bookings, listed: Listed) -> None:
    await a_site(books)
    held = await books.hold(a_wish(minutes=15), NOW)
    assert await books.expire_due(after(minutes=14, seconds=59)) == []
    assert [one.id for one in await books.expire_due(after(minutes=15))] == [held.id]
    assert await books.expire_due(after(minutes=16)) == []
    (notice,) = await books.open_notices(0, 10)
    assert (notice.kind, notice.booking_id) == ("hold-expired", held.id)
    assert listed.told == [("hold-expired", "owed")]
    with pytest.raises(HoldExpired):
        await books.claim(SITE, held.id, "key", after(minutes=16))


async def test_the_time_counts_even_when_nobody_swept(books: Bookings) -> None:
    await a_site(books)
    held = await books.hold(a_wish(minutes=15), NOW)
    with pytest.raises(HoldExpired):
        await books.claim(SITE, held.id, "key", after(minutes=15))
    second = await books.hold(a_wish(), after(minutes=15))
    assert await status_of(books, held.id, second.id) == ["expired", "pending"]


async def test_a_second_hold_of_a_visit_gives_the_first_one_back(books: Bookings) -> None:
    await a_site(books)
    wish = a_wish()
    first = await books.hold(wish, NOW)
    second = await books.hold(a_wish(NINE + timedelta(minutes=15), rules=wish.rules), NOW)
    assert await status_of(books, first.id, second.id) == ["released", "pending"]


async def test_what_is_claimed_is_nobody_elses_and_lapses_no_more(books: Bookings) -> None:
    await a_site(books)
    wish = a_wish()
    held = await books.hold(wish, NOW)
    await books.claim(SITE, held.id, "one", NOW)
    assert (await books.claim(SITE, held.id, "one", NOW)).status == "confirming"  # the same request again
    with pytest.raises(NotPossible):
        await books.claim(SITE, held.id, "two", NOW)
    with pytest.raises(NotPossible):
        await books.give_back(SITE, held.id, "no", NOW)
    assert await books.expire_due(after(days=1)) == []
    await books.unclaim(SITE, held.id, "two", NOW)  # not theirs to give back
    assert await status_of(books, held.id) == ["confirming"]
    await books.unclaim(SITE, held.id, "one", after(minutes=1))
    assert await status_of(books, held.id) == ["pending"]
    await books.claim(SITE, held.id, "three", after(minutes=2))
    await books.unclaim(SITE, held.id, "three", after(days=1))
    assert await status_of(books, held.id) == ["expired"]
    with pytest.raises(NotFound):
        await books.claim("site-b", held.id, "key", NOW)


async def test_a_move_leans_on_what_the_visit_has_and_stands_alone_when_that_goes(
    books: Bookings, database: Database
) -> None:
    await a_site(books)
    wish = a_wish()
    old = await booked(books, wish)
    new = await books.hold(a_wish(NINE + timedelta(minutes=30), rules=wish.rules), NOW)
    assert await count(database, OVERLAPS) == 0
    freed = await books.release(SITE, old.journey_id, 1, Status.CANCELLED, "called off", NOW)
    assert {one.id: one.status for one in freed} == {old.id: "cancelled", new.id: "released"}
    assert await count(database, "SELECT count(*) FROM reservation") == 0

    old = await booked(books, wish.model_copy(update={"id": new_id()}))
    new = await booked(books, a_wish(NINE + timedelta(minutes=30), rules=wish.rules))
    assert await status_of(books, old.id, new.id) == ["moved", "booked"]
    assert new.sequence == old.sequence + 1
    for at in (NINE, NINE + timedelta(minutes=145)):
        with pytest.raises(SlotConflict):
            await books.hold(a_wish(at), NOW)
    assert (await books.hold(a_wish(NINE + timedelta(minutes=165)), NOW)).status == "pending"


async def test_a_late_cancellation_is_recorded_as_one(books: Bookings) -> None:
    await a_site(books)
    for hours, late in ((25, False), (23, True)):
        one = await booked(books, a_wish())
        at = NINE - timedelta(hours=hours)
        (freed,) = await books.release(SITE, one.journey_id, 1, Status.CANCELLED, "called off", at)
        assert (freed.late, freed.status) == (late, "cancelled")


async def test_what_a_lapsed_hold_asks_for_is_over_when_it_is_held_again_or_somebody_saw_to_it(
    books: Bookings, listed: Listed
) -> None:
    await a_site(books)
    wish = a_wish(minutes=15)
    await books.hold(wish, NOW)
    await books.expire_due(after(minutes=15))
    await books.hold(a_wish(rules=wish.rules), after(minutes=16))
    assert listed.told == [("hold-expired", "owed"), ("hold-expired", "cancelled by system")]
    await books.expire_due(after(minutes=40))
    (notice,) = await books.open_notices(0, 10)
    somebody = Actor(id="staff-1", role=Role.COORDINATOR)
    with pytest.raises(NotFound):
        await books.handle_notice("site-b", notice.id, "not-needed", somebody, NOW)
    seen = await books.handle_notice(SITE, notice.id, "not-needed", somebody, after(minutes=41))
    again = somebody.model_copy(update={"id": "staff-2"})
    assert await books.handle_notice(SITE, notice.id, "waits-on", again, after(minutes=42)) == seen
    assert listed.told[2:] == [("hold-expired", "owed"), ("hold-expired", "not-needed by coordinator")]
    assert await books.open_notices(0, 10) == []


async def test_an_act_that_is_undone_leaves_nothing_on_the_work_list(
    books: Bookings, database: Database, listed: Listed
) -> None:
    await a_site(books)
    await books.hold(a_wish(minutes=15), NOW)

    async def fails(session: AsyncSession, notice: NoticeView) -> None:
        raise RuntimeError("the process died")

    listed.owe = fails  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await books.expire_due(after(minutes=15))
    assert await count(database, "SELECT count(*) FROM booking WHERE status = 'pending'") == 1
    assert await count(database, "SELECT count(*) FROM booking_notice") == 0


async def test_a_resource_tells_every_fault_it_has(books: Bookings) -> None:
    wrong = a_resource("x", time_zone="Nowhere/Town", roles=(Role.NURSE,), hours=())
    with pytest.raises(ResourceFaulty) as refused:
        await books.add_resource(SITE, new_id(), wrong)
    assert [one[0] for one in refused.value.faults] == ["/time_zone", "/roles"]
