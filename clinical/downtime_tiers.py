"""What do the tiers come to on paper: from which value on, and what is done then?

The limits are the protocol's, compared as `clinical.vital_findings` compares them: "≥" where it reaches, ">" and
"<" where it exceeds or falls below. Pressures in mm[Hg], rates in /min, SpO2 in %, MOAA/S 0-5.
Source: clinical-facts §3.2 and §3.4.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from clinical.protocol import Infusion, Protocol
from clinical.vital_signs import Symptom, Tier


class SheetTier(BaseModel):
    """One tier as it is printed: each of `limits` alone is enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: Tier
    when: str
    limits: tuple[str, ...]
    action: str


_STOPPING: dict[Literal["infusion", "injection", "lozenges", "devices"], str] = {
    "infusion": "stop the pump, clamp the line, keep the vein open",
    "injection": "what is injected cannot be taken back: no further injection",
    "lozenges": "take what is left out of the mouth, do not swallow",
    "devices": "no further device",
}


def stopping(protocol: Protocol) -> str:
    """How is a dose of this form stopped, as far as it can be?"""
    return _STOPPING[protocol.dosing.form]


def tiers(protocol: Protocol) -> tuple[SheetTier, ...]:
    """All five, from harmless to worst."""
    limits = protocol.vitals
    slower = "; consider a slower rate" if isinstance(protocol.dosing, Infusion) else ""
    fast, slow = f"HR > {limits.heart_rate_high_per_min}", f"HR < {limits.heart_rate_low_per_min}"
    low_oxygen, sedated = f"SpO2 < {limits.spo2_alert_percent:g}", f"MOAA/S ≤ {limits.moaas_alert}"
    pair = _pressure("≥", limits.intervene_pair_systolic_mmhg, limits.intervene_pair_diastolic_mmhg)
    single = _pressure(">", limits.intervene_single_systolic_mmhg, limits.intervene_single_diastolic_mmhg)
    rise = f"+{limits.rise_systolic_mmhg}/+{limits.rise_diastolic_mmhg}"
    return (
        SheetTier(
            tier=Tier.CAUTION,
            when="before",
            limits=(
                _pressure(">", limits.caution_systolic_mmhg, limits.caution_diastolic_mmhg),
                slow,
                f"after the dose: BP {rise} or more from baseline",
            ),
            action="Before: the prescriber attests benefit over risk, or delays. After: adverse event of interest.",
        ),
        SheetTier(
            tier=Tier.HOLD,
            when="before, going home",
            limits=(
                _pressure("≥", limits.hold_systolic_mmhg, limits.hold_diastolic_mmhg),
                fast,
                low_oxygen,
                sedated,
            ),
            action=f"No dose, not home. Rest {limits.hold_repeat_minutes} min, measure again, "
            f"{limits.hold_repeats} times; still there: no dose today.",
        ),
        SheetTier(
            tier=Tier.ALERT,
            when="after the dose",
            limits=(
                _pressure("≥", limits.alert_systolic_mmhg, limits.alert_diastolic_mmhg),
                fast,
                slow,
                low_oxygen,
                sedated,
            ),
            action=f"Tell the prescriber; measure every {limits.intervene_pair_minutes} min{slower}; "
            "reposition, oxygen for low SpO2; stay at the chair.",
        ),
        SheetTier(
            tier=Tier.INTERVENE,
            when="after the dose",
            limits=(
                f"{pair}, twice, {limits.intervene_pair_minutes} min apart",
                f"{single}, once",
                f"{fast} for {limits.heart_rate_high_minutes} min",
            ),
            action=f"Pause or stop: {stopping(protocol)}. Prescriber to the bedside now; "
            "medication per standing order.",
        ),
        SheetTier(
            tier=Tier.EMERGENCY,
            when="at any time",
            limits=(
                f"SpO2 < {limits.spo2_emergency_percent:g}",
                f"RR < {limits.respiratory_rate_low_per_min}",
                f"MOAA/S ≤ {limits.moaas_emergency}",
                f"any BP with {', '.join(symptom.replace('-', ' ') for symptom in Symptom)}",
            ),
            action=f"Stop: {stopping(protocol)}. Emergency steps below.",
        ),
    )


def _pressure(sign: str, systolic_mmhg: int, diastolic_mmhg: int) -> str:
    return f"BP {sign} {systolic_mmhg} or {sign} {diastolic_mmhg}"
