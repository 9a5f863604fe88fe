"""Who is at a site today: in the chair since when, read when next, expected, gone home? From SQL only.

Whoever is here is found by a partial index of those who are; the day by its instants on the wall of the site, so
that a day has 23, 24 or 25 hours. When the next reading is due, the protocol of the course says.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

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
            rows = [
                row
                for statement in (here(site), expected(site, span), gone_home(site, span))
                for row in (await session.execute(statement)).all()
            ]
            rules = await _protocols(session, site, rows)
        people = [_person(*row, rules.get(row[1].protocol), now) for row in rows]
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


def here(site: str) -> Select[Any]:
    """Checked in and not gone: whatever the day, nobody is forgotten in the chair."""
    present = (
        VisitRow.checked_in_at.is_not(None),
        VisitRow.discharged_at.is_(None),
        VisitRow.closed_at.is_(None),
    )
    return _visits(VisitRow.site == site, *present)


def expected(site: str, span: Span) -> Select[Any]:
    booked = VisitRow.checked_in_at.is_(None), VisitRow.closed_at.is_(None)
    of_day = VisitRow.starts_at >= span.start, VisitRow.starts_at < span.end
    return _visits(VisitRow.site == site, *of_day, *booked)


def gone_home(site: str, span: Span) -> Select[Any]:
    of_day = VisitRow.discharged_at >= span.start, VisitRow.discharged_at < span.end
    return _visits(VisitRow.site == site, *of_day)


def _visits(*conditions: Any) -> Select[Any]:
    """Each visit with its course, its newest reading that stands, and when that was taken."""
    newest = (
        select(ObservationRow)
        .where(
            ObservationRow.journey_id == VisitRow.journey_id,
            ObservationRow.session == VisitRow.session,
            ObservationRow.amended_by.is_(None),
        )
        .order_by(ObservationRow.minute.desc())
        .limit(1)
        .lateral()
    )
    reading = aliased(ObservationRow, newest)
    taken = and_(EntryRow.journey_id == reading.journey_id, EntryRow.seq == reading.seq)
    return (
        select(VisitRow, JourneyRow, reading, EntryRow.occurred_at)
        .join(JourneyRow, JourneyRow.id == VisitRow.journey_id)
        .outerjoin(newest, true())
        .outerjoin(EntryRow, taken)
        .where(*conditions)
    )


async def _protocols(session: AsyncSession, site: str, rows: Sequence[Any]) -> dict[str, Protocol]:
    """Those of the courses in the chair; one that was never published here is unknown."""
    found = {}
    for name in {journey.protocol for visit, journey, *_ in rows if _in_chair(visit)}:
        try:
            found[name] = await published_protocol(session, site, name)
        except NotFound:
            continue
    return found


def _in_chair(visit: VisitRow) -> bool:
    return visit.dosed_at is not None and visit.discharged_at is None and visit.closed_at is None


def _person(
    visit: VisitRow,
    journey: JourneyRow,
    reading: ObservationRow | None,
    taken_at: datetime | None,
    protocol: Protocol | None,
    now: datetime,
) -> PersonOnBoard:
    place = _place(visit)
    last = None
    if reading is not None and taken_at is not None:
        last = LastReading(tier=reading.tier, taken_at=taken_at, minute=reading.minute)
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
        last_reading=last,
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
