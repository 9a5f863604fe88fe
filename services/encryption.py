"""How is patient data kept unreadable in the engine and in the database?

Three tools over AES-256-GCM with named keys:
- `PayloadCodec`: every Temporal payload, memo and encoded failure (key id in the payload's metadata).
- `FieldCipher`: single database columns, bound to their "table.column" (and row, when given): a value copied
  to another column does not decrypt; and a blind index (HMAC-SHA-256) to search for equal values.
- `KeyRing`: writes use the current key, reads the key that the data names. Rotating is adding a key and
  moving the current id; a key taken out erases what it wrote (`DataErased`), backups included.

Nonces are random (96 bits): rotate a key long before 2**32 writes. Source: NIST SP 800-38D §8.3.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr
from temporalio import converter
from temporalio.api.common.v1 import Payload

from services.settings import Settings

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
NONCE_BYTES = 12
FIELD_FORMAT = 1


class EncryptionError(Exception):
    """Encrypted data cannot be read. Never carries the data."""


class DataErased(EncryptionError):
    """The key that wrote this is not in the ring: destroyed on purpose, or missing from the configuration."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"no key has the id {key_id!r}: the data is erased or the key is missing")
        self.key_id = key_id


class DataTampered(EncryptionError):
    """The data was changed, cut, or belongs to another place."""


class NotEncrypted(EncryptionError):
    """A payload came in clear: its sender works without the codec, so nothing it says is accepted."""


@dataclass(frozen=True)
class KeyRing:
    """AES-256 keys by id. `current` writes; all of them read."""

    keys: Mapping[str, bytes] = field(repr=False)
    current: str

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError("the current key id names no key of the ring")
        if any(len(key) != 32 for key in self.keys.values()):
            raise ValueError("a key must have 32 bytes")

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The keys of the engine's payloads."""
        return cls(_decoded(settings.payload_keys), settings.payload_key_id)

    @classmethod
    def of_fields(cls, settings: Settings) -> Self:
        """The keys of database columns."""
        return cls(_decoded(settings.field_keys), settings.field_key_id)

    @cached_property
    def _ciphers(self) -> dict[str, AESGCM]:
        return {key_id: AESGCM(key) for key_id, key in self.keys.items()}

    def for_purpose(self, purpose: str) -> "KeyRing":
        """Keys of their own for one use, made of these: what one use wrote, another cannot read.

        HKDF with SHA-256 (RFC 5869); the ids stay, so rotating the ring rotates them all.
        """
        return KeyRing({name: _derived(key, purpose) for name, key in self.keys.items()}, self.current)

    def seal(self, text: bytes, bound_to: bytes) -> bytes:
        """Nonce and ciphertext under the current key."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[self.current].encrypt(nonce, text, _aad(bound_to, self.current))

    def open(self, sealed: bytes, key_id: str, bound_to: bytes) -> bytes:
        """The text again, or DataErased, or DataTampered."""
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise DataErased(key_id)
        nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        if len(nonce) < NONCE_BYTES:
            raise DataTampered("the encrypted data is too short")
        try:
            return cipher.decrypt(nonce, ciphertext, _aad(bound_to, key_id))
        except InvalidTag:
            raise DataTampered("the encrypted data was changed or belongs elsewhere") from None


class PayloadCodec(converter.PayloadCodec):
    """Encrypts every payload; refuses to read one that is in clear."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        key_id = self._keys.current.encode()
        return [
            Payload(
                metadata={"encoding": ENCODING, KEY_ID: key_id},
                data=self._keys.seal(payload.SerializeToString(), ENCODING),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._decoded(payload) for payload in payloads]

    def _decoded(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            raise NotEncrypted("a payload is not encrypted")
        key_id = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        return Payload.FromString(self._keys.open(payload.data, key_id, ENCODING))


class FieldCipher:
    """Encrypts single columns. A blob is: format, length of the key id, key id, nonce, ciphertext."""

    def __init__(self, keys: KeyRing, index_key: bytes) -> None:
        self._keys = keys
        self._index_key = index_key

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        index_key = base64.b64decode(settings.index_key.get_secret_value(), validate=True)
        return cls(KeyRing.of_fields(settings), index_key)

    def for_purpose(self, purpose: str) -> "FieldCipher":
        """A cipher of its own for one use: what it writes, the general one cannot read."""
        return FieldCipher(self._keys.for_purpose(purpose), _derived(self._index_key, purpose))

    def encrypt(self, column: str, text: str, *, row: str = "") -> bytes:
        """`column` is "table.column"; with `row` the value is also bound to that row's stable id."""
        key_id = self._keys.current.encode()
        sealed = self._keys.seal(text.encode(), _place(column, row))
        return bytes((FIELD_FORMAT, len(key_id))) + key_id + sealed

    def decrypt(self, column: str, blob: bytes, *, row: str = "") -> str:
        if len(blob) < 2 or blob[0] != FIELD_FORMAT:
            raise DataTampered("the encrypted column has an unknown format")
        end = 2 + blob[1]
        key_id = blob[2:end].decode(errors="replace")
        return self._keys.open(blob[end:], key_id, _place(column, row)).decode()

    def index(self, column: str, text: str) -> str:
        """The same text in the same column gives the same 64 hex digits; normalise the text first."""
        return blind_index(f"{column}\0{text}", self._index_key)


def blind_index(value: str, key: bytes) -> str:
    """A keyed fingerprint to search for equal values without storing them."""
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"kap\0" + purpose.encode()).derive(key)


def _aad(bound_to: bytes, key_id: str) -> bytes:
    return len(bound_to).to_bytes(4, "big") + bound_to + key_id.encode()


def _place(column: str, row: str) -> bytes:
    return f"{column}\0{row}".encode()


def _decoded(keys: Mapping[str, SecretStr]) -> dict[str, bytes]:
    return {
        key_id: base64.b64decode(secret.get_secret_value(), validate=True) for key_id, secret in keys.items()
    }
