"""Does `./dev up` stay up, give everything back, and come again after the worst?"""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.child import command_line
from deploy.data_folder import DataFolder
from deploy.ports import choose_ports
from deploy.tokens import DEMO_STAFF
from tests.architecture.tree import ROOT


class Up:
    """One `./dev up` on a data folder, read until it says that it is ready."""

    def __init__(self, data: Path, *ports: str) -> None:
        self.data = data
        command = [sys.executable, "-m", "deploy.up", "--data", str(data), *ports]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def wait_until_ready(self) -> list[str]:
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip())
            if line.startswith("Ctrl-C"):
                return lines
        raise AssertionError("\n".join(lines))

    def children(self) -> list[int]:
        return [int(pid) for pid in json.loads((self.data / "children.json").read_text())]

    def end(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        said, _ = self.process.communicate()
        return self.process.returncode, said


@pytest.fixture
def folder() -> Iterator[Path]:
    throw_away = DataFolder(None)
    yield throw_away.path
    throw_away.release()


@pytest.fixture
def ports() -> list[str]:
    flags = ("--port", "--temporal-port", "--ui-port")
    return [part for flag, port in choose_ports(dict.fromkeys(flags)).items() for part in (flag, str(port))]


def test_up_stays_up_is_alone_survives_kill_9_and_leaves_nothing(folder: Path, ports: list[str]) -> None:
    first = Up(folder / "data", *ports)
    lines = first.wait_until_ready()
    assert {line.split()[0] for line in lines if "eyJ" in line} == set(DEMO_STAFF)
    assert status_of(int(ports[1]), "/healthz") == status_of(int(ports[1]), "/docs") == 200

    status, said = refused(folder / "data", "--port", "0", "--temporal-port", "0", "--ui-port", "0")
    assert (status, f"is in use by process {first.process.pid}" in said) == (2, True)
    status, said = refused(folder / "other", "--port", "0", *ports[2:4], "--ui-port", "0")
    assert (status, f"port {ports[3]} is already taken; Temporal wanted it" in said) == (2, True)
    assert "--temporal-port" in said

    orphans = first.children()
    first.end(signal.SIGKILL)
    second = Up(folder / "data", *ports)
    second.wait_until_ready()
    assert [pid for pid in orphans if command_line(pid)] == []

    ours = second.children()
    assert all(command_line(pid) for pid in ours)
    status, said = second.end(signal.SIGINT)
    assert (status, said.splitlines()[-1]) == (0, "stopped")
    assert [pid for pid in ours if command_line(pid)] == []


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    return connection.getresponse().status


def refused(data: Path, *ports: str) -> tuple[int, str]:
    up = Up(data, *ports)
    said, _ = up.process.communicate()
    return up.process.returncode, said
