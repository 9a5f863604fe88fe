"""How does a patient take, or leave, the time that is offered to them by a link?

Taken as a coordinator takes it: the hold becomes the visit's booking. Whoever comes too late hears that it is gone;
it goes to the next who waits.
"""

from collections.abc import Awaitable, Callable

from api import link_acts
from api.booking_desk import BookingDesk, now
from api.composition import Composition
from api.link_door import OfferGone
from api.link_standing import ACCEPT
from api.problems import Problem
from services.booking.errors import HoldExpired, NotPossible
from services.booking.interface import BookingView
from services.links.interface import Link

LATE = "hold-expired"


async def accept(here: Composition, link: Link, offer: BookingView) -> None:
    """The time becomes the visit's. Raises OfferGone, Problem, Busy, Gone."""
    course, desk = link_acts.desk_of(here, link, link_acts.key_of(link))
    times = _times(here, link)
    await _answer(here, link, ACCEPT, times, lambda: times.confirm(course, offer.session, offer, desk))


async def decline(here: Composition, link: Link, offer: BookingView) -> None:
    """Not this time: the patient waits on. Raises OfferGone, Busy, Gone."""
    times, why = _times(here, link), "the offer was declined"
    await _answer(
        here, link, link_acts.DECLINE, times, lambda: times.books.give_back(link.site, offer.id, why, now())
    )
    await times.give_away(link.site)


async def _answer(
    here: Composition, link: Link, act: str, times: BookingDesk, do: Callable[[], Awaitable[object]]
) -> None:
    async def in_time() -> None:
        try:
            await do()
        except (HoldExpired, NotPossible) as late:
            raise Problem(LATE) from late

    try:
        await link_acts.once(here, link, act, in_time)
    except Problem as problem:
        if problem.code != LATE:
            raise
        await times.give_away(link.site)
        raise OfferGone from problem


def _times(here: Composition, link: Link) -> BookingDesk:
    return BookingDesk(here, link_acts.patient_of(link), link_acts.key_of(link))
