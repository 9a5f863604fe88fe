"""How is one PostgreSQL database put into a file, whole and of one moment, and made again from it?

With PostgreSQL's own pg_dump and pg_restore, from the packages of this project. Passwords go by the environment:
a command line is read by everybody on a machine.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from deploy.postgres_binaries import programs_folder

_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
"""
_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"


class DumpFailed(Exception):
    """pg_dump or pg_restore ended badly; the text is what it said."""


def dump(url: str, file: Path) -> None:
    """Everything in this database, as of one moment, in PostgreSQL's own compressed format."""
    _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")


def load(url: str, file: Path) -> None:
    """All of the file or nothing of it, into a database that is empty."""
    database = conninfo_to_dict(_plain(url))["dbname"]
    whole = ("--exit-on-error", "--single-transaction")
    _run(url, "pg_restore", "--no-owner", "--no-privileges", *whole, f"--dbname={database}", str(file))


def others_at(url: str) -> int:
    """How many others are connected to this database: whoever is may write."""
    return _number(url, _OTHERS)


def tables_in(url: str) -> int:
    return _number(url, _TABLES)


def _number(url: str, query: str) -> int:
    with psycopg.connect(_plain(url), connect_timeout=10) as connection:
        row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _plain(url: str) -> str:
    """The address without SQLAlchemy's name for the driver."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _run(url: str, program: str, *arguments: str) -> None:
    given = conninfo_to_dict(_plain(url))
    own = {variable: str(given[name]) for name, variable in _VARIABLES.items() if given.get(name)}
    ran = subprocess.run(
        [str(programs_folder() / program), *arguments],
        env=os.environ | own,
        capture_output=True,
        text=True,
    )
    if ran.returncode != 0:
        raise DumpFailed(f"{program} ended with status {ran.returncode}: {ran.stderr.strip()}")
