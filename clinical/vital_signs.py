"""What is one set of vital signs, and how are its tiers called?

Pressures in mm[Hg], rates in /min, SpO2 in %, MOAA/S 0-5 (5 responds readily to the name, 0 to nothing).
Source: clinical-facts §3.2 (tiers) and §3.4 (MOAA/S).
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PlainSerializer

from clinical.decision import Decision
from clinical.faults import Fault
from clinical.instants import Instant


class Symptom(StrEnum):
    """Signs that turn any pressure into an emergency (tier E)."""

    CHEST_PAIN = "chest-pain"
    DYSPNOEA = "dyspnoea"
    SEVERE_HEADACHE = "severe-headache"
    VISION_LOSS = "vision-loss"
    FOCAL_DEFICIT = "focal-deficit"
    SEIZURE = "seizure"
    CONFUSION = "confusion"


Measured = Annotated[int, Field(ge=-9999, le=9999)]
"""A whole number of a device; only `implausible` knows which are possible."""


Symptoms = Annotated[frozenset[Symptom], PlainSerializer(sorted, return_type=list[Symptom], when_used="json")]
"""Always written in the same order: records are hashed."""


class Reading(BaseModel):
    """One set of vital signs as measured; whether it is possible at all is asked of `implausible`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    systolic_mmhg: Measured
    diastolic_mmhg: Measured
    heart_rate_per_min: Measured
    spo2_percent: FiniteFloat
    respiratory_rate_per_min: Measured | None = None
    moaas: Measured | None = None
    symptoms: Symptoms = frozenset()
    taken_at: Instant
    device_id: str | None = None


class Tier(StrEnum):
    """From harmless to worst, in the letters of the tier table."""

    NORMAL = "normal"
    CAUTION = "A"
    HOLD = "B"
    ALERT = "C"
    INTERVENE = "D"
    EMERGENCY = "E"


_RANK = {tier: rank for rank, tier in enumerate(Tier)}


class Action(StrEnum):
    """What was done about a reading."""

    NONE = "none"
    REPEAT_READING = "repeat-reading"
    NOTIFY_PRESCRIBER = "notify-prescriber"
    SLOW_INFUSION = "slow-infusion"
    PAUSE_INFUSION = "pause-infusion"
    STOP_INFUSION = "stop-infusion"
    REPOSITION = "reposition"
    OXYGEN = "oxygen"
    MEDICATION_PER_ORDER = "medication-per-order"
    EMERGENCY_SERVICES = "emergency-services"


class Tiered(BaseModel):
    """The worst tier of a reading, and every finding that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: Tier
    decision: Decision


_POSSIBLE = {
    "systolic_mmhg": (30, 350),
    "diastolic_mmhg": (10, 250),
    "heart_rate_per_min": (10, 350),
    "spo2_percent": (30, 100),
    "respiratory_rate_per_min": (0, 100),
    "moaas": (0, 5),
}
"""Beyond these no living person was measured. Wide on purpose: an emergency must never
be refused as a typing error."""


def implausible(reading: Reading) -> tuple[Fault, ...]:
    """Which values of this reading cannot be true? Physical limits, not clinical ones (design default)."""
    faults = [
        Fault(field=name, text=f"{name} of {value} is not possible", limit=f"{low}-{high}")
        for name, (low, high) in _POSSIBLE.items()
        if (value := getattr(reading, name)) is not None and not low <= value <= high
    ]
    if reading.diastolic_mmhg >= reading.systolic_mmhg:
        pressure = f"{reading.systolic_mmhg}/{reading.diastolic_mmhg}"
        faults.append(
            Fault(
                field="diastolic_mmhg",
                text=f"{pressure} mm[Hg]: the diastolic pressure must be below the systolic one",
                limit=f"< {reading.systolic_mmhg}",
            )
        )
    return tuple(faults)


def worst(tiers: Iterable[Tier]) -> Tier:
    """The worst of several tiers; normal when there is none."""
    return max(tiers, key=_RANK.__getitem__, default=Tier.NORMAL)


def is_at_least(tier: Tier, other: Tier) -> bool:
    """Is this tier as bad as the other, or worse?"""
    return _RANK[tier] >= _RANK[other]


def action_required(tier: Tier) -> bool:
    """Can a reading of this tier be saved only with an action? From B on: a hold asks for a repeat. H13."""
    return is_at_least(tier, Tier.HOLD)
