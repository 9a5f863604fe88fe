"""How does Alembic reach the database, and which tables does it compare with?

The one place that knows the tables of every service. Online only: under an advisory lock, so that processes starting
together migrate once, each migration in a transaction of its own. The previous version of the processes serves
meanwhile: a migration that cannot get a lock in time gives up instead of standing in their way, and is asked again.
"""

import time

from alembic import context
from sqlalchemy import create_engine, pool, text

from services import outbox
from services.access import tables as access_tables
from services.booking import tables as booking_tables
from services.bulk import tables as bulk_tables
from services.database import Base
from services.events import tables as event_tables
from services.links import tables as link_tables
from services.notifications import tables as notification_tables
from services.records import custody_tables, inbox_tables, task_tables
from services.records import tables as record_tables

TABLES = (
    record_tables,
    custody_tables,
    notification_tables,
    access_tables,
    task_tables,
    booking_tables,
    inbox_tables,
    link_tables,
    outbox,
    event_tables,
    bulk_tables,
)
"""Named so that nobody takes the imports for unused: importing them fills `Base.metadata`."""

MIGRATION_LOCK = 7_261_954_318
LOCK_WITHIN = "5s"
ASK_AGAIN_S = 0.1


def migrate_online(url: str) -> None:
    engine = create_engine(url, poolclass=pool.NullPool, hide_parameters=True)
    with engine.connect() as connection:
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK}):
            connection.commit()  # who waits inside a statement would hold up an index that is made concurrently
            time.sleep(ASK_AGAIN_S)
        connection.execute(text(f"SET lock_timeout = '{LOCK_WITHIN}'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


migrate_online(context.config.attributes["url"])
