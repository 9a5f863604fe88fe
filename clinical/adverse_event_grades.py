"""Which grade do raw values come to? A suggestion beside the grade that a person gives.

A short pressure peak after ketamine is numerically grade 3: values and duration stay in the record so that a
human can judge. Source: clinical-facts §3.8 (CTCAE v5.0, W: to be checked against the NCI file).
"""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from clinical.adverse_event_terms import Grade, Term

Pressure = Annotated[int, Field(ge=0, le=400)]
Activity = Annotated[Decimal, Field(gt=0, le=100_000)]


class Measured(BaseModel):
    """Raw values behind a grade: pressure in mm[Hg] with its duration in min, drugs given for it, ALT in U/L."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    systolic_mmhg: Pressure | None = None
    diastolic_mmhg: Pressure | None = None
    minutes: Annotated[int, Field(ge=0)] | None = None
    drugs_started: Annotated[int, Field(ge=0)] = 0
    crisis: bool = False
    alt_u_per_l: Activity | None = None
    alt_upper_limit_u_per_l: Activity | None = None


def measured_grade(term: Term, measured: Measured) -> Grade | None:
    """The grade of the values, where this term has numbers and they are known."""
    systolic, diastolic = measured.systolic_mmhg, measured.diastolic_mmhg
    if term is Term.HYPERTENSION and systolic is not None and diastolic is not None:
        return hypertension_grade(
            systolic, diastolic, drugs_started=measured.drugs_started, crisis=measured.crisis
        )
    alt, limit = measured.alt_u_per_l, measured.alt_upper_limit_u_per_l
    if term is Term.ALT_RISE and alt is not None and limit is not None:
        return alt_grade(alt, limit)
    return None


def hypertension_grade(
    systolic_mmhg: int, diastolic_mmhg: int, *, drugs_started: int = 0, crisis: bool = False
) -> Grade | None:
    """Which grade do pressure and treatment come to? None below 120/80. Source: facts §3.8 (CTCAE, W)."""
    if crisis:
        return Grade.LIFE_THREATENING
    if systolic_mmhg >= 160 or diastolic_mmhg >= 100 or drugs_started > 1:
        return Grade.SEVERE
    if systolic_mmhg >= 140 or diastolic_mmhg >= 90 or drugs_started == 1:
        return Grade.MODERATE
    if systolic_mmhg >= 120 or diastolic_mmhg >= 80:
        return Grade.MILD
    return None


def alt_grade(alt_u_per_l: Decimal, upper_limit_u_per_l: Decimal) -> Grade | None:
    """Which grade is a rise of ALT from a normal baseline? None up to the limit. Facts §3.8 (CTCAE, W)."""
    for factor, grade in (
        (20, Grade.LIFE_THREATENING),
        (5, Grade.SEVERE),
        (3, Grade.MODERATE),
        (1, Grade.MILD),
    ):
        if alt_u_per_l > factor * upper_limit_u_per_l:
            return grade
    return None
