"""Where does the mail of a demonstration or a test go?

Into a sink on a loopback port: every message is kept in memory, and as a file when a folder is given. It
can play an outage: `stop()` and `start()` keep the port, `refuse_with(...)` answers like a busy or
unwilling server.
"""

from __future__ import annotations

import dataclasses
import email
import threading
from email.message import EmailMessage
from email.policy import default as modern_policy
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.ports import LOOPBACK, choose_ports

BUSY = "451 4.3.0 try again later"


@dataclasses.dataclass(frozen=True)
class ReceivedMessage:
    """One accepted message: the envelope's addresses, the letter's headings and its text."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    body: str
    message_id: str
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=modern_policy)


def read_message(sender: str, recipients: tuple[str, ...], raw: bytes) -> ReceivedMessage:
    parsed = email.message_from_bytes(raw, policy=modern_policy)
    text = parsed.get_body(preferencelist=("plain", "html"))
    return ReceivedMessage(
        sender=sender,
        recipients=recipients,
        subject=str(parsed["subject"] or ""),
        body="" if text is None else str(text.get_content()).replace("\r\n", "\n"),
        message_id=str(parsed["message-id"] or ""),
        raw=raw,
    )


class SmtpSink:
    """Accepts mail for anybody. Runs in a thread of its own; `messages` may be read at any time."""

    def __init__(self, *, port: int | None = None, folder: Path | None = None) -> None:
        self.host = LOOPBACK
        self.port = port or 0
        self._folder = folder
        self._filed = len(list(folder.glob("*.eml"))) if folder is not None and folder.exists() else 0
        self._lock = threading.Lock()
        self._messages: list[ReceivedMessage] = []
        self._refusal: str | None = None
        self._controller: Controller | None = None
        self.attempts = 0

    @property
    def messages(self) -> list[ReceivedMessage]:
        """What was accepted so far, oldest first (a copy)."""
        with self._lock:
            return list(self._messages)

    def clear(self) -> None:
        with self._lock:
            self._messages.clear()
            self.attempts = 0

    def start(self) -> None:
        """Listen; the port stays the same from the first start on. Raises PortTaken."""
        if self._controller is not None:
            return
        self.port = choose_ports({"the mail sink": self.port})["the mail sink"]
        self._controller = Controller(self, hostname=self.host, port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def refuse_with(self, answer: str | None = BUSY) -> None:
        """Answer every message with this SMTP reply (`451 …` later, `550 …` never); None accepts again."""
        self._refusal = answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        message = read_message(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw)
        with self._lock:
            self.attempts += 1
            if self._refusal is not None:
                return self._refusal
            self._messages.append(message)
            self._filed += 1
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / f"{self._filed:05d}.eml").write_bytes(raw)
        return "250 2.0.0 accepted"
