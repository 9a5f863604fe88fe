"""What does a projection get to see? One fact just written, and the two ways to change a read model.

Both ways accept any order of facts: the record holds what happened, and a projection never refuses it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor
from services.database import Base
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
        statement = insert(table).values(journey_id=self.journey.id, **row, **{**first, **values})
        keys = ["journey_id", *row]
        if values:
            statement = statement.on_conflict_do_update(index_elements=keys, set_=values)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=keys)
        await self.session.execute(statement)

    async def change(self, table: type[Base], *conditions: ColumnElement[bool], **values: Any) -> None:
        """Set `values` in this journey's rows that meet all conditions; none is fine."""
        of_journey = table.__table__.c.journey_id == self.journey.id
        await self.session.execute(
            update(table)
            .where(of_journey, *conditions)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
