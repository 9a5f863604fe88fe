"""What do these tests start from? The shipped protocols as plain documents, unsigned, and changes to them."""

import copy
from pathlib import Path
from typing import Any

import yaml

from clinical.protocol import Protocol
from clinical.protocol_check import faults
from clinical.protocol_document import value_at

SHIPPED = Path(__file__).parents[3] / "clinical" / "protocols"
NAMES = ("iv-racemic", "im-racemic", "sl-racemic", "esketamine-rems")


def document(name: str) -> dict[str, Any]:
    """The shipped protocol without its signature: a changed document is not the signed one."""
    read: dict[str, Any] = yaml.safe_load((SHIPPED / f"{name}.yaml").read_text("utf-8"))
    del read["signature"]
    return read


DOCUMENTS = {name: document(name) for name in NAMES}


def shipped(name: str) -> Protocol:
    """The shipped protocol, signature included."""
    return Protocol.model_validate(yaml.safe_load((SHIPPED / f"{name}.yaml").read_text("utf-8")))


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    """The document with some values set; a pointer that names nothing yet is added, `...` takes one away."""
    read = copy.deepcopy(DOCUMENTS[name])
    for pointer, value in changes:
        parent, _, last = pointer.rpartition("/")
        target = value_at(read, parent)
        key: Any = int(last) if isinstance(target, list) else last.replace("~1", "/").replace("~0", "~")
        if value is ...:
            del target[key]
        elif isinstance(target, list) and key == len(target):
            target.append(value)
        else:
            target[key] = value
    return read


def pointers(name: str, *changes: tuple[str, Any]) -> set[str]:
    """Where the changed protocol has faults."""
    return {fault.pointer for fault in faults(Protocol.model_validate(changed(name, *changes)))}
