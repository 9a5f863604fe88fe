"""How do new things get their names? Opaque identifiers of 26 characters, in the spelling of ULID.

Crockford's base 32 of 128 bits: no letters that are mistaken for digits, safe in addresses and file names.
Nothing about a person goes into one.
"""

import hashlib
import os
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26
PATTERN = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"


def new_id() -> str:
    """A fresh identifier: 48 bits of milliseconds, so that later ones sort later, and 80 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    return _spell((milliseconds << 80) | int.from_bytes(os.urandom(10), "big"))


def id_from(*parts: str) -> str:
    """The identifier that belongs to these words: the same for the same words, after a crash as well.

    The thing that a keyed request makes is named after the key, so that asking again finds it.
    """
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return _spell(int.from_bytes(digest[:16], "big"))


def _spell(number: int) -> str:
    return "".join(ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(LENGTH)))
