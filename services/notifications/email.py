"""How does a message leave by e-mail?

SMTP with TLS as configured (required, never "if the server offers it"). SMTP has no idempotency: the caller
claims the message first, and every try carries the same Message-ID. A 5xx answer to the recipient is a bad
address, except the policy answers 5.7.x, which are about us; everything else may succeed later.
"""

import contextlib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, localtime

import aiosmtplib
from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr

from services.notifications.channel import AddressRefused, OutgoingMessage
from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import ChannelName
from services.settings import SmtpTls

TIMEOUT_SECONDS = 20.0
QUIT_SECONDS = 2.0


@dataclass(frozen=True)
class SmtpServer:
    host: str
    port: int
    sender: str
    tls: SmtpTls = SmtpTls.STARTTLS
    username: str | None = None
    password: SecretStr | None = None
    trust: ssl.SSLContext | None = None  # None: the system's certificates


class EmailChannel:
    name = ChannelName.EMAIL

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def deliver(self, message: OutgoingMessage) -> str:
        mail = self._mail(message)
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls is SmtpTls.TLS,
            start_tls=server.tls is SmtpTls.STARTTLS,
            tls_context=server.trust,
            username=server.username,
            password=server.password.get_secret_value() if server.password else None,
            timeout=TIMEOUT_SECONDS,
        )
        try:
            await client.connect()
            await client.send_message(
                mail, sender=server.sender, recipients=[mail["To"].addresses[0].addr_spec]
            )
            await _part_politely(client)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise _refusal(refused.recipients[0]) from None
        except aiosmtplib.SMTPResponseException as refused:
            raise ChannelUnavailable(self.name, str(refused.code)) from None
        except (aiosmtplib.SMTPException, OSError) as failure:
            # Only the kind of failure: a server's text may repeat the address.
            raise ChannelUnavailable(self.name, type(failure).__name__) from None
        finally:
            # Not QUIT, which waits for an answer: a cancelled delivery ends now.
            client.close()
        return str(mail["Message-ID"])

    def _mail(self, message: OutgoingMessage) -> EmailMessage:
        mail = EmailMessage()
        mail.set_content(message.body)  # first: it takes every Content- header with it
        mail["From"] = self._server.sender
        mail["To"] = _checked(message.address)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(localtime())
        mail["Message-ID"] = f"<{message.reference}@{self._server.sender.rpartition('@')[2]}>"
        mail["Content-Language"] = message.language
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        return mail


async def _part_politely(client: aiosmtplib.SMTP) -> None:
    """The mail is accepted: nothing that goes wrong from here on may say otherwise."""
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await client.quit(timeout=QUIT_SECONDS)


def _checked(address: str) -> str:
    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        raise AddressRefused("address-malformed") from None


def _refusal(refused: aiosmtplib.SMTPRecipientRefused) -> AddressRefused | ChannelUnavailable:
    about_us = refused.message.startswith("5.7.")
    if 500 <= refused.code < 600 and not about_us:
        return AddressRefused(str(refused.code))
    return ChannelUnavailable(ChannelName.EMAIL, str(refused.code))
