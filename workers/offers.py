"""Does a patient who waits hear of the time that is offered to them?

One message for each offer, under the offer's own key, so that it leaves once however many workers look and whenever
one of them dies. Whether the offer is still open is looked at when the message leaves; it never leaves after the
offer's end. What the night holds back is tried again until then.
"""

import asyncio
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from activities.notifications import CommunicationStatus, Mail, NotificationActivities, TemplateName
from services.booking.errors import BookingError, NotFound
from services.booking.interface import BookingView, NoticeView
from services.booking.service import Bookings
from services.notifications.errors import NotificationError
from services.notifications.interface import Undelivered
from services.records.booking_facts import BookingFacts
from services.records.errors import RecordsError
from workers.message_links import OFFER

LOOK_EVERY_S = 10.0
AT_ONCE = 50

log = structlog.get_logger()


async def tell_of_offers(
    books: Bookings, facts: BookingFacts, post: NotificationActivities, now: datetime
) -> None:
    """One look at every offer that nobody was told of; one that fails does not stop the others."""
    for notice in await books.untold_offers(AT_ONCE):
        try:
            if await _is_settled(books, facts, post, notice, now):
                await books.note_told(notice.id, now)
        except (NotificationError, RecordsError, BookingError) as failure:
            log.warning("offer not told", journey_id=notice.journey_id, error_type=type(failure).__name__)


async def keep_telling(
    books: Bookings, facts: BookingFacts, post: NotificationActivities, every_s: float = LOOK_EVERY_S
) -> None:
    """Look again and again until cancelled; what fails now is tried again the next time."""
    while True:
        try:
            await tell_of_offers(books, facts, post, datetime.now(UTC))
        except SQLAlchemyError as failure:
            log.warning("offers not looked at", error_type=type(failure).__name__)
        await asyncio.sleep(every_s)


async def still_stands(books: Bookings, message: Undelivered, now: datetime) -> bool:
    """May this message that did not arrive be said again? Not of an offer that nobody can take any more."""
    if message.template is not TemplateName.VISIT_OFFERED:
        return True
    try:
        offer = await books.booking(message.site, message.key.rpartition(OFFER)[2])
    except NotFound:
        return False
    return offer.is_open_offer(now)


async def _is_settled(
    books: Bookings, facts: BookingFacts, post: NotificationActivities, notice: NoticeView, now: datetime
) -> bool:
    """Has its message left, or is it certain that none will?"""
    assert notice.booking_id is not None and notice.due_at is not None
    patient_id = await facts.patient_of(notice.journey_id)
    if patient_id is None:
        return True
    offer = await books.booking(notice.site, notice.booking_id)
    sent = await post.deliver(_mail(notice, patient_id, offer, now), true=offer.is_open_offer(now))
    return sent.status is not CommunicationStatus.ON_HOLD


def _mail(notice: NoticeView, patient_id: str, offer: BookingView, now: datetime) -> Mail:
    assert notice.due_at is not None
    return Mail(
        key=f"{notice.journey_id}/session/{notice.session}/{OFFER}{offer.id}",
        journey_id=notice.journey_id,
        site=notice.site,
        patient_id=patient_id,
        template=TemplateName.VISIT_OFFERED,
        parameters={"starts_at": notice.starts_at.isoformat(), "due_at": notice.due_at.isoformat()},
        occurred_at=now,
        not_after=notice.due_at,
    )
