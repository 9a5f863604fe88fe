"""What does the record say at the moment of dosing?

One snapshot: stage, consent, plan, doses, risk, last suicide screen, earlier weight, integrations still owed,
preparations held, and the container that the dose is to come from. Facts only, judged elsewhere; what is absent
is None or empty, and that is never "safe".
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.custody import Container
from clinical.events import ConsentGiven, QuestionnaireScored
from clinical.instruments.answers import InstrumentId
from clinical.people import Role
from services.records.custody_ledger import container_of
from services.records.custody_tables import ContainerRow
from services.records.errors import NotFound
from services.records.interface import ApprovedPlan, DosingFacts, GivenDose, LiveConsent, OwedIntegration
from services.records.ledger import Ledger
from services.records.tables import (
    ConsentRow,
    DoseRow,
    JourneyRow,
    PlanRow,
    PreparationRow,
    RiskCaseRow,
    ScoreRow,
    VisitRow,
)


async def dosing_facts(
    session: AsyncSession, ledger: Ledger, journey_id: str, container_id: str | None = None
) -> DosingFacts:
    journey = await session.scalar(select(JourneyRow).where(JourneyRow.id == journey_id))
    if journey is None:
        raise NotFound("the journey is not in the record")
    screen, screened_at = await _last_suicide_screen(session, ledger, journey_id)
    owed = await _integrations_owed(session, journey_id)
    return DosingFacts(
        last_seq=journey.last_seq,
        stage=journey.stage,
        on_hold=journey.on_hold,
        consent=await _consent(session, ledger, journey_id),
        plan=await _plan(session, journey_id),
        doses=await _doses(session, journey_id),
        open_risk_cases=await _open_risk_cases(session, journey_id),
        last_suicide_screen=screen.result if screen else None,
        last_suicide_screen_at=screened_at,
        previous_weight_kg=await _previous_weight(session, journey_id),
        integrations_open_since=tuple(one.dosed_at for one in owed),
        integrations_owed=owed,
        preparations_held_at=await _preparations(session, journey_id),
        container=await _container(session, journey.site, container_id),
        downtime_sheets=await _sheets(session, journey_id),
    )


async def _container(session: AsyncSession, site: str, container_id: str | None) -> Container | None:
    row = await session.scalar(
        select(ContainerRow).where(ContainerRow.id == container_id, ContainerRow.site == site)
    )
    return None if row is None else container_of(row)


async def _consent(session: AsyncSession, ledger: Ledger, journey_id: str) -> LiveConsent | None:
    """The newest signature, withdrawn or not."""
    of_journey = ConsentRow.journey_id == journey_id
    row = await session.scalar(select(ConsentRow).where(of_journey).order_by(ConsentRow.seq.desc()).limit(1))
    if row is None:
        return None
    given = (await ledger.facts(session, journey_id, [row.seq]))[row.seq]
    return LiveConsent(
        document_version=row.document_version,
        elements=tuple(row.elements),
        given_at=row.given_at,
        expires_at=row.expires_at,
        withdrawn_at=row.withdrawn_at,
        capacity_attested_by=given.capacity_attested_by if isinstance(given, ConsentGiven) else "",
    )


async def _plan(session: AsyncSession, journey_id: str) -> ApprovedPlan | None:
    """The plan approved last, if it was neither rejected nor lapsed since."""
    row = await session.scalar(
        select(PlanRow).where(PlanRow.journey_id == journey_id, PlanRow.status == "active").limit(1)
    )
    if row is None or None in (row.sessions, row.max_mg, row.expires_at):
        return None
    return ApprovedPlan.model_validate(
        {
            "version": row.version,
            "plan_hash": row.plan_hash,
            "sessions": row.sessions,
            "mg_per_kg": row.mg_per_kg,
            "max_mg": row.max_mg,
            "expires_at": row.expires_at,
            "superseded": row.superseded_by is not None,
        }
    )


async def _doses(session: AsyncSession, journey_id: str) -> tuple[GivenDose, ...]:
    rows = await session.scalars(
        select(DoseRow).where(DoseRow.journey_id == journey_id).order_by(DoseRow.given_at, DoseRow.dose_id)
    )
    return tuple(
        GivenDose(
            key=row.key,
            session=row.session,
            dose_mg=row.dose_mg,
            given_at=row.given_at,
            mg_per_kg=row.mg_per_kg,
        )
        for row in rows
    )


async def _open_risk_cases(session: AsyncSession, journey_id: str) -> int:
    open_cases = select(func.count()).where(
        RiskCaseRow.journey_id == journey_id, RiskCaseRow.status.in_(("open", "acknowledged"))
    )
    return await session.scalar(open_cases) or 0


async def _last_suicide_screen(
    session: AsyncSession, ledger: Ledger, journey_id: str
) -> tuple[QuestionnaireScored | None, datetime | None]:
    row = await session.scalar(
        select(ScoreRow)
        .where(ScoreRow.journey_id == journey_id, ScoreRow.instrument == InstrumentId.CSSRS.value)
        .order_by(ScoreRow.measured_at.desc(), ScoreRow.seq.desc())
        .limit(1)
    )
    if row is None:
        return None, None
    fact = (await ledger.facts(session, journey_id, [row.seq]))[row.seq]
    return (fact, row.measured_at) if isinstance(fact, QuestionnaireScored) else (None, None)


async def _previous_weight(session: AsyncSession, journey_id: str) -> float | None:
    """The weight of the last visit but one that was weighed: today's is the newest."""
    weights = (
        select(VisitRow.weight_kg)
        .where(VisitRow.journey_id == journey_id, VisitRow.weight_kg.is_not(None))
        .order_by(VisitRow.checked_in_at.desc(), VisitRow.session.desc())
    )
    return await session.scalar(weights.offset(1).limit(1))


async def _integrations_owed(session: AsyncSession, journey_id: str) -> tuple[OwedIntegration, ...]:
    """When the doses were started whose integration was not held; a missed one is still owed."""
    rows = await session.execute(
        select(VisitRow.dosed_at, VisitRow.integration_waived_by)
        .where(
            VisitRow.journey_id == journey_id,
            VisitRow.dosed_at.is_not(None),
            VisitRow.integration_held_at.is_(None),
        )
        .order_by(VisitRow.dosed_at)
    )
    return tuple(
        OwedIntegration(dosed_at=at, waived_by=None if by is None else Role(by)) for at, by in rows if at
    )


async def _preparations(session: AsyncSession, journey_id: str) -> tuple[datetime, ...]:
    held_at = await session.scalars(
        select(PreparationRow.held_at)
        .where(PreparationRow.journey_id == journey_id)
        .order_by(PreparationRow.number)
    )
    return _instants(held_at.all())


async def _sheets(session: AsyncSession, journey_id: str) -> tuple[str, ...]:
    made = await session.scalars(
        select(VisitRow.sheet_hash)
        .where(VisitRow.journey_id == journey_id, VisitRow.sheet_hash.is_not(None))
        .order_by(VisitRow.session)
    )
    return tuple(one for one in made if one is not None)


def _instants(values: Sequence[datetime | None]) -> tuple[datetime, ...]:
    return tuple(value for value in values if value is not None)
