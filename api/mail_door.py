"""Does this mail really come from our own mail server? It signs what it hands over, with the time at which it does.

`Kap-Signature: v1=` hex of HMAC-SHA256, under a secret of its own, of the header `Kap-Timestamp` (seconds since 1970),
a dot, and the body byte for byte. An old signature is worth nothing; the same mail again within the time changes
nothing, because it has the same id. Without a secret nothing comes in.
"""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from pydantic import SecretStr

from api.problems import Problem

MEDIA_TYPE = "message/rfc822"
TIMESTAMP, SIGNATURE = "Kap-Timestamp", "Kap-Signature"
TOLERANCE_S = 300
LARGEST_MAIL = 10 * 1024 * 1024
"""Mail servers take no more from most people; a larger one with a photograph would bounce there."""


@dataclass(frozen=True)
class MailDoor:
    """Whose mail is taken in: who has `secret`."""

    secret: SecretStr | None
    clock: Callable[[], float] = time.time

    async def mail(self, request: Request) -> bytes:
        """The mail of a request whose signature is right and fresh; 403 for any other."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            raise Problem("unsupported-media-type", f"the body must be {MEDIA_TYPE}")
        stamp = request.headers.get(TIMESTAMP, "")
        fresh = stamp.isascii() and stamp.isdecimal() and len(stamp) < 12
        if self.secret is None or not fresh or abs(self.clock() - int(stamp)) > TOLERANCE_S:
            raise Problem("signature-invalid")
        body = await _body(request)
        expected = signature(self.secret.get_secret_value(), stamp, body)
        if not hmac.compare_digest(expected.encode(), request.headers.get(SIGNATURE, "").encode()):
            raise Problem("signature-invalid")
        return body


def signature(secret: str, stamp: str, body: bytes) -> str:
    return "v1=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, "sha256").hexdigest()


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > LARGEST_MAIL:
            raise Problem("body-too-large", f"a mail may have {LARGEST_MAIL} bytes")
    return b"".join(parts)
