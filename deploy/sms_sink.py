"""Where do the text messages of a demonstration or a test go, and who answers them?

Into a sink on a loopback port that speaks as the SMS provider does: it takes messages, tells what became of
them, and hands over what telephones write back, signed with the account's secret. It can play an outage:
`stop()` and `start()` keep the port, `refuse_with(...)` answers like a busy or unwilling provider.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2

from api.signatures import signature
from deploy.ports import LOOPBACK, choose_ports

SMS = "the SMS sink"
ACCOUNT = "AC-local"
SENDER = "+12025550100"
BUSY = (503, {"code": 20503, "message": "try again later"})
INBOUND = "/v1/inbound/sms"
PATIENCE_S = 20.0


@dataclasses.dataclass(frozen=True)
class ReceivedText:
    """One accepted message, under the id that the provider gave it."""

    sid: str
    to: str
    body: str
    status_callback: str | None


class SmsSink:
    """Accepts messages to anybody. Runs in threads of its own; `messages` may be read at any time."""

    def __init__(self, token: str, *, port: int | None = None, folder: Path | None = None) -> None:
        self.token = token
        self.port = port or 0
        self._folder = folder
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._messages: list[ReceivedText] = []
        self._refusal: tuple[int, dict[str, object]] | None = None
        self._server: ThreadingHTTPServer | None = None
        self.attempts = 0

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def environment(self) -> dict[str, str]:
        """The KAP_ variables of whoever sends through it."""
        return {
            "KAP_SMS_URL": self.url,
            "KAP_SMS_ACCOUNT": ACCOUNT,
            "KAP_SMS_TOKEN": self.token,
            "KAP_SMS_FROM": SENDER,
        }

    @property
    def messages(self) -> list[ReceivedText]:
        """What was accepted so far, oldest first (a copy)."""
        with self._lock:
            return list(self._messages)

    def start(self) -> None:
        """Listen; the port stays the same from the first start on. Raises PortTaken."""
        if self._server is not None:
            return
        self.port = choose_ports({SMS: self.port})[SMS]
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())
                status, answer = sink.take(self.path, {name: values[0] for name, values in form.items()})
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: an access log would hold numbers."""

        self._server = ThreadingHTTPServer((LOOPBACK, self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def refuse_with(self, answer: tuple[int, dict[str, object]] | None = BUSY) -> None:
        """Answer every message so; None accepts again."""
        self._refusal = answer

    def take(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """What the provider answers to one request."""
        with self._lock:
            self.attempts += 1
            if self._refusal is not None:
                return self._refusal
            if path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
                return 404, {"code": 20404, "message": "not found"}
            sid = f"SM{next(self._numbers):032d}"
            message = ReceivedText(sid, form.get("To", ""), form.get("Body", ""), form.get("StatusCallback"))
            self._messages.append(message)
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / f"{sid}.txt").write_text(f"To: {message.to}\n\n{message.body}")
            return 201, {"sid": sid, "status": "queued"}

    def tell(self, message: ReceivedText, status: str, error_code: str | None = None) -> int:
        """Say what became of a message; the HTTP status of the answer."""
        assert message.status_callback is not None
        fields = {"MessageSid": message.sid, "MessageStatus": status, "To": message.to}
        return self._call(
            message.status_callback, fields | ({"ErrorCode": error_code} if error_code else {})
        )[0]

    def reply(self, public_url: str, sender: str, body: str, sid: str) -> str:
        """A telephone writes back; the markup that it is answered with."""
        fields = {"MessageSid": sid, "From": sender, "To": SENDER, "Body": body}
        status, answer = self._call(public_url.rstrip("/") + INBOUND, fields)
        return answer if status == 200 else ""

    def _call(self, address: str, fields: dict[str, str]) -> tuple[int, str]:
        assert urlsplit(address).hostname
        signed = {"X-Twilio-Signature": signature(self.token, address, list(fields.items()))}
        answer = httpx2.post(address, data=fields, headers=signed, timeout=PATIENCE_S)
        return answer.status_code, answer.text
