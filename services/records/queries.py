"""What can be asked of the record by those who only look?

Every answer is one snapshot. `sites` are the sites the asker may see: SQL filters by them, and what lies
elsewhere is NotFound, like what does not exist. Lists are keyset pages: pass the last line's sort key as
`cursor`.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import any_, bindparam, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from clinical import events
from clinical.downtime_sheet import DowntimeSheet
from clinical.instants import zone_named
from services.asking import SITES, Question
from services.database import Database, counted
from services.encryption import FieldCipher
from services.records.availability import Sessions
from services.records.board_queries import BoardQueries
from services.records.custody_queries import CustodyQueries
from services.records.errors import NotFound
from services.records.journey_lists import journey_counts_statement, journeys_statement
from services.records.journey_view import journey_view
from services.records.ledger import Ledger
from services.records.opening import view
from services.records.patient_views import DuplicateCandidate, PatientView
from services.records.patients import PatientFile
from services.records.register_tables import PatientRow, ReferralRow
from services.records.risk_queries import RiskQueries
from services.records.risk_view import safety_plan_views
from services.records.risk_views import SafetyPlanView
from services.records.session_view import session_view
from services.records.tables import DoseRow, EntryRow, JourneyRow, SafetyPlanRow, ScoreRow, VisitRow
from services.records.task_queries import TaskQueries
from services.records.views import (
    CourseSetting,
    JourneyCount,
    JourneySummary,
    JourneyView,
    ScoreView,
    SessionView,
    TimelineEntry,
)
from services.records.wording import line

UTC_ZONE = ZoneInfo("UTC")

_LAST_DOSE = (
    select(func.max(DoseRow.given_at))
    .where(DoseRow.journey_id == JourneyRow.id, DoseRow.given_at <= bindparam("at"))
    .scalar_subquery()
)
SETTING = Question(
    select(JourneyRow.protocol, JourneyRow.time_zone, _LAST_DOSE.label("dose_at")).where(
        JourneyRow.id == bindparam("journey"), JourneyRow.site == bindparam("site")
    )
)
PERSON = Question(
    select(JourneyRow.patient_id).where(JourneyRow.id == bindparam("journey"), JourneyRow.site == any_(SITES))
)
_COURSES = (
    select(JourneyRow.id)
    .where(JourneyRow.patient_id == bindparam("patient"), JourneyRow.site == any_(SITES))
    .order_by(JourneyRow.started_at.desc())
)
PATIENT = Question(
    select(*PatientRow.__table__.columns, func.array(_COURSES.scalar_subquery()).label("journeys")).where(
        PatientRow.id == bindparam("patient"), PatientRow.site == any_(SITES)
    )
)
"""The person, with the ids of their courses at these sites, newest first."""


class RecordQueries(CustodyQueries, TaskQueries, BoardQueries, RiskQueries):
    """Reads only; the database refuses anything else in these sessions."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._rules = {}
        self._sessions = Sessions(database)
        self._cipher = cipher
        self._ledger = Ledger(cipher)
        self._patients = PatientFile(cipher)

    async def list_journeys(
        self,
        sites: Sequence[str],
        *,
        stage: str | None = None,
        status: str | None = None,
        on_hold: bool | None = None,
        cursor: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[JourneySummary]:
        """Newest first; the cursor is (started_at, id) of the last line seen."""
        statement = journeys_statement(sites, stage, status, on_hold, cursor, limit)
        async with self._sessions.reading() as session:
            return [view(JourneySummary, row) for row in await session.scalars(statement)]

    async def journey_counts(self, sites: Sequence[str]) -> list[JourneyCount]:
        """How many courses stand in which stage, with which status."""
        async with self._sessions.reading() as session:
            rows = await session.execute(journey_counts_statement(sites))
            return [JourneyCount(stage=stage, status=status, count=n) for stage, status, n in rows]

    async def journey(self, sites: Sequence[str], journey_id: str) -> JourneyView:
        async with self._journey(sites, journey_id) as (session, journey):
            return await journey_view(session, self._ledger, journey)

    async def person(self, sites: Sequence[str], journey_id: str) -> str:
        """Whose course this is; raises NotFound. Far less is read than the course."""
        (found,) = await self._sessions.ask(PERSON.of(journey=journey_id, sites=list(sites)))
        if not found:
            raise NotFound("the journey is not in the record")
        return str(found[0].patient_id)

    async def setting(self, site: str, journey_id: str, at: datetime) -> CourseSetting:
        """What surrounds something that happened in the course at that instant: its rules, zone, and last dose."""
        (found,) = await self._sessions.ask(SETTING.of(site=site, journey=journey_id, at=at))
        if not found:
            raise NotFound("the journey is not in the record")
        return CourseSetting.model_validate(dict(found[0]._mapping))

    async def timeline(
        self,
        sites: Sequence[str],
        journey_id: str,
        *,
        kinds: Sequence[str] = (),
        session_no: int | None = None,
        after_seq: int | None = None,
        newest_first: bool = False,
        limit: int = 200,
    ) -> list[TimelineEntry]:
        """In the order of recording, or backwards; texts say local times in the course's zone."""
        async with self._journey(sites, journey_id) as (session, journey):
            zone = zone_named(journey.time_zone) or UTC_ZONE
            wanted = select(EntryRow).where(EntryRow.journey_id == journey_id)
            if kinds:
                wanted = wanted.where(EntryRow.kind.in_(kinds))
            if session_no is not None:
                wanted = wanted.where(EntryRow.session == session_no)
            if after_seq is not None:
                wanted = wanted.where(EntryRow.seq < after_seq if newest_first else EntryRow.seq > after_seq)
            order = EntryRow.seq.desc() if newest_first else EntryRow.seq
            rows = await session.scalars(wanted.order_by(order).limit(limit))
            return [view(TimelineEntry, row, text=line(self._ledger.fact(row), zone)) for row in rows]

    async def scores(
        self,
        sites: Sequence[str],
        journey_id: str,
        *,
        instrument: str | None = None,
        complete: bool | None = None,
        after: tuple[datetime, int] | None = None,
        limit: int | None = None,
    ) -> list[ScoreView]:
        """In the order of measuring; `after` is (measured_at, seq) of the last line seen."""
        order = ScoreRow.measured_at, ScoreRow.seq
        wanted = select(ScoreRow).where(ScoreRow.journey_id == journey_id).order_by(*order).limit(limit)
        if instrument is not None:
            wanted = wanted.where(ScoreRow.instrument == instrument)
        if complete is not None:
            wanted = wanted.where(ScoreRow.complete == complete)
        if after is not None:
            wanted = wanted.where(tuple_(*order) > after)
        async with self._journey(sites, journey_id) as (session, _):
            return [view(ScoreView, row) for row in await session.scalars(wanted)]

    async def score_counts(self, journey_id: str) -> dict[str, int]:
        """Scored questionnaires of a course by instrument."""
        async with self._sessions.reading() as session:
            return await counted(session, ScoreRow.instrument, ScoreRow.journey_id == journey_id)

    async def safety_plans(
        self,
        sites: Sequence[str],
        journey_id: str,
        *,
        newest_first: bool = False,
        after: int | None = None,
        limit: int | None = None,
    ) -> tuple[SafetyPlanView, ...]:
        """Every version, oldest first or newest first, from the one after version `after`."""
        async with self._journey(sites, journey_id) as (session, _):
            return await safety_plan_views(
                session, self._ledger, journey_id, newest_first=newest_first, after=after, limit=limit
            )

    async def safety_plan_count(self, journey_id: str) -> int:
        of_course = select(func.count()).where(SafetyPlanRow.journey_id == journey_id)
        async with self._sessions.reading() as session:
            return await session.scalar(of_course) or 0

    async def session(self, sites: Sequence[str], journey_id: str, number: int) -> SessionView:
        async with self._journey(sites, journey_id) as (session, _):
            visit = await session.scalar(
                select(VisitRow).where(VisitRow.journey_id == journey_id, VisitRow.session == number)
            )
            if visit is None:
                raise NotFound("the course has no such session")
            return await session_view(session, self._ledger, visit)

    async def downtime_sheet(self, sites: Sequence[str], journey_id: str, number: int) -> DowntimeSheet:
        """The sheet of the latest order of a session; NotFound before there is one."""
        async with self._journey(sites, journey_id) as (session, _):
            made = await session.scalar(
                select(EntryRow)
                .join(VisitRow, VisitRow.journey_id == EntryRow.journey_id)
                .where(VisitRow.journey_id == journey_id, VisitRow.session == number)
                .where(EntryRow.seq == VisitRow.sheet_seq)
            )
            if made is None:
                raise NotFound("no dose is ordered in this session")
            return self._ledger.fact_of(made, events.DowntimeSheetMade).sheet

    async def patient(self, sites: Sequence[str], patient_id: str) -> PatientView:
        (found,) = await self._sessions.ask(PATIENT.of(sites=list(sites), patient=patient_id))
        if not found:
            raise NotFound("the patient is not in the record")
        (row,) = found
        return PatientView.model_validate(
            {
                **self._patients.in_clear(row),
                "opted_out_channels": tuple(row.opted_out_channels),
                "registered_at": row.registered_at,
                "journeys": tuple(row.journeys),
            }
        )

    async def require_referral(self, site: str, patient_id: str, referral_id: str) -> None:
        """Raises NotFound for a referral of another site or about another person."""
        this = ReferralRow.id == referral_id, ReferralRow.site == site, ReferralRow.patient_id == patient_id
        async with self._sessions.reading() as session:
            if await session.scalar(select(ReferralRow.id).where(*this)) is None:
                raise NotFound("the patient has no such referral")

    async def find_duplicates(
        self, site: str, name: str, birth_date: str, phone: str | None, email: str | None
    ) -> list[DuplicateCandidate]:
        """Who at this site has the same name and birth date, phone or e-mail? Most matches first."""
        wanted: dict[str, tuple[InstrumentedAttribute[Any], str | None]] = {
            "person": (PatientRow.person_index, self._patients.person_index(name, birth_date)),
            "phone": (PatientRow.phone_index, self._patients.phone_index(phone)),
            "email": (PatientRow.email_index, self._patients.email_index(email)),
        }
        same = [column == index for column, index in wanted.values() if index is not None]
        async with self._sessions.reading() as session:
            rows = await session.scalars(
                select(PatientRow).where(PatientRow.site == site, or_(*same)).order_by(PatientRow.id)
            )
            found = [self._candidate(row, wanted) for row in rows]
        return sorted(found, key=lambda candidate: -len(candidate.matched_on))

    def _candidate(
        self, row: PatientRow, wanted: dict[str, tuple[InstrumentedAttribute[Any], str | None]]
    ) -> DuplicateCandidate:
        person = self._patients.opened(row)
        matched = [
            name
            for name, (column, index) in wanted.items()
            if index is not None and getattr(row, column.key) == index
        ]
        return DuplicateCandidate(
            patient_id=row.id, name=person.name, birth_date=person.birth_date, matched_on=tuple(matched)
        )

    @asynccontextmanager
    async def _journey(
        self, sites: Sequence[str], journey_id: str
    ) -> AsyncIterator[tuple[AsyncSession, JourneyRow]]:
        """The course, if it is at one of these sites, and the snapshot it was read in."""
        async with self._sessions.reading() as session:
            journey = await session.scalar(
                select(JourneyRow).where(JourneyRow.id == journey_id, JourneyRow.site.in_(sites))
            )
            if journey is None:
                raise NotFound("the journey is not in the record")
            yield session, journey
