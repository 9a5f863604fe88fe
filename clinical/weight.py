"""Is this body weight good enough to compute a dose from?

Weight in kg. Refused: measured in the future, too long ago, outside the plausible range, or far from the last
one without having been verified. Without an earlier weight to compare with, it must be verified as well.
Source: clinical-facts H1, G11 (change of 10 % or 5 kg), §1.3 (plausible 45-115 kg, today's measurement).
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from clinical.decision import Confidence, Reason, Verdict, age_hours
from clinical.instants import Instant, in_utc
from clinical.protocol import ByWeight, Protocol

Kilograms = Annotated[Decimal, Field(ge=Decimal("0.001"), le=1000)]

_LB_PER_KG = Decimal("2.2046226218")


class WeightMeasurement(BaseModel):
    """A weight, its time, the last one before it, and whether it was checked on the scale again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kg: Kilograms
    measured_at: Instant
    previous_kg: Kilograms | None = None
    verified: bool = False


def weight_findings(
    weight: WeightMeasurement, rules: ByWeight, protocol: Protocol, now: datetime
) -> tuple[Reason, ...]:
    """What speaks for and against this weight? One reason each for age, range and change."""
    return (_age(weight, rules, protocol, now), _range(weight, protocol), _change(weight, rules))


def ideal_weight_kg(height_cm: float) -> Decimal:
    """Which weight is ideal at this height? Peterson 2016, body-mass index 22, either sex (W)."""
    return max(Decimal(0), Decimal("48.4") + 77 * (Decimal(str(height_cm)) / 100 - Decimal("1.5")))


def _age(weight: WeightMeasurement, rules: ByWeight, protocol: Protocol, now: datetime) -> Reason:
    hours, limit = age_hours(weight.measured_at, in_utc(now)), rules.weight_valid_hours
    ahead = protocol.monitoring.future_tolerance_minutes / 60
    verdict, text = Verdict.PASS, "the weight is recent"
    if hours < -ahead:
        verdict, text = Verdict.REFUSE, "the weight was measured in the future"
    elif hours > limit:
        verdict, text = Verdict.REFUSE, "the weight is out of date: measure it today"
    return Reason(
        rule="WEIGHT-AGE",
        verdict=verdict,
        text=text,
        source="facts H1, G11",
        value=f"{hours:.1f}",
        unit="h",
        limit=f"<= {limit:g}",
        observed_at=weight.measured_at,
        age_hours=hours,
        missing=hours > limit,
    )


def _range(weight: WeightMeasurement, protocol: Protocol) -> Reason:
    low, high = protocol.screening.weight_plausible_kg
    verdict, text = Verdict.PASS, "a plausible weight"
    if weight.kg > Decimal(str(high)):
        verdict = Verdict.REFUSE
        text = f"implausible; if this was typed in lb, it is {weight.kg / _LB_PER_KG:.1f} kg"
    elif weight.kg < Decimal(str(low)):
        verdict, text = Verdict.REFUSE, "implausibly low: check unit and scale"
    return Reason(
        rule="WEIGHT-RANGE",
        verdict=verdict,
        text=text,
        source="facts §1.3 (limits of NCT05803551), H1",
        confidence=Confidence.CONFIRMED,
        value=f"{weight.kg:f}",
        unit="kg",
        limit=f"{low:g}-{high:g}",
        observed_at=weight.measured_at,
    )


def _change(weight: WeightMeasurement, rules: ByWeight) -> Reason:
    percent, kilograms = rules.weight_change_reverify_percent, rules.weight_change_reverify_kg
    verdict, text, value = Verdict.PASS, "verified on the scale again", None
    if weight.previous_kg is None:
        if not weight.verified:
            verdict, text = Verdict.REFUSE, "no earlier weight to compare with: measure again to verify"
    else:
        change = weight.kg - weight.previous_kg
        value = f"{change:+f}"
        by_share = abs(change) * 100 >= Decimal(str(percent)) * weight.previous_kg
        far = by_share or abs(change) >= Decimal(str(kilograms))
        if not far:
            text = "close to the last weight"
        elif not weight.verified:
            verdict, text = (
                Verdict.REFUSE,
                "far from the last weight: measure again to verify, then compute anew",
            )
    return Reason(
        rule="WEIGHT-CHANGE",
        verdict=verdict,
        text=text,
        source="facts G11, H1",
        value=value,
        unit="kg",
        limit=f"< {percent:g} % and < {kilograms:g} kg",
        observed_at=weight.measured_at,
        missing=weight.previous_kg is None and not weight.verified,
    )
