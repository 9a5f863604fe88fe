"""What does the record say to those who book? When a course may have its next visit, and how its visits stand."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, select, tuple_

from clinical.booking import CourseRules
from clinical.booking_reconcile import Visit
from clinical.journey import FINAL
from clinical.schedule import PastDose
from services.database import Database
from services.records.availability import Sessions
from services.records.errors import NotFound
from services.records.published import published_protocol
from services.records.tables import DoseRow, JourneyRow, PlanRow, VisitRow
from services.records.task_tables import ClosedDayRow


class BookingFacts:
    """Reads only. Errors are those of `services.records.errors`."""

    def __init__(self, database: Database) -> None:
        self._sessions = Sessions(database)

    async def rules(self, journey_id: str) -> CourseRules | None:
        """What decides about the times of this course; None when there is none."""
        async with self._sessions.reading() as session:
            journey = await session.scalar(select(JourneyRow).where(JourneyRow.id == journey_id))
            if journey is None:
                return None
            try:
                protocol = await published_protocol(session, journey.site, journey.protocol)
            except NotFound:
                return None
            doses = await session.scalars(select(DoseRow).where(DoseRow.journey_id == journey_id))
            phase = await session.scalar(
                select(PlanRow.phase)
                .where(PlanRow.journey_id == journey_id, PlanRow.status == "active")
                .order_by(PlanRow.version.desc())
                .limit(1)
            )
            closed = (
                select(ClosedDayRow.day).where(ClosedDayRow.site == journey.site).order_by(ClosedDayRow.day)
            )
            return CourseRules(
                journey_id=journey_id,
                site=journey.site,
                time_zone=journey.time_zone,
                protocol=protocol,
                phase=phase,
                doses=tuple(_past(dose) for dose in doses),
                open=journey.closed_at is None and not journey.on_hold and journey.stage not in FINAL,
                closed_days=tuple(await session.scalars(closed)),
            )

    async def visits(self, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Visit]:
        """How these visits stand, by journey and number; one that is not in the record is left out."""
        named = tuple_(VisitRow.journey_id, VisitRow.session).in_(list(wanted))
        found = await self._visits(_JOINED.where(named)) if wanted else []
        return {(visit.journey_id, visit.session): visit for visit in found}

    async def over(self, journeys: Collection[str]) -> set[str]:
        """Which of these courses have ended?"""
        ended = JourneyRow.closed_at.is_not(None) | JourneyRow.stage.in_([stage.value for stage in FINAL])
        statement = select(JourneyRow.id).where(JourneyRow.id.in_(list(journeys)), ended)
        async with self._sessions.reading() as session:
            return set(await session.scalars(statement))

    async def patient_of(self, journey_id: str) -> str | None:
        """Whose course is it?"""
        async with self._sessions.reading() as session:
            found: str | None = await session.scalar(
                select(JourneyRow.patient_id).where(JourneyRow.id == journey_id)
            )
            return found

    async def booked_ahead(self, site: str, now: datetime, limit: int = 500) -> list[Visit]:
        """Visits of a site that are booked and still to come."""
        return await self._visits(
            _JOINED.where(
                VisitRow.site == site,
                VisitRow.starts_at > now,
                VisitRow.booking_status == "booked",
                VisitRow.closed_at.is_(None),
            )
            .order_by(VisitRow.starts_at)
            .limit(limit)
        )

    async def _visits(self, statement: Select[VisitRow, JourneyRow]) -> list[Visit]:
        async with self._sessions.reading() as session:
            return [_visit(visit, journey) for visit, journey in await session.execute(statement)]


_JOINED = select(VisitRow, JourneyRow).join(JourneyRow, JourneyRow.id == VisitRow.journey_id)


def _past(dose: DoseRow) -> PastDose:
    return PastDose(
        session=dose.session, given_at=dose.given_at, dose_mg=dose.dose_mg, mg_per_kg=dose.mg_per_kg
    )


def _visit(visit: VisitRow, journey: JourneyRow) -> Visit:
    return Visit(
        journey_id=visit.journey_id,
        session=visit.session,
        booking_status=visit.booking_status,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        room=visit.room,
        gone_home=visit.discharged_at is not None,
        over=visit.closed_at is not None or journey.closed_at is not None,
        left=journey.closed_at is not None or journey.stage in FINAL,
    )
