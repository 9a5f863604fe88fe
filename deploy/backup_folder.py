"""What is in a backup? The dumps, and a list that says of which moment, of which bytes and under which keys.

The keys themselves are never in it: of each key the list has a fingerprint, so that a restore with other keys is
refused before anything is made.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from services.settings import Settings

LIST = "backup.json"


class BackupUnusable(Exception):
    """Nothing was made. `faults` has one line for each reason."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(f"- {fault}" for fault in faults))
        self.faults = faults


class Backup(BaseModel):
    """`files`: name → SHA-256. `keys`: what it is for, and its id → fingerprint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    taken_at: datetime
    build: str
    files: dict[str, str]
    keys: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> Backup:
        try:
            return cls.model_validate_json((folder / LIST).read_bytes())
        except (OSError, ValueError):
            raise BackupUnusable((f"{folder} holds no readable {LIST}",)) from None

    def write(self, folder: Path) -> None:
        """Last of all: a folder without its list is no backup."""
        (folder / LIST).write_text(self.model_dump_json(indent=2))

    def faults(self, folder: Path, settings: Settings) -> tuple[str, ...]:
        """Why this cannot be restored with these settings; empty when it can."""
        changed = [
            f"{name} is missing or not what was written"
            for name, expected in self.files.items()
            if not (folder / name).is_file() or digest(folder / name) != expected
        ]
        known = fingerprints(settings)
        other = [
            f"{name} is not among the keys of the configuration"
            for name, fingerprint in self.keys.items()
            if known.get(name) != fingerprint
        ]
        return (*changed, *other)


def digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def fingerprints(settings: Settings) -> dict[str, str]:
    """Each key by what it is for; 256 random bits are not found from their hash."""
    maps: Mapping[str, Mapping[str, SecretStr]] = {
        "payload key": settings.payload_keys,
        "field key": settings.field_keys,
    }
    named = {f"{use} {key_id}": key for use, keys in maps.items() for key_id, key in keys.items()}
    named["index key"] = settings.index_key
    return {name: _fingerprint(key) for name, key in named.items()}


def _fingerprint(key: SecretStr) -> str:
    return hashlib.sha256(b"backup" + base64.b64decode(key.get_secret_value())).hexdigest()[:16]
