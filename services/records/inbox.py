"""What do patients write, and what is there to do about it? The clinic's inbox in the database.

Each method is one transaction. Texts are in clear in what is returned; who may read them is the API's table.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.events import Entry, TaskDone
from clinical.people import Actor
from clinical.replies import Answer, Reply
from services.database import Database, counted
from services.encryption import FieldCipher
from services.records.appending import append_batch
from services.records.availability import Sessions
from services.records.contact_file import ContactFile, locked
from services.records.errors import NotFound
from services.records.inbox_tables import InboundCaseRow, InboundMessageRow, MessageCaseRow
from services.records.inbox_views import (
    AskedAbout,
    CrisisCase,
    InboundText,
    InboxCase,
    InboxMessage,
    Received,
)
from services.records.interface import Batch
from services.records.ledger import Ledger
from services.records.message_cases import OPEN, PART, CaseKind, NewCase, open_course
from services.records.register_tables import PatientRow
from services.records.replies import BODY, Replies, write_case
from services.records.task_names import task_row_id
from services.records.task_tables import TaskRow

NOTE = "message_case.note"


class Inbox:
    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._sessions = Sessions(database)
        self._cipher = cipher
        self._ledger = Ledger(cipher)
        self._contacts = ContactFile(cipher)
        self._replies = Replies(cipher, self._ledger)

    async def senders(self, address: str, channel: str = "sms") -> list[str]:
        """The patients who are reached at this number or mail address."""

        async def work(session: AsyncSession) -> list[str]:
            return [row.id for row in await self._contacts.holders(session, address, channel)]

        return await self._sessions.write(work)

    async def site_of(self, patient_id: str) -> str:
        """Where this person is a patient."""
        async with self._sessions.reading() as session:
            site = await session.scalar(select(PatientRow.site).where(PatientRow.id == patient_id))
        if site is None:
            raise NotFound("the patient is not in the record")
        return site

    async def receive(self, message: InboundText, asked: Mapping[str, AskedAbout], now: datetime) -> Received:
        """Act on a message once; handed over again, it is answered the same."""

        async def work(session: AsyncSession) -> Received:
            return await self._replies.receive(session, message, asked, now)

        return await self._sessions.write(work)

    async def unraised(self, limit: int = 50) -> list[CrisisCase]:
        """Cases of crisis of which the engine has not heard yet, oldest first."""
        async with self._sessions.reading() as session:
            rows = await session.scalars(
                select(MessageCaseRow)
                .where(
                    MessageCaseRow.kind == CaseKind.REPLY_CRISIS.value,
                    MessageCaseRow.concern_raised_at.is_(None),
                    MessageCaseRow.journey_id.is_not(None),
                    MessageCaseRow.status == OPEN,
                )
                .order_by(MessageCaseRow.opened_at)
                .limit(limit)
            )
            return [CrisisCase(row.id, row.site, row.patient_id or "", row.journey_id or "") for row in rows]

    async def raised(self, case_id: str, now: datetime) -> None:
        """The engine has heard of this crisis."""

        async def work(session: AsyncSession) -> None:
            row = await session.get(MessageCaseRow, case_id, with_for_update=True)
            if row is not None and row.concern_raised_at is None:
                row.concern_raised_at = now

        await self._sessions.write(work)

    async def shared_with(self, patient_id: str, now: datetime) -> None:
        """This patient has shown to have the number: who else is reached there has to be asked."""

        async def work(session: AsyncSession) -> None:
            number = self._contacts.opened(await locked(session, patient_id)).phone_e164
            for other in await self._contacts.holders(session, number or ""):
                if other.id != patient_id:
                    course = await open_course(session, other.id)
                    new = NewCase(
                        CaseKind.CONTACT_SHARED, other.site, other.id, course.id if course else None
                    )
                    await write_case(session, self._ledger, new, now)

        await self._sessions.write(work)

    async def link_locked(self, site: str, patient_id: str, now: datetime) -> None:
        """A link of this patient is dead because a birth date was wrong too often: somebody has to ask why."""

        async def work(session: AsyncSession) -> None:
            course = await open_course(session, patient_id)
            new = NewCase(CaseKind.LINK_LOCKED, site, patient_id, course.id if course else None)
            await write_case(session, self._ledger, new, now)

        await self._sessions.write(work)

    async def counts(self, sites: Sequence[str]) -> dict[str, int]:
        """Cases by status."""
        async with self._sessions.reading() as session:
            return await counted(session, MessageCaseRow.status, MessageCaseRow.site.in_(sites))

    async def cases(
        self,
        sites: Sequence[str],
        *,
        status: str | None = OPEN,
        patient_id: str | None = None,
        cursor: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[InboxCase]:
        """Most urgent first; the cursor is (due_at, case_id) of the last line seen."""
        statement = select(MessageCaseRow).where(MessageCaseRow.site.in_(sites))
        if status is not None:
            statement = statement.where(MessageCaseRow.status == status)
        if patient_id is not None:
            statement = statement.where(MessageCaseRow.patient_id == patient_id)
        if cursor is not None:
            statement = statement.where(tuple_(MessageCaseRow.due_at, MessageCaseRow.id) > cursor)
        ordered = statement.order_by(MessageCaseRow.due_at, MessageCaseRow.id).limit(limit)
        async with self._sessions.reading() as session:
            rows = list(await session.scalars(ordered))
            return await self._opened(session, rows)

    async def case(self, sites: Sequence[str], case_id: str) -> InboxCase:
        async with self._sessions.reading() as session:
            rows = [await _of_site(session, sites, case_id)]
            return (await self._opened(session, rows))[0]

    async def settle(
        self, sites: Sequence[str], case_id: str, note: str, actor: Actor, now: datetime
    ) -> InboxCase:
        """A person has done what was to be done. Done again it stays as it was."""

        async def work(session: AsyncSession) -> InboxCase:
            row = await _of_site(session, sites, case_id, locked=True)
            if row.status == OPEN:
                if not await self._end_task(session, row, actor, now):
                    row.status, row.settled_at, row.settled_by = "completed", now, actor.id
                row.note = self._cipher.encrypt(NOTE, note, row=row.id)
                await session.flush()
            return (await self._opened(session, [row]))[0]

        return await self._sessions.write(work)

    async def _end_task(
        self, session: AsyncSession, row: MessageCaseRow, actor: Actor, now: datetime
    ) -> bool:
        """End the task in the record, which settles the case as well; False when there is none open."""
        if row.journey_id is None:
            return False
        task = await session.get(TaskRow, task_row_id(row.site, row.journey_id, PART + row.id))
        if task is None or task.status != OPEN:
            return False
        fact = TaskDone(task_id=PART + row.id)
        entry = Entry(key=f"{PART}{row.id}:done", occurred_at=now, actor=actor, fact=fact)
        await append_batch(session, self._ledger, Batch(journey_id=row.journey_id, entries=(entry,)))
        return True

    async def _opened(self, session: AsyncSession, rows: list[MessageCaseRow]) -> list[InboxCase]:
        found: dict[str, list[InboxMessage]] = {row.id: [] for row in rows}
        messages = await session.execute(
            select(InboundCaseRow.case_id, InboundMessageRow)
            .join(InboundMessageRow, InboundMessageRow.id == InboundCaseRow.message_id)
            .where(InboundCaseRow.case_id.in_(found))
            .order_by(InboundMessageRow.received_at, InboundMessageRow.id)
        )
        for case_id, message in messages:
            found[case_id].append(self._message(message))
        return [
            InboxCase(
                case_id=row.id,
                site=row.site,
                kind=row.kind,
                status=row.status,
                patient_id=row.patient_id,
                journey_id=row.journey_id,
                session=row.session,
                opened_at=row.opened_at,
                due_at=row.due_at,
                settled_at=row.settled_at,
                settled_by=row.settled_by,
                note=self._cipher.decrypt(NOTE, row.note, row=row.id) if row.note else None,
                messages=tuple(found[row.id]),
            )
            for row in rows
        ]

    def _message(self, row: InboundMessageRow) -> InboxMessage:
        return InboxMessage(
            message_id=row.id,
            channel=row.channel,
            text=self._cipher.decrypt(BODY, row.body, row=row.id),
            reply=Reply(row.reply),
            answer=Answer(row.answer) if row.answer else None,
            received_at=row.received_at,
        )


async def _of_site(
    session: AsyncSession, sites: Sequence[str], case_id: str, *, locked: bool = False
) -> MessageCaseRow:
    statement = select(MessageCaseRow).where(MessageCaseRow.id == case_id, MessageCaseRow.site.in_(sites))
    row = await session.scalar(statement.with_for_update() if locked else statement)
    if row is None:
        raise NotFound("there is no such case")
    return row
