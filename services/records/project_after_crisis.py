"""What do concerns, safety plans and contacts after a crisis change in the read models?"""

from typing import assert_never

from clinical import events
from services.records.fact_groups import AfterCrisisFact
from services.records.fresh import Fresh
from services.records.tables import CaringContactRow, RiskCaseRow, SafetyPlanRow


async def project_after_crisis(fact: AfterCrisisFact, fresh: Fresh) -> None:
    match fact:
        case events.ConcernRaised():
            case = RiskCaseRow.case_id == fact.case_id
            await fresh.change(RiskCaseRow, case, concern_seq=fresh.seq)
        case events.CaringContactMade():
            made = {"outcome": fact.outcome, "worried": fact.worried, "made_by": fresh.actor.id}
            await _contact(fresh, fact.case_id, fact.number, **made)
        case events.CaringContactMissed():
            await _contact(fresh, fact.case_id, fact.number, outcome="missed", worried=False, made_by=None)
        case events.SafetyPlanRecorded():
            recorded = {"recorded_at": fresh.at, "recorded_by": fresh.actor.id, "review_by": fact.review_by}
            await fresh.put(SafetyPlanRow, {"seq": fresh.seq}, recorded, first={})
        case _:
            assert_never(fact)


async def _contact(fresh: Fresh, case_id: str, number: int, **values: object) -> None:
    known = {"case_id": case_id, "number": number, "at": fresh.at}
    await fresh.put(CaringContactRow, {"seq": fresh.seq}, {**known, **values}, first={})
