"""Who has taken a task on? One person at a time, for a while; everybody else is told who.

Bookkeeping beside the record: no workflow hears of it, and it stops nobody from doing what has to be done. Each
act is one transaction under the task's row lock, so that of two who claim at once one wins and the other learns
who did. A claim runs out by itself: nothing stays with somebody who went home. Times are the database's.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor, Role
from services.database import Database
from services.records.availability import Sessions
from services.records.errors import NotFound
from services.records.task_errors import NotYours, TaskChanged, TaskHeld, TaskOver, UnknownColleague
from services.records.task_tables import ColleagueRow, TaskHolding, TaskRow
from services.records.task_writes import NOBODY

KNOWN_FOR = timedelta(days=90)
"""Who has not acted for so long, and is in no register, is not there to be given work."""
NO_REGISTER: Mapping[str, Role] = MappingProxyType({})

NOTED_AGAIN_AFTER = timedelta(hours=12)


class TaskClaims:
    """`hold_for` is how long a claim lasts unless it is claimed again."""

    def __init__(self, database: Database, hold_for: timedelta) -> None:
        self._sessions = Sessions(database)
        self._hold_for = hold_for

    async def claim(self, row_id: str, actor: Actor, version: int | None = None) -> None:
        """Take it on, or hold it longer. Raises NotFound, TaskOver, TaskChanged, TaskHeld (by whom)."""

        async def work(session: AsyncSession) -> None:
            row, now = await _locked(session, row_id, version)
            mine = _held(row, now) and row.holder == actor.id
            if _held(row, now) and not mine:
                raise TaskHeld(row.holder, row.held_until)
            row.delegated_by = row.delegated_by if mine else None
            self._hand_over(session, row, actor, "renewed" if mine else "claimed", now, to=actor)

        await self._sessions.write(work)

    async def release(
        self, row_id: str, actor: Actor, version: int | None = None, *, overrule: bool = False
    ) -> None:
        """Give it back; with `overrule` for somebody else. What nobody holds stays so. Raises NotYours."""

        async def work(session: AsyncSession) -> None:
            row, now = await _locked(session, row_id, version)
            if not _held(row, now):
                return
            _require_mine(row, actor, overrule=overrule)
            for name in NOBODY:
                setattr(row, name, None)
            row.version += 1
            session.add(_entry(row, actor, "released"))

        await self._sessions.write(work)

    async def delegate(
        self,
        row_id: str,
        actor: Actor,
        person_id: str,
        fitting: Collection[Role],
        version: int | None = None,
        *,
        overrule: bool = False,
        registered: Mapping[str, Role] = NO_REGISTER,
    ) -> None:
        """Hand it to a colleague of this site in a role that may do it. Raises UnknownColleague, NotYours."""

        async def work(session: AsyncSession) -> None:
            row, now = await _locked(session, row_id, version)
            if _held(row, now):
                _require_mine(row, actor, overrule=overrule)
            known = {**registered, **await _colleagues(session, row.site, fitting)}
            if person_id not in known:
                raise UnknownColleague(sorted(known))
            row.delegated_by = actor.id
            to = Actor(id=person_id, role=known[person_id])
            self._hand_over(session, row, actor, "delegated", now, to=to)

        await self._sessions.write(work)

    async def seen(self, site: str, person_id: str, roles: Collection[Role]) -> None:
        """This person has acted at the site: from now on a task can be handed to them."""
        if not roles:
            return
        rows = [{"site": site, "person_id": person_id, "role": role.value} for role in sorted(roles)]

        async def work(session: AsyncSession) -> None:
            noted = upsert(ColleagueRow).values(rows)
            keys = ["site", "person_id", "role"]
            long_ago = ColleagueRow.seen_at < func.clock_timestamp() - NOTED_AGAIN_AFTER
            now = {"seen_at": func.clock_timestamp()}
            await session.execute(noted.on_conflict_do_update(index_elements=keys, set_=now, where=long_ago))

        await self._sessions.write(work)

    def _hand_over(
        self, session: AsyncSession, row: TaskRow, actor: Actor, act: str, now: datetime, *, to: Actor
    ) -> None:
        if act != "renewed":
            row.held_at = now
        row.holder, row.holder_role, row.held_until = to.id, to.role.value, now + self._hold_for
        row.version += 1
        session.add(_entry(row, actor, act))


async def _locked(session: AsyncSession, row_id: str, version: int | None) -> tuple[TaskRow, datetime]:
    row = await session.scalar(select(TaskRow).where(TaskRow.id == row_id).with_for_update())
    if row is None:
        raise NotFound("there is no such task")
    if row.status != "requested":
        raise TaskOver(row.status)
    if version not in (None, row.version):
        raise TaskChanged(row.version)
    now: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return row, now


def _held(row: TaskRow, now: datetime) -> bool:
    return row.holder is not None and row.held_until is not None and row.held_until > now


def _require_mine(row: TaskRow, actor: Actor, *, overrule: bool) -> None:
    if row.holder != actor.id and not overrule:
        raise NotYours(row.holder, row.held_until)


async def _colleagues(session: AsyncSession, site: str, roles: Collection[Role]) -> dict[str, Role]:
    """Who is there in one of these roles, each with one of them."""
    rows = await session.execute(
        select(ColleagueRow.person_id, func.min(ColleagueRow.role))
        .where(ColleagueRow.site == site, ColleagueRow.role.in_([role.value for role in roles]))
        .where(ColleagueRow.seen_at > func.clock_timestamp() - KNOWN_FOR)
        .group_by(ColleagueRow.person_id)
    )
    return {person: Role(role) for person, role in rows}


def _entry(row: TaskRow, actor: Actor, act: str) -> TaskHolding:
    return TaskHolding(
        task_id=row.id,
        act=act,
        actor_id=actor.id,
        actor_role=actor.role.value,
        holder=row.holder,
        held_until=row.held_until,
    )
