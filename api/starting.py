"""What does an API process do from its start to its end? Everything is loaded by now (`api/__main__.py`)."""

import structlog

from api.app import compose, create_app
from api.serving import run, server_of
from services.process import settle_memory
from services.settings import Settings
from services.starting import configured
from services.telemetry.endpoint import MetricsEndpoint


def main() -> int:
    """Serve until asked to stop; requests that are running get their answer first. Returns the exit status."""
    return configured(serve)


def serve(settings: Settings) -> int:
    composition = compose(settings)
    app = create_app(composition)
    server = server_of(app, settings.api_host, settings.api_port)
    settle_memory()
    composition.outside.streams.end_when(lambda: server.should_exit)
    try:
        with MetricsEndpoint(settings):
            return run(server)
    except OSError:
        structlog.get_logger(__name__).exception("cannot serve metrics")
        return 1
