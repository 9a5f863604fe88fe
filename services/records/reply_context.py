"""What was said before, and which visit could a reply be about? Reads inside the caller's transaction."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.replies import Answer, Visit
from services.records.inbox_tables import InboundMessageRow
from services.records.inbox_views import AskedAbout
from services.records.message_cases import inbox_rules
from services.records.tables import JourneyRow, VisitRow


async def recent(
    session: AsyncSession,
    site: str,
    course: JourneyRow | None,
    last: InboundMessageRow | None,
    row: InboundMessageRow,
) -> bool:
    """Is the message before so near that this one goes on with it? By the protocol; without one a person decides."""
    if last is None:
        return False
    rules = await inbox_rules(session, site, course.id if course else None)
    return rules is None or row.received_at - last.received_at < timedelta(hours=rules.asked_again_hours)


def asked_about(asked: AskedAbout | None, last: InboundMessageRow | None) -> datetime | None:
    """The visit that was spoken of last: in our message, or in our answer that named another time."""
    told = last is not None and last.answer == Answer.OTHER_TIME and last.answer_at is not None
    if told and last is not None and (asked is None or last.received_at > asked.sent_at):
        return last.answer_at
    return asked.starts_at if asked else None


async def last_of(session: AsyncSession, sender: str) -> InboundMessageRow | None:
    return (
        await session.scalars(
            select(InboundMessageRow)
            .where(InboundMessageRow.sender_index == sender)
            .order_by(InboundMessageRow.received_at.desc(), InboundMessageRow.id.desc())
            .limit(1)
        )
    ).one_or_none()


async def next_visit(session: AsyncSession, course: JourneyRow | None, now: datetime) -> Visit | None:
    if course is None:
        return None
    row = (
        await session.scalars(
            select(VisitRow)
            .where(
                VisitRow.journey_id == course.id,
                VisitRow.booking_status == "booked",
                VisitRow.closed_at.is_(None),
                VisitRow.starts_at > now,
            )
            .order_by(VisitRow.starts_at)
            .limit(1)
        )
    ).one_or_none()
    return Visit(session=row.session, starts_at=row.starts_at) if row is not None and row.starts_at else None


async def had_visits(session: AsyncSession, patient_id: str, now: datetime) -> bool:
    counted = (
        select(func.count())
        .select_from(VisitRow)
        .join(JourneyRow, JourneyRow.id == VisitRow.journey_id)
        .where(JourneyRow.patient_id == patient_id, VisitRow.starts_at <= now)
    )
    return bool(await session.scalar(counted))
