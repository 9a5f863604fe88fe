"""In which form is the drug given, how much of it, and in which stretches of the course?

Each form has exactly the numbers that it needs: what is dosed by weight has no device, what comes in lozenges
has no rate. Masses in mg of base. Source: clinical-facts §2.
"""

from typing import Annotated, Literal

from pydantic import Field

from clinical.protocol_base import Count, Minutes, Name, Percent, Positive, Section

Mass = Annotated[float, Field(ge=0.001, le=10_000)]
"""What can be weighed out, in mg: an order must be able to carry it (`clinical.dose_order`)."""

Strength = Annotated[float, Field(ge=0.001, le=1000)]
Infused = Annotated[int, Field(gt=0, le=1440)]


class _Amounts(Section):
    """Bounds of one session. A booster is a further dose in the same session and counts towards every one.

    `booster_from_minutes` counts from the dose before, `booster_until_minutes` from the first one; both are 0
    where no booster is foreseen.
    """

    max_session_mg: Mass
    boosters_max: Annotated[int, Field(ge=0)]
    booster_from_minutes: Minutes
    booster_until_minutes: Minutes
    tolerance_percent: Annotated[float, Field(ge=0, le=5)]


class _ByWeight(_Amounts):
    start_mg_per_kg: Positive
    step_mg_per_kg: Positive
    min_mg_per_kg: Positive
    max_mg_per_kg: Positive
    concentration_mg_per_ml: Strength
    volume_step_ml: Annotated[float, Field(ge=0.001, le=100)]
    ideal_weight_above_bmi_kg_m2: Positive
    weight_valid_hours: Positive
    weight_change_reverify_percent: Percent
    weight_change_reverify_kg: Positive


class Infusion(_ByWeight):
    """By vein, over time: rate and concentration are as critical as the amount."""

    form: Literal["infusion"]
    infusion_minutes: Infused
    infusion_minutes_min: Infused


class Injection(_ByWeight):
    """Into the muscle, at once: no rate, and nothing that could be stopped."""

    form: Literal["injection"]


class _InUnits(_Amounts):
    """Whole pieces of `unit_mg` each: nothing is halved, and weight plays no part."""

    unit_mg: Mass


class Lozenges(_InUnits):
    """Under the tongue. `first_session_max_mg` bounds the first session with its boosters; `step_mg` is how
    far a later session may rise above the highest one before.
    """

    form: Literal["lozenges"]
    start_mg: Positive
    step_mg: Positive
    min_mg: Positive
    first_session_max_mg: Positive


class Devices(_InUnits):
    """Into the nose: whole devices one after another, with a rest of `minutes_between_units` between them."""

    form: Literal["devices"]
    allowed_mg: tuple[Positive, ...] = Field(min_length=1)
    first_session_mg: Positive
    minutes_between_units: Count


ByWeight = Infusion | Injection
InUnits = Lozenges | Devices
Dosing = Annotated[Infusion | Injection | Lozenges | Devices, Field(discriminator="form")]


class Phase(Section):
    """One stretch of a course, by whose rhythm one plan doses: induction, weekly maintenance.

    `sessions` is how many one plan of it may have. Weeks count from the first dose of the course, the first
    one being week 1; null where the phase has no calendar of its own. A plan of a phase with
    `after_review` needs a recorded decision on benefit first.
    """

    name: Name
    sessions: Count
    min_interval_hours: Positive
    max_interval_days: Count
    from_week: Count | None
    until_week: Count | None
    after_review: bool
