"""Did every dose rest on what it must rest on? Invariants 1 and 2.

1: a live consent, an approved plan of that exact hash, an open session, a green gate of its own. 2: no risk
case open. Written without the rules that decide these things while the course runs, so that a fault there
shows here. Source: product §4; clinical-facts §1.5, §3.1, H3, H8, H10, H11.
"""

from collections.abc import Iterator

from clinical.decision import Decision
from clinical.events import (
    CheckedIn,
    ConsentGiven,
    ConsentReaffirmed,
    ConsentWithdrawn,
    DoseGiven,
    DoseOrdered,
    GateEvaluated,
    PlanApproved,
    PlanLapsed,
    PlanProposed,
    PlanRejected,
    SessionClosed,
    SessionOpened,
)
from clinical.invariants_record import Record, Violation, Written, breach, hours_from, last_before
from clinical.invariants_risk import open_cases

Dose = Written[DoseGiven]


def doses_rest_on_what_they_must(record: Record) -> Iterator[Violation]:
    """Invariant 1, dose by dose."""
    for dose in record.doses:
        for rule, text in (
            *_consent(record, dose),
            *_plan(record, dose),
            *_session(record, dose),
            *_gate(record, dose),
        ):
            yield breach(1, rule, dose.seq, f"dose of session {dose.fact.session}: {text}")


def no_dose_beside_an_open_risk_case(record: Record) -> Iterator[Violation]:
    """Invariant 2, case by case."""
    for dose in record.doses:
        for case_id in open_cases(record, dose.place):
            text = f"dose of session {dose.fact.session} while risk case {case_id} was open"
            yield breach(2, "RISK-OPEN", dose.seq, text)


def _consent(record: Record, dose: Dose) -> Iterator[tuple[str, str]]:
    rules, given = record.protocol_at(dose.place).consent, last_before(dose.place, record.every(ConsentGiven))
    if given is None:
        yield "CONSENT-ABSENT", "no consent was given"
        return
    withdrawn = last_before(dose.place, record.every(ConsentWithdrawn))
    if withdrawn is not None and withdrawn.place > given.place:
        yield "CONSENT-WITHDRAWN", "the consent had been withdrawn"
    if given.fact.document_version != rules.document_version:
        yield "CONSENT-VERSION", "the consent is to a superseded document"
    missing = [element for element in rules.required_elements if element not in given.fact.elements]
    if missing:
        yield "CONSENT-ELEMENTS", f"not acknowledged: {', '.join(missing)}"
    if not given.fact.capacity_attested_by.strip():
        yield "CONSENT-CAPACITY", "nobody attested the capacity to consent"
    age_days = hours_from(given.entry.occurred_at, dose.fact.given_at) / 24
    if age_days >= rules.valid_days or hours_from(given.fact.expires_at, dose.fact.given_at) >= 0:
        yield "CONSENT-EXPIRED", "the consent had expired"
    today = last_before(dose.place, record.in_session(ConsentReaffirmed, dose.fact.session))
    if today is None or not today.fact.capacity:
        yield "CONSENT-REAFFIRMED", "consent and capacity were not reaffirmed in this session"


def _plan(record: Record, dose: Dose) -> Iterator[tuple[str, str]]:
    plan = last_before(dose.place, record.every(PlanApproved))
    if plan is None:
        yield "PLAN-ABSENT", "no plan was approved"
        return
    if plan.fact.plan_hash != dose.fact.plan_hash:
        yield "PLAN-HASH", f"the plan in force was version {plan.fact.version}, of another hash"
    if _voided(record, plan, dose):
        yield "PLAN-VOID", "the plan was changed, returned or lapsed after its approval"
    if hours_from(plan.fact.expires_at, dose.fact.given_at) >= 0:
        yield "PLAN-EXPIRED", "the plan had expired"


def _voided(record: Record, plan: Written[PlanApproved], dose: Dose) -> bool:
    ends: list[Written[PlanProposed] | Written[PlanRejected] | Written[PlanLapsed]] = [
        *record.every(PlanProposed),
        *record.every(PlanRejected),
        *record.every(PlanLapsed),
    ]
    return any(plan.place < end.place < dose.place and end.fact.version == plan.fact.version for end in ends)


def _session(record: Record, dose: Dose) -> Iterator[tuple[str, str]]:
    number = dose.fact.session
    opened = last_before(dose.place, record.in_session(SessionOpened, number))
    if opened is None:
        yield "SESSION-UNOPENED", "the session was not opened"
        return
    if last_before(dose.place, record.in_session(SessionClosed, number)) is not None:
        yield "SESSION-CLOSED", "the session was closed"
    arrived = last_before(dose.place, record.in_session(CheckedIn, number))
    if arrived is None or arrived.place < opened.place:
        yield "SESSION-NOT-CHECKED-IN", "the patient was not checked in"
    ordered = last_before(dose.place, record.in_session(DoseOrdered, number))
    if ordered is None:
        yield "SESSION-NO-ORDER", "no dose was ordered"
    hashes = {opened.fact.plan_hash} | ({ordered.fact.plan_hash} if ordered else set())
    if hashes != {dose.fact.plan_hash}:
        yield "SESSION-PLAN", "the session was opened, or the dose ordered, under another plan"


def _gate(record: Record, dose: Dose) -> Iterator[tuple[str, str]]:
    """Every dose needs a gate of its own: one that a dose has gone through is shut behind it."""
    number = dose.fact.session
    gate = last_before(dose.place, record.in_session(GateEvaluated, number))
    arrived = last_before(dose.place, record.in_session(CheckedIn, number))
    earlier = last_before(dose.place, record.in_session(DoseGiven, number))
    since = max((fact.place for fact in (arrived, earlier) if fact is not None), default=-1)
    if gate is None or gate.place < since:
        yield "GATE-UNASKED", "the gate was not asked for this dose"
    elif not gate.fact.green:
        yield "GATE-CLOSED", "the gate was closed"
    elif not Decision.of(gate.fact.reasons).passes:
        yield "GATE-CONTRADICTION", "the gate is called green with reasons against it"
