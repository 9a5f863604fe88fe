"""How is this process configured, and what is wrong with its configuration?

Everything comes from KAP_ environment variables. `Settings.from_environment()` lists all faults at once
(`SettingsInvalid.faults`) and never repeats a value, because a value may be a key or a password. What exists
for development only (the token issuer's key, the console channel, plain connections beyond this machine) is
refused in production; an unset or unreadable environment counts as production: unknown is never safe.
"""

import base64
import binascii
import ipaddress
import json
import os
import re
from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from clinical.people import CLINICIANS, Role

PREFIX = "KAP_"
OF_OPERATORS = frozenset({"KAP_OPS_API", "KAP_OPS_TOKEN"})
"""What `./dev ops` reads beside the settings: whose token, and where the API is. No process has them."""
KEY_BYTES = 32
SHORTEST_SECRET = 32
FEWEST_DISTINCT_BYTES = 12  # 32 random bytes have about 30; sample keys ("000…", "abcabc…") have few
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
UNKNOWN_BUILD = "unknown"
DEVELOPMENT_SENDER = "clinic@example.org"
PRIVATE_DATABASE_MODES = {"require", "verify-ca", "verify-full"}


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SmtpTls(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class Versioning(StrEnum):
    """How do workers take part in deployment versions? `pinned`: a run stays with the build that began it."""

    OFF = "off"
    PINNED = "pinned"
    AUTO_UPGRADE = "auto-upgrade"


class SettingsInvalid(Exception):
    """The configuration cannot be used. `faults` has one line for each fault and no values."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("the configuration has faults:\n" + "\n".join(f"- {fault}" for fault in faults))
        self.faults = faults


def is_loopback(host: str) -> bool:
    """Does this host name stay on this machine?"""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tls_for(values: dict[str, Any]) -> SmtpTls:
    host = values.get("smtp_host")
    return SmtpTls.NONE if host is not None and is_loopback(host) else SmtpTls.STARTTLS


def _versioning_for(values: dict[str, Any]) -> Versioning:
    return Versioning.PINNED if values.get("environment") is Environment.PRODUCTION else Versioning.OFF


class Settings(BaseSettings):
    """Field order matters: a validator sees the fields above it, so that all faults come in one list."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_default=True,
        env_ignore_empty=True,
    )

    environment: Environment = Environment.PRODUCTION
    versioning: Versioning = Field(default_factory=_versioning_for)
    build: str = Field(default=UNKNOWN_BUILD, pattern=r"^[A-Za-z0-9._+-]{1,64}$")  # made from the commit
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    database_url: str = Field(repr=False)  # postgresql+psycopg://…, may hold a password

    temporal_address: str = Field(pattern=r"^\S+:\d{1,5}$")  # host:port
    temporal_namespace: str = "default"
    temporal_tls: bool = False
    temporal_api_key: SecretStr | None = None
    temporal_server_ca: str | None = (
        None  # file, PEM: who may vouch for the engine, where no public authority does
    )
    temporal_server_name: str | None = (
        None  # the name in its certificate, where it is not that of the address
    )
    temporal_client_cert: str | None = None  # file, PEM
    temporal_client_key: str | None = None  # file, PEM

    payload_keys: Annotated[dict[str, SecretStr], NoDecode]
    payload_key_id: str
    field_keys: Annotated[dict[str, SecretStr], NoDecode]
    field_key_id: str
    index_key: SecretStr

    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_tls: SmtpTls = Field(default_factory=_tls_for)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str = DEVELOPMENT_SENDER
    email_inbound: bool = False  # replies and reports of delivery, handed over by the mail server
    email_inbound_secret: SecretStr | None = None  # it signs with this
    sms_url: str | None = None
    sms_account: str | None = None
    sms_token: SecretStr | None = None
    sms_from: str | None = None
    notification_console: bool = False
    staff_pages: Annotated[dict[Role, str], NoDecode] = {}  # role → e-mail
    quiet_from: time = time(21)
    quiet_until: time = time(8)
    crisis_line: str = "988"
    emergency_number: str = "911"
    text_line: str = "741741"  # empty where there is none

    content_dir: str | None = None  # folder with the clinic's own words for questionnaires, as content packs
    downtime_dir: str | None = None  # folder from which the ward prints downtime sheets

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=0, le=65535)
    public_url: str = "http://127.0.0.1:8000"
    codec_port: int = Field(default=8082, ge=0, le=65535)
    ui_origin: str | None = (
        None  # where the Temporal Web UI is: scheme, host and port; its pages may ask the codec
    )
    issuer_key: SecretStr | None = None
    issuer_url: str | None = None
    audience: str = "kap-engine"
    event_retention_days: int = Field(default=30, ge=7, le=3650)  # beyond the retries of webhooks (3 days)
    event_streams: int = Field(default=100, ge=1, le=10_000)  # clients of Server-Sent Events in one process
    webhook_loopback: bool = False  # endpoints on this machine, by http: development only
    idempotency_days: int = Field(default=14, ge=3, le=365)  # how long the answer to a request is given again
    break_glass_minutes: int = Field(default=60, ge=5, le=480)  # how long a broken glass stays open
    break_glass_review_hours: int = Field(default=72, ge=1, le=720)  # by when another person reviews it
    task_claim_hours: float = Field(default=10, gt=0, le=168)  # how long a task stays with who took it on
    worker_health_port: int = Field(default=8081, ge=0, le=65535)
    deployment_name: str = Field(default="kap-engine", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    replay_check: int = Field(
        default=50, ge=0, le=10_000
    )  # running workflows of each type that a worker tries first

    metrics_port: int | None = Field(default=None, ge=0, le=65535)  # our own at /metrics; unset: none
    sdk_metrics_port: int | None = Field(default=None, ge=1, le=65535)  # the engine's SDK's own; unset: none
    otlp_endpoint: str | None = None  # traces go to …/v1/traces, by OTLP over HTTP; unset: nowhere

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process, or SettingsInvalid with every fault."""
        given = {name for name in os.environ if name.startswith(PREFIX)}
        strangers = sorted(given - {PREFIX + name.upper() for name in cls.model_fields} - OF_OPERATORS)
        faults = [f"{name}: no setting has this name" for name in strangers]
        try:
            settings = cls()
        except ValidationError as invalid:
            raise SettingsInvalid((*faults, *_faults(invalid))) from None
        if faults:
            raise SettingsInvalid(tuple(faults))
        return settings

    @property
    def in_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def probed_at(self) -> str:
        """Where health and metrics are served: in production, or where the API is open, they are asked from outside."""
        return "0.0.0.0" if self.in_production else self.api_host  # noqa: S104

    @field_validator("payload_keys", "field_keys", "staff_pages", mode="before")
    @classmethod
    def _maps_are_json(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except json.JSONDecodeError:
            raise ValueError("must be a JSON object") from None

    @field_validator("payload_keys", "field_keys")
    @classmethod
    def _keys_are_keys(cls, value: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        if not value:
            raise ValueError("holds no key")
        if not all(KEY_ID.fullmatch(key_id) for key_id in value):
            raise ValueError("a key id has 1 to 32 letters, digits, dots, dashes or underscores")
        for key_id, secret in value.items():
            fault = _key_fault(secret, production=_production(info))
            if fault:
                raise ValueError(f"key {key_id} {fault}")
        others = info.data.get("payload_keys", {}) if info.field_name == "field_keys" else {}
        if _production(info) and _material(value) & _material(others):
            raise ValueError("shares a key with payload_keys: each use needs its own")
        return value

    @field_validator("payload_key_id", "field_key_id")
    @classmethod
    def _current_key_exists(cls, value: str, info: ValidationInfo) -> str:
        keys = info.data.get("payload_keys" if info.field_name == "payload_key_id" else "field_keys")
        if keys is not None and value not in keys:
            raise ValueError("names no key of the key map")
        return value

    @field_validator("build")
    @classmethod
    def _versions_have_names(cls, value: str, info: ValidationInfo) -> str:
        if value == UNKNOWN_BUILD and info.data.get("versioning", Versioning.OFF) is not Versioning.OFF:
            raise ValueError("is required with versioning: the commit that this was built from")
        return value

    @field_validator("index_key")
    @classmethod
    def _index_key_is_a_key(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        fault = _key_fault(value, production=_production(info))
        if fault:
            raise ValueError(fault)
        used = _material(info.data.get("payload_keys", {})) | _material(info.data.get("field_keys", {}))
        if _production(info) and value.get_secret_value() in used:
            raise ValueError("is also an encryption key: each use needs its own")
        return value

    @field_validator("database_url")
    @classmethod
    def _database_is_postgresql(cls, value: str, info: ValidationInfo) -> str:
        url = urlsplit(value)
        if url.scheme != "postgresql+psycopg":
            raise ValueError("must start with postgresql+psycopg://")
        query = parse_qs(url.query)
        host = url.hostname or query.get("host", [""])[0]
        local = not host or host.startswith("/") or is_loopback(host)
        if _production(info) and not local and query.get("sslmode", [""])[0] not in PRIVATE_DATABASE_MODES:
            raise ValueError("needs sslmode=verify-full (or require) beyond this machine")
        return value

    @field_validator("temporal_tls")
    @classmethod
    def _temporal_is_private(cls, value: bool, info: ValidationInfo) -> bool:
        address = info.data.get("temporal_address")
        if address is None or value or not _production(info):
            return value
        if not is_loopback(address.rpartition(":")[0].strip("[]")):
            raise ValueError("must be true beyond this machine")
        return value

    @field_validator(
        "temporal_api_key",
        "temporal_server_ca",
        "temporal_server_name",
        "temporal_client_cert",
        "temporal_client_key",
    )
    @classmethod
    def _engine_is_shown_credentials_privately(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("temporal_tls") is False:
            raise ValueError("needs temporal_tls: without it nobody is shown a key, and it would be ignored")
        if isinstance(value, str) and info.field_name != "temporal_server_name" and not _is_readable(value):
            raise ValueError("names no file that can be read")
        return value

    @field_validator("temporal_client_key")
    @classmethod
    def _client_certificate_is_whole(cls, value: str | None, info: ValidationInfo) -> str | None:
        certificate = info.data.get("temporal_client_cert", value)  # a faulty one has been named already
        if (value is None) != (certificate is None):
            raise ValueError("and temporal_client_cert are needed together")
        return value

    @field_validator("smtp_host")
    @classmethod
    def _mail_can_leave(cls, value: str | None, info: ValidationInfo) -> str | None:
        if _production(info) and value is None:
            raise ValueError("is required: without it no message leaves")
        return value

    @field_validator("staff_pages")
    @classmethod
    def _somebody_is_paged(cls, value: dict[Role, str], info: ValidationInfo) -> dict[Role, str]:
        if _production(info) and not {Role.COORDINATOR, *CLINICIANS} <= set(value):
            raise ValueError("must name an address for the coordinator and for every clinical role")
        return value or dict.fromkeys((Role.COORDINATOR, *CLINICIANS), DEVELOPMENT_SENDER)

    @field_validator("smtp_from")
    @classmethod
    def _mail_has_a_sender(cls, value: str, info: ValidationInfo) -> str:
        if "@" not in value:
            raise ValueError("must be an e-mail address")
        if _production(info) and value == DEVELOPMENT_SENDER:
            raise ValueError("is required: the default sender is for development")
        return value

    @field_validator("smtp_tls")
    @classmethod
    def _mail_is_private(cls, value: SmtpTls, info: ValidationInfo) -> SmtpTls:
        host = info.data.get("smtp_host")
        if _production(info) and value is SmtpTls.NONE and host is not None and not is_loopback(host):
            raise ValueError("plain SMTP is refused beyond this machine: use starttls or tls")
        return value

    @field_validator("sms_url", "public_url", "issuer_url", "otlp_endpoint")
    @classmethod
    def _addresses_are_private(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            if info.field_name == "issuer_url" and _production(info):
                raise ValueError("is required: tokens must come from a real issuer")
            return value
        url = urlsplit(value)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError("must be an http or https address")
        if _production(info) and url.scheme == "http" and not is_loopback(url.hostname):
            raise ValueError("must be https beyond this machine")
        if _production(info) and info.field_name == "public_url" and is_loopback(url.hostname):
            raise ValueError("must be where patients reach it: their links lead there")
        return value

    @field_validator("ui_origin")
    @classmethod
    def _origin_is_one(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return value
        url = urlsplit(value)
        bare = f"{url.scheme}://{url.netloc}"
        if url.scheme not in {"http", "https"} or not url.hostname or value != bare or "@" in value:
            raise ValueError("must be an origin: scheme, host and port, without a path")
        if _production(info) and url.scheme == "http" and not is_loopback(url.hostname):
            raise ValueError("must be https beyond this machine")
        return value

    @field_validator("sms_account", "sms_token", "sms_from")
    @classmethod
    def _sms_is_complete(cls, value: object, info: ValidationInfo) -> object:
        if value is None and info.data.get("sms_url") is not None:
            raise ValueError("is required with sms_url")
        return value

    @field_validator("email_inbound_secret")
    @classmethod
    def _mail_is_signed(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            if info.data.get("email_inbound"):
                raise ValueError(
                    "is required with email_inbound: without it anybody could write as a patient"
                )
            return value
        if len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"must have at least {SHORTEST_SECRET} characters")
        if _production(info) and len(set(value.get_secret_value())) < FEWEST_DISTINCT_BYTES:
            raise ValueError("is not random: a sample is refused in production")
        return value

    @field_validator("issuer_key", "notification_console", "webhook_loopback")
    @classmethod
    def _development_only(cls, value: object, info: ValidationInfo) -> object:
        if value and _production(info):
            raise ValueError("is for development and refused in production")
        return value


def _production(info: ValidationInfo) -> bool:
    return info.data.get("environment", Environment.PRODUCTION) is Environment.PRODUCTION


def _is_readable(file: str) -> bool:
    return os.path.isfile(file) and os.access(file, os.R_OK)


def _key_fault(secret: SecretStr, *, production: bool) -> str | None:
    try:
        key = base64.b64decode(secret.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        return "is not base64"
    if len(key) != KEY_BYTES:
        return f"must have {KEY_BYTES} bytes"
    if production and len(set(key)) < FEWEST_DISTINCT_BYTES:
        return "is not random: a sample key is refused in production"
    return None


def _material(keys: Mapping[str, SecretStr]) -> set[str]:
    return {secret.get_secret_value() for secret in keys.values()}


def _faults(invalid: ValidationError) -> list[str]:
    """One line for each fault, named as the environment names it; a default that could not be worked out
    because another field failed is no fault of its own."""
    return [
        f"{PREFIX}{str(error['loc'][0]).upper()}: {error['msg'].removeprefix('Value error, ')}"
        for error in invalid.errors(include_url=False, include_input=False, include_context=False)
        if error["type"] != "default_factory_not_called"
    ]
