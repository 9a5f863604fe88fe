"""What is there to do at a site, and who is at it? The work list: filtered, most urgent first, page by page.

Every filter leads into an index that is in the order of the list, so that a page reads little more than itself:
a role's list is what it owns and what went up to it, a list by due time is one piece for each priority.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    any_,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from clinical import events
from clinical.task_priority import MOST_URGENT_FIRST, Priority, rank
from services.asking import SITES, Question
from services.records.availability import Sessions
from services.records.errors import NotFound
from services.records.ledger import Ledger
from services.records.opening import view
from services.records.tables import EntryRow
from services.records.task_tables import TaskHolding, TaskRow
from services.records.task_views import SITE_REASONS, HoldingView, TaskCount, TaskView

Place = tuple[int, datetime, str]
"""Where a page ended: rank, due time, id of its last task."""

Fields = dict[str, Any]
SHOWN = tuple(name for name in TaskView.model_fields if name != "reason")
NOBODY = dict.fromkeys(("holder", "holder_role", "held_until", "delegated_by"))

OPEN = TaskRow.status == literal("requested", literal_execute=True)
"""Spelled out in the statement, so that the partial indexes of open tasks are used."""


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks. `owner`: the role that owes it, or to which it went up; `holder`: who has taken it on.

    `status` None is every status; `unclaimed` and `holder` are about now.
    """

    status: str | None = "requested"
    owner: str | None = None
    code: str | None = None
    priority: Priority | None = None
    holder: str | None = None
    unclaimed: bool = False
    due_before: datetime | None = None
    journey_id: str | None = None


class TaskQueries:
    """The reading side of the work list."""

    _sessions: Sessions
    _ledger: Ledger

    async def tasks(
        self,
        sites: Sequence[str],
        wanted: TaskFilter = TaskFilter(),  # frozen
        *,
        cursor: Place | None = None,
        limit: int = 50,
    ) -> list[TaskView]:
        """Most urgent first; `cursor` is the place of the last task seen."""
        return [self._task(row) for row in await self._page(sites, wanted, cursor, limit)]

    async def work_list(
        self,
        sites: Sequence[str],
        wanted: TaskFilter,
        now: datetime,
        *,
        cursor: Place | None = None,
        limit: int = 50,
    ) -> tuple[list[Fields], list[Fields]]:
        """A page, and the counts over all that is open: the fields of `TaskView`s, and those of `TaskCount`s.
        Not checked: whoever answers with them says what they have to be."""
        rows = await self._page(sites, wanted, cursor, limit)
        (counts,) = await self._sessions.ask(COUNTS.of(sites=list(sites), now=now))
        page = [task_fields(row, self._opened(row), now) for row in rows]
        return page, [dict(zip(TaskCount.model_fields, row, strict=True)) for row in counts]

    async def task(self, sites: Sequence[str], row_id: str) -> TaskView:
        statement = with_entry(select(TaskRow.id).where(TaskRow.id == row_id, TaskRow.site.in_(sites)))
        found = await self._sessions.ask_once(statement)
        if not found:
            raise NotFound("there is no such task at these sites")
        return self._task(found[0])

    async def task_counts(self, sites: Sequence[str], now: datetime) -> list[TaskCount]:
        """Open tasks by owner, and how many were due before `now`."""
        (rows,) = await self._sessions.ask(COUNTS.of(sites=list(sites), now=now))
        return [TaskCount(**dict(zip(TaskCount.model_fields, row, strict=True))) for row in rows]

    async def task_history(self, sites: Sequence[str], row_id: str) -> list[HoldingView]:
        """Who took it on, passed it on, gave it back: in that order."""
        of_task = select(TaskHolding).join(TaskRow, TaskRow.id == TaskHolding.task_id)
        of_task = of_task.where(TaskHolding.task_id == row_id, TaskRow.site.in_(sites))
        async with self._sessions.reading() as session:
            rows = await session.scalars(of_task.order_by(TaskHolding.n))
            return [view(HoldingView, row) for row in rows]

    async def _page(
        self, sites: Sequence[str], wanted: TaskFilter, cursor: Place | None, limit: int
    ) -> Sequence[Row[Any]]:
        if cursor is None and wanted.due_before is None:
            (rows,) = await self._sessions.ask(first_page(tuple(sites), wanted, limit))
            return rows
        return await self._sessions.ask_once(tasks_statement(sites, wanted, cursor, limit))

    def _task(self, row: Row[Any]) -> TaskView:
        return task_view(row, self._opened(row))

    def _opened(self, row: Row[Any]) -> events.TaskOpened | None:
        """The fact that opened it, which says why; what a site opened has none."""
        payload = row.payload
        if payload is None:
            return None
        return self._ledger.opened(payload, row.journey_id, row.key, events.TaskOpened)


def task_view(row: Any, opened: events.TaskOpened | None) -> TaskView:
    return view(TaskView, row, **_words(row.code, row.held_until, opened, datetime.now(UTC)))


def task_fields(row: Row[Any], opened: events.TaskOpened | None, now: datetime) -> Fields:
    """What `task_view` has, of a line whose columns begin with `SHOWN`."""
    fields = dict(zip(SHOWN, row, strict=False))
    fields |= _words(fields["code"], fields["held_until"], opened, now)
    return fields


def _words(code: str, held_until: datetime | None, opened: events.TaskOpened | None, now: datetime) -> Fields:
    """What is not in its row as it stands. A holding that has run out is none."""
    said = {"reason": opened.reason if opened else SITE_REASONS.get(code, "")}
    return said if held_until is not None and held_until > now else said | NOBODY


@lru_cache(maxsize=256)
def first_page(sites: tuple[str, ...], wanted: TaskFilter, limit: int) -> Question:
    """The same first pages are asked for all day: to put one into words costs more than to read its rows."""
    return Question(tasks_statement(sites, wanted, None, limit))


def tasks_statement(
    sites: Sequence[str], wanted: TaskFilter, cursor: Place | None, limit: int
) -> Select[Any]:
    """The page: each piece in the order of its index, then the first of all pieces together."""
    pieces = [
        select(TaskRow.id)
        .where(TaskRow.site.in_(sites), *conditions)
        .order_by(TaskRow.rank, TaskRow.due_at, TaskRow.id)
        .limit(limit)
        for conditions in _pieces(wanted, cursor)
    ]
    if len(pieces) == 1:
        return with_entry(pieces[0])
    return with_entry(union_all(*(piece.subquery().select() for piece in pieces)), limit)


def with_entry(ids: Any, limit: int | None = None) -> Select[Any]:
    """The tasks of these ids, in the columns of a view, with the facts that opened them."""
    chosen = ids.subquery()
    task = aliased(TaskRow)
    opened = and_(EntryRow.journey_id == task.journey_id, EntryRow.seq == task.opened_seq)
    shown = [getattr(task, name) for name in SHOWN]
    statement = select(*shown, EntryRow.key, EntryRow.payload)
    statement = statement.join(chosen, chosen.c.id == task.id).outerjoin(EntryRow, opened)
    return statement.order_by(task.rank, task.due_at, task.id).limit(limit)


COUNTS = Question(
    select(
        TaskRow.owner,
        func.count(),
        func.count().filter(TaskRow.due_at < bindparam("now")),
        func.count().filter(TaskRow.rank < rank(Priority.ROUTINE)),
    )
    .where(TaskRow.site == any_(SITES), OPEN)
    .group_by(TaskRow.owner)
    .order_by(TaskRow.owner)
)
"""Open tasks of each role, those of them that were due before `now`, and those that are more than routine."""


def _pieces(wanted: TaskFilter, cursor: Place | None) -> Iterator[list[ColumnElement[bool]]]:
    if wanted.due_before is not None and wanted.priority is None:
        for priority in MOST_URGENT_FIRST:
            yield from _pieces(replace(wanted, priority=priority), cursor)
        return
    common = [*_conditions(wanted), *_after(wanted, cursor)]
    if wanted.owner is None:
        yield common
        return
    yield [*common, TaskRow.owner == wanted.owner]
    yield [*common, TaskRow.escalated_to == wanted.owner, TaskRow.owner != wanted.owner]


def _after(wanted: TaskFilter, cursor: Place | None) -> Iterator[ColumnElement[bool]]:
    if cursor is None:
        return
    if wanted.priority is None:
        yield tuple_(TaskRow.rank, TaskRow.due_at, TaskRow.id) > cursor
    elif rank(wanted.priority) == cursor[0]:
        yield tuple_(TaskRow.due_at, TaskRow.id) > cursor[1:]
    else:  # a piece that was read to its end, or not begun
        yield TaskRow.rank > cursor[0]


def _conditions(wanted: TaskFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.status is not None:
        yield OPEN if wanted.status == "requested" else TaskRow.status == wanted.status
    if wanted.priority is not None:
        yield TaskRow.rank == rank(wanted.priority)
    if wanted.code is not None:
        yield TaskRow.code == wanted.code
    if wanted.journey_id is not None:
        yield TaskRow.journey_id == wanted.journey_id
    if wanted.due_before is not None:
        yield TaskRow.due_at < wanted.due_before
    if wanted.holder is not None:
        yield TaskRow.holder == wanted.holder
        yield TaskRow.held_until > func.now()
    if wanted.unclaimed:
        yield or_(TaskRow.holder.is_(None), TaskRow.held_until <= func.now())
