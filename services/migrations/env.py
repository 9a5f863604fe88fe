"""How does Alembic reach the database, and which tables does it compare with?

The one place that knows the tables of every service. Online only: a migration runs in one transaction under
an advisory lock, so that processes starting together migrate once.
"""

from alembic import context
from sqlalchemy import create_engine, pool, text

from services.database import Base
from services.notifications import tables as notification_tables
from services.records import custody_tables, inbox_tables
from services.records import tables as record_tables

TABLES = (record_tables, custody_tables, inbox_tables, notification_tables)
"""Named so that nobody takes the imports for unused: importing them fills `Base.metadata`."""

MIGRATION_LOCK = 7_261_954_318


def migrate_online(url: str) -> None:
    engine = create_engine(url, poolclass=pool.NullPool, hide_parameters=True)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            context.run_migrations()


migrate_online(context.config.attributes["url"])
