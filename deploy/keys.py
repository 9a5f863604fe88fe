"""Which secrets does one local system use?

Made at random once, kept in `keys.json` of its data folder (mode 0600) and read again at the next start:
without them neither the records nor the running workflows of that folder can be read.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path

from joserfc.jwk import ECKey
from pydantic import BaseModel, ConfigDict

FILE_NAME = "keys.json"
KEY_ID = "local-1"


class LocalKeys(BaseModel):
    """Keys are base64 of 32 bytes; `issuer_key` is the private JWK (P-256) that signs development tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    payload_key: str
    field_key: str
    index_key: str
    database_secret: str
    issuer_key: dict[str, str]

    @property
    def issuer_public_key(self) -> str:
        """The JWK that checks tokens, as JSON: the system that checks them cannot make them."""
        return json.dumps({name: value for name, value in self.issuer_key.items() if name != "d"})


def keys_of(data_dir: Path) -> LocalKeys:
    """The keys of this folder, made now when there are none."""
    path = data_dir / FILE_NAME
    if not path.exists():
        _write_private(path, _fresh_keys().model_dump_json(indent=2))
    return LocalKeys.model_validate_json(path.read_bytes())


def _fresh_keys() -> LocalKeys:
    issuer = ECKey.generate_key("P-256", {"kid": f"dev-{secrets.token_hex(4)}", "use": "sig", "alg": "ES256"})
    return LocalKeys(
        payload_key=_random_key(),
        field_key=_random_key(),
        index_key=_random_key(),
        database_secret=_random_key(),
        issuer_key={name: str(value) for name, value in issuer.as_dict(private=True).items()},
    )


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
