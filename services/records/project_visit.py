"""What do the facts around a visit change? Opening, booking, readiness, check-in, presence, end, what
follows.
"""

from typing import assert_never

from sqlalchemy import func, select

from clinical import events
from services.records.fact_groups import VisitFact
from services.records.fresh import Fresh
from services.records.tables import VisitRow
from services.records.visits import link_note, put_visit

BOOKING_OF = {"finished": "fulfilled", "cancelled": "cancelled", "noshow": "noshow"}
ENCOUNTER_OF = {"finished": "finished", "cancelled": "cancelled", "noshow": "cancelled"}
"""Encounter has no word for a patient who did not come; Appointment has."""


async def project_visit(fact: VisitFact, fresh: Fresh) -> None:
    match fact:
        case events.SessionOpened():
            await put_visit(fresh, fact.session, plan_hash=fact.plan_hash, earliest_at=fact.earliest_at)
        case events.SessionBooked():
            await _booked(fact, fresh)
        case events.ReadinessAnswered():
            await put_visit(fresh, fact.session, readiness=fact.light, readiness_seq=fresh.seq)
        case events.CheckedIn():
            await _checked_in(fact, fresh)
        case events.PrescriberPresent():
            await put_visit(fresh, fact.session, prescriber_present=fact.present)
        case events.SessionClosed():
            await _closed(fact, fresh)
        case events.NextDayContact():
            await put_visit(fresh, fact.session, next_day_reached=fact.reached)
        case events.IntegrationHeld():
            await put_visit(fresh, fact.session, integration_held_at=fact.held_at)
            await link_note(fresh, fact.note_id)
        case events.IntegrationWaived():
            role = fresh.actor.role.value
            await put_visit(fresh, fact.session, integration_waived_at=fresh.at, integration_waived_by=role)
        case events.ConcernsReviewed():
            await put_visit(fresh, fact.session, concerns_reviewed_at=fresh.at)
        case events.IntegrationMissed():
            await put_visit(fresh, fact.session, integration_missed_at=fresh.at)
        case _:
            assert_never(fact)


async def _booked(fact: events.SessionBooked, fresh: Fresh) -> None:
    slot = {"starts_at": fact.starts_at, "ends_at": fact.ends_at, "room": fact.room, "confirmed_at": None}
    await put_visit(fresh, fact.session, booking_status="booked", **slot)
    if fact.moved_from is not None:
        await fresh.change(VisitRow, VisitRow.session == fact.session, moves=VisitRow.moves + 1)


async def _checked_in(fact: events.CheckedIn, fresh: Fresh) -> None:
    await put_visit(
        fresh,
        fact.session,
        status="arrived",
        booking_status="checked-in",
        checked_in_at=fresh.at,
        weight_kg=fact.weight_kg,
        baseline_tier=fact.tier.value,
        baseline_seq=fresh.seq,
    )


async def _closed(fact: events.SessionClosed, fresh: Fresh) -> None:
    await put_visit(
        fresh,
        fact.session,
        status=ENCOUNTER_OF[fact.status],
        booking_status=BOOKING_OF[fact.status],
        closed_at=fresh.at,
        closed_seq=fresh.seq,
    )
    finished = select(func.count()).where(
        VisitRow.journey_id == fresh.journey.id, VisitRow.status == "finished"
    )
    fresh.journey.sessions_completed = await fresh.session.scalar(finished) or 0
