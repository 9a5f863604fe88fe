"""What do risk cases and adverse events change? A case that was resolved stays resolved, whatever comes
late.
"""

from typing import assert_never

from clinical import events
from services.records.fact_groups import SafetyFact
from services.records.fresh import Fresh
from services.records.tables import RiskCaseRow


async def project_safety(fact: SafetyFact, fresh: Fresh) -> None:
    match fact:
        case events.RiskOpened():
            details = {"on_site": fact.on_site, "acknowledge_by": fact.acknowledge_by}
            await _put(fresh, fact.case_id, first={"status": "open"}, level=fact.level.value, **details)
        case events.RiskJoined():
            joined = {"status": "joined", "joined_to": fact.joined_to, "level": fact.level.value}
            await _put(fresh, fact.case_id, first={}, **joined)
        case events.RiskPaged():
            case = RiskCaseRow.case_id == fact.case_id
            pages = RiskCaseRow.pages + 1
            await fresh.change(
                RiskCaseRow, case, paged_role=fact.role.value, paged_rung=fact.rung, pages=pages
            )
        case events.RiskAcknowledged():
            case = RiskCaseRow.case_id == fact.case_id
            await fresh.change(RiskCaseRow, case, acknowledged_at=fresh.at, acknowledged_by=fresh.actor.id)
            await fresh.change(RiskCaseRow, case, RiskCaseRow.status == "open", status="acknowledged")
        case events.RiskResolved():
            case = RiskCaseRow.case_id == fact.case_id
            resolved = {"resolved_at": fresh.at, "resolved_by": fresh.actor.id, "resolved_seq": fresh.seq}
            words = {"status": "resolved", "disposition": fact.disposition.value}
            await fresh.change(RiskCaseRow, case, **words, **resolved)
        case events.AdverseEventRecorded() | events.SafetyCheckRecorded():
            return  # read from the record itself: they have no state of their own
        case _:
            assert_never(fact)


async def _put(fresh: Fresh, case_id: str, *, first: dict[str, object], **values: object) -> None:
    opened = {"site": fresh.journey.site, "opened_at": fresh.at, "opened_seq": fresh.seq}
    await fresh.put(RiskCaseRow, {"case_id": case_id}, values, first={**opened, **first})
