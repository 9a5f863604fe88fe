"""Can every migration run while the previous version of the processes serves? It only adds, and locks no one out."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, text

import services.migrations.versions as versions
from services.database import migrate

BEFORE_THE_FIRST_RELEASE = "0013"
"""Up to here nothing was in use yet: they ran on empty databases, and are not edited afterwards."""

LET_PASS: dict[str, str] = {
    "0020": "booking notices are few (those of the last weeks), and a wider check of the links looks at short rows",
}
"""Revision → why it may do what the others may not: small tables, or no version that is still running uses it."""

FAULTS = {
    r"DROP (TABLE|VIEW|FUNCTION)": "takes away what the previous version reads",
    r"ALTER TABLE \S+ DROP COLUMN": "takes away a column that the previous version reads",
    r"ALTER TABLE \S+ RENAME|RENAME TO": "renames what the previous version calls by its old name",
    r"ALTER COLUMN \S+ (SET DATA )?TYPE": "rewrites the table under a lock",
    r"ALTER COLUMN \S+ SET NOT NULL": "the previous version writes nothing there",
    r"^(UPDATE|DELETE FROM) ": "touches many rows at once: in portions, by a process, after the migration",
    r"^LOCK TABLE": "locks the previous version out",
}
NEW_COLUMN = re.compile(r"ALTER TABLE (\S+) ADD COLUMN (?!.*DEFAULT).*NOT NULL", re.DOTALL)
INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?\S+ ON (\S+)")
CONSTRAINT = re.compile(
    r"ALTER TABLE (\S+) ADD (CONSTRAINT \S+ )?(FOREIGN KEY|CHECK|UNIQUE|PRIMARY KEY|EXCLUDE)"
)
CREATED = re.compile(r"CREATE TABLE (\S+)")


def faults_of(sql: str) -> list[str]:
    """What of these statements the previous version would notice. A table that is new may be made in any way."""
    statements = [" ".join(one.split()) for one in sql.split(";") if one.strip()]
    new = {found.group(1) for one in statements if (found := CREATED.search(one))}
    return [f"{fault}: {one}" for one in statements for fault in _faults(one, new)]


def _faults(statement: str, new: set[str]) -> Iterator[str]:
    yield from (told for pattern, told in FAULTS.items() if re.search(pattern, statement))
    if (column := NEW_COLUMN.search(statement)) and column.group(1) not in new:
        yield "the previous version leaves this column out: it needs a default, or may be empty"
    if (index := INDEX.search(statement)) and not index.group(1) and index.group(2) not in new:
        yield "an index on a table in use is made CONCURRENTLY, in an autocommit_block"
    constraint = CONSTRAINT.search(statement)
    if constraint and constraint.group(1) not in new and "NOT VALID" not in statement:
        yield "looks at every row under a lock: NOT VALID first, VALIDATE in a later migration"


def sql_of(name: str) -> str:
    """What this migration would say to a database."""
    said = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": said}
    )
    with Operations.context(context):
        import_module(f"{versions.__name__}.{name}").upgrade()
    return said.getvalue()


def released() -> list[str]:
    names = sorted(module.name for module in iter_modules(versions.__path__))
    return [name for name in names if name.split("_")[0] > BEFORE_THE_FIRST_RELEASE]


def test_the_previous_version_serves_while_the_schema_is_migrated() -> None:
    for name in released():
        if name.split("_")[0] not in LET_PASS:
            assert faults_of(sql_of(name)) == [], name


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE dose",
        "ALTER TABLE dose DROP COLUMN lot",
        "ALTER TABLE dose RENAME lot TO batch",
        "ALTER TABLE dose ALTER COLUMN lot TYPE INTEGER",
        "ALTER TABLE dose ALTER COLUMN lot SET NOT NULL",
        "ALTER TABLE dose ADD COLUMN colour TEXT NOT NULL",
        "CREATE INDEX ix_dose_lot ON dose (lot)",
        "CREATE UNIQUE INDEX ix_dose_lot ON dose (lot)",
        "ALTER TABLE dose ADD CONSTRAINT ck_dose_lot CHECK (lot <> '')",
        "ALTER TABLE dose ADD CONSTRAINT fk_dose_lot FOREIGN KEY(lot) REFERENCES lot (id)",
        "UPDATE dose SET lot = 'x'",
        "DELETE FROM dose",
        "LOCK TABLE dose",
    ],
)
def test_what_would_disturb_it_is_found(sql: str) -> None:
    assert len(faults_of(f"SELECT 1;\n{sql};\n")) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE tint (id TEXT NOT NULL); CREATE INDEX ix_tint_id ON tint (id)",
        "ALTER TABLE dose ADD COLUMN colour TEXT",
        "ALTER TABLE dose ADD COLUMN colour TEXT DEFAULT 'clear' NOT NULL",
        "ALTER TABLE dose ALTER COLUMN lot DROP NOT NULL",
        "CREATE INDEX CONCURRENTLY ix_dose_lot ON dose (lot)",
        "ALTER TABLE dose ADD CONSTRAINT ck_dose_lot CHECK (lot <> '') NOT VALID",
    ],
)
def test_what_only_adds_is_welcome(sql: str) -> None:
    assert faults_of(sql) == []


def test_an_earlier_migration_is_read_as_it_would_be_said() -> None:
    faults = faults_of(sql_of("0004_doses_in_units"))
    assert faults == []  # columns that may be empty, and a rule that became wider
    assert any("DROP NOT NULL" in line for line in sql_of("0004_doses_in_units").splitlines())


def test_the_lock_of_migrations_is_free_again_afterwards(database_url: str) -> None:
    migrate(database_url)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        held = connection.execute(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).scalar()
    engine.dispose()
    assert held == 0
