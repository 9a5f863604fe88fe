"""Does every number say how well it is known, and is the signature over exactly this content?

Source: clinical-facts §0.1; product F2.
"""

from collections.abc import Iterator
from typing import Any

from clinical.people import Role
from clinical.protocol import Protocol
from clinical.protocol_document import clinical_numbers, label_of, step_of, value_at
from clinical.protocol_fault import Fault


def label_faults(protocol: Protocol, document: Any) -> Iterator[Fault]:
    """Labels that name nothing or nobody, and numbers that no label covers."""
    for pointer, label in protocol.labels.items():
        at = f"/labels/{step_of(pointer)}"
        try:
            value_at(document, pointer if pointer.startswith("/") else "/-")
        except LookupError:
            yield Fault(at, f"{pointer!r} names no field of this protocol")
        if not label.source.strip():
            yield Fault(f"{at}/source", "a label names its source")
    for pointer, number in clinical_numbers(document):
        if label_of(pointer, protocol.labels) is None:
            yield Fault(pointer, f"{number:g} has no label: how well is it known, and by whom?", ("/labels",))


def signature_faults(protocol: Protocol) -> Iterator[Fault]:
    """A signature over other content, by another role, or at no known instant."""
    signature = protocol.signature
    if signature is None:
        return
    if signature.content_hash != protocol.content_hash:
        yield Fault("/signature/content_hash", "signed other content than this", ("",))
    if signature.role is not Role.MEDICAL_DIRECTOR:
        yield Fault("/signature/role", "only a medical director signs a protocol")
    if signature.at.tzinfo is None:
        yield Fault("/signature/at", "the time of the signature has no zone")
