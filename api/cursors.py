"""Where does the next page begin? An opaque, signed, short-lived mark.

It holds the position in the sort order and is bound to the list it came from: site, filters and person. A
mark that was made up, altered or taken from another list is refused (400), an old one too (410).
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence

from api.problems import Problem

VALID_FOR_S = 24 * 3600
TAG_BYTES = 16


class Cursors:
    def __init__(self, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(secret, b"kap/cursor", "sha256")
        self._clock = clock

    def seal(self, listing: str, position: Sequence[str]) -> str:
        """The mark after `position` in this listing."""
        content = json.dumps([int(self._clock()) + VALID_FOR_S, *position]).encode()
        return base64.urlsafe_b64encode(self._tag(listing, content) + content).decode().rstrip("=")

    def open(self, listing: str, cursor: str) -> list[str]:
        """The position again; raises cursor-invalid or cursor-expired."""
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise Problem("cursor-invalid") from None
        tag, content = sealed[:TAG_BYTES], sealed[TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(listing, content)):
            raise Problem("cursor-invalid")
        valid_until, *position = json.loads(content)
        if valid_until < self._clock():
            raise Problem("cursor-expired", "start again from the first page")
        return [str(part) for part in position]

    def _tag(self, listing: str, content: bytes) -> bytes:
        return hmac.digest(self._key, listing.encode() + b"\0" + content, hashlib.sha256)[:TAG_BYTES]
