"""Who is at a site today: in the chair since when, read when next, expected, gone home? From SQL only.

Whoever is here is found by a partial index of those who are; the day by its instants on the wall of the site, so
that a day has 23, 24 or 25 hours. When the next reading is due, the protocol of the course says.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.monitoring import lateness, next_due
from clinical.protocol import Protocol
from clinical.vitals import Tier
from clinical.working_time import Span, closed_day
from services.records.availability import Sessions
from services.records.board_views import BoardView, LastReading, PersonOnBoard, RoomOnBoard
from services.records.errors import NotFound
from services.records.opening import view
from services.records.published import published_protocol
from services.records.tables import EntryRow, JourneyRow, ObservationRow, VisitRow

PLACES = ("in-chair", "arrived", "expected", "home")


class BoardQueries:
    """The board of a site."""

    _sessions: Sessions

    async def board(self, site: str, day: date, zone: ZoneInfo, now: datetime) -> BoardView:
        """Those who are here first, then by the hour."""
        span = closed_day(day, zone)
        async with self._sessions.reading() as session:
            visits = [
                visit
                for statement in (here(site), expected(site, span), gone_home(site, span))
                for visit in await session.scalars(statement)
            ]
            courses = await _courses(session, visits)
            readings = await _readings(session, [visit for visit in visits if _place(visit) == "in-chair"])
            rules = await _protocols(session, site, readings, courses)
        people = []
        for visit in visits:
            course, reading = courses[visit.journey_id], readings.get(visit.journey_id)
            people.append(_person(visit, course, reading, rules.get(course.protocol), now))
        people.sort(key=lambda one: (PLACES.index(one.place), one.dosed_at or one.starts_at or now))
        return BoardView(
            site=site,
            day=day,
            time_zone=zone.key,
            starts_at=span.start,
            ends_at=span.end,
            at=now,
            people=tuple(people),
            rooms=tuple(_rooms(people)),
        )


def here(site: str) -> Select[VisitRow]:
    """Checked in and not gone: whatever the day, nobody is forgotten in the chair."""
    present = (
        VisitRow.checked_in_at.is_not(None),
        VisitRow.discharged_at.is_(None),
        VisitRow.closed_at.is_(None),
    )
    return select(VisitRow).where(VisitRow.site == site, *present)


def expected(site: str, span: Span) -> Select[VisitRow]:
    booked = VisitRow.checked_in_at.is_(None), VisitRow.closed_at.is_(None)
    of_day = VisitRow.starts_at >= span.start, VisitRow.starts_at < span.end
    return select(VisitRow).where(VisitRow.site == site, *of_day, *booked)


def gone_home(site: str, span: Span) -> Select[VisitRow]:
    of_day = VisitRow.discharged_at >= span.start, VisitRow.discharged_at < span.end
    return select(VisitRow).where(VisitRow.site == site, *of_day)


async def _courses(session: AsyncSession, visits: Sequence[VisitRow]) -> dict[str, JourneyRow]:
    ids = sorted({visit.journey_id for visit in visits})
    rows = await session.scalars(select(JourneyRow).where(JourneyRow.id.in_(ids)))
    return {row.id: row for row in rows}


async def _readings(session: AsyncSession, chairs: Sequence[VisitRow]) -> dict[str, LastReading | None]:
    """The newest reading that stands of each course in the chair; none yet is None."""
    found: dict[str, LastReading | None] = dict.fromkeys(visit.journey_id for visit in chairs)
    of_chairs = tuple_(ObservationRow.journey_id, ObservationRow.session).in_(
        [(visit.journey_id, visit.session) for visit in chairs]
    )
    taken = and_(EntryRow.journey_id == ObservationRow.journey_id, EntryRow.seq == ObservationRow.seq)
    rows = await session.execute(
        select(ObservationRow, EntryRow.occurred_at)
        .join(EntryRow, taken)
        .where(of_chairs, ObservationRow.amended_by.is_(None))
        .order_by(EntryRow.occurred_at)
    )
    for row, taken_at in rows:
        found[row.journey_id] = LastReading(tier=row.tier, taken_at=taken_at, minute=row.minute)
    return found


async def _protocols(
    session: AsyncSession, site: str, in_chair: Iterable[str], courses: Mapping[str, JourneyRow]
) -> dict[str, Protocol]:
    """Those of the courses in the chair; one that was never published here is unknown."""
    found = {}
    for name in sorted({courses[journey_id].protocol for journey_id in in_chair}):
        with suppress(NotFound):
            found[name] = await published_protocol(session, site, name)
    return found


def _person(
    visit: VisitRow,
    journey: JourneyRow,
    last: LastReading | None,
    protocol: Protocol | None,
    now: datetime,
) -> PersonOnBoard:
    place = _place(visit)
    due = None
    if place == "in-chair" and protocol is not None and visit.dosed_at is not None:
        tier = Tier.NORMAL if last is None else Tier(last.tier)
        due = next_due(visit.dosed_at, [] if last is None else [last.taken_at], protocol, tier)
    late = place == "expected" and visit.starts_at is not None and visit.starts_at < now
    return view(
        PersonOnBoard,
        visit,
        patient_id=journey.patient_id,
        place=place,
        late_since=visit.starts_at if late else None,
        last_reading=last if place == "in-chair" else None,
        next_reading_at=due,
        lateness=None if due is None or protocol is None else lateness(due, now, protocol).value,
    )


def _place(visit: VisitRow) -> str:
    if visit.discharged_at is not None:
        return "home"
    if visit.checked_in_at is None:
        return "expected"
    return "arrived" if visit.dosed_at is None else "in-chair"


def _rooms(people: Sequence[PersonOnBoard]) -> list[RoomOnBoard]:
    rooms = []
    for name in sorted({one.room for one in people if one.room}):
        inside = [one for one in people if one.room == name and one.place in ("arrived", "in-chair")]
        ahead = [one.starts_at for one in people if one.room == name and one.place == "expected"]
        rooms.append(
            RoomOnBoard(
                room=name,
                journey_id=inside[0].journey_id if inside else None,
                session=inside[0].session if inside else None,
                next_starts_at=min(filter(None, ahead), default=None),
            )
        )
    return rooms
