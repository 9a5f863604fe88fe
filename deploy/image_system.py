"""How does the topology of production run from the image, on one machine?

As `./dev cluster` runs it, but every process of ours is a container; PostgreSQL, Temporal and the sinks are as there.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Mapping

from deploy.child import Child, StartFailed
from deploy.containers import Engine, Service, services
from deploy.local import DATABASE, ROOT
from deploy.local_cluster import LocalCluster
from deploy.local_options import LocalOptions
from services.settings import PREFIX

BUILD = "KAP_BUILD"


class ImageSystem(LocalCluster):
    """API ×2, codec and a worker for each queue, all of them containers of `image`."""

    def __init__(
        self, engine: Engine, image: str, options: LocalOptions, progress: Callable[[str], None]
    ) -> None:
        super().__init__(options, progress)
        self._engine = engine
        self._image = image
        self._services = services()
        self._mark = secrets.token_hex(3)

    def service_of(self, child: Child) -> Service:
        return self._services["api" if child.name.startswith("api-") else child.name]

    def container_of(self, child: Child) -> str:
        return f"kap-try-{self._mark}-{child.name}"

    def containers(self) -> dict[Child, int]:
        """Every container that stays, with the port of its health."""
        assert self.codec_port is not None
        children = [*self._workers, *self._apis, *self._codecs]
        return dict(zip(children, [*self.worker_ports, *self.api_ports, self.codec_port], strict=True))

    def once(self, service: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """A container of this service with these settings until it ends by itself."""
        name = f"kap-try-{self._mark}-{service}-{secrets.token_hex(3)}"
        command = self._engine.run(self._services[service], self._image, name, variables)
        return subprocess.run(command, env={**_without_ours(), **variables}, capture_output=True, text=True)

    def _migrate(self) -> None:
        if not self.postgres.has_database(DATABASE):
            self.postgres.create_database(DATABASE)
        ended = self.once("migrations", self._told("migrations"))
        if ended.returncode != 0:
            raise StartFailed(f"migrations ended with status {ended.returncode}: {ended.stderr.strip()}")

    def _told(self, name: str) -> dict[str, str]:
        """As everywhere, but for the build: the image knows its own."""
        return {key: value for key, value in super()._told(name).items() if key != BUILD}

    def _run(self, name: str, module: str, own: dict[str, str], *arguments: str) -> Child:
        service = self._services["api" if name.startswith("api-") else name]
        if service.command != ["python", "-m", module, *arguments]:
            raise StartFailed(f"the compose file starts {name} as {service.command}")
        variables = self._told(name) | own
        command = self._engine.run(service, self._image, f"kap-try-{self._mark}-{name}", variables)
        return Child(name, command, self._log(name), environment=_without_ours() | variables, folder=ROOT)


def _without_ours() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
