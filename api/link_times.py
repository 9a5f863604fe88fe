"""Which other times may a patient choose by a link, and how is one taken?

The first free time of each of the next days at which the visit may be, until `CHOICES` are found; not sooner than
the notice that the clinic asks for, and only while the visit itself is farther away than that: what is nearer is
settled by a person. A time is taken as a coordinator takes it: held with everything it needs, then booked.
"""

from datetime import UTC, datetime, time, timedelta

from api import link_acts
from api.booking_desk import BookingDesk
from api.composition import Composition
from api.link_standing import visit_of
from api.problems import Problem
from clinical.instants import later
from services.booking.errors import BookingError
from services.links.interface import Link
from services.records.views import JourneyView
from workflows.messages import Accepted

CHOICES = 5
LOOK_AHEAD = timedelta(days=28)


async def choices(here: Composition, link: Link, journey: JourneyView) -> list[datetime]:
    """Times in order; none where a person has to find one."""
    visit, now = visit_of(link, journey), datetime.now(UTC)
    protocol = await here.records.protocol(link.site, journey.protocol)
    soonest = later(now, hours=protocol.of_booking.notice_hours)
    if visit is None or visit.starts_at is None or visit.starts_at < soonest:
        return []
    if not await here.bookings.has_resources(link.site):
        return []
    course, _ = link_acts.desk_of(here, link, link_acts.key_of(link))
    desk, zone = _desk(here, link), await here.zone_of(link.site)
    found: list[datetime] = []
    begin, latest = soonest, soonest + LOOK_AHEAD
    try:
        while len(found) < CHOICES and begin < latest:
            wish = await desk.wish(course, visit.session, begin)
            slots = await here.bookings.slots(wish, latest, 1, now)
            if not slots:
                break
            at = slots[0].span.starts_at
            if at != visit.starts_at:
                found.append(at)
            next_day = at.astimezone(zone).date() + timedelta(days=1)
            begin = datetime.combine(next_day, time(), zone).astimezone(UTC)
    except (Problem, BookingError):  # on hold, or no time may be: a person is asked
        return []
    return found


async def take(here: Composition, link: Link, session: int, starts_at: datetime) -> Accepted:
    """Move the visit to that time. Raises Problem when it cannot be had (any more), Busy, Gone."""
    course, desk = link_acts.desk_of(here, link, link_acts.key_of(link))
    times = _desk(here, link)

    async def do() -> Accepted:
        try:
            # Another choice is another hold: the one before it is given back with it.
            wish = await times.wish(course, session, starts_at, key=f"{times.key}/{starts_at.isoformat()}")
            return await times.confirm(course, session, await times.hold(wish), desk)
        except BookingError as error:
            raise Problem("slot-conflict") from error

    return await link_acts.once(here, link, link_acts.TAKE, do)


def _desk(here: Composition, link: Link) -> BookingDesk:
    return BookingDesk(here, link_acts.patient_of(link), link_acts.key_of(link))
