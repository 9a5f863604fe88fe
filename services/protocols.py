"""Which protocol is this, and can it be used?

`load_protocol` reads a file (YAML, so JSON as well) or one of the shipped examples by name, and refuses it
with every fault at once: what a field alone shows, and what lies between the fields. `verify_signature` says
whether it may be used in an environment: production takes a real signature only.
Source: product F2; clinical-facts §0.1 (D and U numbers must be signed by a medical director).
"""

import copy
import json
import math
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

import clinical
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.protocol_check import Fault, faults
from clinical.protocol_document import value_at
from services.protocol_faults import as_pointer, described, place

__all__ = [
    "Fault",
    "ProtocolInvalid",
    "ProtocolUnreadable",
    "load_protocol",
    "parsed",
    "read_protocol",
    "shipped",
    "text_of",
    "verify_signature",
]

SHIPPED = Path(clinical.__file__).parent / "protocols"
LARGEST_BYTES = 1024 * 1024


class ProtocolInvalid(Exception):
    """The protocol cannot be used; `faults` lists every reason with a JSON Pointer."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '(file)'}: {fault.detail}" for fault in faults))
        self.faults = faults


class ProtocolUnreadable(ProtocolInvalid):
    """There is no document to look at: no file, no text, no YAML, no mapping."""


def shipped() -> tuple[str, ...]:
    """The names of the protocols that come with the engine, as examples."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def load_protocol(source: str | Path) -> Protocol:
    """The shipped protocol of that name, else the file at that path; raises ProtocolInvalid."""
    return read_protocol(text_of(source))


def text_of(source: str | Path) -> str:
    """What stands in that shipped protocol, or in the file at that path; raises ProtocolUnreadable."""
    path = SHIPPED / f"{source}.yaml" if str(source) in shipped() else Path(source)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ProtocolUnreadable([Fault("", "the file is larger than 1 MiB")])
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as fault:
        why = (
            "not text in UTF-8" if isinstance(fault, UnicodeDecodeError) else "there is no such file to read"
        )
        known = ", ".join(shipped())
        raise ProtocolUnreadable([Fault("", f"{why}; shipped protocols: {known}")]) from None


def read_protocol(written: str) -> Protocol:
    """The protocol in this YAML or JSON text; raises ProtocolInvalid with every fault."""
    document = parsed(written)
    found = _not_plain(document, "")
    if found:
        raise ProtocolInvalid(found)
    try:
        protocol = _validated(document)
    except ValidationError as fault:
        raise ProtocolInvalid(_all_faults(document, fault)) from None
    between = list(faults(protocol))
    if between:
        raise ProtocolInvalid(between)
    return protocol


def verify_signature(protocol: Protocol, environment: str) -> None:
    """May this protocol be used in this environment? Raises ProtocolInvalid when not.

    A signature over other content is refused everywhere. Production also refuses a missing signature, one by
    another role, and an example; everything that is not called `development` counts as production.
    """
    signature, found = protocol.signature, []
    if signature is not None and signature.content_hash != protocol.content_hash:
        found.append(Fault("/signature/content_hash", "signed other content than this"))
    if environment != "development":
        if signature is None:
            found.append(Fault("/signature", "a medical director has to sign the protocol before use"))
        elif signature.example:
            found.append(Fault("/signature/example", "an example signature is not valid here"))
        if signature is not None and signature.role is not Role.MEDICAL_DIRECTOR:
            found.append(Fault("/signature/role", "only a medical director signs a protocol"))
    if found:
        raise ProtocolInvalid(found)


class _Loader(yaml.SafeLoader):
    """YAML without aliases (they can explode) and without keys that stand twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not read")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                problem = f"the key {key_node.value!r} stands twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            if isinstance(key_node.value, str):
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def parsed(written: str) -> dict[str, Any]:
    """The mapping in this YAML or JSON text; raises ProtocolUnreadable."""
    try:
        # The loader is a SafeLoader that reads even less.
        document = yaml.load(written, Loader=_Loader)  # noqa: S506
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise ProtocolUnreadable([Fault("", f"cannot be read as YAML: {fault.problem}{where}")]) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ProtocolUnreadable([Fault("", "cannot be read as YAML")]) from None
    if not isinstance(document, dict):
        raise ProtocolUnreadable([Fault("", "a protocol is a mapping of fields to values")])
    return document


def _not_plain(value: Any, pointer: str) -> list[Fault]:
    """What JSON cannot say: numbers that are not finite, keys that are no text, values of other types."""
    if isinstance(value, dict):
        found = [
            Fault(pointer, f"the key {key!r} is not a text") for key in value if not isinstance(key, str)
        ]
        return found + [
            f for key, item in value.items() for f in _not_plain(item, as_pointer((pointer, key)))
        ]
    if isinstance(value, list):
        return [f for index, item in enumerate(value) for f in _not_plain(item, f"{pointer}/{index}")]
    if isinstance(value, float) and not math.isfinite(value):
        return [Fault(pointer, "not a finite number")]
    if isinstance(value, int) and value.bit_length() > 53:
        return [Fault(pointer, "too large a number")]
    if isinstance(value, bytes | set | tuple):
        return [Fault(pointer, "not a plain value")]
    return []


def _validated(document: dict[str, Any]) -> Protocol:
    """Strict as JSON is: no texts for numbers, no numbers for texts."""
    plain = json.dumps(document, default=_as_text)
    return Protocol.model_validate_json(plain, strict=True)


def _as_text(value: date) -> str:
    """YAML reads dates by itself; nothing else that JSON lacks gets past `_not_plain`."""
    return value.isoformat()


def _all_faults(document: dict[str, Any], error: ValidationError) -> list[Fault]:
    """The faults of single fields, and those between the fields that are sound.

    Broken fields are replaced by those of a shipped example, so that the rest can be looked at; a fault that
    depends on a replaced field is left out.
    """
    alone = described(error)
    repaired, example = (
        copy.deepcopy(document),
        _example_of(document),
    )
    places = [place(item["loc"]) for item in error.errors(include_url=False)]
    replaced = [as_pointer(("", *loc)) for loc in places]
    for loc in places:
        _repair(repaired, example, loc)
    try:
        between = faults(_validated(repaired))
    except (ValidationError, ValueError):
        return alone
    return alone + [
        fault
        for fault in between
        if not any(_touches(own, broken) for own in (fault.pointer, *fault.involves) for broken in replaced)
    ]


def _example_of(document: dict[str, Any]) -> dict[str, Any]:
    """The shipped example that gives the drug in the same form, else by the same route, else the first."""
    dosing = document.get("dosing")
    form = dosing.get("form") if isinstance(dosing, dict) else None

    def likeness(example: dict[str, Any]) -> tuple[bool, bool]:
        return example["dosing"]["form"] == form, example["route"] == document.get("route")

    return max(_examples(), key=likeness)


@cache
def _examples() -> tuple[dict[str, Any], ...]:
    """The shipped documents, to be copied from: every protocol with a fault would read four files again."""
    return tuple(parsed((SHIPPED / f"{name}.yaml").read_text("utf-8")) for name in shipped())


def _touches(pointer: str, broken: str) -> bool:
    return f"{pointer}/".startswith(f"{broken}/") or f"{broken}/".startswith(f"{pointer}/")


def _repair(document: Any, example: Any, loc: tuple[int | str, ...]) -> None:
    """Put the example's value at that place, or remove what the example does not have."""
    *parents, last = loc
    for step in parents:
        try:
            document = document[step]
        except (LookupError, TypeError):
            return
    try:
        document[last] = copy.deepcopy(value_at(example, as_pointer(("", *loc))))
    except (LookupError, TypeError):
        if isinstance(document, dict):
            document.pop(last, None)
