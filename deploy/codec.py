"""How can the Temporal Web UI of this machine show what the engine keeps encrypted?

A codec endpoint in the form the UI asks for (`POST /decode` with payloads as JSON). For `./dev up` only: it answers
whoever can reach the loopback address and comes from the UI's own page. A clinic needs one that knows people
and roles.
"""

from __future__ import annotations

import asyncio
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from google.protobuf import json_format
from temporalio.api.common.v1 import Payloads

from deploy.ports import LOOPBACK
from services.encryption import EncryptionError, KeyRing, PayloadCodec
from services.settings import Settings

BODY_MAX_BYTES = 8 * 1024 * 1024


class CodecEndpoint:
    def __init__(self, keys: KeyRing, ui_origins: frozenset[str], port: int) -> None:
        codec = PayloadCodec(keys)

        class Handler(BaseHTTPRequestHandler):
            def do_OPTIONS(self) -> None:
                self._answer(204, b"")

            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                if self.path.partition("?")[0] != "/decode" or size > BODY_MAX_BYTES:
                    self._answer(404, b"")
                elif self.headers.get("Origin") not in ui_origins:
                    self._answer(403, b"")
                else:
                    self._answer(*_decoded(codec, self.rfile.read(size)))

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                origin = self.headers.get("Origin", "")
                if origin in ui_origins:
                    self.send_header("Access-Control-Allow-Origin", origin)
                    self.send_header("Access-Control-Allow-Methods", "POST")
                    asked = self.headers.get("Access-Control-Request-Headers", "content-type")
                    self.send_header("Access-Control-Allow-Headers", asked)
                    self.send_header("Access-Control-Allow-Credentials", "true")
                    self.send_header("Vary", "Origin")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing about payloads goes into a log."""

        self._server = ThreadingHTTPServer((LOOPBACK, port), Handler)
        self.address = f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def start(self) -> None:
        Thread(target=self._server.serve_forever, daemon=True, name="codec").start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def endpoint_for(settings: Settings, ui_port: int, port: int) -> CodecEndpoint:
    """The endpoint for the Web UI on this port, and for pages of that very UI only."""
    origins = frozenset(f"http://{host}:{ui_port}" for host in (LOOPBACK, "localhost"))
    return CodecEndpoint(KeyRing.from_settings(settings), origins, port)


def _decoded(codec: PayloadCodec, body: bytes) -> tuple[int, bytes]:
    try:
        payloads = json_format.Parse(body, Payloads()).payloads
        plain = asyncio.run(codec.decode(list(payloads)))
    except (json_format.ParseError, EncryptionError):
        return 400, b"{}"
    return 200, json_format.MessageToJson(Payloads(payloads=plain)).encode()
