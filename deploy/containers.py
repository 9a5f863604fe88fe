"""How is a process of ours run in a container here, with what `deploy/compose.yaml` says about it?

By docker or podman, whichever is there: the compose file decides user, root file system, capabilities, init, command
and health check. Only the network is another one: the machine's own, where PostgreSQL and Temporal are.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from services.settings import PREFIX

COMPOSE = Path(__file__).parent / "compose.yaml"
OURS = "kap-engine:"
PROGRAMS = ("docker", "podman")
PORT_IN_COMPOSE = {"api": 8000, "codec": 8082, "worker": 8081}


class NoEngine(Exception):
    """There is no program here that runs containers."""


@dataclass(frozen=True)
class Service:
    """One of our services as the compose file has it."""

    name: str
    given: Mapping[str, Any]

    @property
    def command(self) -> list[str]:
        return list(self.given["command"])

    @property
    def grace_s(self) -> float:
        """How long it may take to stop, seconds."""
        return float(str(self.given["stop_grace_period"]).removesuffix("s"))

    @property
    def options(self) -> list[str]:
        """What docker and podman are told so that the container is as compose would make it."""
        return [
            "--user",
            self.given["user"],
            *(["--read-only"] if self.given["read_only"] else []),
            *(["--init"] if self.given["init"] else []),
            *_each("--tmpfs", self.given["tmpfs"]),
            *_each("--cap-drop", self.given["cap_drop"]),
            *_each("--security-opt", self.given["security_opt"]),
        ]

    def health_check(self, port: int) -> list[str]:
        """The command of the compose file, asked at the port that the process has here."""
        compose_port = str(PORT_IN_COMPOSE[self.name.split("-")[0]])
        words: list[str] = self.given["healthcheck"]["test"][1:]
        if not any(f":{compose_port}/" in word for word in words):
            raise ValueError(f"{self.name}: the health check does not ask port {compose_port}")
        return [word.replace(f":{compose_port}/", f":{port}/") for word in words]


def services() -> dict[str, Service]:
    """Those that run our image, by name."""
    every = yaml.safe_load(COMPOSE.read_text())["services"]
    return {name: Service(name, one) for name, one in every.items() if one["image"].startswith(OURS)}


@dataclass(frozen=True)
class Engine:
    """The program that builds and runs containers on this machine."""

    program: str

    def build(self, root: Path, image: str, build: str, options: Sequence[str]) -> int:
        """Make the image; the exit status of the build, which says on the terminal what it does."""
        arguments = ["--file", str(root / "deploy" / "Dockerfile"), "--build-arg", f"BUILD={build}"]
        return subprocess.call([self.program, "build", *arguments, *options, "--tag", image, str(root)])

    def run(self, service: Service, image: str, name: str, variables: Mapping[str, str]) -> list[str]:
        """The command that is this container for as long as it runs; signals and exit status pass through it.

        `variables` are named only: the values come from the environment, because all may read a command line.
        """
        podman_only = ["--read-only-tmpfs=false"] if self._is_podman else []
        return [
            *[self.program, "run", "--rm", "--name", name, "--network", "host", *podman_only],
            *service.options,
            *_each("--env", sorted(key for key in variables if key.startswith(PREFIX))),
            image,
            *service.command,
        ]

    def inside(self, name: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """What this command says inside of a running container."""
        return subprocess.run([self.program, "exec", name, *command], capture_output=True, text=True)

    def inspect(self, image: str, template: str) -> str:
        """What is known about an image; empty when there is none of this name."""
        asked = [self.program, "image", "inspect", "--format", template, image]
        return subprocess.run(asked, capture_output=True, text=True).stdout.strip()

    @property
    def _is_podman(self) -> bool:
        return Path(self.program).name == "podman"


def engine_here(wanted: str | None) -> Engine:
    """`wanted`, else the first of docker and podman that is installed. Raises NoEngine."""
    if sys.platform != "linux":
        raise NoEngine("only on Linux do containers have the network of this machine")
    for program in (wanted,) if wanted else PROGRAMS:
        if shutil.which(program):
            return Engine(program)
    raise NoEngine(f"{wanted or ' or '.join(PROGRAMS)} is needed and was not found")


def _each(option: str, values: Sequence[str]) -> Iterator[str]:
    for value in values:
        yield from (option, value)
