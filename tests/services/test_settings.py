"""A configuration is right, or every fault of it is named at once without a value."""

import base64
from pathlib import Path
from typing import Any

import pytest

from services.settings import PREFIX, Settings, SettingsInvalid, SmtpTls, Versioning
from tests.services.settings_builder import IN_PRODUCTION, VALUES, a_key, as_environment, some_settings


def read(monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]) -> Settings:
    for name in list(Settings.model_fields):
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    for name, value in as_environment(values).items():
        monkeypatch.setenv(name, value)
    return Settings.from_environment()


def faults(monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as invalid:
        read(monkeypatch, values)
    return invalid.value.faults


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def test_a_development_process_needs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, VALUES)
    assert not settings.in_production
    assert settings.temporal_namespace == "default"
    assert settings.payload_keys["p1"].get_secret_value() == a_key("payload")


def test_a_production_process_can_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, IN_PRODUCTION).in_production


def test_what_is_not_called_development_is_production(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, without(IN_PRODUCTION, "environment")).in_production


def test_an_empty_environment_names_everything_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {fault.partition(":")[0] for fault in faults(monkeypatch, {})}
    required = without(VALUES, "environment").keys() | {
        *("build", "smtp_host", "smtp_from", "issuer_url", "staff_pages", "public_url")
    }
    assert named == {f"KAP_{name.upper()}" for name in required}


def test_all_faults_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = VALUES | {
        "environment": "prod",
        "api_port": "tcp://10.0.0.1:80",
        "payload_keys": {"p1": "c2hvcnQ="},
        "field_key_id": "f9",
        "temporal_address": "127.0.0.1",
        "smtp_port": 0,
        "smpt_host": "misspelt",
    }
    named = [fault.partition(":")[0] for fault in faults(monkeypatch, bad)]
    for name in ("SMPT_HOST", "ENVIRONMENT", "API_PORT", "PAYLOAD_KEYS", "FIELD_KEY_ID", "SMTP_PORT"):
        assert named.count(f"KAP_{name}") == 1
    assert named.count("KAP_TEMPORAL_ADDRESS") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer_key", '{"kty": "oct", "k": "canary"}'),
        ("notification_console", True),
        ("smtp_tls", "none"),
        ("smtp_from", "clinic@example.org"),
        ("database_url", "postgresql+psycopg://kap:canary@db.example.org/kap"),
        ("database_url", "postgresql+psycopg://kap:canary@db.example.org/kap?sslmode=prefer"),
        ("staff_pages", {"coordinator": "duty@clinic.example.org"}),
        ("public_url", "http://kap.example.org"),
        ("public_url", "http://127.0.0.1:8000"),
        ("issuer_url", "http://login.example.org"),
        ("otlp_endpoint", "http://traces.example.org:4318"),
        ("payload_keys", {"p1": base64.b64encode(bytes(32)).decode()}),
        ("field_keys", {"f1": a_key("payload")}),
        ("index_key", a_key("field")),
    ],
)
def test_production_refuses_what_is_for_development(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    [fault] = faults(monkeypatch, IN_PRODUCTION | {name: value})
    assert fault.startswith(f"KAP_{name.upper()}: ")
    assert "canary" not in fault
    local = {"smtp_host": "smtp.example.org"} if name == "smtp_tls" else {}
    read(monkeypatch, VALUES | local | {name: value})


def test_what_is_seen_is_off_until_it_is_told_where_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = read(monkeypatch, VALUES)
    assert (quiet.metrics_port, quiet.sdk_metrics_port, quiet.otlp_endpoint) == (None, None, None)
    assert (quiet.probed_at, read(monkeypatch, IN_PRODUCTION).probed_at) == ("127.0.0.1", "0.0.0.0")
    assert read(monkeypatch, VALUES | {"metrics_port": 0}).metrics_port == 0
    wrong = VALUES | {"metrics_port": -1, "sdk_metrics_port": 0, "otlp_endpoint": "grpc://canary"}
    named = [fault.partition(":")[0] for fault in faults(monkeypatch, wrong)]
    assert named == ["KAP_METRICS_PORT", "KAP_SDK_METRICS_PORT", "KAP_OTLP_ENDPOINT"]


def test_each_version_of_the_workers_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, VALUES).versioning is Versioning.OFF
    assert read(monkeypatch, IN_PRODUCTION).versioning is Versioning.PINNED
    [fault] = faults(monkeypatch, VALUES | {"versioning": "pinned"})
    assert fault.startswith("KAP_BUILD: is required with versioning")
    assert read(monkeypatch, without(IN_PRODUCTION, "build") | {"versioning": "off"}).build == "unknown"


def test_the_engine_is_reached_privately_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    away = IN_PRODUCTION | {"temporal_address": "temporal.example.org:7233"}
    assert faults(monkeypatch, away) == ("KAP_TEMPORAL_TLS: must be true beyond this machine",)
    assert read(monkeypatch, away | {"temporal_tls": True}).temporal_tls


def test_what_the_engine_is_shown_needs_tls_files_that_are_there_and_both_halves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = tmp_path / "tls.pem"
    there.write_text("")
    private = VALUES | {"temporal_tls": True}
    for name in ("client_cert", "client_key", "server_ca", "api_key", "server_name"):
        named = faults(monkeypatch, VALUES | {f"temporal_{name}": str(there)})
        assert any(fault.startswith(f"KAP_TEMPORAL_{name.upper()}: needs temporal_tls") for fault in named)
    [fault] = faults(monkeypatch, private | {"temporal_server_ca": str(tmp_path / "canary")})
    assert fault == "KAP_TEMPORAL_SERVER_CA: names no file that can be read"
    for half in ("temporal_client_cert", "temporal_client_key"):
        [fault] = faults(monkeypatch, private | {half: str(there)})
        assert fault == "KAP_TEMPORAL_CLIENT_KEY: and temporal_client_cert are needed together"


def test_production_on_one_machine_may_be_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    local = {"smtp_host": "::1", "smtp_tls": "none", "database_url": "postgresql+psycopg:///kap?host=/run/pg"}
    assert read(monkeypatch, IN_PRODUCTION | local).smtp_tls is SmtpTls.NONE


@pytest.mark.parametrize(
    ("host", "tls"),
    [("127.0.0.1", SmtpTls.NONE), ("localhost", SmtpTls.NONE), ("mail.example.org", SmtpTls.STARTTLS)],
)
def test_mail_is_private_unless_it_stays_here(host: str, tls: SmtpTls) -> None:
    assert some_settings(smtp_host=host).smtp_tls is tls


@pytest.mark.parametrize(
    "keys", ["{not json", "[]", "{}", '{"p 1": "x"}', '{"p1": "?"}', '{"p1": 7}', '"p1"']
)
def test_key_maps_that_hold_no_keys_are_refused(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    named = [fault.partition(":")[0] for fault in faults(monkeypatch, VALUES | {"payload_keys": keys})]
    assert named == ["KAP_PAYLOAD_KEYS"]


def test_sms_is_configured_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    named = [
        fault.partition(":")[0]
        for fault in faults(monkeypatch, VALUES | {"sms_url": "https://sms.example.org"})
    ]
    assert named == ["KAP_SMS_ACCOUNT", "KAP_SMS_TOKEN", "KAP_SMS_FROM"]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"email_inbound": "true"}, "is required with email_inbound"),
        ({"email_inbound": "true", "email_inbound_secret": "short"}, "must have at least 32 characters"),
        ({"email_inbound": "true", "email_inbound_secret": "abc" * 20}, "is not random"),
    ],
)
def test_no_mail_comes_in_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], fault: str
) -> None:
    [found] = faults(monkeypatch, IN_PRODUCTION | given)
    assert found.startswith(f"KAP_EMAIL_INBOUND_SECRET: {fault}")
    whole = IN_PRODUCTION | {"email_inbound": "true", "email_inbound_secret": a_key("mail")}
    assert read(monkeypatch, whole).email_inbound
    assert read(monkeypatch, IN_PRODUCTION).email_inbound_secret is None


def test_no_secret_is_ever_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"smtp_password": "canary-1", "temporal_api_key": "canary-2", "issuer_key": "canary-3"}
    settings = read(monkeypatch, VALUES | secrets | {"temporal_tls": True})
    shown = repr(settings) + str(settings)
    for secret in ("canary", "hunter2", a_key("payload"), a_key("field"), a_key("index")):
        assert secret not in shown


def test_no_secret_stands_in_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = VALUES | {
        "database_url": "mysql://canary",
        "index_key": "canary",
        "payload_keys": '{"a": "canary"}',
    }
    with pytest.raises(SettingsInvalid) as invalid:
        read(monkeypatch, bad)
    assert len(invalid.value.faults) == 3  # a key id is not blamed for a key map that cannot be read
    assert "canary" not in str(invalid.value) + repr(invalid.value)
    assert invalid.value.__cause__ is None
    assert invalid.value.__suppress_context__
