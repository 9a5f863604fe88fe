"""Where are the metrics of each process of one system on one machine, and how does Prometheus learn that?

Each process has two endpoints, ours and that of the engine's SDK; the codec, which asks nothing of the engine, has ours
only. `metrics.json` in the data folder names them all in
Prometheus's own form of service discovery; deploy/prometheus.yml reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from deploy.ports import LOOPBACK

TARGETS = "metrics.json"
VARIABLES = {"ours": "KAP_METRICS_PORT", "SDK": "KAP_SDK_METRICS_PORT"}


def metrics_ports(api_processes: int, worker_processes: int, *, codec: bool) -> dict[str, None]:
    """The names of all ports that are needed; any free ones."""
    processes = [f"api-{n + 1}" for n in range(api_processes)]
    processes += [f"worker-{n + 1}" for n in range(worker_processes)]
    ports = [_name(process, of) for process in processes for of in VARIABLES]
    return dict.fromkeys([*ports, _name("codec", "ours")] if codec else ports)


class Scraped:
    """The endpoints of one system. `ports`: of everything, by name."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = {name: port for name, port in ports.items() if name.startswith("metrics of ")}

    @property
    def urls(self) -> list[str]:
        return [f"http://{LOOPBACK}:{port}/metrics" for port in self._ports.values()]

    def environment(self, process: str) -> dict[str, str]:
        """What the process is told; nothing, if it has no metrics."""
        ports = {variable: self._ports.get(_name(process, of)) for of, variable in VARIABLES.items()}
        return {variable: str(port) for variable, port in ports.items() if port is not None}

    def write(self, folder: Path) -> None:
        groups = [
            {
                "targets": [
                    f"{LOOPBACK}:{port}"
                    for name, port in self._ports.items()
                    if name.startswith(f"metrics of {kind}")
                ],
                "labels": {"job": f"kap-{kind}"},
            }
            for kind in ("api", "worker", "codec")
        ]
        (folder / TARGETS).write_text(json.dumps(groups, indent=2) + "\n")


def _name(process: str, of: str) -> str:
    return f"metrics of {process}, {of}"
