"""What would change for a patient if one protocol took the place of another?

Every value that differs is told once, with its pointer, what it was and what it would be; nothing is left out,
and what has no words of its own is told by its pointer. Two equal protocols have no changes.
Source: product F2, F20.
"""

from typing import NamedTuple

from clinical.protocol import Protocol
from clinical.protocol_document import as_document, value_at, values
from clinical.protocol_words import Noticed, in_words, words_for

_ABSENT = "absent"


class Change(NamedTuple):
    """One value that differs: how it is called, where it stands, what it was and what it would be."""

    noticed: Noticed
    text: str
    pointer: str
    before: str
    after: str

    def __str__(self) -> str:
        place = "" if self.text == self.pointer else f" ({self.pointer})"
        return f"{self.text}: {self.before} -> {self.after}{place}"


def changes(before: Protocol, after: Protocol) -> tuple[Change, ...]:
    """Everything that differs, in the order in which a patient would notice it, then in that of the document."""
    documents = as_document(before), as_document(after)
    old, new = (dict(values(document)) for document in documents)
    found = []
    for pointer in dict.fromkeys([*old, *new]):
        if pointer in old and pointer in new and old[pointer] == new[pointer]:
            continue
        # A list that is empty on one side only is told by what stands in it on the other.
        if not (pointer in old and pointer in new) and all(_has(document, pointer) for document in documents):
            continue
        noticed, text = words_for(pointer, *documents)
        was, will_be = (
            in_words(side[pointer], pointer) if pointer in side else _ABSENT for side in (old, new)
        )
        found.append(Change(noticed, text, pointer, was, will_be))
    order = list(Noticed)
    return tuple(sorted(found, key=lambda change: order.index(change.noticed)))


def told(before: Protocol, after: Protocol) -> str:
    """The changes in words, under the heading by which a patient would notice them."""
    found = changes(before, after)
    if not found:
        return "no difference"
    lines: list[str] = []
    for noticed in dict.fromkeys(change.noticed for change in found):
        lines += ["", noticed.value] if lines else [noticed.value]
        lines += [f"  {change}" for change in found if change.noticed is noticed]
    return "\n".join(lines)


def _has(document: object, pointer: str) -> bool:
    try:
        value_at(document, pointer)
    except LookupError:
        return False
    return True
