"""Which loopback ports may we use?

A port that was asked for by number must be free, or the refusal names the port and who wanted it. Port
`None` or 0 means any free one. All ports of one system are chosen together, so that no two of them are
the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import secrets
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

LOOPBACK = "127.0.0.1"


class PortTaken(Exception):
    """Somebody else listens on a port that one of our parts was told to use."""

    def __init__(self, port: int, wanted_by: str) -> None:
        super().__init__(f"port {port} is already taken; {wanted_by} wanted it")
        self.port = port
        self.wanted_by = wanted_by


QUIET = range(20_000, 30_000)
"""Below the ports that systems give to outgoing connections: nobody takes one of these in passing, between our
choosing it and our child's listening on it."""


_reserved: set[int] = set()
"""What this process has chosen; each is locked as long as it lives."""


def quiet_port() -> int:
    """A port of that range on which nobody listens, and which no other of our processes has chosen.

    Between a choice and the listening lies the start of a server. 0, any free one, when luck fails.
    """
    tries = (secrets.choice(QUIET) for _ in range(50))
    return next((port for port in tries if not somebody_listens(port) and _reserve(port)), 0)


def _reserve(port: int) -> bool:
    """Nobody else who asks so gets this port while this process lives. Whoever cannot ask has it."""
    if port in _reserved:
        return False
    try:
        fcntl.lockf(_register(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    _reserved.add(port)
    return True


@functools.cache
def _register() -> IO[bytes]:
    """One file for all, a byte of it for each port; open as long as this process lives, or the locks go."""
    return (Path(tempfile.gettempdir()) / f"kap-ports-{os.getuid()}").open("ab")


def choose_ports(wanted: Mapping[str, int | None]) -> dict[str, int]:
    """A port for each named part: the one it asked for, else a free one. Raises PortTaken."""
    chosen: dict[str, int] = {}
    with contextlib.ExitStack() as held:
        # Ports asked for by number first: a free choice must not land on them.
        for name, port in sorted(wanted.items(), key=lambda item: not item[1]):
            holder = held.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port and somebody_listens(port):
                raise PortTaken(port, name)
            try:
                holder.bind((LOOPBACK, port or quiet_port()))
                holder.listen()  # a socket that only holds a port does not keep others off it
            except OSError as error:
                raise PortTaken(port or 0, name) from error
            chosen[name] = holder.getsockname()[1]
    return {name: chosen[name] for name in wanted}


def free_port() -> int:
    return choose_ports({"any": None})["any"]


def somebody_listens(port: int) -> bool:
    """Does a connection to this loopback port succeed? (macOS lets two bind what only one answers.)"""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0
