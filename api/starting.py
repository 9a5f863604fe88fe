"""What does an API process do from its start to its end? Everything is loaded by now (`api/__main__.py`)."""

import sys

import structlog

from api.app import compose, create_app
from api.serving import run, server_of
from services.logging import configure_logging
from services.process import settle_memory
from services.settings import Settings, SettingsInvalid
from services.telemetry.endpoint import MetricsEndpoint


def main() -> int:
    """Serve until asked to stop; requests that are running get their answer first. Returns the exit status."""
    try:
        settings = Settings.from_environment()
        configure_logging(build=settings.build, level=settings.log_level)
        composition = compose(settings)
        app = create_app(composition)
    except SettingsInvalid as invalid:
        sys.stderr.write(f"{invalid}\n")
        return 2
    server = server_of(app, settings.api_host, settings.api_port)
    settle_memory()
    composition.outside.streams.end_when(lambda: server.should_exit)
    try:
        with MetricsEndpoint(settings):
            return run(server)
    except OSError:
        structlog.get_logger(__name__).exception("cannot serve metrics")
        return 1
