"""Whose is this data folder?

Of one running system at a time, by a lock that the operating system drops when its owner dies. What a
killed owner left running is written down in the folder: the next owner waits for it to end, and ends what
does not.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import IO

from deploy.child import Child, command_line, process_exists

PATIENCE_S = 8.0


class DataFolderInUse(Exception):
    """Another running system holds this data folder."""


class DataFolder:
    """The folder of one system; a throw-away one when `path` is None, deleted at release."""

    def __init__(self, path: Path | None) -> None:
        self.is_kept = path is not None
        if path is None:
            self.path = Path(tempfile.mkdtemp(prefix="kap-"))
            self.path.chmod(0o711)  # the database's own user must be able to pass
        else:
            self.path = path.absolute()
            # The database's own user must be able to pass, nobody else needs to look.
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            for private in ("logs", "mail"):
                (self.path / private).mkdir(mode=0o700, exist_ok=True)
        self._lock: IO[str] | None = None
        self._children: dict[int, str] = {}

    def acquire(self) -> None:
        """Become the owner. Raises DataFolderInUse."""
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            owner = lock.read().strip()
            lock.close()
            raise DataFolderInUse(f"{self.path} is in use by process {owner or 'unknown'}") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        self._end_leftovers()

    def release(self) -> None:
        self.note_children([])
        if not self.is_kept:
            shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def note_children(self, children: list[Child]) -> None:
        """Write down who runs for us now, for an owner after us."""
        self._children = {child.pid: command_line(child.pid) for child in children}
        self._list.write_text(json.dumps({str(pid): shown for pid, shown in self._children.items()}))

    @property
    def _list(self) -> Path:
        return self.path / "children.json"

    def _end_leftovers(self) -> None:
        listed: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            listed = json.loads(self._list.read_text())
        left = {int(pid): shown for pid, shown in listed.items() if shown}
        deadline = time.monotonic() + PATIENCE_S
        while left := {pid: shown for pid, shown in left.items() if _still_runs(pid, shown)}:
            if time.monotonic() > deadline:
                for pid in left:
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.05)


def _still_runs(pid: int, shown: str) -> bool:
    """The same number may belong to another program by now: the command line must be the same too."""
    return process_exists(pid) and command_line(pid) == shown
