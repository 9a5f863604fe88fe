"""What is a dose order, and what does a plan allow for one session?

Masses in mg of base (50 mg of base are 57.67 mg of hydrochloride: never converted here), weight in kg, volume
in mL, rate in mL/h. Source: clinical-facts §2.1, H2.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from clinical.instants import Instant
from clinical.protocol import Drug, Route
from clinical.schedule import PastDose
from clinical.weight import Kilograms, WeightMeasurement, ideal_weight_kg

Milligrams = Annotated[Decimal, Field(ge=0, le=1_000_000_000)]
MilligramsPerKilogram = Annotated[Decimal, Field(gt=0, le=1000)]
Millilitres = Annotated[Decimal, Field(ge=0, le=1_000_000_000_000)]
LONGEST_INFUSION_MINUTES = 1440
"""A day: what a pump can be told. How long an infusion takes is the protocol's and the plan's."""

InfusionMinutes = Annotated[int, Field(gt=0, le=LONGEST_INFUSION_MINUTES)]
Centimetres = Annotated[FiniteFloat, Field(gt=0, le=100_000)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DoseOrder(_Model):
    """One dose as a whole: drug, salt, amount, route, concentration and rate belong together (H2).

    `inputs` are the numbers it was computed from, printed for the second person who checks it.
    What a form has not got is None: by weight there are no `units`, in whole units no weight, volume or rate.
    """

    drug: Drug
    route: Route
    salt: Literal["base", "hydrochloride"] = "base"
    dose_mg: Milligrams
    mg_per_kg: MilligramsPerKilogram | None = None
    weight_kg: Kilograms | None = None
    weight_measured_at: Instant | None = None
    previous_weight_kg: Kilograms | None = None
    weight_verified: bool = False
    volume_ml: Millilitres | None = None
    concentration_mg_per_ml: Annotated[Decimal, Field(gt=0, le=1000)] | None = None
    rate_ml_per_h: Millilitres | None = None
    infusion_minutes: InfusionMinutes | None = None
    units: Annotated[int, Field(ge=0, le=1_000_000_000_000)] | None = None
    unit_mg: Annotated[Decimal, Field(gt=0, le=10_000)] | None = None
    basis: Literal["actual-weight", "ideal-weight", "units"] = "actual-weight"
    height_cm: Centimetres | None = None
    inputs: dict[str, str]

    @property
    def weight(self) -> WeightMeasurement | None:
        """The weight behind the dose, as it was measured; None where weight plays no part."""
        if self.weight_kg is None or self.weight_measured_at is None:
            return None
        return WeightMeasurement(
            kg=self.weight_kg,
            measured_at=self.weight_measured_at,
            previous_kg=self.previous_weight_kg,
            verified=self.weight_verified,
        )

    @property
    def drawn_mg(self) -> Decimal | None:
        """What is in the syringe, the pump or the hand; None where a part of the reckoning is unknown."""
        if self.units is not None and self.unit_mg is not None:
            return self.units * self.unit_mg
        if self.volume_ml is None or self.concentration_mg_per_ml is None:
            return None
        return self.volume_ml * self.concentration_mg_per_ml

    @property
    def pump_minutes(self) -> Decimal | None:
        """How long it takes, at the shortest reading of the order; None when one part is unknown."""
        if self.infusion_minutes is None or self.volume_ml is None or self.rate_ml_per_h is None:
            return None
        stated = Decimal(self.infusion_minutes)
        # Multiplied before anything is divided: a rate may be 0, or next to it.
        if self.volume_ml * 60 >= stated * self.rate_ml_per_h:
            return stated
        return self.volume_ml * 60 / self.rate_ml_per_h

    @property
    def expected_mg(self) -> Decimal | None:
        """What weight and dose per kilogram come to, on the stated basis; None where that cannot be told."""
        if self.mg_per_kg is None or self.weight_kg is None:
            return None
        if self.basis == "actual-weight":
            return self.mg_per_kg * self.weight_kg
        if self.basis == "units" or self.height_cm is None:
            return None
        return self.mg_per_kg * min(self.weight_kg, ideal_weight_kg(self.height_cm))


class PlanDose(_Model):
    """What the approved plan allows for one session.

    `mg_per_kg` and `max_mg` bound all doses of the session together, `dose_mg` (whole units) each single one.
    `boosters` is how many further doses the session may have.
    """

    mg_per_kg: MilligramsPerKilogram | None = None
    dose_mg: Milligrams | None = None
    max_mg: Milligrams
    boosters: Annotated[int, Field(ge=0)] = 0
    route: Route
    drug: Drug
    infusion_minutes: InfusionMinutes | None = None


class TodaysDoses(_Model):
    """What was given in this session already, and the most that an earlier session of the course had.

    `given_mg` sums the doses of this session (0 before the first), `given` counts them. `highest_mg_per_kg`
    and `highest_mg` sum an earlier session with its boosters; None when the course had no dose before this
    session.
    """

    given: Annotated[int, Field(ge=0)] = 0
    given_mg: Milligrams = Decimal(0)
    highest_mg_per_kg: Annotated[Decimal, Field(ge=0, le=1_000_000)] | None = None
    highest_mg: Milligrams | None = None

    @classmethod
    def of(cls, session: int, doses: Iterable[PastDose]) -> Self:
        """What do the doses given so far come to, seen from this session?

        They may be told one by one or a session at a time. A dose without its amount per kilogram counts
        nothing there, so that the next step starts lower.
        """
        mg: dict[int, Decimal] = {}
        per_kg: dict[int, Decimal] = {}
        given = 0
        for dose in doses:
            given += dose.session == session
            mg[dose.session] = mg.get(dose.session, Decimal(0)) + dose.dose_mg
            if dose.mg_per_kg is not None:
                per_kg[dose.session] = per_kg.get(dose.session, Decimal(0)) + dose.mg_per_kg
        return cls(
            given=given,
            given_mg=mg.pop(session, Decimal(0)),
            highest_mg=max(mg.values(), default=None),
            highest_mg_per_kg=max((most for one, most in per_kg.items() if one != session), default=None),
        )

    @property
    def first_session(self) -> bool:
        """No dose of this course was given on an earlier visit."""
        return self.highest_mg is None
