"""Who is at a site today: in the chair since when, read when next, expected, gone home? From SQL only.

Whoever is here is found by a partial index of those who are; the day by its instants on the wall of the site, so
that a day has 23, 24 or 25 hours. When the next reading is due, the protocol of the course says.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, and_, select, true, union_all

from clinical.monitoring import lateness, next_due
from clinical.protocol import Protocol
from clinical.vitals import Tier
from clinical.working_time import Span, closed_day
from services.asking import Question
from services.records.availability import Sessions
from services.records.board_views import PersonOnBoard
from services.records.errors import NotFound
from services.records.published import published_protocol
from services.records.tables import EntryRow, JourneyRow, ObservationRow, VisitRow

Fields = dict[str, Any]
IN_CHAIR = "in-chair"
PLACES = (IN_CHAIR, "arrived", "expected", "home")


OF_VISIT = tuple(name for name in PersonOnBoard.model_fields if name in VisitRow.__table__.columns)
IN_A_ROW = (*OF_VISIT, "patient_id")
"""What a line of the answer begins with, by its names on the board."""
RULES_KEPT = 256


class BoardQueries:
    """The board of a site."""

    _sessions: Sessions
    _rules: dict[tuple[str, str], Protocol]
    """Published protocols by site and name: a version that was published never changes."""

    async def board(self, site: str, day: date, zone: ZoneInfo, now: datetime) -> Fields:
        """The fields of a `BoardView`, those who are here first, then by the hour. Checked once, by who answers them:
        to check forty people here and there costs more than to ask for them."""
        span = closed_day(day, zone)
        (visits,) = await self._sessions.ask(board_question(site, span))
        rules = await self._rules_of(site, {one.protocol for one in visits if _place(one) == IN_CHAIR})
        people = [_person(visit, rules.get(visit.protocol), now) for visit in visits]
        people.sort(key=lambda one: (PLACES.index(one["place"]), one["dosed_at"] or one["starts_at"] or now))
        return {
            "site": site,
            "day": day,
            "time_zone": zone.key,
            "starts_at": span.start,
            "ends_at": span.end,
            "at": now,
            "people": people,
            "rooms": _rooms(people),
        }

    async def _rules_of(self, site: str, names: Iterable[str]) -> dict[str, Protocol]:
        """The protocols of the courses in the chair; one that was never published here is unknown."""
        found = {name: self._rules[site, name] for name in names if (site, name) in self._rules}
        missing = sorted(set(names) - found.keys())
        if not missing:
            return found
        async with self._sessions.reading() as session:
            for name in missing:
                with suppress(NotFound):
                    found[name] = await published_protocol(session, site, name)
        if len(self._rules) >= RULES_KEPT:
            self._rules.clear()
        self._rules |= {(site, name): protocol for name, protocol in found.items()}
        return found


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


@lru_cache(maxsize=256)
def board_question(site: str, span: Span) -> Question:
    """It is the same all day: to put it into words costs more than to read its rows."""
    return Question(board_statement(site, span))


def board_statement(site: str, span: Span) -> Select[Any]:
    """All of them in one moment, with their courses, and the newest reading that stands of who is in the chair."""
    columns = [getattr(VisitRow, name) for name in OF_VISIT]
    groups = (here(site), expected(site, span), gone_home(site, span))
    visit = union_all(*(one.with_only_columns(*columns) for one in groups)).subquery("visit")
    course = (
        select(JourneyRow.patient_id, JourneyRow.protocol)
        .where(JourneyRow.id == visit.c.journey_id)
        .limit(1)  # so that each is looked up by its id, however many the database expects
        .lateral("course")
    )
    taken = and_(EntryRow.journey_id == ObservationRow.journey_id, EntryRow.seq == ObservationRow.seq)
    reading = (
        select(ObservationRow.tier, ObservationRow.minute, EntryRow.occurred_at.label("taken_at"))
        .join(EntryRow, taken)
        .where(
            visit.c.dosed_at.is_not(None),
            visit.c.discharged_at.is_(None),
            ObservationRow.journey_id == visit.c.journey_id,
            ObservationRow.session == visit.c.session,
            ObservationRow.amended_by.is_(None),
        )
        .order_by(EntryRow.occurred_at.desc())
        .limit(1)
        .lateral("reading")
    )
    joined = visit.join(course, true()).outerjoin(reading, true())
    return select(visit, course, reading).select_from(joined)


def _person(visit: Row[Any], protocol: Protocol | None, now: datetime) -> Fields:
    """The fields of a `PersonOnBoard`."""
    place, starts_at = _place(visit), visit.starts_at
    last = due = late_since = None
    if place == IN_CHAIR:
        if visit.taken_at is not None:
            last = {"tier": visit.tier, "taken_at": visit.taken_at, "minute": visit.minute}
        if protocol is not None:
            tier = Tier.NORMAL if last is None else Tier(visit.tier)
            due = next_due(visit.dosed_at, [] if last is None else [visit.taken_at], protocol, tier)
    elif place == "expected" and starts_at is not None and starts_at < now:
        late_since = starts_at
    fields = dict(zip(IN_A_ROW, visit, strict=False))
    fields["place"] = place
    fields["late_since"] = late_since
    fields["last_reading"] = last
    fields["next_reading_at"] = due
    fields["lateness"] = None if due is None or protocol is None else lateness(due, now, protocol).value
    return fields


def _place(visit: Row[Any]) -> str:
    if visit.discharged_at is not None:
        return "home"
    if visit.checked_in_at is None:
        return "expected"
    return "arrived" if visit.dosed_at is None else IN_CHAIR


def _rooms(people: Sequence[Fields]) -> list[Fields]:
    """The fields of a `RoomOnBoard` for each room of the day."""
    rooms = []
    for name in sorted({one["room"] for one in people if one["room"]}):
        of_room = [one for one in people if one["room"] == name]
        inside = next((one for one in of_room if one["place"] in ("arrived", "in-chair")), None)
        ahead = [one["starts_at"] for one in of_room if one["place"] == "expected" and one["starts_at"]]
        rooms.append(
            {
                "room": name,
                "journey_id": inside and inside["journey_id"],
                "session": inside and inside["session"],
                "next_starts_at": min(ahead, default=None),
            }
        )
    return rooms
