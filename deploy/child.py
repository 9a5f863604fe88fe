"""How is one program started, watched and ended?

Every child runs in a session of its own (Ctrl-C in a terminal reaches us, and we stop them in order),
writes to its own log, and is known to a guard: a tiny process that ends the children when we die without
doing so.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

GRACE_S = 20.0
POLL_S = 0.02

# Reads "+pid signal" and "-pid" lines; at the end of its input, which is our death, ends who is still there.
_GUARD = """
import os, signal, sys, time
alive = {}
for line in sys.stdin:
    words = line.split()
    if words[0] == "+":
        alive[int(words[1])] = int(words[2])
    else:
        alive.pop(int(words[1]), None)
def send(number, pid):
    try:
        os.kill(pid, number)
        return True
    except OSError:
        return False
for pid in list(alive):
    send(alive[pid], pid)
until = time.monotonic() + 5
while alive and time.monotonic() < until:
    time.sleep(0.05)
    for pid in [pid for pid in alive if not send(0, pid)]:
        del alive[pid]
for pid in alive:
    send(signal.SIGKILL, pid)
"""


class StartFailed(Exception):
    """A part of the system did not come up; the text holds the end of its log."""


class _Guard:
    """The process that outlives ours by a moment; started with the first child."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def add(self, pid: int, signal_number: int) -> None:
        self._tell(f"+ {pid} {signal_number}\n")

    def remove(self, pid: int) -> None:
        self._tell(f"- {pid}\n")

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", _GUARD],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    text=True,
                    start_new_session=True,
                )
            if self._process.stdin is None:
                raise StartFailed("the guard of the child processes has no input")
            self._process.stdin.write(line)
            self._process.stdin.flush()


_guard = _Guard()


class Child:
    """One program of ours: started once, then stopped or killed. `stop_signal` asks it to end well."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
        folder: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            # Where this start's own words begin: an older start's last words are not the reason of a failure.
            self._log_start = output.tell()
            self._process = _spawn(command, output, environment, user, folder)
        _guard.add(self._process.pid, stop_signal)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, minus the number of the signal that ended it; None while it runs."""
        return self._process.poll()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        """Everything that this start wrote to its log."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def wait_until(self, is_ready: Callable[[], bool], timeout_s: float) -> None:
        """Return when ready; raise StartFailed when the program ends or takes longer than `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            self.fail_if_late(deadline)
            time.sleep(POLL_S)

    def fail_if_late(self, deadline: float) -> None:
        """Raise StartFailed when it has ended, or when `deadline` (monotonic seconds) has passed."""
        self.fail_if_ended()
        if time.monotonic() > deadline:
            raise StartFailed(f"{self.name} did not become ready in time{self.last_words()}")

    def fail_if_ended(self) -> None:
        """Raise StartFailed, with the end of its log, when it no longer runs."""
        if not self.is_alive():
            raise StartFailed(f"{self.name} ended by itself with status {self.status}{self.last_words()}")

    def last_words(self, lines: int = 15) -> str:
        tail = "\n".join(f"    {line}" for line in self.said().splitlines()[-lines:])
        return f"; the end of {self.log}:\n{tail}" if tail else f"; it said nothing in {self.log}"

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Ask it to end, wait, and insist when it does not."""
        for number, patience_s in ((self._stop_signal, grace_s), (signal.SIGKILL, GRACE_S)):
            if not self.is_alive():
                break
            self._send(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
        _guard.remove(self.pid)

    def kill(self) -> None:
        """kill -9: no good-byes."""
        self._send(signal.SIGKILL)
        self._process.wait()
        _guard.remove(self.pid)

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


def _spawn(
    command: Sequence[str],
    output: IO[bytes],
    environment: Mapping[str, str] | None,
    user: int | None,
    folder: Path | None,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=None if environment is None else dict(environment),
        cwd=folder,
        user=user,
        group=group_of(user),
        extra_groups=None if user is None else [],
        start_new_session=True,
    )


def group_of(user: int | None) -> int | None:
    if user is None:
        return None

    return pwd.getpwuid(user).pw_gid


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_line(pid: int) -> str:
    """What this process was started as; empty when it is gone or only waits to be buried."""
    if Path("/proc/self").exists():
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return shown.stdout
