"""Where does a test get a database that nobody else uses? From a few that are emptied and used again.

A copy of the template costs more than most tests do, and to drop it half as much again. A database comes back to the
shelf when its test is over: whoever is still connected is cut off, every row is deleted, every counter set back.
One whose schema is no longer the template's, or whose rows of the template have changed, is thrown away.
"""

from __future__ import annotations

import uuid
from contextlib import closing

import psycopg
from psycopg import sql

from deploy.postgres import PostgresServer

CUT_OFF = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
)
TABLES = """
    SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition ORDER BY 1
"""
COUNTERS = """
    SELECT schemaname, sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
SCHEMA = """
    SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
        SELECT concat_ws(' ', 'c', c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relacl) AS line
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT concat_ws(' ', 'a', attrelid, attname, atttypid, attnotnull, atthasdef, attisdropped)
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        UNION ALL SELECT concat_ws(' ', 't', tgrelid, tgname, tgenabled, tgtype) FROM pg_trigger
        UNION ALL SELECT concat_ws(' ', 'k', conrelid, conname, convalidated) FROM pg_constraint
        UNION ALL SELECT concat_ws(' ', 'p', polrelid, polname, polcmd) FROM pg_policy
        UNION ALL SELECT concat_ws(' ', 'f', proname, md5(prosrc)) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
    ) AS lines
"""


class Databases:
    """The shelf of one cluster. `template` is an empty, migrated database."""

    def __init__(self, postgres: PostgresServer, template: str) -> None:
        self._postgres = postgres
        self._template = template
        self._clean: list[str] = []
        self._schema: str | None = None
        self._rows: dict[str, int] = {}

    def take(self) -> str:
        """The name of a database like the template."""
        if self._clean:
            return self._clean.pop()
        name = f"test_{uuid.uuid4().hex[:16]}"
        self._postgres.create_database(name, template=self._template)
        if self._schema is None:
            with closing(self._postgres.as_admin(name)) as admin:
                self._schema, self._rows = _schema(admin), _rows(admin)
        return name

    def give_back(self, name: str) -> None:
        """Empty it for the next test; throw it away when that is not enough."""
        with closing(self._postgres.as_admin(name)) as admin:
            admin.execute(CUT_OFF, (name,))
            usable = _schema(admin) == self._schema
            if usable:
                _empty(admin, self._rows)
                usable = _rows(admin) == self._rows
        if usable:
            self._clean.append(name)
        else:
            self._postgres.drop_database(name)


def _schema(admin: psycopg.Connection) -> str:
    found = admin.execute(SCHEMA).fetchone()
    assert found is not None
    return str(found[0])


def _filled(admin: psycopg.Connection) -> list[str]:
    """Which tables have rows?"""
    tables = [str(name) for (name,) in admin.execute(TABLES)]
    ask = sql.SQL(", ").join(
        sql.SQL("EXISTS (SELECT 1 FROM {})").format(sql.Identifier(name)) for name in tables
    )
    found = admin.execute(sql.SQL("SELECT {}").format(ask)).fetchone()
    assert found is not None
    return [name for name, filled in zip(tables, found, strict=True) if filled]


def _rows(admin: psycopg.Connection) -> dict[str, int]:
    """A hash of all rows of each table that has any."""
    hashes = {}
    for name in _filled(admin):
        ask = sql.SQL("SELECT sum(hashtextextended(t::text, 0)) FROM {} t").format(sql.Identifier(name))
        row = admin.execute(ask).fetchone()
        assert row is not None
        hashes[name] = int(row[0])
    return hashes


def _empty(admin: psycopg.Connection, kept: dict[str, int]) -> None:
    """Neither foreign keys nor the triggers of what may only be appended to stand in the way of a superuser."""
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        for name in _filled(admin):
            if name not in kept:
                admin.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        for schema, name in admin.execute(COUNTERS).fetchall():
            admin.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(str(schema), str(name))))
