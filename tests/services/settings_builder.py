"""Settings that are right for a test process, and the same as an environment."""

import base64
import hashlib
import json
from typing import Any

from clinical.people import CLINICIANS, Role
from services.settings import Settings


def a_key(name: str) -> str:
    """A base64 key that looks random and is the same in every run."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


VALUES: dict[str, Any] = {
    "environment": "development",
    "database_url": "postgresql+psycopg://kap:hunter2@127.0.0.1:5432/kap",
    "temporal_address": "127.0.0.1:7233",
    "payload_keys": {"p1": a_key("payload")},
    "payload_key_id": "p1",
    "field_keys": {"f1": a_key("field")},
    "field_key_id": "f1",
    "index_key": a_key("index"),
}
IN_PRODUCTION: dict[str, Any] = VALUES | {
    "build": "1a2b3c4d5e6f",
    "environment": "production",
    "smtp_host": "smtp.example.org",
    "smtp_from": "visits@clinic.example.org",
    "issuer_url": "https://login.example.org",
    "public_url": "https://kap.example.org",
    "staff_pages": dict.fromkeys((Role.COORDINATOR, *CLINICIANS), "duty@clinic.example.org"),
}


def some_settings(**changes: object) -> Settings:
    return Settings(**(VALUES | changes))


def as_environment(values: dict[str, Any]) -> dict[str, str]:
    return {
        f"KAP_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }
