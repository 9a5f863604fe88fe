"""How does a medical director's signature come under a protocol?

What is signed is the content without any signature, by its hash. A document with faults is never signed. In
YAML only the signature's own lines are written anew: the comments of the clinic stay.
Source: product F2; clinical-facts §0.1.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

from clinical.people import Role
from clinical.protocol import Protocol, Signature
from clinical.protocol_document import as_document, clinical_numbers, label_of
from services.protocols import parsed, read_protocol

_SIGNATURE = re.compile(r"^signature:.*\n?(?:(?:[ \t]+.*|)\n?)*", re.MULTILINE)


def unsigned(written: str) -> Protocol:
    """The protocol in this text without its signature, which may be over other content; raises ProtocolInvalid."""
    document: dict[str, Any] = dict(parsed(written))
    document.pop("signature", None)
    return read_protocol(json.dumps(document, default=str))


def signature_of(protocol: Protocol, by: str, at: datetime, *, example: bool) -> Signature:
    """A medical director's signature over exactly this content."""
    return Signature(
        by=by,
        role=Role.MEDICAL_DIRECTOR,
        at=at.astimezone(UTC).replace(microsecond=0),
        content_hash=protocol.content_hash,
        example=example,
    )


def as_yaml(signature: Signature) -> str:
    """The signature as it stands at the end of a YAML document."""
    fields = signature.model_dump(mode="json")
    lines = [f"  {name}: {json.dumps(value)}" for name, value in fields.items()]
    return "\n".join(["signature:", *lines]) + "\n"


def with_signature(written: str, signature: Signature) -> str:
    """The document with this signature instead of any it had."""
    if written.lstrip().startswith("{"):
        document = dict(parsed(written))
        document["signature"] = signature.model_dump(mode="json")
        return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"
    rest = _SIGNATURE.sub("", written).rstrip("\n")
    return f"{rest}\n{as_yaml(signature)}"


def confidences(protocol: Protocol) -> dict[str, int]:
    """How many numbers rest on which confidence? What is not confirmed, the director answers for alone."""
    counts = dict.fromkeys(("C", "C*", "W", "U", "D"), 0)
    for pointer, _ in clinical_numbers(as_document(protocol)):
        label = label_of(pointer, protocol.labels)
        counts[label.confidence if label else "D"] += 1
    return counts
