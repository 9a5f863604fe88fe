"""What is one fault of a protocol?"""

from typing import NamedTuple


class Fault(NamedTuple):
    """One fault: where (JSON Pointer), what, and which other fields it depends on."""

    pointer: str
    detail: str
    involves: tuple[str, ...] = ()
