"""What of a fact is counted? Noted in the transaction that writes it, counted when that has been committed.

A fact that was in the record already is not told again, and so not counted again: neither a command that came twice
nor a workflow that was built up anew counts.
"""

from collections.abc import Callable
from functools import partial

from sqlalchemy import select

from clinical import events
from clinical.decision import Verdict
from services.records.fresh import Fresh
from services.records.tables import RiskCaseRow
from services.telemetry import metrics
from services.telemetry.names import REMINDERS, TOO_LATE

Count = Callable[[], None]

OBJECTS = frozenset({Verdict.REVIEW, Verdict.REFUSE})


async def tally(fact: events.Fact, fresh: Fresh) -> list[Count]:
    """What to count of this fact, which is about to be written."""
    match fact:
        case events.GateEvaluated(green=False):
            gates = {reason.rule for reason in fact.reasons if reason.verdict in OBJECTS}
            return [metrics.GATE_BLOCKED.of(gate=gate).inc for gate in sorted(gates)]
        case events.RiskAcknowledged():
            return await _taken_over(fact, fresh)
        case events.ObservationLate():
            return [metrics.OBSERVATION_LATE.of(paged=fact.paged).inc]
        case events.ObservationRecorded(amends=None):
            return [metrics.OBSERVATION_RECORDED.inc]
        case events.MessageSettled():
            return _settled(fact)
        case _:
            return []


async def _taken_over(fact: events.RiskAcknowledged, fresh: Fresh) -> list[Count]:
    """The first time only: who takes over again what has become worse was called anew."""
    named = RiskCaseRow.journey_id == fresh.journey.id, RiskCaseRow.case_id == fact.case_id
    case = (
        await fresh.session.execute(
            select(RiskCaseRow.level, RiskCaseRow.opened_at, RiskCaseRow.acknowledge_by).where(
                *named, RiskCaseRow.acknowledged_at.is_(None)
            )
        )
    ).one_or_none()
    if case is None:
        return []
    took = max((fresh.at - case.opened_at).total_seconds(), 0.0)
    in_time = case.acknowledge_by is None or fresh.at <= case.acknowledge_by
    return [
        partial(metrics.RISK_ACK_DURATION.of(level=case.level).observe, took),
        metrics.RISK_ACKNOWLEDGED.of(in_time=str(in_time).lower()).inc,
    ]


def _settled(fact: events.MessageSettled) -> list[Count]:
    too_late = fact.reason in TOO_LATE
    outcome = "sent" if fact.status == "completed" else "too-late" if too_late else "withheld"
    counts: list[Count] = [metrics.MESSAGE_SETTLED.of(template=fact.template, outcome=outcome).inc]
    if outcome == "too-late" and fact.template in REMINDERS:
        counts.append(metrics.REMINDER_EXPIRED.of(template=fact.template).inc)
    return counts
