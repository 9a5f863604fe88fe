"""Who may look at a psychotherapy note, does the record name it, and what is written down about every look?

Reading the log and writing to it happen in the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor, Role
from services.records.errors import NotFound
from services.records.note_tables import NoteAccessRow, NoteLinkRow, NoteRow
from services.records.tables import EntryRow, JourneyRow

GLASS_OPEN_FOR = timedelta(hours=1)

NoteKind = Literal["therapy", "integration"]
NoteState = Literal["recorded", "unconfirmed", "refused"]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class NoteFilter:
    """Which notes of a course, and how many of them. `of`: a note and its amendments; `after`: the last one seen."""

    session: int | None = None
    kind: NoteKind | None = None
    of: str | None = None
    after: tuple[datetime, str] | None = None
    limit: int | None = None


ALL_NOTES = NoteFilter()


class NoteRef(_View):
    """What the rest of the system may know of a note."""

    note_id: str
    note_hash: str


class NoteLine(_View):
    """One note in a list, without its words."""

    note_id: str
    session: int
    kind: NoteKind
    author_id: str
    amends: str | None
    written_at: datetime
    state: NoteState


class Note(NoteLine):
    text: str


class Access(_View):
    """One line of the log, by its number there; a reason only where the glass was broken."""

    number: int
    actor_id: str
    actor_role: Role
    act: str
    note_id: str | None
    reason: str | None
    at: datetime


def note_line(row: NoteRow, state: NoteState) -> NoteLine:
    return NoteLine.model_validate(
        {
            "note_id": row.id, "session": row.session, "kind": row.kind, "author_id": row.author_id,
            "amends": row.amends, "written_at": row.written_at, "state": state,
        }
    )  # fmt: skip


async def notes_of(session: AsyncSession, journey_id: str, wanted: NoteFilter) -> Sequence[NoteRow]:
    order = NoteRow.written_at, NoteRow.id
    statement = select(NoteRow).where(NoteRow.journey_id == journey_id)
    if wanted.session is not None:
        statement = statement.where(NoteRow.session == wanted.session)
    if wanted.kind is not None:
        statement = statement.where(NoteRow.kind == wanted.kind)
    if wanted.of is not None:
        statement = statement.where((NoteRow.id == wanted.of) | (NoteRow.amends == wanted.of))
    if wanted.after is not None:
        statement = statement.where(tuple_(*order) > wanted.after)
    return (await session.scalars(statement.order_by(*order).limit(wanted.limit))).all()


async def state_of(session: AsyncSession, row: NoteRow) -> NoteState:
    """An amendment stands as what it amends; being in the record outweighs an earlier refusal."""
    note_id = row.amends or row.id
    if await session.get(NoteLinkRow, (row.journey_id, note_id)) is not None:
        return "recorded"
    refused = exists().where(NoteAccessRow.note_id == note_id, NoteAccessRow.act == "refused")
    return "refused" if await session.scalar(select(refused)) else "unconfirmed"


async def require_journey(session: AsyncSession, journey_id: str) -> None:
    if await session.scalar(select(JourneyRow.id).where(JourneyRow.id == journey_id)) is None:
        raise NotFound("the journey is not in the record")


async def treats(session: AsyncSession, journey_id: str, reader: Actor) -> bool:
    """Has this person acted in this course as a therapist, or written a note in it?"""
    acted = exists().where(
        EntryRow.journey_id == journey_id,
        EntryRow.actor_id == reader.id,
        EntryRow.actor_role == Role.THERAPIST.value,
    )
    wrote = exists().where(NoteRow.journey_id == journey_id, NoteRow.author_id == reader.id)
    return bool(await session.scalar(select(acted | wrote)))


async def glass_broken(
    session: AsyncSession, journey_id: str, reader: Actor, open_for: timedelta = GLASS_OPEN_FOR
) -> bool:
    broken = exists().where(
        NoteAccessRow.journey_id == journey_id,
        NoteAccessRow.actor_id == reader.id,
        NoteAccessRow.act == "break-glass",
        NoteAccessRow.at > func.clock_timestamp() - open_for,
    )
    return bool(await session.scalar(select(broken)))


def log(
    session: AsyncSession, journey_id: str, actor: Actor, act: str, note_id: str | None, **reason: bytes | str
) -> None:
    session.add(
        NoteAccessRow(
            journey_id=journey_id,
            note_id=note_id,
            actor_id=actor.id,
            actor_role=actor.role.value,
            act=act,
            **reason,
        )
    )
