"""How do we run a PostgreSQL of our own on this machine?

One cluster in one folder, TCP on loopback only, passwords by SCRAM. Two roles: `kap_admin` makes
databases, `kap`, a plain role, owns and uses them, because row-level security does not bind a superuser.
A throw-away cluster (`durable=False`) does without fsync, and without a log for replicas; a kept one survives kill -9.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.child import Child, StartFailed, command_line, group_of, process_exists
from deploy.ports import LOOPBACK, choose_ports
from deploy.postgres_binaries import programs_folder, reachable_folder, unprivileged_user

ADMIN = "kap_admin"
ROLE = "kap"
READY_TIMEOUT_S = 60.0
_THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0"}
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "jit": "off",
}


class PostgresServer:
    """A cluster in `data_dir`: start, use, stop; or kill and start again. `secret` makes both passwords."""

    def __init__(
        self,
        data_dir: Path,
        *,
        secret: str,
        port: int | None = None,
        durable: bool = True,
        log: Path | None = None,
    ) -> None:
        self._asked_for = data_dir
        self.data_dir = reachable_folder(data_dir)
        self._secret = secret
        self._wanted_port = port
        self._durable = durable
        self._log = log or data_dir.with_name(f"{data_dir.name}.log")
        self.child: Child | None = None
        self.port = 0

    def start(self) -> None:
        """Make the cluster if there is none yet, run it and wait until it answers."""
        programs = programs_folder()
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise(programs)
        self._clear_stale_lock()
        self.port = choose_ports({"PostgreSQL": self.port or self._wanted_port})["PostgreSQL"]
        settings = _SETTINGS | {"port": str(self.port)} | ({} if self._durable else _THROW_AWAY)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.child = Child(
            "PostgreSQL",
            # The full path: PostgreSQL finds its own files by the name it was called with.
            [str(programs / "postgres"), "-D", str(self.data_dir), *options],
            self._log,
            user=unprivileged_user(),
            folder=Path("/"),
            stop_signal=signal.SIGINT,  # the fast shutdown: connections are dropped, nothing is lost
        )
        try:
            self.child.wait_until(self._answers, READY_TIMEOUT_S)
            self._ensure_role()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop()

    def kill(self) -> None:
        """kill -9 of the server; start() brings it back."""
        if self.child is not None:
            self.child.kill()

    def remove(self) -> None:
        """Stop and delete the cluster for ever."""
        self.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        if self._asked_for.is_symlink():
            self._asked_for.unlink()

    def url(self, database: str = "kap") -> str:
        """The address of one database for SQLAlchemy, as the plain role."""
        return f"postgresql+psycopg://{ROLE}:{self._password(ROLE)}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """A new database owned by the plain role, empty or a copy of `template`; its address."""
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
        with self._as_admin() as connection:
            connection.execute(
                query.format(
                    sql.Identifier(name), sql.Identifier(template or "template0"), sql.Identifier(ROLE)
                )
            )
        return self.url(name)

    def has_database(self, name: str) -> bool:
        with self._as_admin() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        return found is not None

    def drop_database(self, name: str) -> None:
        """Delete a database, whoever is still connected to it."""
        with self._as_admin() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def _password(self, role: str) -> str:
        """Each role's password follows from the secret; the application's does not give away the admin's."""
        return hmac.new(self._secret.encode(), role.encode(), hashlib.sha256).hexdigest()

    def as_admin(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the role that may do everything; the caller closes it."""
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=ADMIN,
            password=self._password(ADMIN),
            dbname=database,
            autocommit=True,
            connect_timeout=10,
        )

    @contextlib.contextmanager
    def _as_admin(self) -> Iterator[psycopg.Connection]:
        with self.as_admin() as connection:
            yield connection

    def _answers(self) -> bool:
        try:
            with self._as_admin() as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise StartFailed(f"the database in {self.data_dir} was made with another secret") from error
            return False
        return True

    def _ensure_role(self) -> None:
        with self._as_admin() as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone() is None:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                        sql.Identifier(ROLE), sql.Literal(self._password(ROLE))
                    )
                )

    def _initialise(self, programs: Path) -> None:
        """initdb into a folder beside, then rename: a half-made cluster is never mistaken for a whole one."""
        user = unprivileged_user()
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.data_dir.parent, prefix="initdb-") as fresh:
            password_file, cluster = Path(fresh, "password"), Path(fresh, "cluster")
            password_file.write_text(self._password(ADMIN))
            if user is not None:
                for path in (Path(fresh), password_file):
                    os.chown(path, user, group_of(user) or 0)
            command = [
                str(programs / "initdb"),
                "-D",
                str(cluster),
                "-U",
                ADMIN,
                f"--pwfile={password_file}",
                "--no-sync",
            ]
            command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions"]
            # The built-in collation is the same on Linux and macOS.
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            made = subprocess.run(
                command,
                user=user,
                group=group_of(user),
                extra_groups=None if user is None else [],
                cwd="/",
                capture_output=True,
                text=True,
            )
            if made.returncode != 0:
                raise StartFailed(f"initdb ended with status {made.returncode}:\n{made.stderr.strip()}")
            cluster.rename(self.data_dir)

    def _clear_stale_lock(self) -> None:
        """Forget a server that was killed; wait for one that is just ending, and end one that nobody owns."""
        lock = self.data_dir / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(lock.read_text().splitlines()[0])
            if process_exists(pid) and self._is_ours(pid):
                os.kill(pid, signal.SIGINT)
                deadline = time.monotonic() + READY_TIMEOUT_S
                while process_exists(pid) and self._is_ours(pid):
                    if time.monotonic() > deadline:
                        raise StartFailed(f"another PostgreSQL (process {pid}) uses {self.data_dir}")
                    time.sleep(0.05)
            # The same number may belong to another program by now, and PostgreSQL would believe it.
            lock.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        """Is this process a server on our folder, and not a stranger that was given its number?"""
        shown = command_line(pid)
        return "postgres" in shown and str(self.data_dir) in shown
