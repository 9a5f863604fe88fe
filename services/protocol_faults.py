"""How is it said, field by field, what is wrong with a protocol document?

Pydantic's errors become JSON Pointers (RFC 6901) with a sentence each; the unit of a number is named from the
end of its field's name, and an unknown field gets the known field it may have meant.
"""

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from clinical.protocol import Devices, Infusion, Injection, Lozenges, Protocol
from clinical.protocol_check import Fault
from clinical.protocol_document import step_of, unit_of

_FORMS: dict[tuple[int | str, ...], type[BaseModel]] = {
    ("dosing", "infusion"): Infusion,
    ("dosing", "injection"): Injection,
    ("dosing", "lozenges"): Lozenges,
    ("dosing", "devices"): Devices,
}


def as_pointer(steps: tuple[int | str, ...]) -> str:
    """A JSON Pointer; the first step is the pointer so far."""
    first, *rest = steps
    return str(first) + "".join(f"/{step_of(step)}" for step in rest)


def described(error: ValidationError) -> list[Fault]:
    """One fault for each error, in the order of the document's fields."""
    return [
        Fault(as_pointer(("", *place(item["loc"]))), _sentence(item))
        for item in error.errors(include_url=False)
    ]


def place(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Where in the document a validation error lies, without the steps that only the model has."""
    plain = tuple(step for step in loc if step != "[key]")
    return (plain[0], *plain[2:]) if len(plain) > 1 and plain[:2] in _FORMS else plain


def _sentence(item: Any) -> str:
    kind, loc = item["type"], place(item["loc"])
    field = str(next((step for step in reversed(loc) if isinstance(step, str)), ""))
    unit = unit_of(field)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(field, _fields_beside(item["loc"]), n=1, cutoff=0.6)
        return f"unknown field; did you mean {near[0]}?" if near else "unknown field"
    if kind == "missing":
        return f"missing: a number in {unit}" if unit else "missing"
    if kind.startswith("union_tag"):
        return f"form is one of {', '.join(str(name) for _, name in _FORMS)}"
    message = str(item["msg"])
    given = item.get("input")
    said = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
    return f"{message}{f' (in {unit})' if unit else ''}{said}"


def _fields_beside(loc: tuple[int | str, ...]) -> list[str]:
    """The fields that are known where this one stands."""
    steps = [step for step in loc[:-1] if isinstance(step, str)]
    model: type[BaseModel] = _FORMS.get(tuple(steps[:2]), Protocol)
    for step in steps if model is Protocol else steps[2:]:
        info = model.model_fields.get(step)
        kinds = () if info is None else (info.annotation, *get_args(info.annotation))
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)
