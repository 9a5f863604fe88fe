"""Was every positive screen taken up in time, and closed only by who may? Invariant 8, and what is open.

A finding that joined a case is carried by that case: what acknowledges, escalates or closes the case counts
for the finding too, unless the case had been closed before the finding was made. Who had taken the case over
before it came was in time, whatever their clocks say. A finding worse than what the case was known for starts
the clock anew: then only what came after it counts. A case that was closed by somebody without the licence is
not closed. "After" is a matter of place in the record; only deadlines are compared with instants.
Source: product §4; clinical-facts §6.2, H7, H8.
"""

from collections.abc import Iterator
from datetime import datetime

from clinical.events import RiskAcknowledged, RiskJoined, RiskOpened, RiskPaged, RiskResolved
from clinical.invariants_record import Record, Violation, Written, breach, utc
from clinical.people import CLINICIANS, LICENSED_TO_CLOSE_RISK
from clinical.risk_findings import SEVERITY

FURTHER = 2
"""The first rung is how a case begins; paged further means from the second on."""

Case = Written[RiskOpened]


def open_cases(record: Record, place: int) -> tuple[str, ...]:
    """Which cases are open just before that place of the record?"""
    return tuple(
        case.fact.case_id
        for case in record.every(RiskOpened)
        if case.place < place and not _closed(record, case, place)
    )


def risk_is_taken_up_and_closed_by_who_may(record: Record) -> Iterator[Violation]:
    """Invariant 8: acknowledged or paged further by the deadline, closed by a licensed clinician."""
    for closing in record.every(RiskResolved):
        role = closing.entry.actor.role
        if role not in LICENSED_TO_CLOSE_RISK:
            yield breach(8, "CLOSED-BY", closing.seq, f"risk case {closing.fact.case_id} closed by: {role}")
    for case in record.every(RiskOpened):
        by = utc(case.fact.acknowledge_by)
        if by < record.ends_at and not _taken_up(record, case, by):
            text = f"risk case {case.fact.case_id} was neither acknowledged nor paged further in time"
            yield breach(8, "UNANSWERED", case.seq, text)


def _closed(record: Record, case: Case, place: int) -> bool:
    carriers = _carriers(record, case, place)
    return any(
        case.place < closing.place < place and closing.fact.case_id in carriers
        for closing in _closings(record)
    )


def _closings(record: Record) -> list[Written[RiskResolved]]:
    return [c for c in record.every(RiskResolved) if c.entry.actor.role in LICENSED_TO_CLOSE_RISK]


def _carriers(record: Record, case: Case, place: int) -> set[str]:
    """The case and the open cases that it joined, one after the other, as known before that place."""
    joined_to = {j.fact.case_id: j.fact.joined_to for j in record.every(RiskJoined) if j.place < place}
    closed_before = {c.fact.case_id for c in _closings(record) if c.place < case.place}
    carriers = {case.fact.case_id}
    following = joined_to.get(case.fact.case_id)
    while following is not None and following not in carriers | closed_before:
        carriers.add(following)
        following = joined_to.get(following)
    return carriers


def _taken_up(record: Record, case: Case, by: datetime) -> bool:
    carriers = _carriers(record, case, len(record.entries))
    since = case.place if _is_worse(record, case, carriers) else -1
    answers: list[Written[RiskAcknowledged] | Written[RiskResolved] | Written[RiskPaged]] = [
        *(a for a in record.every(RiskAcknowledged) if a.entry.actor.role in CLINICIANS),
        *_closings(record),
        *(p for p in record.every(RiskPaged) if p.fact.rung >= FURTHER),
    ]
    return any(
        answer.fact.case_id in carriers
        and answer.place > since
        and (answer.place < case.place or utc(answer.entry.occurred_at) <= by)
        for answer in answers
    )


def _is_worse(record: Record, case: Case, carriers: set[str]) -> bool:
    """Is this finding worse than every earlier one that the same cases carry?"""
    earlier = [
        SEVERITY[other.fact.level]
        for other in record.every(RiskOpened)
        if other.place < case.place and _carriers(record, other, len(record.entries)) & carriers
    ]
    return bool(earlier) and SEVERITY[case.fact.level] > max(earlier)
