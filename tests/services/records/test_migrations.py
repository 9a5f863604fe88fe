"""Do the migrations make exactly the tables that the code expects, and can they be undone?"""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, pool, text

from deploy.postgres import PostgresServer
from services.database import MIGRATIONS, Base, migrate, migration_config


@pytest.fixture
def empty_database_url(postgres: PostgresServer) -> Iterator[str]:
    name = f"empty_{uuid.uuid4().hex[:16]}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


def test_migrations_and_tables_agree(empty_database_url: str) -> None:
    migrate(empty_database_url)
    engine = create_engine(empty_database_url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []
        assert set(Base.metadata.tables) <= set(inspect(connection).get_table_names())


def test_everything_can_be_undone_and_done_again(empty_database_url: str) -> None:
    config = migration_config(empty_database_url)
    migrate(empty_database_url)
    command.downgrade(config, "base")
    engine = create_engine(empty_database_url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        ours = text("SELECT count(*) FROM pg_proc WHERE proname = 'refuse_change'")
        assert connection.scalar(ours) == 0
    migrate(empty_database_url)


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    script = "import sys; from services.database import migrate; migrate(sys.argv[1])"
    command_line = [sys.executable, "-c", script, empty_database_url]
    processes = [subprocess.Popen(command_line, cwd=MIGRATIONS.parents[1]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
