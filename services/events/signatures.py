"""How does a receiver know that a webhook is ours and unchanged? Standard Webhooks, version 1.

Signed is `id.timestamp.body`: `v1` is HMAC-SHA-256 with the secret `whsec_…` (Base64 of 32 random bytes), `v1a`
is Ed25519 with the key `whsk_…`, which receivers verify with `whpk_…`. While a secret is being changed both sign.
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict

SECRET, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
SECRET_BYTES = 32


class SigningKeys(BaseModel):
    """One generation of an endpoint's keys. `private_key` only where it asked for Ed25519 too."""

    model_config = ConfigDict(frozen=True)

    secret: str
    private_key: str | None = None

    @classmethod
    def fresh(cls, *, asymmetric: bool) -> Self:
        private = PRIVATE + _spelled(os.urandom(SECRET_BYTES)) if asymmetric else None
        return cls(secret=SECRET + _spelled(os.urandom(SECRET_BYTES)), private_key=private)

    @property
    def public_key(self) -> str | None:
        if self.private_key is None:
            return None
        return PUBLIC + _spelled(_ed25519(self.private_key).public_key().public_bytes_raw())

    def signatures(self, signed: bytes) -> Iterator[str]:
        key = base64.b64decode(self.secret.removeprefix(SECRET))
        yield "v1," + _spelled(hmac.new(key, signed, hashlib.sha256).digest())
        if self.private_key is not None:
            yield "v1a," + _spelled(_ed25519(self.private_key).sign(signed))


class Secrets(BaseModel):
    """Everything that signs for one endpoint; stored encrypted."""

    model_config = ConfigDict(frozen=True)

    current: SigningKeys
    previous: SigningKeys | None = None

    def rotated(self) -> "Secrets":
        fresh = SigningKeys.fresh(asymmetric=self.current.private_key is not None)
        return Secrets(current=fresh, previous=self.current)


def signed_headers(
    secrets: Secrets, event_id: str, at: datetime, body: str, previous_until: datetime | None
) -> dict[str, str]:
    """The headers of one attempt. The timestamp is the attempt's: receivers refuse old ones."""
    timestamp = str(int(at.timestamp()))
    signed = f"{event_id}.{timestamp}.{body}".encode()
    signatures = list(secrets.current.signatures(signed))
    if secrets.previous is not None and previous_until is not None and at < previous_until:
        signatures += secrets.previous.signatures(signed)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
        "content-type": "application/json",
        "user-agent": "kap-webhooks/1",
    }


def _ed25519(private_key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key.removeprefix(PRIVATE)))


def _spelled(content: bytes) -> str:
    return base64.b64encode(content).decode()
