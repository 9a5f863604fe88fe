"""Is the compose file whole: versions pinned, nothing privileged, every variable known, every process configured?"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from activities.queues import TaskQueue
from deploy.new_keys import PASSWORDS, keys, trial
from services.settings import PREFIX, Settings
from tests.architecture.tree import ROOT
from tests.deploy.manifests import can_be_run

FILE = ROOT / "deploy" / "compose.yaml"
VARIABLE = re.compile(r"\$\{(\w+)(:[-?][^}]*)?\}")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("kap-engine:")}
DATABASES = ("temporal", "temporal_visibility")
"""The engine's."""

STAYING = {name: one for name, one in OURS.items() if one["restart"] == "unless-stopped"}


def test_everything_of_the_topology_is_there() -> None:
    workers = {f"worker-{queue.removeprefix('kap-')}" for queue in TaskQueue}
    assert set(OURS) == {"migrations", "api", "codec"} | workers
    others = {"postgres", "schema", "temporal", "namespace", "ui", "mail", "prometheus", "grafana"}
    assert set(SERVICES) - set(OURS) == others


def test_the_engine_is_a_server_on_postgresql_and_not_the_development_server() -> None:
    temporal = SERVICES["temporal"]
    assert temporal["image"].startswith("temporalio/server:")
    assert (temporal["environment"]["DB"], temporal["environment"]["POSTGRES_SEEDS"]) == (
        "postgres12",
        "postgres",
    )
    assert "command" not in temporal
    assert int(temporal["environment"]["NUM_HISTORY_SHARDS"]) >= 512  # can never be changed afterwards


@pytest.mark.parametrize("fails", ["", "setup-schema", "update-schema"])
def test_a_schema_that_cannot_be_made_is_never_taken_for_one_that_is_there(
    tmp_path: Path, fails: str
) -> None:
    tool, asked = tmp_path / "temporal-sql-tool", tmp_path / "asked"
    tool.write_text(
        f'#!/bin/sh\necho "$@" >> {asked}\ncase " $* " in *" {fails or "nothing"} "*) exit 1;; esac\n'
    )
    tool.chmod(0o755)
    told = {name: str(value) for name, value in SERVICES["schema"]["environment"].items()}
    ran = subprocess.run(
        ["/bin/sh", str(ROOT / "deploy" / "temporal" / "schema.sh")],
        env={**told, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    steps = [line.split("--database ")[1].split(" --")[0] for line in asked.read_text().splitlines()]
    every = [f"{name} {step}" for name in DATABASES for step in ("setup-schema", "update-schema")]
    assert (ran.returncode, steps) == {
        "": (0, every),
        "setup-schema": (1, every[:1]),
        "update-schema": (1, every[:2]),
    }[fails]
    assert ran.stdout + ran.stderr == ""


@pytest.mark.parametrize("name", SERVICES)
def test_every_version_is_pinned_and_nothing_is_privileged(name: str) -> None:
    service = SERVICES[name]
    repository, _, tag = service["image"].rpartition(":")
    assert repository
    assert name in OURS or re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-[a-z]+)?", tag), tag
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert all((ROOT / "deploy" / path).exists() for path in _bound(service))


@pytest.mark.parametrize("name", OURS)
def test_ours_run_as_nobody_on_a_file_system_that_they_cannot_write(name: str) -> None:
    service = OURS[name]
    assert (service["user"], service["read_only"], len(service["tmpfs"])) == ("10001:10001", True, 1)
    python, minus_m, module, *_ = service["command"]
    assert (python, minus_m) == ("python", "-m")
    assert can_be_run(module)
    if name in STAYING:
        assert service["healthcheck"]["test"][:3] == ["CMD", "python", "-c"]


def test_each_queue_has_its_worker() -> None:
    taken = {name: one["command"][-1] for name, one in OURS.items() if name.startswith("worker-")}
    assert taken == {f"worker-{queue.removeprefix('kap-')}": str(queue) for queue in TaskQueue}


def test_every_variable_of_the_file_is_made_by_dev_keys_or_has_a_default() -> None:
    used = VARIABLE.findall(FILE.read_text())
    needed = {name for name, default in used if not default.startswith(":-")}
    assert needed == set(keys()) | set(trial()[0])
    assert set(PASSWORDS) <= needed


def test_no_process_of_ours_is_told_the_passwords_of_others() -> None:
    for service in OURS.values():
        assert "env_file" not in service
        told = {name for value in service["environment"].values() for name, _ in VARIABLE.findall(value)}
        assert told & set(PASSWORDS) == {"RECORD_PASSWORD"}


@pytest.mark.parametrize("name", OURS)
def test_every_process_of_ours_gets_a_configuration_that_it_accepts(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = keys() | trial()[0]
    for key in [key for key in os.environ if key.startswith(PREFIX)]:
        monkeypatch.delenv(key)
    for key, value in OURS[name]["environment"].items():
        monkeypatch.setenv(key, _filled(value, made))
    settings = Settings.from_environment()
    assert (settings.temporal_address, settings.smtp_host) == ("temporal:7233", "mail")
    assert not settings.in_production  # nothing here speaks TLS


def _filled(value: str, made: dict[str, str]) -> str:
    return VARIABLE.sub(lambda found: made.get(found[1]) or (found[2] or "").removeprefix(":-"), value)


def _bound(service: dict[str, Any]) -> list[str]:
    """Folders and files of ours that it sees."""
    sources = [volume.split(":")[0] for volume in service.get("volumes", [])]
    return [source.removeprefix("./") for source in sources if source.startswith("./")]


def test_every_process_of_ours_is_scraped_where_it_serves() -> None:
    """The codec asks nothing of the engine: it has no second endpoint."""
    jobs = yaml.safe_load((ROOT / "deploy" / "prometheus.compose.yaml").read_text())["scrape_configs"]
    found = {
        (name, str(one["port"]))
        for job in jobs
        if job["job_name"].startswith("kap-")
        for one in job["dns_sd_configs"]
        for name in one["names"]
    }
    ports = {
        name: (
            OURS[name]["environment"]["KAP_METRICS_PORT"],
            OURS[name]["environment"]["KAP_SDK_METRICS_PORT"],
        )
        for name in STAYING
    }
    expected = {(name, port) for name, both in ports.items() for port in both}
    assert found == expected - {("codec", ports["codec"][1])}
