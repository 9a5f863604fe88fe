"""How is one statement asked with as little around it as possible? By the driver itself, in words found once.

To put a statement together, look up its words and wrap its answer costs SQLAlchemy three times what the driver and
the socket cost. A `Question` is compiled once, sent over a connection of the same pool, and answered in the same
rows: by itself (`answers`), or in the transaction of a session (`told`). Errors are SQLAlchemy's, so that nobody has to
know which way a statement went.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Float,
    Row,
    Select,
    Text,
    TextClause,
    UpdateBase,
    bindparam,
    cast,
    make_url,
)
from sqlalchemy.engine import result_tuple
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from services.kept_connections import KeptConnections, driver_of

Watcher = Callable[[str, Mapping[str, Any]], AbstractContextManager[Any]]
"""Is told each statement with its values, and is entered while it runs."""

SITES = cast(bindparam("sites", type_=NullType()), ARRAY(Text))
"""The sites that the asker may see, for `column == any_(SITES)`."""

_DIALECT = make_url("postgresql+psycopg_async://").get_dialect()()
_ANY_NUMBER, _FLOAT = 1700, 701  # the type of a column that is asked how it would be read


class Question:
    """A statement in the words of the server. `of` gives the values that it leaves open (bindparam without one).

    For statements whose values and columns the driver itself understands; whoever asks another one gets a TypeError.
    IN with a list that differs in length is other words each time: write `column == any_(…)`. An INSERT that says no
    values has those of its `columns`.
    """

    def __init__(
        self, statement: Select[*tuple[Any, ...]] | TextClause | UpdateBase, columns: Iterable[str] = ()
    ) -> None:
        self._statement = statement
        self._columns = tuple(columns)

    def of(self, **values: Any) -> "Question":
        """The same with these values; TypeError for one too many or too few."""
        if values.keys() != self._words.open:
            raise TypeError(f"the statement leaves open: {', '.join(sorted(self._words.open))}")
        asked = Question(self._statement)
        asked.__dict__["_words"] = self._words  # found once, for all
        wrapped = {name: wrap(values[name]) for name, wrap in self._words.wraps.items()}
        asked.__dict__["values"] = {**self._words.values, **values, **wrapped}
        return asked

    @property
    def text(self) -> str:
        return self._words.text

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """What stands in the statement itself; TypeError when it leaves something open."""
        return self.of().values

    def row(self, cursor: psycopg.AsyncCursor[Any]) -> Callable[[Sequence[Any]], Row[Any]]:
        """What makes a row of a line of the answer (psycopg's `row_factory`)."""
        words = self._words
        if words.row is None:
            words.row = result_tuple([column.name for column in cursor.description or ()])
        return words.row

    @cached_property
    def _words(self) -> "_Words":
        """Found when it is asked first: a process that starts asks nothing yet."""
        compiled = self._statement.compile(dialect=_DIALECT, column_keys=list(self._columns) or None)
        names = frozenset(one.key for one in compiled.binds.values() if one.required)
        words = compiled.construct_expanded_state(dict.fromkeys(names))
        # What is sent may be wrapped (jsonb is); what comes back is nobody's to translate.
        wraps = {one.key: wrap for one in compiled.binds.values() if (wrap := _wrap(one)) is not None}
        if not wraps.keys() <= names or any(map(_is_translated, _answered_by(self._statement))):
            raise TypeError("the driver does not understand all values of this statement by itself")
        return _Words(words.statement, words.parameters, names, wraps)


@dataclass
class _Words:
    text: str
    values: Mapping[str, Any]
    open: frozenset[str]
    wraps: Mapping[str, Callable[[Any], Any]]
    row: Callable[[Sequence[Any]], Row[Any]] | None = None


def _answered_by(
    statement: Select[*tuple[Any, ...]] | TextClause | UpdateBase,
) -> Iterable[ColumnElement[Any]]:
    if isinstance(statement, TextClause):
        return ()
    return statement.exported_columns if isinstance(statement, UpdateBase) else statement.selected_columns


def _wrap(value: BindParameter[Any]) -> Callable[[Any], Any] | None:
    """What SQLAlchemy would do to a value before it is sent."""
    return value.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _is_translated(column: ColumnElement[Any]) -> bool:
    """Would SQLAlchemy make something else of what the driver reads?"""
    kept_as = _FLOAT if isinstance(column.type, Float) else _ANY_NUMBER
    return column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, kept_as) is not None


async def answers(
    kept: KeptConnections, questions: Sequence[Question], watchers: Sequence[Watcher] = ()
) -> list[Sequence[Row[Any]]]:
    """The rows of each, each a transaction of its own, over one connection. Raises SQLAlchemy's errors."""
    asked = questions[0]
    try:
        held = await kept.take()
    except psycopg.Error as error:
        # Nobody answers. SQLAlchemy says so in its own words only where it executes.
        raise _in_its_words(asked, error, lost=False) from error
    driver = driver_of(held)
    found: list[Sequence[Row[Any]]] = []
    try:
        for asked in questions:
            with _watched(asked, watchers) if watchers else nullcontext():
                cursor = driver.cursor(row_factory=asked.row)
                await cursor.execute(asked.text, asked.values)
                found.append(await cursor.fetchall() if has_rows(cursor) else ())
    except psycopg.Error as error:
        lost = driver.closed
        whole = driver.pgconn.transaction_status == TransactionStatus.IDLE
        await (kept.give_back(held) if whole else kept.drop(held, error))
        raise _in_its_words(asked, error, lost=lost) from error
    except BaseException as error:
        # Cut off in the middle: nobody knows what state the connection is in.
        await kept.drop(held, error)
        raise
    await kept.give_back(held)
    return found


@contextmanager
def _watched(asked: Question, watchers: Sequence[Watcher]) -> Iterator[None]:
    with ExitStack() as stack:
        for watcher in watchers:
            stack.enter_context(watcher(asked.text, asked.values))
        yield


def has_rows(cursor: psycopg.AsyncCursor[Any]) -> bool:
    """Does the answer have columns? To ask for its `description` makes one anew for each of them."""
    return cursor.pgresult is not None and cursor.pgresult.nfields > 0


WATCHERS = "watchers"
"""Under this name a session knows who watches its statements."""


async def told(session: AsyncSession, question: Question, *rows: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """In the transaction of this session: the question with the values of each row, and the rows that it answers.

    What waits in the session to be written is not written before. Raises SQLAlchemy's errors.
    """
    asked = [question.of(**row) for row in rows] or [question]
    held = await (await session.connection()).get_raw_connection()
    driver = driver_of(held)
    cursor = driver.cursor(row_factory=question.row)
    try:
        with _watched(asked[0], session.info.get(WATCHERS, ())):
            if len(asked) == 1:
                await cursor.execute(question.text, asked[0].values)
            else:
                await cursor.executemany(question.text, [one.values for one in asked])
            return await cursor.fetchall() if has_rows(cursor) else ()
    except psycopg.Error as error:
        raise _in_its_words(question, error, lost=driver.closed) from error


def _in_its_words(asked: Question, error: psycopg.Error, *, lost: bool) -> DBAPIError:
    said = DBAPIError.instance(
        asked.text, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost
    )
    assert isinstance(said, DBAPIError)
    return said
