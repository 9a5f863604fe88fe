"""How worrying is one set of vital signs, and what must be done about it?

Before a dose the tiers are normal, A (attest), B (hold), E; from the first exposure on they are normal, A
(note), C (alert), D (intervene), E (emergency). A missing respiratory rate or MOAA/S holds a dose, but never
silences an alarm. The models live in `vital_signs`, the judgement of each sign in `vital_findings`.
Source: clinical-facts §3.2 and §3.4.
"""

from collections.abc import Iterable, Sequence

from clinical.decision import Decision, Reason, Verdict
from clinical.faults import Fault
from clinical.protocol import Protocol, Vitals
from clinical.vital_findings import (
    Finding,
    breathing,
    oxygen,
    resting_heart_rate,
    resting_pressure,
    rise,
    sedation,
    session_heart_rate,
    session_pressure,
    symptoms,
)
from clinical.vital_signs import (
    Action,
    Reading,
    Symptom,
    Tier,
    Tiered,
    action_required,
    implausible,
    is_at_least,
    worst,
)

__all__ = [
    "Action",
    "Fault",
    "Reading",
    "Symptom",
    "Tier",
    "Tiered",
    "action_required",
    "implausible",
    "in_session_tier",
    "is_at_least",
    "pre_dose_tier",
    "resting_tier",
]


def resting_tier(reading: Reading, protocol: Protocol) -> Tiered:
    """How do these values stand at rest, before a dose or before going home? Source: facts §3.2, A and B."""
    return _tiered(_at_rest(reading, protocol.vitals))


def pre_dose_tier(reading: Reading, protocol: Protocol) -> Tiered:
    """May a dose follow these values? A needs an attestation; B or worse holds. Source: facts §1.3, §3.2."""
    measured = (
        ("VITAL-RR", "respiratory rate", reading.respiratory_rate_per_min),
        ("VITAL-MOAAS", "MOAA/S", reading.moaas),
    )
    unmeasured = [_unmeasured(rule, name, reading) for rule, name, value in measured if value is None]
    return _tiered([*_at_rest(reading, protocol.vitals), *unmeasured])


def in_session_tier(
    reading: Reading, earlier: Sequence[Reading], baseline: Reading | None, protocol: Protocol
) -> Tiered:
    """How do these values stand once the drug is in? `earlier`: the session's other readings, in any order.

    Readings entered out of order count as well: a pair is a pair whichever was typed first.
    Source: facts §3.2, C, D, E and the delta rule; §3.4.
    """
    limits = protocol.vitals
    window = protocol.monitoring.repeat_after_last_minutes + protocol.monitoring.tolerance_minutes
    return _tiered(
        [
            session_pressure(reading, earlier, limits, window),
            rise(reading, baseline, limits),
            session_heart_rate(reading, earlier, limits),
            oxygen(reading, limits, low=Tier.ALERT),
            breathing(reading, limits),
            sedation(reading, limits, deep=Tier.ALERT),
            symptoms(reading),
        ]
    )


def _at_rest(reading: Reading, limits: Vitals) -> list[Finding | None]:
    return [
        resting_pressure(reading, limits),
        resting_heart_rate(reading, limits),
        oxygen(reading, limits, low=Tier.HOLD),
        breathing(reading, limits),
        sedation(reading, limits, deep=Tier.HOLD),
        symptoms(reading),
    ]


def _unmeasured(rule: str, name: str, reading: Reading) -> Finding:
    return Finding(
        Tier.HOLD,
        Reason(
            rule=rule,
            verdict=Verdict.REFUSE,
            text=f"the {name} was not measured",
            source="facts §1.3: vital signs at every session",
            observed_at=reading.taken_at,
            missing=True,
        ),
    )


def _tiered(findings: Iterable[Finding | None]) -> Tiered:
    found = [finding for finding in findings if finding is not None]
    return Tiered(tier=worst(f.tier for f in found), decision=Decision.of(f.reason for f in found))
