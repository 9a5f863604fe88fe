"""May the dose start now? Sixteen gates, each answered every time.

Evaluated at the moment of the dose from the records, never from the booking. A gate answers PASS with one
reason, or with one reason for each objection. What is unknown or out of date is refused: fail closed. The
facts are in `gate_facts`, the objections of each gate in `gate_checks`.
Source: clinical-facts §3.1 (G1-G16), §3.2, H10-H12, H17.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from clinical import gate_checks
from clinical.decision import Confidence, Decision, Reason, Verdict
from clinical.gate_facts import EscortFacts, GateFacts, PlanFacts, RemsFacts, ScannedDrug, SecondCheck
from clinical.gate_objection import Objections
from clinical.instants import in_utc
from clinical.protocol import Protocol

__all__ = [
    "EscortFacts",
    "Gate",
    "GateFacts",
    "PlanFacts",
    "RemsFacts",
    "ScannedDrug",
    "SecondCheck",
    "closed_gates",
    "evaluate",
]


class Gate(StrEnum):
    """The gates by their number in the table."""

    IDENTITY = "G1"
    CONSENT = "G2"
    PLAN = "G3"
    INTERVAL = "G4"
    FASTING = "G5"
    ESCORT = "G6"
    PREGNANCY = "G7"
    INTOXICATION = "G8"
    SUICIDALITY = "G9"
    VITALS = "G10"
    WEIGHT = "G11"
    MEDICATION = "G12"
    PSYCHIATRIC_STATE = "G13"
    STAFF = "G14"
    REMS = "G15"
    DRUG = "G16"


class _Rule(NamedTuple):
    objections: Callable[[GateFacts, Protocol, datetime], Objections]
    met: str
    source: str
    confidence: Confidence


_C, _W, _D = Confidence.CONFIRMED, Confidence.WELL_KNOWN, Confidence.DESIGN

_RULES = {
    Gate.IDENTITY: _Rule(gate_checks.identity, "identity and plan version", "NPSG.01.01.01", _W),
    Gate.CONSENT: _Rule(gate_checks.consent, "consent and capacity", "facts §1.5", _D),
    Gate.PLAN: _Rule(
        gate_checks.plan, "plan in force, dose left, therapy on time", "facts §3.1, §4, H17", _D
    ),
    Gate.INTERVAL: _Rule(gate_checks.interval, "interval since the last dose", "facts §2.5, H4", _D),
    Gate.FASTING: _Rule(gate_checks.fasting, "fasted", "KETALAR label; ASA 2017; SPRAVATO label", _W),
    Gate.ESCORT: _Rule(gate_checks.escort, "escort confirmed", "SPRAVATO label; Chung 1995", _C),
    Gate.PREGNANCY: _Rule(gate_checks.pregnancy, "pregnancy excluded or not applicable", "facts §1.3", _C),
    Gate.INTOXICATION: _Rule(gate_checks.intoxication, "free of substances", "facts §3.1", _D),
    Gate.SUICIDALITY: _Rule(
        gate_checks.suicidality, "risk of suicide screened, no open case", "facts §6", _D
    ),
    Gate.VITALS: _Rule(gate_checks.vital_signs, "vital signs in range", "facts §3.2", _C),
    Gate.WEIGHT: _Rule(gate_checks.weight, "weight of today", "facts §1.3, H1", _D),
    Gate.MEDICATION: _Rule(gate_checks.medication, "medication reconciled", "facts §1.2, H12", _C),
    Gate.PSYCHIATRIC_STATE: _Rule(
        gate_checks.psychiatric_state, "no new mania or psychosis", "facts §1.1", _C
    ),
    Gate.STAFF: _Rule(gate_checks.staff, "staff and equipment", "SPRAVATO REMS; KETALAR label", _C),
    Gate.REMS: _Rule(gate_checks.rems, "REMS met or not applicable", "SPRAVATO REMS", _C),
    Gate.DRUG: _Rule(gate_checks.drug, "product scanned and checked twice", "facts §3.1, H2", _D),
}


def evaluate(facts: GateFacts, protocol: Protocol, now: datetime) -> Decision:
    """Which gates are open, and what closes the others? The dose starts only if the decision passes."""
    at = in_utc(now)
    return Decision.of(reason for gate in Gate for reason in _answer(gate, facts, protocol, at))


def closed_gates(decision: Decision) -> tuple[Gate, ...]:
    """Which gates object, in their order?"""
    closed = {reason.rule for reason in decision.objections}
    return tuple(gate for gate in Gate if gate in closed)


def _answer(gate: Gate, facts: GateFacts, protocol: Protocol, now: datetime) -> list[Reason]:
    rule = _RULES[gate]
    said = {"rule": gate.value, "source": rule.source, "confidence": rule.confidence}
    objections = [
        Reason.model_validate({**said, **objection._asdict()})
        for objection in rule.objections(facts, protocol, now)
    ]
    return objections or [Reason.model_validate({**said, "verdict": Verdict.PASS, "text": rule.met})]
