"""How does a process of ours answer HTTP until it is asked to stop?"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from services.process import STOP_SIGNALS

STOP_WITHIN_S = 15


class Server(uvicorn.Server):
    """Stops when asked and says so by its status; uvicorn's own would end by the signal it has handled."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def server_of(app: FastAPI, host: str, port: int) -> Server:
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,  # ours is set up; uvicorn's own would print addresses with their parameters
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
    )


def run(server: Server) -> int:
    """Serve until asked to stop; the exit status."""
    try:
        server.run()
    except SystemExit:  # uvicorn leaves this way when it cannot listen
        return 1
    return 0 if server.started else 1
