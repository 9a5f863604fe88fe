"""What may stand in a request at all? The strict building blocks of every HTTP model.

Unknown fields are refused, numbers are numbers, instants carry an offset (a local time without one may not
exist or exist twice), words carry no control characters. Messages of validators never repeat the value.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from clinical.instants import Instant as ClinicalInstant
from clinical.patient_record import MeasurementCode
from clinical.units import ImpossibleValue, canonical_value
from services.identifiers import PATTERN

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class In(BaseModel):
    """A request's body or a part of one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class Out(BaseModel):
    """An answer or a part of one; clients tolerate fields they do not know."""

    model_config = ConfigDict(frozen=True)


def _instant(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and RFC3339.fullmatch(value)):
        return value
    raise PydanticCustomError("instant", "must be an instant with an offset, as 2026-03-02T09:30:00-05:00")


def _day(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and DAY.fullmatch(value)):
        return value
    raise PydanticCustomError("day", "must be a date, as 1984-05-17")


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("number", "must be a number")
    return value


def _plain(value: str) -> str:
    if CONTROL.search(value):
        raise PydanticCustomError("control_character", "holds a control character")
    return value


Instant = Annotated[
    ClinicalInstant,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-02T09:30:00-05:00"]}),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Number = Annotated[float, BeforeValidator(_number)]
Exact = Annotated[Decimal, BeforeValidator(_number), Field(max_digits=12), WithJsonSchema({"type": "number"})]
Words = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S"), AfterValidator(_plain)]
LongWords = Annotated[str, Field(min_length=1, max_length=8000, pattern=r"\S"), AfterValidator(_plain)]
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
Site = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["site-a"])]
Identifier = Annotated[str, Field(pattern=PATTERN, examples=["01JNB6Q0F0V5T9Z8X4C2M7K3HD"])]
PlanHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["0f" * 32])]


class Act(In):
    """Anything a person reports; `occurred_at` is when they acted, if that is not now."""

    occurred_at: Instant | None = None

    def message(self) -> dict[str, Any]:
        """The same in the words of the workflows, where they differ."""
        return self.model_dump()


class Weight(In):
    """A body mass with its UCUM unit; a number without a unit is never taken for kilograms."""

    value: Annotated[Number, Field(gt=0, examples=[154])]
    unit: Annotated[str, Field(min_length=1, max_length=16, examples=["[lb_av]"])]

    @property
    def kg(self) -> Decimal:
        """In kg, to the gram; raises ImpossibleValue."""
        kilograms = canonical_value(MeasurementCode.WEIGHT, self.value, self.unit)
        return Decimal(str(round(kilograms, 3)))


def _possible(weight: Weight) -> Weight:
    try:
        _ = weight.kg
    except ImpossibleValue:
        raise PydanticCustomError(
            "weight", "must be a possible weight in kg, g, [lb_av], [oz_av] or [stone_av]"
        ) from None
    return weight


BodyWeight = Annotated[Weight, AfterValidator(_possible)]
