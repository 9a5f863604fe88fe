"""E-mail over a real connection: privacy is required, failures are told apart."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.notifications.channel import AddressRefused, OutgoingMessage
from services.notifications.email import EmailChannel, SmtpServer
from services.notifications.errors import ChannelUnavailable
from services.settings import SmtpTls
from tests.services.notifications.servers import a_mail_server

MESSAGE = OutgoingMessage(
    reference="a1b2", address="zephyrine@example.org", subject="Visita", body="Hasta mañana.\n", language="es"
)


def a_channel(port: int, tls: SmtpTls = SmtpTls.NONE, trust: ssl.SSLContext | None = None) -> EmailChannel:
    return EmailChannel(SmtpServer("127.0.0.1", port, "clinic@example.org", tls=tls, trust=trust))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "server.pem", tmp_path / "server.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def server_side(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


async def test_what_a_mail_carries() -> None:
    async with a_mail_server() as server:
        provider_id = await a_channel(server.port).deliver(MESSAGE)
    [mail] = server.mails
    assert provider_id == mail["Message-ID"] == "<a1b2@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "es"
    assert mail.get_content().strip() == "Hasta mañana."


async def test_mail_leaves_over_starttls(certificate: tuple[Path, Path]) -> None:
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    async with a_mail_server(server_side(certificate)) as server:
        await a_channel(server.port, SmtpTls.STARTTLS, trust).deliver(MESSAGE)
    assert len(server.mails) == 1


async def test_no_mail_leaves_in_clear_when_starttls_is_asked_for() -> None:
    async with a_mail_server() as server:
        with pytest.raises(ChannelUnavailable):
            await a_channel(server.port, SmtpTls.STARTTLS).deliver(MESSAGE)
    assert server.mails == []


async def test_no_mail_leaves_to_a_server_that_cannot_prove_itself(certificate: tuple[Path, Path]) -> None:
    async with a_mail_server(server_side(certificate)) as server:
        with pytest.raises(ChannelUnavailable):
            await a_channel(server.port, SmtpTls.STARTTLS).deliver(MESSAGE)
    assert server.mails == []


@pytest.mark.parametrize("answer", ["550 5.1.1 unknown", "553 bad mailbox", "550 no such user here"])
async def test_a_permanent_answer_to_the_recipient_is_a_bad_address(answer: str) -> None:
    async with a_mail_server() as server:
        server.rcpt_answers = [answer]
        with pytest.raises(AddressRefused) as refused:
            await a_channel(server.port).deliver(MESSAGE)
    assert refused.value.code == answer[:3]


@pytest.mark.parametrize("answer", ["450 4.2.1 busy", "550 5.7.1 relaying denied", "554 5.7.1 blocked"])
async def test_a_temporary_answer_or_one_about_us_is_not_the_contacts_fault(answer: str) -> None:
    async with a_mail_server() as server:
        server.rcpt_answers = [answer]
        with pytest.raises(ChannelUnavailable) as unavailable:
            await a_channel(server.port).deliver(MESSAGE)
    assert unavailable.value.code == answer[:3]


@pytest.mark.parametrize("answer", ["451 later", "554 refused"])
async def test_a_refused_text_is_not_the_contacts_fault(answer: str) -> None:
    async with a_mail_server() as server:
        server.data_answers = [answer]
        with pytest.raises(ChannelUnavailable):
            await a_channel(server.port).deliver(MESSAGE)


async def test_no_server_is_a_failure_that_names_nobody() -> None:
    async with a_mail_server() as server:
        pass
    with pytest.raises(ChannelUnavailable) as unavailable:
        await a_channel(server.port).deliver(MESSAGE)
    assert "zephyrine" not in str(unavailable.value)
