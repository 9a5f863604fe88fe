"""How do we run a Temporal server of our own on this machine?

The development server that comes with Temporal's own command line tool: one program, SQLite in `database`
(None: in memory), the Web UI unless told otherwise. `virtual_time` lets workflows skip time. Production
is a Temporal cluster; nothing outside this file depends on the development server.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.child import Child, StartFailed
from deploy.ports import LOOPBACK, choose_ports

BINARY_VARIABLE = "KAP_TEMPORAL_BINARY"
READY_TIMEOUT_S = 60.0
# Without the second value each skip costs a second of real time; without the third a new run of a workflow that has
# lived for weeks within this second is held back for the rest of it; without the fourth the engine looks for due timers
# twenty times a second at most, and one that is due after a skip waits for a tenth of a second or three.
VIRTUAL_TIME = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"5ms"',
    "history.workflowIdReuseMinimalInterval": '"0s"',
    "history.timerProcessorMaxPollRPS": "2000",
}
# A workflow whose code fails shows in `TemporalReportedProblems`, which is how it is found, after so many tries.
SHOWN_AS_FAILING = (
    "--dynamic-config-value",
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2",
)


def temporal_binary() -> str:
    """The program: KAP_TEMPORAL_BINARY, else beside this interpreter, else on the PATH."""
    beside = Path(sys.executable).with_name("temporal")
    found = os.environ.get(BINARY_VARIABLE) or (str(beside) if beside.exists() else shutil.which("temporal"))
    if not found or not shutil.which(found):
        raise StartFailed(f"the program `temporal` was not found; {BINARY_VARIABLE} may say where it is")
    return found


def virtual_time_arguments() -> list[str]:
    return [
        part for name, value in VIRTUAL_TIME.items() for part in ("--dynamic-config-value", f"{name}={value}")
    ]


def search_attribute_arguments(search_attributes: Mapping[str, str]) -> list[str]:
    """`search_attributes` maps a name to its type (Keyword, Datetime, Bool, Int, …)."""
    return [
        part for name, kind in search_attributes.items() for part in ("--search-attribute", f"{name}={kind}")
    ]


class TemporalServer:
    """A server with its data in one file: start, use, stop; or kill and start again on the same ports."""

    def __init__(
        self,
        log: Path,
        *,
        port: int | None = None,
        ui_port: int | None = None,
        with_ui: bool = True,
        database: Path | None = None,
        search_attributes: Mapping[str, str] | None = None,
        virtual_time: bool = False,
        ui_codec_endpoint: str | None = None,
    ) -> None:
        self.port = port or 0
        self.ui_port = ui_port or 0
        self._log = log
        self._with_ui = with_ui
        self._database = database
        self._search_attributes = dict(search_attributes or {})
        self._virtual_time = virtual_time
        self._ui_codec_endpoint = ui_codec_endpoint
        self.child: Child | None = None

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def ui_url(self) -> str | None:
        return f"http://{LOOPBACK}:{self.ui_port}" if self._with_ui else None

    def start(self) -> None:
        """Run it and wait until it answers and knows the search attributes."""
        wanted = {"Temporal": self.port}
        if self._with_ui:
            wanted["Temporal Web UI"] = self.ui_port
        chosen = choose_ports(wanted)
        self.port, self.ui_port = chosen["Temporal"], chosen.get("Temporal Web UI", 0)
        known_before = self._database is not None and self._database.exists()
        self.child = Child("Temporal", [temporal_binary(), *self._arguments()], self._log)
        try:
            self.child.wait_until(self._answers, READY_TIMEOUT_S)
            if known_before:
                self._add_search_attributes()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop()

    def kill(self) -> None:
        """kill -9 of the server; start() brings it back with what its file holds."""
        if self.child is not None:
            self.child.kill()

    def _arguments(self) -> list[str]:
        arguments = [
            "server",
            "start-dev",
            "--ip",
            LOOPBACK,
            "--port",
            str(self.port),
            "--log-level",
            "error",
            *SHOWN_AS_FAILING,
        ]
        if self._with_ui:
            arguments += ["--ui-port", str(self.ui_port), "--ui-disable-news-fetch"]
        else:
            arguments.append("--headless")
        if self._database is not None:
            arguments += ["--db-filename", str(self._database)]
        if self._ui_codec_endpoint is not None:
            arguments += ["--ui-codec-endpoint", self._ui_codec_endpoint]
        if self._virtual_time:
            arguments += virtual_time_arguments()
        return arguments + search_attribute_arguments(self._search_attributes)

    def _answers(self) -> bool:
        # The address is printed once the namespace is there; before that a connection is not enough.
        if self.child is None or "Temporal Server:" not in self.child.said():
            return False
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self.port)) == 0

    def _add_search_attributes(self) -> None:
        """A database file made earlier keeps the list it was made with: add what is missing."""
        listed = json.loads(self._ask("operator", "search-attribute", "list", "--output", "json"))
        known = listed.get("customAttributes") or {}
        missing = {name: kind for name, kind in self._search_attributes.items() if name not in known}
        if missing:
            pairs = [part for name, kind in missing.items() for part in ("--name", name, "--type", kind)]
            self._ask("operator", "search-attribute", "create", *pairs)

    def _ask(self, *arguments: str) -> str:
        asked = subprocess.run(
            [temporal_binary(), *arguments, "--address", self.address],
            capture_output=True,
            text=True,
            timeout=READY_TIMEOUT_S,
        )
        if asked.returncode != 0:
            raise StartFailed(f"`temporal {' '.join(arguments)}` failed: {asked.stderr.strip()}")
        return asked.stdout
