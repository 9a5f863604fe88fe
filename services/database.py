"""How does the system talk to PostgreSQL, and where is the one place that commits?

`Database.transaction()` is the commit of everything that takes more than one statement: one per request or activity,
at the edge. `Database.reading()` is a read-only snapshot (REPEATABLE READ), so that a view made of several queries
shows one moment. A single statement is a moment, and a transaction, by itself: `ask` and `tell` send it and nothing
around it. `migrate` brings the schema to its newest version. Errors of the driver pass through; each service puts
them into its own words.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    DateTime,
    Engine,
    Executable,
    LargeBinary,
    MetaData,
    Numeric,
    Row,
    Text,
    event,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

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


class Database:
    """A pool of connections to one database. Opens nothing until it is used."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 5,
        max_overflow: int = 10,
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
            connect_args={"connect_timeout": connect_timeout_s, "options": options},
            hide_parameters=True,  # parameters are patient data and would stand in messages of errors
        )
        _ask_whether_alive(self._engine.sync_engine)
        self._snapshots = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends well, rolled back when it raises."""
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One moment of the database, read-only: writing in it is refused by the server."""
        async with AsyncSession(self._snapshots, autoflush=False) as session:
            yield session

    async def ask(self, *questions: Executable) -> list[Sequence[Row[Any]]]:
        """The rows of each, each of its own moment: one round trip a question.

        A connection that turns out to be cut is not asked beforehand whether it lives, as the others do: what was
        not answered is asked again, once, over a new one.
        """
        try:
            return await self._send(questions)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return await self._send(questions)

    async def tell(self, statement: Executable) -> Sequence[Row[Any]]:
        """One statement that writes, committed when this returns; it is never sent twice."""
        (answer,) = await self._send([statement])
        return answer

    async def _send(self, statements: Sequence[Executable]) -> list[Sequence[Row[Any]]]:
        with _untested():
            async with self._single.connect() as connection:
                return [(await connection.execute(statement)).all() for statement in statements]

    def look_at_engine(self, look: Callable[[Engine], object]) -> None:
        """Hand over the engine to whoever watches its statements."""
        look(self._engine.sync_engine)

    async def dispose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


_as_it_is: ContextVar[bool] = ContextVar("_as_it_is", default=False)
"""Whether a connection is taken out of the pool without asking it first."""


@contextmanager
def _untested() -> Iterator[None]:
    before = _as_it_is.set(True)
    try:
        yield
    finally:
        _as_it_is.reset(before)


def _ask_whether_alive(engine: Engine) -> None:
    """What `pool_pre_ping` does, but where it is not wanted: a connection that was cut while it lay in the pool is
    replaced before anybody uses it."""

    def ask(connection: Any, record: Any, _: Any) -> None:
        if record.info.setdefault("fresh", True):
            record.info["fresh"] = False
            return
        if _as_it_is.get():
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            if engine.dialect.is_disconnect(error, connection, None):
                raise InvalidatePoolError from error
            raise

    event.listen(engine, "checkout", ask)


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
