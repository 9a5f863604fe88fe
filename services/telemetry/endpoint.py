"""Where does Prometheus read a process's metrics? `GET /metrics` at a port of its own."""

from types import TracebackType
from typing import Self

import structlog
from prometheus_client import start_http_server

from services.settings import Settings
from services.telemetry.metrics import BUILD, REGISTRY

log = structlog.get_logger(__name__)


class MetricsEndpoint:
    """`with MetricsEndpoint(settings):` serves them, if a port is set. Raises OSError when it is taken."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.port: int | None = None

    def __enter__(self) -> Self:
        BUILD.labels(self._settings.build).set(1)
        if self._settings.metrics_port is not None:
            self._server, self._thread = start_http_server(
                self._settings.metrics_port, self._settings.probed_at, REGISTRY
            )
            self.port = self._server.server_port
            log.info("metrics served", port=self.port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.port is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
