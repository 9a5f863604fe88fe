"""Does a process end with the status that it chose, also when it used the engine's client or is stopped early?"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.architecture.tree import ROOT
from tests.services.settings_builder import VALUES, as_environment

PROGRAM = textwrap.dedent(
    """
    import asyncio, sys
    from temporalio.client import Client
    from services.process import end_process

    async def main():
        client = await Client.connect(sys.argv[1])
        return await client.count_workflows()

    asyncio.run(main())
    print("said before the end")
    end_process(int(sys.argv[2]))
    """
)


@pytest.mark.parametrize("status", [0, 3])
@pytest.mark.parametrize("attempt", range(3))  # the abort came in one run of eight
def test_a_process_ends_with_its_own_status_and_last_words(
    temporal_environment: WorkflowEnvironment, status: int, attempt: int
) -> None:
    address = temporal_environment.client.service_client.config.target_host
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, address, str(status)], cwd=ROOT, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (status, "said before the end\n"), ended.stderr


PROCESSES = {"api": 0, "api.codec": 0, "workers": 0, "services.migrations": 1}
"""Which status does a stop before it has begun deserve? Whoever waits for the schema takes 0 for one that is ready."""


def started(module: str, first_on_the_path: Path, **changes: object) -> subprocess.Popen[bytes]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KAP_")}
    own = as_environment(VALUES | changes) | {"PYTHONPATH": str(first_on_the_path)}
    return subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=inherited | own,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Its status, and what it said."""
    try:
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, said.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("module", PROCESSES)
def test_a_process_that_is_stopped_while_it_loads_ends_in_good_order(
    tmp_path: Path, module: str, number: signal.Signals
) -> None:
    stand_in = "import sys; print('loading', flush=True); sys.stdin.read()\n"
    (tmp_path / "structlog.py").write_text(stand_in)
    process = started(module, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == b"loading\n"
    process.send_signal(number)
    status, said = ended(process)
    assert (status, "stopped before" in said) == (PROCESSES[module], PROCESSES[module] == 1), said


@pytest.mark.parametrize(
    ("module", "setting"),
    [
        ("workers", {"temporal_address": "127.0.0.1:{port}"}),
        ("services.migrations", {"database_url": "postgresql+psycopg://kap:x@127.0.0.1:{port}/kap"}),
    ],
)
def test_nobody_waits_for_a_server_that_does_not_answer(
    tmp_path: Path, module: str, setting: dict[str, str]
) -> None:
    """It takes the connection and says nothing, so that the start does not come to its end."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        mute.settimeout(60)
        there = {name: value.format(port=port) for name, value in setting.items()}
        process = started(module, tmp_path, worker_health_port="0", **there)
        try:
            connection, _ = mute.accept()
        except TimeoutError:
            process.kill()
            raise
        with connection:
            process.send_signal(signal.SIGTERM)
            status, said = ended(process)
    assert status == PROCESSES[module], said
