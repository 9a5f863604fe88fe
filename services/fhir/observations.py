"""Which measurements do the Observation resources of a bundle hold?

By LOINC code, components of panels included, in any unit that `clinical.units` converts. An observation that
the rules ask for and that cannot be used (no value, unknown unit, impossible, undated, unknown status) stays
as `Unreadable`; observations of other kinds are left out.
Source: FHIR R4 Observation; LOINC (vital signs confirmed in product §6.1, laboratory codes as Synthea emits
them).
"""

from datetime import datetime

from clinical.patient_record import Measurement, MeasurementCode, Unreadable
from clinical.units import ImpossibleValue, canonical_value
from services.fhir.elements import (
    Element,
    chosen_instant,
    codings,
    element,
    elements,
    instant,
    number,
    says,
    status_code,
    text,
)

_M = MeasurementCode

LOINC: dict[str, MeasurementCode] = {
    "8480-6": _M.SYSTOLIC,
    "8462-4": _M.DIASTOLIC,
    "8867-4": _M.HEART_RATE,
    "9279-1": _M.RESPIRATORY_RATE,
    "59408-5": _M.SPO2,
    "2708-6": _M.SPO2,
    "8310-5": _M.TEMPERATURE,
    "8331-1": _M.TEMPERATURE,
    "29463-7": _M.WEIGHT,
    "3141-9": _M.WEIGHT,
    "8302-2": _M.HEIGHT,
    "3137-7": _M.HEIGHT,
    "39156-5": _M.BMI,
    "38483-4": _M.CREATININE,
    "2160-0": _M.CREATININE,
    "33914-3": _M.EGFR,
    "62238-1": _M.EGFR,
    "48642-3": _M.EGFR,
    "98979-8": _M.EGFR,
    "1742-6": _M.ALT,
    "1920-8": _M.AST,
    "6768-6": _M.ALP,
    "2324-2": _M.GGT,
    "1975-2": _M.BILIRUBIN,
    "2339-0": _M.GLUCOSE,
    "2345-7": _M.GLUCOSE,
    "4548-4": _M.HBA1C,
    "3016-3": _M.TSH,
}

PRESSURE_PANELS = frozenset({"55284-4", "85354-9"})

_USED = frozenset({"final", "amended", "corrected", "preliminary"})
_NOTHING = frozenset({"registered", "cancelled", "entered-in-error"})


def read_observation(resource: Element, pointer: str) -> tuple[list[Measurement], list[Unreadable]]:
    """The measurements of one Observation; none when it is of a kind that the rules do not ask for."""
    status = status_code(resource.get("status"))
    parts = _parts(resource, pointer)
    if not parts or status in _NOTHING:
        return [], []
    if status not in _USED:
        return [], [Unreadable(pointer=f"{pointer}/status", text=f"the status {status!r} is not understood")]
    at = chosen_instant(resource, "effective") or instant(resource.get("issued"))
    if at is None:
        return [], [Unreadable(pointer=f"{pointer}/effective", text="a measurement has no readable date")]
    read, faults = [], []
    for code, holder, where in parts:
        try:
            read.append(_measurement(code, holder, at, where))
        except ImpossibleValue as fault:
            faults.append(Unreadable(pointer=where, text=str(fault)))
    return read, faults


def _kind(concept: object) -> MeasurementCode | None:
    codes = (coding.code for coding in codings(concept) if coding.system in ("loinc", ""))
    return next((LOINC[code] for code in codes if code in LOINC), None)


def _is_panel(resource: Element) -> bool:
    return any(coding.code in PRESSURE_PANELS for coding in codings(resource.get("code")))


def _parts(resource: Element, pointer: str) -> list[tuple[MeasurementCode, Element, str]]:
    """Each value that the rules know, with where it stands; a pressure panel always has both pressures."""
    parts = []
    own = _kind(resource.get("code"))
    if own is not None:
        parts.append((own, resource, pointer))
    for index, part in enumerate(elements(resource.get("component"))):
        kind = _kind(part.get("code"))
        if kind is not None:
            parts.append((kind, part, f"{pointer}/component/{index}"))
    if _is_panel(resource):
        found = {kind for kind, _, _ in parts}
        parts += [(kind, {}, pointer) for kind in (_M.SYSTOLIC, _M.DIASTOLIC) if kind not in found]
    return parts


def _measurement(code: MeasurementCode, holder: Element, at: datetime, where: str) -> Measurement:
    quantity = element(holder.get("valueQuantity"))
    value = number(quantity.get("value"))
    if value is None:
        said = (
            "the value is not a number with a unit"
            if says(holder, "valueQuantity", "valueString")
            else "no value"
        )
        raise ImpossibleValue(f"{code.value}: {said}")
    if text(quantity.get("comparator")):
        raise ImpossibleValue(
            f"{code.value}: only a bound is given ({text(quantity.get('comparator'))} {value:g})"
        )
    unit = text(quantity.get("code")) or text(quantity.get("unit"))
    canonical_value(code, value, unit)
    return Measurement(code=code, value=value, unit=unit, observed_at=at, source=f"referral {where}")
