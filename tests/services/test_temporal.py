"""Is the engine reached as it wants to be: plainly on one machine, by client certificate, by API key?"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from temporalio.client import Client
from temporalio.service import TLSConfig

from services.temporal import connect
from tests.services.settings_builder import some_settings

ENGINE = "engine.example.org"


class Authority:
    """A private authority that vouches for an engine and for its clients, as a cluster or a cloud account has one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority {folder.name}")])
        self.certificate = self._write("ca.pem", self._signed(self._name, self._key, authority=True))

    def issue(self, name: str) -> tuple[str, str]:
        """The files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self._write(f"{name}.pem", self._signed(subject, key)), self._write(f"{name}.key", secret)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool = False
    ) -> bytes:
        now = datetime.now(UTC)
        [name] = [str(part.value) for part in subject]
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name)
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _write(self, name: str, content: bytes) -> str:
        path = self._folder / name.replace(" ", "-")
        path.write_bytes(content)
        return str(path)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def behind_tls(engine: str, authority: Authority) -> AsyncIterator[tuple[str, list[str]]]:
    """A door before the real server that opens to the authority's clients only; its address, and who came in."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.certificate)
    context.load_cert_chain(*authority.issue(ENGINE))
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    host, _, port = engine.rpartition(":")
    came: list[str] = []

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        target.close()

    async def door(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(str(dict(part[0] for part in writer.get_extra_info("peercert")["subject"])["commonName"]))
        inside_reader, inside_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(copy(reader, inside_writer), copy(inside_reader, writer))

    server = await asyncio.start_server(door, "127.0.0.1", 0, ssl=context)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", came
    server.close()


async def test_a_client_certificate_opens_the_door_and_nothing_else_does(
    temporal_client: Client, authority: Authority, tmp_path: Path
) -> None:
    engine = temporal_client.service_client.config.target_host
    certificate, key = authority.issue("worker")
    async with behind_tls(engine, authority) as (address, came):
        private = {
            "temporal_address": address,
            "temporal_tls": True,
            "temporal_server_ca": authority.certificate,
            "temporal_server_name": ENGINE,
        }
        known = {"temporal_client_cert": certificate, "temporal_client_key": key}
        client = await connect(some_settings(**private, **known))
        assert (await client.count_workflows()).count >= 0
        assert set(came) == {"worker"}
        (tmp_path / "stranger").mkdir()
        certificate, key = Authority(tmp_path / "stranger").issue("stranger")
        unknown = {"temporal_client_cert": certificate, "temporal_client_key": key}
        for refused in ({}, unknown, {**known, "temporal_server_name": "another.example.org"}):
            with pytest.raises(RuntimeError, match="Failed client connect"):
                await connect(some_settings(**{**private, **refused}))
        assert set(came) == {"worker"}


async def test_an_api_key_is_sent_over_tls_only() -> None:
    cloud = {"temporal_address": "eu-west-1.aws.api.temporal.example.org:7233", "temporal_api_key": "canary"}
    client = await connect(some_settings(**cloud, temporal_tls=True), lazy=True)
    config = client.service_client.config
    assert (config.api_key, config.target_host) == ("canary", cloud["temporal_address"])
    assert config.tls == TLSConfig()  # public authorities, and the name of the address
    with pytest.raises(ValueError, match="temporal_api_key") as refused:
        some_settings(**cloud)
    assert "canary" not in str(refused.value)


async def test_on_one_machine_it_is_plain() -> None:
    config = (await connect(some_settings(), lazy=True)).service_client.config
    assert (config.tls, config.api_key) == (False, None)
