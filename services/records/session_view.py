"""How did one visit go? Its row, its doses, its observations with all amendments, and the last reasons
given.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical import events
from services.records.ledger import Ledger
from services.records.opening import named, view
from services.records.tables import DoseRow, EntryRow, ObservationRow, VisitRow
from services.records.views import DoseView, ObservationView, SessionView


async def session_view(session: AsyncSession, ledger: Ledger, visit: VisitRow) -> SessionView:
    seqs = (visit.baseline_seq, visit.readiness_seq, visit.gate_seq, visit.discharge_seq, visit.closed_seq)
    facts = await ledger.facts(session, visit.journey_id, seqs)
    checked_in = named(facts, visit.baseline_seq, events.CheckedIn)
    readiness = named(facts, visit.readiness_seq, events.ReadinessAnswered)
    gate = named(facts, visit.gate_seq, events.GateEvaluated)
    discharge = named(facts, visit.discharge_seq, events.SessionDischarged)
    closed = named(facts, visit.closed_seq, events.SessionClosed)
    return view(
        SessionView,
        visit,
        baseline=checked_in.baseline if checked_in else None,
        readiness_reasons=readiness.reasons if readiness else (),
        gate_reasons=gate.reasons if gate else (),
        discharge_checklist=discharge.checklist if discharge else (),
        closing_reason=closed.reason if closed else None,
        doses=await _doses(session, visit),
        observations=await _observations(session, ledger, visit),
    )


async def _doses(session: AsyncSession, visit: VisitRow) -> tuple[DoseView, ...]:
    rows = await session.scalars(
        select(DoseRow)
        .where(DoseRow.journey_id == visit.journey_id, DoseRow.session == visit.session)
        .order_by(DoseRow.given_at, DoseRow.dose_id)
    )
    return tuple(view(DoseView, row) for row in rows)


async def _observations(
    session: AsyncSession, ledger: Ledger, visit: VisitRow
) -> tuple[ObservationView, ...]:
    entry_of = (EntryRow.journey_id == ObservationRow.journey_id) & (EntryRow.seq == ObservationRow.seq)
    rows = await session.execute(
        select(ObservationRow, EntryRow)
        .join(EntryRow, entry_of)
        .where(ObservationRow.journey_id == visit.journey_id, ObservationRow.session == visit.session)
        .order_by(ObservationRow.minute, ObservationRow.seq)
    )
    return tuple(_observation(row, entry, ledger) for row, entry in rows)


def _observation(row: ObservationRow, entry: EntryRow, ledger: Ledger) -> ObservationView:
    fact = ledger.fact_of(entry, events.ObservationRecorded)
    return view(
        ObservationView,
        row,
        reading=fact.reading,
        padss=fact.padss,
        cadss6=fact.cadss6,
        oriented=fact.oriented,
        recorded_by=entry.actor_id,
        recorded_at=entry.recorded_at,
    )
