"""How is it said, field by field, what is wrong with a protocol document?

Pydantic's errors become JSON Pointers (RFC 6901) with a sentence each; the unit of a number is named from the
end of its field's name, and an unknown field gets the known field it may have meant.
"""

import difflib
from typing import Any

from pydantic import BaseModel, ValidationError

from clinical.protocol import Protocol
from clinical.protocol_check import Fault

_UNITS = (
    ("_mg_per_kg", "mg/kg"),
    ("_mg_per_ml", "mg/mL"),
    ("_kg_m2", "kg/m2"),
    ("_per_min", "/min"),
    ("_mmhg", "mm[Hg]"),
    ("_minutes", "min"),
    ("_hours", "h"),
    ("_days", "d"),
    ("_weeks", "wk"),
    ("_years", "a"),
    ("_percent", "%"),
    ("_mg", "mg"),
    ("_kg", "kg"),
)


def as_pointer(steps: tuple[int | str, ...]) -> str:
    """A JSON Pointer; the first step is the pointer so far."""
    first, *rest = steps
    return str(first) + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in rest)


def described(error: ValidationError) -> list[Fault]:
    """One fault for each error, in the order of the document's fields."""
    return [
        Fault(as_pointer(("", *_place(item["loc"]))), _sentence(item))
        for item in error.errors(include_url=False)
    ]


def unit_of(field: str) -> str | None:
    """The UCUM unit that a field's name ends with."""
    return next((unit for ending, unit in _UNITS if field.endswith(ending) or f"{ending}_" in field), None)


def _place(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    return tuple(step for step in loc if step != "[key]")


def _sentence(item: Any) -> str:
    kind, loc = item["type"], item["loc"]
    field = str(next((step for step in reversed(loc) if isinstance(step, str)), ""))
    unit = unit_of(field)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(field, _fields_beside(loc), n=1, cutoff=0.6)
        return f"unknown field; did you mean {near[0]}?" if near else "unknown field"
    if kind == "missing":
        return f"missing: a number in {unit}" if unit else "missing"
    message = str(item["msg"])
    given = item.get("input")
    said = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
    return f"{message}{f' (in {unit})' if unit else ''}{said}"


def _fields_beside(loc: tuple[int | str, ...]) -> list[str]:
    """The fields that are known where this one stands."""
    model: Any = Protocol
    for step in loc[:-1]:
        info = model.model_fields.get(step) if isinstance(step, str) else None
        if info is None or not (isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)):
            return []
        model = info.annotation
    return list(model.model_fields)
