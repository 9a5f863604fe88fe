"""How does a test run the code of the commit before, beside today's, over one database and one engine?"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from deploy.child import Child
from deploy.local import LocalOptions, LocalSystem
from deploy.ports import choose_ports
from deploy.waiting import in_threads, until_healthy
from services.settings import PREFIX
from tests.architecture.tree import ROOT

COMPILED = {name: os.environ[name] for name in ("PYTHONPYCACHEPREFIX",) if name in os.environ}
"""Where the compiled files are: without it each process would compile every package for itself."""
OLD, NEW = "the-build-before", "today"
_SETTINGS = "from services.settings import Settings; print(*Settings.model_fields)"
_MIGRATE = "import sys; from services.database import migrate; migrate(sys.argv[1])"


def tree_before(folder: Path) -> Path:
    """The code of the previous commit; while something is not committed, of the last one.

    Where there is no history (a tree without a repository, a clone of one commit) it is today's code: the upgrade of
    a running system is then still tried, with two builds of the same code.
    """
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT, capture_output=True).returncode
    commit = "HEAD" if changed == 1 else "HEAD^"
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True)
    if archive.returncode != 0:
        return ROOT
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
        packed.extractall(folder, filter="data")
    return folder


class TwoBuilds(LocalSystem):
    """Starts with the processes and the schema of the old tree; `upgrade()` brings in today's beside them."""

    def __init__(self, old: Path) -> None:
        self._code, self._old = old, old
        self._known = _asked(old, _SETTINGS).split()
        self.old_is_versioned = "versioning" in self._known
        versioning = "pinned" if self.old_is_versioned else "off"
        super().__init__(LocalOptions(virtual_time=True, with_ui=False, build=OLD, versioning=versioning))

    def _migrate(self) -> None:
        if self._code is ROOT:
            return super()._migrate()
        self.postgres.create_database("kap")
        _asked(self._code, _MIGRATE, self.database_url)

    def _run(self, name: str, module: str, own: dict[str, str], *arguments: str) -> Child:
        known = self._known if self._code is self._old else None
        given = self.environment() | own
        return Child(
            name,
            [sys.executable, "-m", module, *arguments],
            self._log(name),
            environment={"PYTHONUNBUFFERED": "1", **COMPILED, **_only(given, known)},
            folder=self._code,
        )

    async def migrate_under_the_old(self) -> None:
        """Bring the schema to its newest version while the old build serves."""
        self._code = ROOT
        await in_threads(self._migrate)

    async def start_the_new(self) -> None:
        """Today's worker and API, on ports of their own, beside the old ones."""
        self._code, self.old_workers = ROOT, list(self._workers)
        self.options = replace(self.options, build=NEW, versioning="pinned")
        ports = choose_ports({"a new worker": None, "a new API": None})
        at_worker, at_api = ports["a new worker"], ports["a new API"]
        worker = self._run("new-worker", "workers", {f"{PREFIX}WORKER_HEALTH_PORT": str(at_worker)})
        api = self._run("new-api", "api", {f"{PREFIX}API_PORT": str(at_api)})
        self._workers.append(worker)
        self._apis.append(api)
        self.api_ports = [at_api]
        await until_healthy(worker, at_worker)
        await until_healthy(api, at_api)


def _only(given: Mapping[str, str], known: list[str] | None) -> dict[str, str]:
    """An old build refuses settings that it does not know."""
    names = None if known is None else {PREFIX + name.upper() for name in known}
    return {name: value for name, value in given.items() if names is None or name in names}


def _asked(tree: Path, program: str, *arguments: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=tree, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    return told.stdout
