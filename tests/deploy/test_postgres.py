"""Does our own PostgreSQL survive what happens to it, and keep its two roles apart?"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.child import StartFailed, command_line
from deploy.data_folder import DataFolder
from deploy.ports import PortTaken
from deploy.postgres import PostgresServer
from deploy.postgres_binaries import is_open_to_others
from tests.architecture.tree import ROOT


@pytest.fixture
def folder() -> Iterator[Path]:
    throw_away = DataFolder(None)
    yield throw_away.path
    throw_away.release()


@pytest.fixture
def server(folder: Path) -> Iterator[PostgresServer]:
    kept = PostgresServer(folder / "postgres", secret="a", log=folder / "postgres.log")
    kept.start()
    kept.create_database("kap")
    yield kept
    kept.remove()


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(query)
        return list(cursor.fetchall()) if cursor.description else []


def test_what_was_committed_survives_kill_9_and_a_restart(server: PostgresServer) -> None:
    ask(server.url(), "CREATE TABLE t AS SELECT 7 AS a")
    server.kill()
    server.start()
    assert ask(server.url(), "SELECT a FROM t") == [(7,)]
    server.stop()
    server.start()
    assert ask(server.url(), "SELECT a FROM t") == [(7,)]


def test_a_stale_lock_that_names_a_living_stranger_does_not_stop_it(server: PostgresServer) -> None:
    server.stop()
    (server.data_dir / "postmaster.pid").write_text(f"{os.getppid()}\n{server.data_dir}\n")
    server.start()
    assert ask(server.url(), "SELECT 1") == [(1,)]


def test_it_is_used_as_a_plain_role_over_scram(server: PostgresServer) -> None:
    rights = (
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    assert ask(server.url(), rights) == [(False, False, False, False)]
    with pytest.raises(psycopg.OperationalError):
        ask(server.url().replace("kap:", "kap:wrong"), "SELECT 1")


def test_another_secret_is_refused_with_the_reason(server: PostgresServer, folder: Path) -> None:
    server.stop()
    other = PostgresServer(folder / "postgres", secret="b", log=folder / "other.log")
    with pytest.raises(StartFailed, match="made with another secret"):
        other.start()


def test_a_copy_of_a_template_is_owned_by_the_role_and_goes_with_its_users(server: PostgresServer) -> None:
    ask(server.url(), "CREATE TABLE t AS SELECT 1 AS a")
    url = server.create_database("copy", template="kap")
    ask(url, "ALTER TABLE t ADD COLUMN b int")
    with psycopg.connect(url.replace("+psycopg", "")):
        server.drop_database("copy")
    assert not server.has_database("copy")


def test_a_taken_port_is_refused_by_number_and_name(server: PostgresServer, folder: Path) -> None:
    second = PostgresServer(folder / "second", secret="a", port=server.port, log=folder / "second.log")
    with pytest.raises(PortTaken, match=rf"port {server.port} is already taken; PostgreSQL wanted it"):
        second.start()
    second.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_a_folder_that_is_closed_to_others_stays_closed(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = PostgresServer(closed / "postgres", secret="a", durable=False, log=folder / "closed.log")
    try:
        server.start()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert is_open_to_others(server.data_dir.parent)
        again = PostgresServer(closed / "postgres", secret="a", durable=False, log=folder / "closed.log")
        assert again.data_dir == server.data_dir
    finally:
        server.remove()
    assert not server.data_dir.exists()


def test_a_server_whose_owner_was_killed_is_ended_by_the_guard(folder: Path) -> None:
    program = (
        "import sys, pathlib; from deploy.postgres import PostgresServer; folder = pathlib.Path(sys.argv[1]);"
        "server = PostgresServer(folder / 'pg', secret='a', durable=False); server.start();"
        "print(server.child.pid, flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert "postgres" in command_line(pid)
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    heir = PostgresServer(folder / "pg", secret="a", durable=False)
    heir.start()
    assert command_line(pid) == ""
    heir.remove()
