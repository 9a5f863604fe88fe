"""Is this worker alive, and is it taking work? A tiny HTTP endpoint for whoever supervises the process."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Health:
    """`GET /healthz` answers 200 while the process takes work and 503 before and after."""

    def __init__(self, host: str, port: int, *, build: str, queues: list[str]) -> None:
        self.taking_work = False
        health = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.path == "/healthz"
                status = 404 if not known else 200 if health.taking_work else 503
                state = "taking work" if health.taking_work else "not taking work"
                body = json.dumps({"state": state, "build": build, "queues": queues}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Probes come every second; nobody reads about them."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self.port = self._server.server_address[1]

    def start(self) -> None:
        Thread(target=self._server.serve_forever, daemon=True, name="health").start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
