"""Does everything that is reserved still belong to somebody, and is what became free offered?

Holds that lapsed are given back. Each reservation follows what the record says of its visit: called off, missed,
over, moved, or booked by a request that did not live to hear the answer. A visit that is booked without a
reservation gets one, or a task. Tasks end with their reason, or go up when they are late. What is free goes to who
waits. All of it is done again a little later, so that nothing depends on one look.
"""

import asyncio
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from clinical.booking_reconcile import Outcome, Visit
from clinical.booking_tasks import is_gone
from services.booking.errors import BookingError
from services.booking.interface import Wish
from services.booking.service import Bookings
from services.identifiers import id_from
from services.records.booking_facts import BookingFacts
from services.records.booking_tasks import BookingTasks
from services.records.errors import RecordsError

LOOK_EVERY_S = 20.0
A_PAGE = 200

log = structlog.get_logger()


async def sweep(books: Bookings, facts: BookingFacts, tasks: BookingTasks, now: datetime) -> None:
    """One look at everything."""
    await books.expire_due(now)
    await _reconcile(books, facts, now)
    await _let_go_of_notices(books, facts, now)
    for site in await books.sites():
        await tasks.go_up(site, now)
        visits = await facts.booked_ahead(site, now)
        for visit in await books.booked_without(site, visits):
            await _reserve(books, facts, site, visit, now)
    await books.offer_freed(facts.rules, now)


async def keep_sweeping(
    books: Bookings, facts: BookingFacts, tasks: BookingTasks, every_s: float = LOOK_EVERY_S
) -> None:
    """Look again and again until cancelled; what fails now is tried again the next time."""
    while True:
        try:
            await sweep(books, facts, tasks, datetime.now(UTC))
        except (SQLAlchemyError, RecordsError, BookingError) as failure:
            log.warning("bookings not looked at", error_type=type(failure).__name__)
        await asyncio.sleep(every_s)


async def _reconcile(books: Bookings, facts: BookingFacts, now: datetime) -> None:
    after = ""
    while page := await books.to_reconcile(after, A_PAGE):
        after = page[-1].id
        visits = await facts.visits({(one.journey_id, one.session) for one in page})
        for one in page:
            found = await books.reconcile(one, visits.get((one.journey_id, one.session)), now)
            if found is not Outcome.KEEP:
                log.info("booking reconciled", decision=found.value, journey_id=one.journey_id)


async def _let_go_of_notices(books: Bookings, facts: BookingFacts, now: datetime) -> None:
    """What time or the record has taken care of needs nobody any more."""
    after = 0
    while page := await books.open_notices(after, A_PAGE):
        after = page[-1].id
        visits = await facts.visits({(one.journey_id, one.session) for one in page})
        over = await facts.over({one.journey_id for one in page})
        found = [(one, visits.get((one.journey_id, one.session))) for one in page]
        gone = [
            one.id
            for one, visit in found
            if one.journey_id in over or is_gone(one.kind, one.starts_at, visit, now)
        ]
        await books.notices_gone(gone, now)


async def _reserve(books: Bookings, facts: BookingFacts, site: str, visit: Visit, now: datetime) -> None:
    """The record has this visit and nothing is reserved for it."""
    rules = await facts.rules(visit.journey_id)
    assert visit.starts_at is not None
    if rules is None:
        return
    wish = Wish(
        id=id_from("adopted", visit.journey_id, str(visit.session), visit.starts_at.isoformat()),
        rules=rules,
        session=visit.session,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        room=visit.room,
        held_by="engine",
        minutes=10,
    )
    try:
        held = await books.hold(wish, now)
        await books.settle(site, held.id, now)
    except BookingError:
        await books.announce_missing(site, visit, now)
