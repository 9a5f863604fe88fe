"""What happens to the read models at the chair? Order, gate, dose, observations, therapy, discharge."""

from typing import assert_never

from sqlalchemy import func, select

from clinical import events
from services.records.custody_doses import account_for_dose, draw_dose
from services.records.fact_groups import ChairFact
from services.records.fresh import Fresh
from services.records.tables import DoseRow, ObservationRow, VisitRow
from services.records.visits import link_note, put_visit


async def project_chair(fact: ChairFact, fresh: Fresh) -> None:
    match fact:
        case events.DoseOrdered():
            await put_visit(fresh, fact.session, ordered_seq=fresh.seq)
        case events.DowntimeSheetMade():
            await put_visit(fresh, fact.session, sheet_hash=fact.sheet_hash, sheet_seq=fresh.seq)
        case events.GateEvaluated():
            await put_visit(fresh, fact.session, gate_green=fact.green, gate_seq=fresh.seq)
        case events.DoseGiven():
            await _dose_given(fact, fresh)
        case events.DoseEnded():
            await _dose_ended(fact, fresh)
        case events.ObservationRecorded():
            await _observed(fact, fresh)
        case events.ObservationLate():
            await put_visit(fresh, fact.session, observation_late_at=fresh.at)
        case events.TherapyRecorded():
            await put_visit(fresh, fact.session, therapy_minutes=fact.minutes)
            await link_note(fresh, fact.note_id)
        case events.SessionDischarged():
            await put_visit(
                fresh,
                fact.session,
                discharged_at=fact.discharged_at,
                discharge_overridden=fact.overridden,
                discharge_seq=fresh.seq,
            )
        case _:
            assert_never(fact)


async def _dose_given(fact: events.DoseGiven, fresh: Fresh) -> None:
    values = {
        "key": fresh.key,
        "session": fact.session,
        "status": "in-progress",
        "dose_mg": fact.dose_mg,
        "mg_per_kg": fact.mg_per_kg,
        "weight_kg": fact.weight_kg,
        "given_at": fact.given_at,
        "given_by": fresh.actor.id,
        "checked_by": fact.checked_by,
        "plan_hash": fact.plan_hash,
        "lot": fact.lot,
        "booster": fact.booster,
        "units": fact.units,
        "container_id": fact.container_id,
    }
    await fresh.put(DoseRow, {"dose_id": fact.dose_id}, values, first={})
    await draw_dose(fact, fresh)
    await put_visit(fresh, fact.session, status="in-progress")
    not_dosed = VisitRow.session == fact.session, VisitRow.dosed_at.is_(None)
    await fresh.change(VisitRow, *not_dosed, dosed_at=fact.given_at)
    doses = select(func.count()).where(DoseRow.journey_id == fresh.journey.id)
    fresh.journey.doses = await fresh.session.scalar(doses) or 0


async def _dose_ended(fact: events.DoseEnded, fresh: Fresh) -> None:
    await fresh.change(
        DoseRow,
        DoseRow.dose_id == fact.dose_id,
        status="stopped" if fact.stopped_early else "completed",
        ended_at=fact.ended_at,
        given_mg=fact.given_mg,
        wasted_mg=fact.wasted_mg,
        returned_mg=fact.returned_mg,
        witness=fact.witness,
    )
    await account_for_dose(fact, fresh)
    await put_visit(fresh, fact.session, dose_ended_at=fact.ended_at)


async def _observed(fact: events.ObservationRecorded, fresh: Fresh) -> None:
    values = {
        "session": fact.session,
        "status": "final" if fact.amends is None else "amended",
        "minute": fact.minute,
        "tier": fact.tier.value,
        "action": None if fact.action is None else fact.action.value,
        "amends": fact.amends,
        "seq": fresh.seq,
    }
    await put_visit(fresh, fact.session)
    await fresh.put(ObservationRow, {"observation_id": fact.observation_id}, values, first={})
    if fact.amends is not None:
        original = ObservationRow.observation_id == fact.amends
        await fresh.change(ObservationRow, original, amended_by=fact.observation_id)
