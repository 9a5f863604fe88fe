"""How does an act on many courses go from a preview to a report, and survive whoever carries it out?

It is looked at first: the courses as they stand, bound by a token. Who confirms names the token; if the courses are
not as they were, nothing is done. Then workers of the API take it for a while (`LEASE`), item by item; what one of
them leaves when it dies, the next one goes on with, under the same keys. Confirming again takes up what failed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor
from services.bulk.errors import NotThere, SecondPersonNeeded, SelectionChanged
from services.bulk.interface import ALONE, Chosen, Item, Operation, Standing, token_of
from services.bulk.tables import BulkRow
from services.database import Database

LEASE = timedelta(seconds=60)


class BulkActs:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def draft(self, new: Operation) -> Operation:
        """Keep a preview; the same id again is the same preview."""
        values = new.model_dump(mode="json", exclude={"operation_id", "items", "made_at", "needs_second"})
        values |= {"id": new.operation_id, "items": _kept(new.items), "made_at": new.made_at}
        async with self._database.transaction() as session:
            await session.execute(insert(BulkRow).values(values).on_conflict_do_nothing())
            return _view(await session.get_one(BulkRow, new.operation_id))

    async def operation(self, site: str, operation_id: str) -> Operation:
        async with self._database.reading() as session:
            row = await session.scalar(_this(site, operation_id))
        if row is None:
            raise NotThere("the site has no such operation")
        return _view(row)

    async def approve(self, site: str, operation_id: str, token: str, actor: Actor) -> Operation:
        """Another person has looked at the same preview. Raises SelectionChanged, SecondPersonNeeded."""
        async with self._database.transaction() as session:
            row = await _locked(session, site, operation_id, token)
            if actor.id == row.made_by:
                raise SecondPersonNeeded("who made the preview cannot be its second person")
            if row.status == Standing.DRAFT:
                row.approved_by = actor.id
            return _view(row)

    async def confirm(
        self,
        site: str,
        operation_id: str,
        token: str,
        actor: Actor,
        now: datetime,
        present: Sequence[Chosen],
    ) -> Operation:
        """Begin, or take up what failed. `present` are the same courses as they stand now."""
        async with self._database.transaction() as session:
            row = await _locked(session, site, operation_id, token)
            view = _view(row)
            if row.status == Standing.DRAFT:
                if token_of(site, view.act, view.reason, present) != token:
                    raise SelectionChanged("the courses changed since the preview: look again")
                if view.needs_second and row.approved_by in {None, actor.id}:
                    raise SecondPersonNeeded(
                        f"more than {ALONE} courses: another person has to approve it first"
                    )
            elif row.status == Standing.IN_PROGRESS:
                return view
            else:
                row.items = _kept([_anew(item) for item in view.items])
            row.confirmed_by, row.confirmed_as, row.confirmed_at = actor.id, actor.role.value, now
            row.status = Standing.IN_PROGRESS.value
            row.work_at = now
            return _view(row)

    async def take(self, now: datetime) -> Operation | None:
        """One operation that somebody has to go on with, for the time of a lease."""
        due = select(BulkRow).where(BulkRow.work_at <= now).order_by(BulkRow.work_at).limit(1)
        async with self._database.transaction() as session:
            row = await session.scalar(due.with_for_update(skip_locked=True))
            if row is None:
                return None
            row.work_at = now + LEASE
            return _view(row)

    async def note(self, operation: Operation, done: Item, now: datetime) -> Operation:
        """What became of one course; the lease begins anew. When all are tried, the operation is over."""
        async with self._database.transaction() as session:
            row = await _locked(session, operation.site, operation.operation_id, operation.token)
            items = [done if item.journey_id == done.journey_id else item for item in _view(row).items]
            row.items = _kept(items)
            open_items = [item for item in items if item.result is None]
            if not open_items:
                row.status, row.work_at = Standing.COMPLETED.value, None
            else:
                waiting = [item.not_before for item in open_items if item.not_before is not None]
                row.work_at = min(waiting) if len(waiting) == len(open_items) else now + LEASE
            return _view(row)


def _anew(item: Item) -> Item:
    return item.model_copy(update={"result": None, "problem": None}) if item.result == "failed" else item


def _kept(items: Sequence[Item]) -> dict[str, object]:
    return {"items": [item.model_dump(mode="json") for item in items]}


def _this(site: str, operation_id: str) -> Select[BulkRow]:
    return select(BulkRow).where(BulkRow.id == operation_id, BulkRow.site == site)


async def _locked(session: AsyncSession, site: str, operation_id: str, token: str) -> BulkRow:
    row: BulkRow | None = await session.scalar(_this(site, operation_id).with_for_update())
    if row is None:
        raise NotThere("the site has no such operation")
    if row.token != token:
        raise SelectionChanged("this token belongs to another preview")
    return row


def _view(row: BulkRow) -> Operation:
    items = tuple(Item.model_validate(one) for one in row.items["items"])
    names = set(Operation.model_fields) - {"operation_id", "items", "needs_second"}
    plain = {name: getattr(row, name) for name in names}
    return Operation.model_validate(
        {**plain, "operation_id": row.id, "items": items, "needs_second": len(items) > ALONE}
    )
