"""What does a protocol say, value by value, and in which unit?

A protocol as plain JSON, addressed by JSON Pointers (RFC 6901). A list of plain values is one value: "readings
at 10, 20, 30 min" changes as a whole. Units are UCUM, read from the end of a field's name.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from clinical.protocol import Label, Protocol

_UNITS = (
    ("_mg_per_kg", "mg/kg"),
    ("_mg_per_ml", "mg/mL"),
    ("_kg_m2", "kg/m2"),
    ("_per_min", "/min"),
    ("_mmhg", "mm[Hg]"),
    ("max_per_rolling_7_days", ""),
    ("_business_days", "business days"),
    ("minutes_between_units", "min"),
    ("_minutes", "min"),
    ("_hours", "h"),
    ("_days", "d"),
    ("_weeks", "wk"),
    ("_months", "mo"),
    ("_years", "a"),
    ("_percent", "%"),
    ("_mg", "mg"),
    ("_kg", "kg"),
    ("_ml", "mL"),
)


class Wait(NamedTuple):
    """One wait for a person, wherever the protocol has it."""

    pointer: str
    owner: str
    due_hours: float
    give_up_hours: float


def as_document(protocol: Protocol) -> dict[str, Any]:
    """The protocol as plain JSON, signature included."""
    document: dict[str, Any] = protocol.model_dump(mode="json", exclude=set(protocol.unsaid))
    return document


def step_of(key: object) -> str:
    """One step of a JSON Pointer, escaped."""
    return str(key).replace("~", "~0").replace("/", "~1")


def value_at(document: Any, pointer: str) -> Any:
    """The value that a JSON Pointer names; raises LookupError when there is none."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            if not key.isdecimal():
                raise KeyError(pointer)
            document = document[int(key)]
        elif isinstance(document, dict):
            document = document[key]
        else:
            raise KeyError(pointer)
    return document


def values(document: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its pointer; a list without mappings, and an empty mapping, is one value."""
    if isinstance(document, dict) and document:
        for key, item in document.items():
            yield from values(item, f"{pointer}/{step_of(key)}")
    elif isinstance(document, list) and any(isinstance(item, dict) for item in document):
        for index, item in enumerate(document):
            yield from values(item, f"{pointer}/{index}")
    else:
        yield pointer, document


def numbers(document: Any, pointer: str = "") -> Iterator[tuple[str, float]]:
    """Every single number with its pointer, those of lists one by one. True and false are no numbers."""
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, item in items:
            yield from numbers(item, f"{pointer}/{step_of(key)}")
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield pointer, document


def waits(document: Any, pointer: str = "") -> Iterator[Wait]:
    """Every wait for a person, in the order of the document."""
    if isinstance(document, dict) and document.keys() >= {"owner", "due_hours", "give_up_hours"}:
        yield Wait(pointer, document["owner"], document["due_hours"], document["give_up_hours"])
    elif isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, item in items:
            yield from waits(item, f"{pointer}/{step_of(key)}")


def label_of(pointer: str, labels: Mapping[str, Label]) -> Label | None:
    """The label that covers a value: its own, else the nearest above it."""
    while pointer:
        if pointer in labels:
            return labels[pointer]
        pointer = pointer.rpartition("/")[0]
    return None


def clinical_numbers(document: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """Every number that somebody has to answer for: all but those of labels and signature."""
    sections = {key: item for key, item in document.items() if key not in ("labels", "signature")}
    return tuple(numbers(sections))


def unit_of(field: str) -> str | None:
    """The UCUM unit that a field's name ends with."""
    fits = (unit for ending, unit in _UNITS if field.endswith(ending) or f"{ending}_" in field)
    return next(fits, "") or None
