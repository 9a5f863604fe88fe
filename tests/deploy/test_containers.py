"""Is a process of ours run in a container with what the compose file says, and are its settings kept from sight?"""

from __future__ import annotations

from itertools import pairwise

import pytest

from activities.queues import TaskQueue
from deploy.containers import Engine, NoEngine, engine_here, services
from deploy.image import main

SERVICES = services()
STAYING = sorted(set(SERVICES) - {"migrations"})
SECRET = {"KAP_INDEX_KEY": "hunter2", "PATH": "/bin"}


def command_of(program: str, name: str) -> list[str]:
    return Engine(program).run(SERVICES[name], "kap-engine:1", "try-it", SECRET)


def test_every_process_of_the_compose_file_is_one() -> None:
    workers = {f"worker-{queue.removeprefix('kap-')}" for queue in TaskQueue}
    assert set(SERVICES) == {"migrations", "api", "codec"} | workers


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_as_closed_as_the_compose_file_says(name: str) -> None:
    command = command_of("docker", name)
    options, last = command[: command.index("kap-engine:1")], command[command.index("kap-engine:1") + 1 :]
    for option in ("--read-only", "--init"):
        assert option in options
    given = list(pairwise(options))
    for pair in (
        ("--user", "10001:10001"),
        ("--tmpfs", "/tmp"),  # noqa: S108  # inside the container
        ("--cap-drop", "ALL"),
        ("--security-opt", "no-new-privileges:true"),
    ):
        assert pair in given
    assert last == SERVICES[name].given["command"]
    assert SERVICES[name].grace_s == 30.0


def test_podman_mounts_nothing_writable_of_its_own() -> None:
    assert "--read-only-tmpfs=false" in command_of("/usr/bin/podman", "api")
    assert "--read-only-tmpfs=false" not in command_of("/usr/bin/docker", "api")


def test_a_command_line_names_settings_and_holds_none() -> None:
    command = command_of("docker", "api")
    assert command[command.index("--env") + 1] == "KAP_INDEX_KEY"
    assert not [word for word in command if "hunter2" in word or word == "PATH"]


@pytest.mark.parametrize("name", STAYING)
def test_the_health_check_asks_the_port_that_the_process_has_here(name: str) -> None:
    python, minus_c, question = SERVICES[name].health_check(29_999)
    assert (python, minus_c) == ("python", "-c")
    assert "http://127.0.0.1:29999/healthz" in question


def test_without_an_engine_the_reason_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoEngine, match="no-such-engine is needed"):
        engine_here("no-such-engine")
    assert main(["--with", "no-such-engine"]) == 2
    assert "image: no-such-engine is needed and was not found" in capsys.readouterr().err
