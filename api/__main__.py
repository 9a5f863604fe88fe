"""How is the API started? `python -m api`, configured by KAP_ variables; SIGTERM stops it in good order.

Exit status: 0 after a stop that was asked for, 2 when the configuration is wrong, 1 when it cannot listen.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from api.app import compose, create_app
from services.logging import configure_logging
from services.process import end_process
from services.settings import Settings, SettingsInvalid
from services.telemetry.endpoint import MetricsEndpoint

STOP_WITHIN_S = 15
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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


def main() -> int:
    """Serve until asked to stop. Requests that are running get their answer first."""
    try:
        settings = Settings.from_environment()
        configure_logging(build=settings.build, level=settings.log_level)
        composition = compose(settings)
        app = create_app(composition)
    except SettingsInvalid as invalid:
        sys.stderr.write(f"{invalid}\n")
        return 2
    server = Server(
        uvicorn.Config(
            app,
            host=settings.api_host,
            port=settings.api_port,
            log_config=None,  # ours is set up; uvicorn's own would print addresses with their parameters
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
    )
    composition.outside.streams.end_when(lambda: server.should_exit)
    try:
        with MetricsEndpoint(settings):
            server.run()
    except SystemExit:  # uvicorn leaves this way when it cannot listen
        return 1
    except OSError:
        structlog.get_logger(__name__).exception("cannot serve metrics")
        return 1
    return 0 if server.started else 1


if __name__ == "__main__":
    end_process(main())
