"""What is a measured value in the unit the rules use, and can it be true at all?

Canonical UCUM units stand in `CANONICAL`; `canonical_value` converts the usual others and refuses what no
living person has, so that a temperature in °F without its unit never passes unseen.
Source: UCUM conversion factors (confirmed); outer bounds are design defaults, wide on purpose.
"""

from collections.abc import Callable
from typing import NamedTuple

from clinical.patient_record import MeasurementCode


class ImpossibleValue(ValueError):
    """The value or its unit cannot be right; the message says why, without naming anybody."""


class Canonical(NamedTuple):
    """The unit the rules use, with the lowest and highest value that a living person can have."""

    unit: str
    low: float
    high: float


_M = MeasurementCode

CANONICAL: dict[MeasurementCode, Canonical] = {
    _M.SYSTOLIC: Canonical("mm[Hg]", 40, 300),
    _M.DIASTOLIC: Canonical("mm[Hg]", 20, 200),
    _M.HEART_RATE: Canonical("/min", 20, 300),
    _M.RESPIRATORY_RATE: Canonical("/min", 3, 80),
    _M.SPO2: Canonical("%", 40, 100),
    _M.TEMPERATURE: Canonical("Cel", 25, 45),
    _M.WEIGHT: Canonical("kg", 1, 400),
    _M.HEIGHT: Canonical("cm", 30, 260),
    _M.BMI: Canonical("kg/m2", 7, 120),
    _M.CREATININE: Canonical("mg/dL", 0.05, 40),
    _M.EGFR: Canonical("mL/min/{1.73_m2}", 0, 250),
    _M.ALT: Canonical("U/L", 0, 20000),
    _M.AST: Canonical("U/L", 0, 20000),
    _M.ALP: Canonical("U/L", 0, 10000),
    _M.GGT: Canonical("U/L", 0, 10000),
    _M.BILIRUBIN: Canonical("mg/dL", 0, 80),
    _M.GLUCOSE: Canonical("mg/dL", 5, 2000),
    _M.HBA1C: Canonical("%", 2, 25),
    _M.TSH: Canonical("m[IU]/L", 0, 1000),
}


def _times(factor: float) -> Callable[[float], float]:
    return lambda value: value * factor


_SAME = _times(1)
_MASS = {
    "kg": _SAME,
    "g": _times(0.001),
    "lb": _times(0.45359237),
    "lbs": _times(0.45359237),
    "[lb_av]": _times(0.45359237),
    "[oz_av]": _times(0.028349523125),
    "[stone_av]": _times(6.35029318),
}
_LENGTH = {
    "cm": _SAME,
    "m": _times(100),
    "mm": _times(0.1),
    "in": _times(2.54),
    "[in_i]": _times(2.54),
    "[in_us]": _times(2.54000508),
    "[ft_i]": _times(30.48),
    "ft": _times(30.48),
}
_PRESSURE = {
    "mm[Hg]": _SAME,
    "mmHg": _SAME,
    "mm Hg": _SAME,
    "kPa": _times(7.50061683),
    "cm[H2O]": _times(0.735559),
}
_RATE = {
    "/min": _SAME,
    "{beats}/min": _SAME,
    "{breaths}/min": _SAME,
    "beats/min": _SAME,
    "breaths/min": _SAME,
    "bpm": _SAME,
    "/s": _times(60),
    "Hz": _times(60),
}
_ENZYME = {"U/L": _SAME, "[IU]/L": _SAME, "IU/L": _SAME, "U/l": _SAME, "ukat/L": _times(60)}

_INTO: dict[MeasurementCode, dict[str, Callable[[float], float]]] = {
    _M.SYSTOLIC: _PRESSURE,
    _M.DIASTOLIC: _PRESSURE,
    _M.HEART_RATE: _RATE,
    _M.RESPIRATORY_RATE: _RATE,
    _M.SPO2: {"%": _SAME, "{fraction}": _times(100)},
    _M.TEMPERATURE: {
        "Cel": _SAME,
        "°C": _SAME,
        "C": _SAME,
        "degC": _SAME,
        "[degF]": lambda value: (value - 32) / 1.8,
        "°F": lambda value: (value - 32) / 1.8,
        "F": lambda value: (value - 32) / 1.8,
        "degF": lambda value: (value - 32) / 1.8,
        "K": lambda value: value - 273.15,
    },
    _M.WEIGHT: _MASS,
    _M.HEIGHT: _LENGTH,
    _M.BMI: {"kg/m2": _SAME, "kg/m^2": _SAME, "kg/m²": _SAME},
    _M.CREATININE: {
        "mg/dL": _SAME,
        "umol/L": _times(1 / 88.42),
        "mmol/L": _times(1000 / 88.42),
        "mg/L": _times(0.1),
    },
    _M.EGFR: {
        "mL/min/{1.73_m2}": _SAME,
        "mL/min": _SAME,
        "mL/min/1.73m2": _SAME,
        "mL/min/1.73 m2": _SAME,
        "mL/min/1.73.m2": _SAME,
        "mL/min/{1.73.m2}": _SAME,
    },
    _M.ALT: _ENZYME,
    _M.AST: _ENZYME,
    _M.ALP: _ENZYME,
    _M.GGT: _ENZYME,
    _M.BILIRUBIN: {"mg/dL": _SAME, "umol/L": _times(1 / 17.104)},
    _M.GLUCOSE: {"mg/dL": _SAME, "mmol/L": _times(18.0156)},
    _M.HBA1C: {"%": _SAME, "mmol/mol": lambda value: value * 0.09148 + 2.152},
    _M.TSH: {
        "m[IU]/L": _SAME,
        "mIU/L": _SAME,
        "mU/L": _SAME,
        "u[IU]/mL": _SAME,
        "uIU/mL": _SAME,
        "mu[IU]/mL": _SAME,
        "[mIU]/L": _SAME,
    },
}


def canonical_value(code: MeasurementCode, value: float, unit: str) -> float:
    """The value in `CANONICAL[code].unit`; raises ImpossibleValue for an unknown unit or impossible value."""
    convert = _INTO[code].get(unit.strip())
    if convert is None:
        raise ImpossibleValue(f"{unit.strip() or 'no unit'!r} is not a unit of {code.value}")
    expected = CANONICAL[code]
    converted = convert(value)
    if not expected.low <= converted <= expected.high:
        raise ImpossibleValue(
            f"{code.value} of {value:g} {unit.strip()} is not possible"
            f" ({expected.low:g} to {expected.high:g} {expected.unit})"
        )
    return converted
