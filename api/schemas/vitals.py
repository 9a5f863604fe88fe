"""How is one set of vital signs sent? Strict, in the units of its names."""

from typing import Annotated

from pydantic import Field
from pydantic.config import JsonDict

from api.schemas.values import Code, In, Instant, Number, Whole
from clinical.vitals import Symptom

READING: JsonDict = {
    "systolic_mmhg": 124,
    "diastolic_mmhg": 78,
    "heart_rate_per_min": 72,
    "spo2_percent": 98,
    "respiratory_rate_per_min": 14,
    "moaas": 5,
    "taken_at": "2026-03-16T09:40:00-04:00",
    "device_id": "monitor-3",
}


class ReadingIn(In):
    """What the monitor or the nurse read. A missing breathing rate or MOAA/S holds a dose."""

    systolic_mmhg: Whole
    diastolic_mmhg: Whole
    heart_rate_per_min: Whole
    spo2_percent: Number
    respiratory_rate_per_min: Whole | None = None
    moaas: Annotated[Whole, Field(ge=0, le=5)] | None = Field(
        default=None, description="0 no response to 5 responds readily to the name"
    )
    symptoms: tuple[Symptom, ...] = ()
    taken_at: Instant
    device_id: Code | None = None
