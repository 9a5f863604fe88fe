"""What does a file of variables say? In the form that compose and systemd read: NAME=VALUE, `#` before a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_VARIABLE = re.compile(r"(#?)(KAP_[A-Z0-9_]+)=(.*)")
SAMPLE = "[sample]"


@dataclass(frozen=True)
class Variable:
    """`needed`: not commented out. `says`: the comment above it, which several in a row share."""

    name: str
    value: str
    needed: bool
    says: str

    @property
    def is_sample(self) -> bool:
        return SAMPLE in self.says


def variables(text: str) -> Iterator[Variable]:
    """Every variable of the file in order, those that only show a default included."""
    says = ""
    for line in text.splitlines():
        found = _VARIABLE.fullmatch(line)
        if found:
            yield Variable(found[2], found[3], not found[1], says)
        elif line.startswith("# "):
            says = line.removeprefix("# ")
        else:
            says = ""


def environment_of(text: str) -> dict[str, str]:
    """What a process gets that is started with this file."""
    return {variable.name: variable.value for variable in variables(text) if variable.needed}
