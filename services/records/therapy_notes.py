"""How are psychotherapy notes written and read, by whom, and who knows that they were?

Kept apart from the record of care: no workflow, activity or timeline sees one. A note is written before the
act that it belongs to is told to the workflow, which learns its id and hash only; it counts once the record
names it (`recorded`). A note whose act was refused stays as such (`refused`); one that nobody answered for is
`unconfirmed`. Every access is logged in the same transaction, refused ones too.

A therapist of the course reads and amends: whoever wrote there as one, or acted in it as one. A medical
director reads after breaking the glass with a reason, for `glass_open_for`. Nobody else.
"""

import hashlib
import os
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor, Role
from services.database import Database, counted
from services.encryption import FieldCipher
from services.identifiers import id_from
from services.records.availability import Sessions
from services.records.errors import NotFound, NotPermitted
from services.records.note_access import (
    ALL_NOTES,
    GLASS_OPEN_FOR,
    Access,
    Note,
    NoteFilter,
    NoteKind,
    NoteLine,
    NoteRef,
    glass_broken,
    log,
    note_line,
    notes_of,
    require_journey,
    state_of,
    treats,
)
from services.records.note_tables import NoteAccessRow, NoteRow

CONTENT, REASON = "psychotherapy_note.content", "psychotherapy_note_access.reason"
PURPOSE = "psychotherapy-notes"

T = TypeVar("T")


class TherapyNotes:
    """`cipher` is the one of all columns; notes use a key derived from it for them alone."""

    def __init__(
        self, database: Database, cipher: FieldCipher, glass_open_for: timedelta = GLASS_OPEN_FOR
    ) -> None:
        self._sessions = Sessions(database)
        self._cipher = cipher.for_purpose(PURPOSE)
        self._glass_open_for = glass_open_for

    async def write(
        self, journey_id: str, session_no: int, kind: NoteKind, author: Actor, key: str, text: str
    ) -> NoteRef:
        """Keep a note; the same words under the same key are the same note."""
        self._require_therapist(author)
        work = partial(
            self._write,
            journey_id=journey_id,
            number=session_no,
            kind=kind,
            author=author,
            key=key,
            text=text,
        )
        return await self._sessions.write(work)

    async def refused(self, journey_id: str, note_id: str, author: Actor) -> None:
        """What this note belongs to did not come to pass."""

        async def work(session: AsyncSession) -> None:
            log(session, journey_id, author, "refused", note_id)

        await self._sessions.write(work)

    async def lines(self, journey_id: str, reader: Actor, wanted: NoteFilter = ALL_NOTES) -> list[NoteLine]:
        """In the order of writing. Raises NotPermitted, NotFound."""

        async def work(session: AsyncSession) -> list[NoteLine] | None:
            if not await self._admitted(session, journey_id, reader, None):
                return None
            rows = await notes_of(session, journey_id, wanted)
            return [note_line(row, await state_of(session, row)) for row in rows]

        return _or_denied(await self._sessions.write(work))

    async def counts(self, journey_id: str) -> dict[str, int]:
        """Notes of a course by kind; for whoever was let in to the list."""
        async with self._sessions.reading() as session:
            return await counted(session, NoteRow.kind, NoteRow.journey_id == journey_id)

    async def read(
        self, journey_id: str, note_id: str, reader: Actor, wanted: NoteFilter = ALL_NOTES
    ) -> list[Note]:
        """The note and its amendments, in the order of writing. Raises NotPermitted, NotFound."""

        async def work(session: AsyncSession) -> list[Note] | None:
            if not await self._admitted(session, journey_id, reader, note_id):
                return None
            note = await session.get(NoteRow, note_id)
            if note is None or note.journey_id != journey_id:
                raise NotFound("the course has no such note")
            rows = await notes_of(session, journey_id, replace(wanted, of=note_id))
            return [await self._opened(session, row) for row in rows]

        return _or_denied(await self._sessions.write(work))

    async def texts(self, note_id: str) -> int:
        """A note and what was added to it: how many texts; for whoever was let in to the note."""
        of_note = select(func.count()).where((NoteRow.id == note_id) | (NoteRow.amends == note_id))
        async with self._sessions.reading() as session:
            return await session.scalar(of_note) or 0

    async def amend(self, journey_id: str, note_id: str, author: Actor, key: str, text: str) -> NoteRef:
        """Add to a note; what was written stays. Raises NotPermitted, NotFound."""
        self._require_therapist(author)

        async def work(session: AsyncSession) -> NoteRef | None:
            if not await self._admitted(session, journey_id, author, note_id):
                return None
            row = await session.get(NoteRow, note_id)
            if row is None or row.journey_id != journey_id or row.amends is not None:
                raise NotFound("the course has no such note")
            kind: NoteKind = "therapy" if row.kind == "therapy" else "integration"
            return await self._write(session, journey_id, row.session, kind, author, key, text, note_id)

        return _or_denied(await self._sessions.write(work))

    async def break_glass(self, journey_id: str, reader: Actor, reason: str) -> datetime:
        """A medical director may read from now until the instant in the answer. Raises NotPermitted."""
        if reader.role is not Role.MEDICAL_DIRECTOR:
            raise NotPermitted("only the medical director breaks the glass")

        async def work(session: AsyncSession) -> datetime:
            await require_journey(session, journey_id)
            row = os.urandom(16).hex()
            sealed = self._cipher.encrypt(REASON, reason, row=row)
            log(session, journey_id, reader, "break-glass", None, reason=sealed, reason_row=row)
            now: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
            return now + self._glass_open_for

        return await self._sessions.write(work)

    async def accesses(
        self,
        journey_id: str,
        *,
        act: str | None = None,
        actor_id: str | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> list[Access]:
        """The log of a course from the line after `after`, for whoever looks into who looked."""
        wanted = select(NoteAccessRow).where(NoteAccessRow.journey_id == journey_id, NoteAccessRow.id > after)
        if act is not None:
            wanted = wanted.where(NoteAccessRow.act == act)
        if actor_id is not None:
            wanted = wanted.where(NoteAccessRow.actor_id == actor_id)
        async with self._sessions.reading() as session:
            rows = await session.scalars(wanted.order_by(NoteAccessRow.id).limit(limit))
            return [self._access(row) for row in rows]

    async def access_counts(self, journey_id: str) -> dict[str, int]:
        """Lines of that log by act."""
        async with self._sessions.reading() as session:
            return await counted(session, NoteAccessRow.act, NoteAccessRow.journey_id == journey_id)

    @staticmethod
    def _require_therapist(author: Actor) -> None:
        if author.role is not Role.THERAPIST:
            raise NotPermitted("notes are written by therapists")

    async def _write(
        self,
        session: AsyncSession,
        journey_id: str,
        number: int,
        kind: NoteKind,
        author: Actor,
        key: str,
        text: str,
        amends: str | None = None,
    ) -> NoteRef:
        await require_journey(session, journey_id)
        note_id = id_from(self._cipher.index(CONTENT, f"{journey_id}\0{key}\0{text}"))
        sealed = self._cipher.encrypt(CONTENT, text, row=note_id)
        new = {
            "id": note_id, "journey_id": journey_id, "session": number, "kind": kind, "author_id": author.id,
            "amends": amends, "content": sealed, "content_hash": hash_of(note_id, sealed),
        }  # fmt: skip
        added = await session.execute(
            insert(NoteRow).values(**new).on_conflict_do_nothing().returning(NoteRow.id)
        )
        if added.first() is not None:
            log(session, journey_id, author, "write" if amends is None else "amend", note_id)
        kept = await session.scalar(select(NoteRow.content_hash).where(NoteRow.id == note_id))
        assert kept is not None
        return NoteRef(note_id=note_id, note_hash=kept)

    async def _admitted(
        self, session: AsyncSession, journey_id: str, reader: Actor, note_id: str | None
    ) -> bool:
        """May they? Logged either way; the log of a refusal must survive it, so nothing is raised here."""
        await require_journey(session, journey_id)
        match reader.role:
            case Role.THERAPIST:
                may = await treats(session, journey_id, reader)
            case Role.MEDICAL_DIRECTOR:
                may = await glass_broken(session, journey_id, reader, self._glass_open_for)
            case _:
                may = False
        act = "list" if note_id is None else "read"
        log(session, journey_id, reader, act if may else "denied", note_id)
        return may

    async def _opened(self, session: AsyncSession, row: NoteRow) -> Note:
        text = self._cipher.decrypt(CONTENT, row.content, row=row.id)
        return Note(**note_line(row, await state_of(session, row)).model_dump(), text=text)

    def _access(self, row: NoteAccessRow) -> Access:
        reason = None
        if row.reason is not None and row.reason_row is not None:
            reason = self._cipher.decrypt(REASON, row.reason, row=row.reason_row)
        return Access(
            actor_id=row.actor_id, actor_role=Role(row.actor_role), act=row.act, note_id=row.note_id,
            reason=reason, at=row.at, number=row.id,
        )  # fmt: skip


def hash_of(note_id: str, sealed: bytes) -> str:
    """What the record keeps: it proves later that the stored note is the one of then, and says nothing of it."""
    return hashlib.sha256(note_id.encode() + b"\0" + sealed).hexdigest()


def _or_denied(found: T | None) -> T:
    if found is None:
        raise NotPermitted("these notes are for the therapists of this course")
    return found
