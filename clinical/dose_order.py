"""What is a dose order, and what does a plan allow for one session?

Masses in mg of base (50 mg of base are 57.67 mg of hydrochloride: never converted here), weight in kg, volume
in mL, rate in mL/h. Source: clinical-facts §2.1, H2.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from clinical.instants import Instant
from clinical.protocol import Drug, Route
from clinical.weight import Kilograms, WeightMeasurement, ideal_weight_kg

Milligrams = Annotated[Decimal, Field(ge=0, le=1_000_000_000)]
MilligramsPerKilogram = Annotated[Decimal, Field(gt=0, le=1000)]
Millilitres = Annotated[Decimal, Field(ge=0, le=1_000_000_000_000)]
Centimetres = Annotated[FiniteFloat, Field(gt=0, le=100_000)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DoseOrder(_Model):
    """One dose as a whole: drug, salt, amount, route, concentration and rate belong together (H2).

    `inputs` are the numbers it was computed from, printed for the second person who checks it.
    Volume, concentration, rate and minutes are None where a route has none.
    """

    drug: Drug
    route: Route
    salt: Literal["base", "hydrochloride"] = "base"
    dose_mg: Milligrams
    mg_per_kg: MilligramsPerKilogram
    weight_kg: Kilograms
    weight_measured_at: Instant
    previous_weight_kg: Kilograms | None = None
    weight_verified: bool = False
    volume_ml: Millilitres | None
    concentration_mg_per_ml: Annotated[Decimal, Field(gt=0, le=1000)] | None
    rate_ml_per_h: Millilitres | None
    infusion_minutes: Annotated[int, Field(gt=0, le=1440)] | None
    basis: Literal["actual-weight", "ideal-weight"] = "actual-weight"
    height_cm: Centimetres | None = None
    inputs: dict[str, str]

    @property
    def weight(self) -> WeightMeasurement:
        """The weight behind the dose, as it was measured."""
        return WeightMeasurement(
            kg=self.weight_kg,
            measured_at=self.weight_measured_at,
            previous_kg=self.previous_weight_kg,
            verified=self.weight_verified,
        )

    @property
    def drawn_mg(self) -> Decimal | None:
        """What is in the syringe or the pump; None where volume or concentration is unknown."""
        if self.volume_ml is None or self.concentration_mg_per_ml is None:
            return None
        return self.volume_ml * self.concentration_mg_per_ml

    @property
    def pump_minutes(self) -> Decimal | None:
        """How long it takes, at the shortest reading of the order; None when one part is unknown."""
        if self.infusion_minutes is None or self.volume_ml is None or self.rate_ml_per_h is None:
            return None
        if self.rate_ml_per_h == 0:
            return Decimal(self.infusion_minutes)
        return min(Decimal(self.infusion_minutes), self.volume_ml * 60 / self.rate_ml_per_h)

    @property
    def expected_mg(self) -> Decimal:
        """What weight and dose per kilogram come to, on the stated basis."""
        if self.basis == "ideal-weight" and self.height_cm is not None:
            return self.mg_per_kg * min(self.weight_kg, ideal_weight_kg(self.height_cm))
        return self.mg_per_kg * self.weight_kg


class PlanDose(_Model):
    """What the approved plan allows for one session."""

    mg_per_kg: MilligramsPerKilogram
    max_mg: Milligrams
    route: Route
    drug: Drug
    infusion_minutes: Annotated[int, Field(gt=0, le=1440)] | None
