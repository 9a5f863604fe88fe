"""A mail server and an SMS gateway on loopback that answer as a test wants.

Both are real servers on real sockets; `answers` are given one by one, then everything is accepted.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import parse_qs

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailServer:
    """`rcpt_answers` are SMTP answers to RCPT; `hold` makes DATA wait until it is set."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    rcpt_answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    hold: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.rcpt_answers.pop(0) if self.rcpt_answers else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.reached.set()
        if self.hold is not None:
            await self.hold.wait()
        answer = self.data_answers.pop(0) if self.data_answers else "250 OK"
        if answer.startswith("2"):
            content = envelope.content
            assert isinstance(content, bytes)
            mail = message_from_bytes(content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return answer


@asynccontextmanager
async def a_mail_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[MailServer]:
    """Plain SMTP; with `tls` it offers STARTTLS."""
    mail_server = MailServer()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(
        lambda: SMTP(mail_server, hostname="localhost", tls_context=tls, loop=loop), "127.0.0.1", 0
    )
    mail_server.port = listener.sockets[0].getsockname()[1]
    try:
        yield mail_server
    finally:
        listener.close()


@dataclass
class SmsServer:
    """`answers` are (HTTP status, body). `requests` are (path, headers, form)."""

    url: str = ""
    answers: list[tuple[int, object]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
        }
        form = parse_qs((await reader.readexactly(int(headers["content-length"]))).decode())
        self.requests.append((head[0], headers, {name: values[0] for name, values in form.items()}))
        status, body = self.answers.pop(0) if self.answers else (201, {"sid": f"SM{len(self.requests)}"})
        content = json.dumps(body).encode()
        length = f"Content-Length: {len(content)}"
        writer.write(f"HTTP/1.1 {status} Answer\r\n{length}\r\nConnection: close\r\n\r\n".encode())
        writer.write(content)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def an_sms_server() -> AsyncIterator[SmsServer]:
    sms_server = SmsServer()
    listener = await asyncio.start_server(sms_server.serve, "127.0.0.1", 0)
    sms_server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield sms_server
    finally:
        listener.close()
