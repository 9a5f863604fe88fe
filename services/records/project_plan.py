"""What do plans, approvals, preparation and the decisions of the course change?"""

from typing import assert_never

from clinical import events
from services.records.fact_groups import PlanFact
from services.records.fresh import Fresh
from services.records.tables import DecisionRow, PlanApprovalRow, PlanRow, PreparationRow


async def project_plan(fact: PlanFact, fresh: Fresh) -> None:
    match fact:
        case events.PlanProposed():
            await _proposed(fact, fresh)
        case events.PlanApprovalGiven():
            await _approval(fact, fresh)
        case events.PlanApproved():
            await _approved(fact, fresh)
        case events.PlanRejected() | events.PlanLapsed():
            values = {"status": "revoked", "ended_at": fresh.at, "ended_seq": fresh.seq}
            await fresh.change(PlanRow, PlanRow.version == fact.version, **values)
        case events.PreparationHeld():
            await fresh.put(PreparationRow, {"number": fact.number}, {"held_at": fact.held_at}, first={})
        case events.DecisionAsked():
            values = {"proposal": fact.default, "asked_at": fresh.at, "asked_seq": fresh.seq}
            await fresh.put(DecisionRow, {"after_dose": fact.after_dose}, values, first={})
        case events.DecisionMade():
            made = {"made_at": fresh.at, "made_by": fresh.actor.id, "made_seq": fresh.seq}
            await fresh.put(
                DecisionRow, {"after_dose": fact.after_dose}, {"choice": fact.choice, **made}, first={}
            )
        case _:
            assert_never(fact)


async def _proposed(fact: events.PlanProposed, fresh: Fresh) -> None:
    values = {
        "plan_hash": fact.plan_hash,
        "status": "draft",
        "author_id": fresh.actor.id,
        "proposed_at": fresh.at,
        "proposed_seq": fresh.seq,
        "required_roles": [role.value for role in fact.required_roles],
        "amends": fact.amends,
    }
    await fresh.put(PlanRow, {"version": fact.version}, values, first={})


async def _approval(fact: events.PlanApprovalGiven, fresh: Fresh) -> None:
    values = {
        "version": fact.version,
        "plan_hash": fact.plan_hash,
        "role": fact.role.value,
        "actor_id": fresh.actor.id,
        "approved_at": fresh.at,
    }
    await fresh.put(PlanApprovalRow, {"seq": fresh.seq}, values, first={})


async def _approved(fact: events.PlanApproved, fresh: Fresh) -> None:
    values = {
        "plan_hash": fact.plan_hash,
        "status": "active",
        "sessions": fact.sessions,
        "mg_per_kg": fact.mg_per_kg,
        "dose_mg": fact.dose_mg,
        "max_mg": fact.max_mg,
        "boosters": fact.boosters,
        "phase": fact.phase,
        "approved_at": fresh.at,
        "expires_at": fact.expires_at,
    }
    others = PlanRow.version != fact.version, PlanRow.status == "active"
    revoked = {"superseded_by": fact.version, "ended_at": fresh.at, "ended_seq": fresh.seq}
    await fresh.change(PlanRow, *others, status="revoked", **revoked)
    await fresh.put(PlanRow, {"version": fact.version}, values, first={})
