"""Does our own Temporal server keep what it knew, whatever happens to it?"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.child import StartFailed
from deploy.ports import PortTaken
from deploy.temporal_server import BINARY_VARIABLE, TemporalServer, temporal_binary


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TemporalServer]:
    running = a_server(tmp_path, {"KapStage": "Keyword"})
    running.start()
    yield running
    running.stop()


def a_server(folder: Path, search_attributes: dict[str, str]) -> TemporalServer:
    return TemporalServer(
        folder / "temporal.log",
        with_ui=False,
        database=folder / "temporal.db",
        search_attributes=search_attributes,
        virtual_time=True,
    )


def ask(server: TemporalServer, *arguments: str) -> str:
    command = [temporal_binary(), *arguments, "--address", server.address]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_workflow_survives_kill_9_and_a_restart_on_the_same_port(server: TemporalServer) -> None:
    start = ["workflow", "start", "--type", "Nobody", "--task-queue", "nobody", "--workflow-id", "w-1"]
    ask(server, *start, "--search-attribute", 'KapStage="screening"')
    address = server.address
    server.kill()
    server.start()
    assert server.address == address
    assert "w-1" in ask(server, "workflow", "describe", "--workflow-id", "w-1")


def test_search_attributes_that_are_new_are_added_to_an_old_file(
    server: TemporalServer, tmp_path: Path
) -> None:
    server.stop()
    newer = a_server(tmp_path, {"KapStage": "Keyword", "KapDueAt": "Datetime"})
    newer.start()
    try:
        listed = json.loads(ask(newer, "operator", "search-attribute", "list", "--output", "json"))
    finally:
        newer.stop()
    assert set(listed["customAttributes"]) == {"KapStage", "KapDueAt"}


def test_a_taken_port_is_refused_by_number_and_name(server: TemporalServer, tmp_path: Path) -> None:
    second = TemporalServer(tmp_path / "second.log", port=server.port)
    with pytest.raises(PortTaken, match=rf"port {server.port} is already taken; Temporal wanted it"):
        second.start()


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BINARY_VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(StartFailed, match=BINARY_VARIABLE):
        TemporalServer(tmp_path / "none.log").start()


def test_a_server_that_does_not_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    broken = TemporalServer(tmp_path / "broken.log", search_attributes={"KapStage": "NoSuchType"})
    with pytest.raises(StartFailed, match="NoSuchType"):
        broken.start()
