"""What does a projection get to see? One fact just written, and the two ways to change a read model.

Both ways accept any order of facts: the record holds what happened, and a projection never refuses it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor
from services.asking import Question, told
from services.database import Base, table_of
from services.records.tables import JourneyRow


@dataclass(frozen=True)
class Fresh:
    """`journey` is locked by this transaction; `seq` and `key` are the entry's, `at` is when it happened."""

    session: AsyncSession
    journey: JourneyRow
    seq: int
    key: str
    at: datetime
    actor: Actor

    async def put(
        self, table: type[Base], row: dict[str, Any], values: dict[str, Any], *, first: dict[str, Any]
    ) -> None:
        """Set `values` in the row that `row` names; if there is none, make it of `first` and `values`."""
        named = {"journey_id": self.journey.id, **row}
        statement = _putting(table, tuple(named), tuple(first), tuple(values))
        await told(self.session, statement, {**named, **first, **values})

    async def change(self, table: type[Base], *conditions: ColumnElement[bool], **values: Any) -> None:
        """Set `values` in this journey's rows that meet all conditions; none is fine."""
        columns = table_of(table)
        changed = update(columns).where(columns.c.journey_id == self.journey.id, *conditions).values(**values)
        await (await self.session.connection()).execute(changed)


@cache
def _putting(
    table: type[Base], keys: tuple[str, ...], first: tuple[str, ...], values: tuple[str, ...]
) -> Question:
    """Made once for each set of columns: to put a statement together costs as much as to send it."""
    columns = dict.fromkeys((*keys, *first, *values))
    statement = insert(table_of(table)).values({name: bindparam(name) for name in columns})
    if not values:
        return Question(statement.on_conflict_do_nothing(index_elements=keys))
    changed = {name: statement.excluded[name] for name in values}
    return Question(statement.on_conflict_do_update(index_elements=keys, set_=changed))
