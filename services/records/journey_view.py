"""Where does one course stand, and why? Its row, its read models, and the words behind them.

Everything is read in the caller's snapshot. The words come in one query from the entries that the rows name. The
questions are put into words once: there are eleven, and a course is asked for with many a command.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical import events
from services.asking import Question, told
from services.database import Base
from services.records.ledger import Ledger
from services.records.opening import named, view
from services.records.risk_view import risk_case_views
from services.records.tables import (
    ConsentRow,
    DecisionRow,
    DoseRow,
    JourneyRow,
    PlanApprovalRow,
    PlanRow,
    PreparationRow,
    RiskCaseRow,
    ScreeningRow,
    VisitRow,
)
from services.records.task_queries import task_view
from services.records.task_tables import TaskRow
from services.records.views import (
    ApprovalView,
    ConsentView,
    DecisionView,
    DoseView,
    JourneyView,
    PlanView,
    ScreeningView,
    SessionSummary,
)

Facts = dict[int, Any]


def _of_the_course(table: type[Base], order: str, *conditions: ColumnElement[bool]) -> Question:
    columns = table.__table__.columns
    of_journey = columns["journey_id"] == bindparam("journey")
    return Question(select(*columns).where(of_journey, *conditions).order_by(columns[order]))


TASKS = _of_the_course(TaskRow, "due_at", TaskRow.status == "requested")
PLANS = _of_the_course(PlanRow, "version")
APPROVALS = _of_the_course(PlanApprovalRow, "seq")
CONSENTS = _of_the_course(ConsentRow, "seq")
CASES = _of_the_course(RiskCaseRow, "opened_seq")
DECISIONS = _of_the_course(DecisionRow, "after_dose")
ROUNDS = _of_the_course(ScreeningRow, "round")
PREPARATIONS = _of_the_course(PreparationRow, "number")
VISITS = _of_the_course(VisitRow, "session")
DOSES = _of_the_course(DoseRow, "given_at")


async def journey_view(session: AsyncSession, ledger: Ledger, journey: JourneyRow) -> JourneyView:
    async def rows(question: Question) -> Sequence[Row[Any]]:
        return await told(session, question, {"journey": journey.id})

    tasks = await rows(TASKS)
    plans = await rows(PLANS)
    approvals = await rows(APPROVALS)
    consents = (await rows(CONSENTS))[-1:]
    cases = await rows(CASES)
    decisions = await rows(DECISIONS)
    rounds = (await rows(ROUNDS))[-1:]
    seqs = [
        *(task.opened_seq for task in tasks),
        *(seq for plan in plans for seq in (plan.proposed_seq, plan.ended_seq)),
        *(seq for consent in consents for seq in (consent.seq, consent.withdrawn_seq)),
        *(seq for decision in decisions for seq in (decision.asked_seq, decision.made_seq)),
        *(seq for screening in rounds for seq in (screening.assessed_seq, screening.signed_seq)),
    ]
    facts = await ledger.facts(session, journey.id, seqs)
    preparations = await rows(PREPARATIONS)
    return view(
        JourneyView,
        journey,
        open_tasks=tuple(task_view(row, named(facts, row.opened_seq, events.TaskOpened)) for row in tasks),
        sessions=tuple(view(SessionSummary, row) for row in await rows(VISITS)),
        given_doses=tuple(view(DoseView, row) for row in await rows(DOSES)),
        plans=tuple(_plan(row, approvals, facts) for row in plans),
        consent=_consent(consents[0], facts) if consents else None,
        risk_cases=await risk_case_views(session, ledger, cases),
        decisions=tuple(_decision(row, facts) for row in decisions),
        screening=_screening(rounds[0], facts) if rounds else None,
        preparations_held_at=tuple(row.held_at for row in preparations),
    )


def _plan(row: Row[Any], approvals: Sequence[Row[Any]], facts: Facts) -> PlanView:
    proposed = named(facts, row.proposed_seq, events.PlanProposed)
    ended = named(facts, row.ended_seq, events.PlanRejected) or named(facts, row.ended_seq, events.PlanLapsed)
    return view(
        PlanView,
        row,
        required_roles=tuple(row.required_roles),
        content=proposed.content if proposed else {},
        ended_reason=ended.reason if ended else None,
        approvals=tuple(view(ApprovalView, given) for given in approvals if given.version == row.version),
    )


def _consent(row: Row[Any], facts: Facts) -> ConsentView:
    given = named(facts, row.seq, events.ConsentGiven)
    withdrawn = named(facts, row.withdrawn_seq, events.ConsentWithdrawn)
    return view(
        ConsentView,
        row,
        elements=tuple(row.elements),
        capacity_attested_by=given.capacity_attested_by if given else "",
        withdrawal_reason=withdrawn.reason if withdrawn else None,
    )


def _decision(row: Row[Any], facts: Facts) -> DecisionView:
    asked = named(facts, row.asked_seq, events.DecisionAsked)
    made = named(facts, row.made_seq, events.DecisionMade)
    return view(
        DecisionView, row, reasons=asked.reasons if asked else (), reason=made.reason if made else None
    )


def _screening(row: Row[Any], facts: Facts) -> ScreeningView:
    assessed = named(facts, row.assessed_seq, events.ScreeningAssessed)
    signed = named(facts, row.signed_seq, events.ScreeningSigned)
    return view(
        ScreeningView,
        row,
        reasons=assessed.reasons if assessed else (),
        missing=assessed.missing if assessed else (),
        overrides=signed.overrides if signed else (),
    )
