"""How does the system talk to PostgreSQL, and where is the one place that commits?

`Database.transaction()` is where work commits: once per request or activity, at the edge. `Database.reading()` is
a read-only snapshot (REPEATABLE READ), so that a view made of several queries shows one moment.
`Database.ask()` is for work that is one statement, asked or written all day: it is its own transaction and costs one
round trip instead of three (services/asking.py). `migrate` brings the schema to its newest
version. Errors of the driver pass through; each service puts them into its own words.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json
from sqlalchemy import (
    DateTime,
    Engine,
    Executable,
    LargeBinary,
    MetaData,
    Numeric,
    Row,
    Table,
    Text,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from services.asking import WATCHERS, Question, Watcher, answers
from services.kept_connections import KeptConnections
from services.live_connections import watch

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


class Base(DeclarativeBase):
    """All tables. Constraints are named by rule, so that migrations can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it from the class; nobody writes it
        str: Text,
        datetime: DateTime(timezone=True),
        Decimal: Numeric,
        bytes: LargeBinary,
        dict[str, Any]: JSONB,
        list[str]: JSONB,
    }


def table_of(model: type[Base]) -> Table:
    """The bare table, for statements that go past the unit of work."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


class Database:
    """A pool of connections to one database. Opens nothing until it is used."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 15,
        max_overflow: int = 0,
        pool_timeout_s: float = 10.0,
        connect_timeout_s: int = 5,
        statement_timeout_ms: int = 20_000,
    ) -> None:
        # A statement that hangs must not hold its locks for ever: the server ends it, the caller tries again.
        options = f"-c timezone=UTC -c statement_timeout={statement_timeout_ms}"
        self._engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=pool_timeout_s,
            pool_use_lifo=True,  # few connections when there is little to do: warm, and known to be alive
            connect_args={"connect_timeout": connect_timeout_s, "options": options},
            json_deserializer=from_json,
            hide_parameters=True,  # parameters are patient data and would stand in messages of errors
        )
        watch(self._engine.sync_engine)
        self._kept = KeptConnections(self._engine, pool_size)
        self._watchers: list[Watcher] = []
        self._alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._snapshots = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends well, rolled back when it raises."""
        watched = {WATCHERS: self._watchers}
        async with (
            AsyncSession(self._engine, expire_on_commit=False, info=watched) as session,
            session.begin(),
        ):
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One moment of the database, read-only: writing in it is refused by the server."""
        async with AsyncSession(self._snapshots, autoflush=False, expire_on_commit=False) as session:
            yield session
            session.expunge_all()  # there is nothing to write, whatever was done to the objects
            await session.commit()  # a rollback would make the driver forget all statements it has prepared

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[AsyncSession]:
        """Questions that each see a moment of their own, so without the round trips that begin and end a snapshot."""
        async with AsyncSession(self._alone, autoflush=False, expire_on_commit=False) as session:
            yield session
            session.expunge_all()  # there is nothing to write, whatever was done to the objects

    async def ask(self, *questions: Question) -> list[Sequence[Row[Any]]]:
        """The rows of each, one round trip a question. Each sees a moment of its own: what must be of one moment is
        one question. A question that writes is kept when it ends well."""
        return await answers(self._kept, questions, self._watchers)

    async def ask_once(self, statement: Executable) -> Sequence[Row[Any]]:
        """The rows of a statement that is hardly ever the same twice."""
        async with self._alone.connect() as connection:
            return (await connection.execute(statement)).all()

    def watch_questions(self, watcher: Watcher) -> None:
        """Tell what is asked to whoever watches statements: SQLAlchemy does not see them."""
        self._watchers.append(watcher)

    def look_at_engine(self, look: Callable[[Engine], object]) -> None:
        """Hand over the engine to whoever watches its statements."""
        look(self._engine.sync_engine)

    async def dispose(self) -> None:
        """Close every connection."""
        await self._kept.close()
        await self._engine.dispose()


async def counted(session: AsyncSession, value: Any, *where: Any) -> dict[str, int]:
    """How many rows there are of each value of this column."""
    found = await session.execute(select(value, func.count()).where(*where).group_by(value).order_by(value))
    return {str(name): number for name, number in found}


def migrate(url: str) -> None:
    """Bring the schema to its newest version. Several processes may ask at once: one does it, all wait."""
    from alembic import command

    command.upgrade(migration_config(url), "head")


def migration_config(url: str) -> "Config":
    """What Alembic needs to know. The address is an attribute: it may hold a password and `%` signs.

    Alembic is imported here and above: an API or a worker needs none of it, and it is a twentieth of their imports.
    """
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    return config
