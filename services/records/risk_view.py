"""What is there to know of a risk case and of the safety plans? With what must be done while a case is open."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical import events
from clinical.instruments.answers import RiskLevel
from clinical.risk_actions import RiskAction, actions
from clinical.risk_findings import SEVERITY
from services.records.ledger import Ledger
from services.records.opening import named, view
from services.records.risk_views import CaringContactView, RiskCaseView, SafetyPlanView
from services.records.tables import CaringContactRow, EntryRow, RiskCaseRow, SafetyPlanRow

Case = RiskCaseRow | Row[Any]
"""A line of `risk_case`, however it was read."""

STILL_OPEN = frozenset({"open", "acknowledged"})


async def risk_case_views(
    session: AsyncSession, ledger: Ledger, cases: Sequence[Case]
) -> tuple[RiskCaseView, ...]:
    """The cases of one course, in the order given."""
    if not cases:
        return ()
    journey_id = cases[0].journey_id
    of_journey = CaringContactRow.journey_id == journey_id
    contacts = (
        await session.scalars(select(CaringContactRow).where(of_journey).order_by(CaringContactRow.seq))
    ).all()
    seqs = [
        *(seq for case in cases for seq in (case.opened_seq, case.resolved_seq, case.concern_seq)),
        *(contact.seq for contact in contacts),
    ]
    facts = await ledger.facts(session, journey_id, seqs)
    return tuple(_risk_case(row, cases, contacts, facts) for row in cases)


async def safety_plan_views(
    session: AsyncSession,
    ledger: Ledger,
    journey_id: str,
    *,
    newest_first: bool = False,
    after: int | None = None,
    limit: int | None = None,
) -> tuple[SafetyPlanView, ...]:
    """The versions after version `after`; they are counted in the order of recording."""
    version = func.row_number().over(order_by=SafetyPlanRow.seq).label("version")
    numbered = select(SafetyPlanRow.seq, version).where(SafetyPlanRow.journey_id == journey_id).subquery()
    this = (SafetyPlanRow.journey_id == journey_id) & (SafetyPlanRow.seq == numbered.c.seq)
    entry_of = (EntryRow.journey_id == journey_id) & (EntryRow.seq == numbered.c.seq)
    number = numbered.c.version
    wanted = select(SafetyPlanRow, EntryRow, number).select_from(numbered).join(SafetyPlanRow, this)
    wanted = wanted.join(EntryRow, entry_of)
    if after is not None:
        wanted = wanted.where(number < after if newest_first else number > after)
    order = number.desc() if newest_first else number
    return tuple(
        view(
            SafetyPlanView,
            row,
            version=counted,
            plan=ledger.fact_of(entry, events.SafetyPlanRecorded).plan,
        )
        for row, entry, counted in await session.execute(wanted.order_by(order).limit(limit))
    )


def _risk_case(
    row: Case,
    cases: Sequence[Case],
    contacts: Sequence[CaringContactRow],
    facts: dict[int, Any],
) -> RiskCaseView:
    opened = named(facts, row.opened_seq, events.RiskOpened)
    resolved = named(facts, row.resolved_seq, events.RiskResolved)
    concern = named(facts, row.concern_seq, events.ConcernRaised)
    return view(
        RiskCaseView,
        row,
        trigger=opened.trigger if opened else None,
        note=resolved.note if resolved else None,
        without_plan=resolved.without_plan if resolved else None,
        concern=concern.text if concern else None,
        actions=_to_do(row, cases),
        contacts=tuple(_contact(made, facts) for made in contacts if made.case_id == row.case_id),
    )


def _to_do(row: Case, cases: Sequence[Case]) -> tuple[RiskAction, ...]:
    """By the worst finding that the case carries, with that one's clock."""
    if row.status not in STILL_OPEN:
        return ()
    carried = [row, *(case for case in cases if case.joined_to == row.case_id)]
    worst = max(carried, key=lambda case: SEVERITY[RiskLevel(case.level)])
    on_site = any(case.on_site for case in carried)
    return actions(RiskLevel(worst.level), on_site, worst.acknowledge_by)


def _contact(row: CaringContactRow, facts: dict[int, Any]) -> CaringContactView:
    made = named(facts, row.seq, events.CaringContactMade)
    return view(CaringContactView, row, note=made.note if made else None)
