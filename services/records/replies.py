"""What follows from one message? Everything in one transaction, once for each message.

Who it is from is who has exactly this number or mail address now and is known to read there. Nobody: nothing but
an opt-out follows. Several: nothing is guessed, each has a case. Words of crisis open a case for whoever it may be.

The sender of a text message is the provider's word; the sender of a mail is anybody's. So a mail does something
only if it answers a message of ours to this very person; any other one is read by a person, and what is answered
to it leaves for nobody. An opt-out holds whoever asks for it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.events import Entry, SessionConfirmed
from clinical.people import Actor, Role
from clinical.replies import Answer, Reply, Understood, Visit, answer_to, understood
from services.encryption import FieldCipher
from services.records.appending import append_batch
from services.records.contact_file import ContactFile
from services.records.contact_views import ContactState
from services.records.inbox_tables import InboundMessageRow
from services.records.inbox_views import AskedAbout, InboundText, Received
from services.records.interface import Batch
from services.records.ledger import Ledger
from services.records.message_cases import CaseKind, NewCase, open_case, open_course
from services.records.register_tables import PatientRow
from services.records.reply_context import asked_about, had_visits, last_of, next_visit, recent
from services.records.tables import JourneyRow

SENDER, BODY = "inbound_message.sender", "inbound_message.body"
NOBODYS_ANSWERED_EVERY = timedelta(hours=72)
"""A number that no patient has gets our answer once in this time: two machines do not talk for ever."""
READS_THERE = frozenset({ContactState.STATED, ContactState.VERIFIED})
SMS = "sms"
STATE = {"sms": "phone_state", "email": "email_state"}
ONCE_WITHIN = {Answer.CRISIS: timedelta(minutes=5)}
"""The same answer leaves by mail again only after this time, else after three days: it may be a machine's."""


class Replies:
    """Reads and acts inside the caller's transaction."""

    def __init__(self, cipher: FieldCipher, ledger: Ledger) -> None:
        self._cipher = cipher
        self._ledger = ledger
        self._contacts = ContactFile(cipher)

    async def receive(
        self, session: AsyncSession, message: InboundText, asked: Mapping[str, AskedAbout], now: datetime
    ) -> Received:
        """Act on a message, or tell what was answered when it came before."""
        sender = self._cipher.index(SENDER, message.sender)
        await session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"inbound/{sender}"}
        )
        before = await session.get(InboundMessageRow, message.id)
        if before is not None:
            return received(before)
        said = _understood(message)
        row = InboundMessageRow(
            id=message.id,
            sender_index=sender,
            sender=self._cipher.encrypt(SENDER, message.sender, row=message.id),
            body=self._cipher.encrypt(BODY, message.body, row=message.id),
            received_at=now,
            reply=(message.keyword or said.reply).value,
            answer_language="es" if said.spanish else "en",
            answer_zone="UTC",
            channel=message.channel,
            told=True,
        )
        last = await last_of(session, sender)
        session.add(row)
        await session.flush()
        await self._act(session, row, said, message, last, asked)
        if message.channel != SMS:
            row.told = row.told and not _said_before(row, last)
        return received(row)

    async def _act(
        self,
        session: AsyncSession,
        row: InboundMessageRow,
        said: Understood,
        message: InboundText,
        last: InboundMessageRow | None,
        asked: Mapping[str, AskedAbout],
    ) -> None:
        holders = await self._contacts.holders(session, message.sender, message.channel)
        senders, proven = _senders(holders, message)
        reply = Reply(row.reply)
        for holder in holders:
            if proven or reply is Reply.STOP:
                self._opt(session, holder, reply, row.channel)
        if len(senders) == 1:
            row.patient_id = senders[0].id
            row.answer_language, row.answer_zone = senders[0].language, senders[0].time_zone
        if said.crisis:
            row.answer = Answer.CRISIS
            for holder in senders or holders or await _to(session, message):
                await self._case(session, CaseKind.REPLY_CRISIS, holder, row)
        elif proven:
            await self._proven(session, row, senders, last, asked)
        elif reply is Reply.STOP and holders:
            row.answer, row.told = Answer.STOPPED, False
        else:
            row.told = False
            await self._read_by_a_person(session, row, senders or await _to(session, message))

    async def _proven(
        self,
        session: AsyncSession,
        row: InboundMessageRow,
        senders: Sequence[PatientRow],
        last: InboundMessageRow | None,
        asked: Mapping[str, AskedAbout],
    ) -> None:
        """A message that came from where it says, without words of crisis."""
        reply = Reply(row.reply)
        if reply in (Reply.STOP, Reply.START, Reply.HELP):
            row.told = row.channel == SMS or reply is not Reply.STOP
            row.answer = answer_to(
                reply,
                asked_about=None,
                next_visit=None,
                had_visits=False,
                asked_again=False,
                now=row.received_at,
            )
        elif not senders:
            row.answer = None if last is not None and _answered(last, row) else Answer.NOT_KNOWN
        elif len(senders) > 1:
            await self._read_by_a_person(session, row, senders)
        elif row.channel != SMS and senders[0].id not in asked and reply is not Reply.UNCLEAR:
            await self._read_by_a_person(session, row, senders)  # it answers a mail that asked about no visit
        else:
            await self._of_one(session, row, senders[0], last, asked.get(senders[0].id))

    async def _read_by_a_person(
        self, session: AsyncSession, row: InboundMessageRow, senders: Sequence[PatientRow]
    ) -> None:
        row.answer = Answer.PERSON_WILL_READ
        kind = CaseKind.REPLY_AMBIGUOUS if len(senders) > 1 else CaseKind.REPLY_UNCLEAR
        for sender in senders:
            await self._case(session, kind, sender, row)

    async def _of_one(
        self,
        session: AsyncSession,
        row: InboundMessageRow,
        patient: PatientRow,
        last: InboundMessageRow | None,
        asked: AskedAbout | None,
    ) -> None:
        """A message of one certain person that is about a visit, or not understood."""
        course = await open_course(session, patient.id)
        visit = await next_visit(session, course, row.received_at)
        near = await recent(session, patient.site, course, last, row)
        reply = Reply(row.reply)
        answer = answer_to(
            reply,
            asked_about=asked_about(asked, last),
            next_visit=visit,
            had_visits=await had_visits(session, patient.id, row.received_at),
            asked_again=last is not None and near and last.answer in _ASKED,
            now=row.received_at,
        )
        if answer is Answer.NO_VISIT and reply in (Reply.NO, Reply.CHANGE):
            answer = Answer.PERSON_WILL_READ
        row.answer = answer
        match answer:
            case Answer.CONFIRMED if course is not None and visit is not None:
                row.answer_at = visit.starts_at
                await self._confirm(session, row, course, visit)
            case Answer.PERSON_WILL_MOVE_IT if visit is not None:
                row.answer_at = visit.starts_at
                await self._case(session, CaseKind.REPLY_MOVE, patient, row, visit.session)
            case Answer.OTHER_TIME if visit is not None:
                row.answer_at = visit.starts_at
            case Answer.PERSON_WILL_READ:
                await self._case(session, CaseKind.REPLY_UNCLEAR, patient, row)
            case _:
                return

    async def _confirm(
        self, session: AsyncSession, row: InboundMessageRow, course: JourneyRow, visit: Visit
    ) -> None:
        entry = Entry(
            key=f"{row.channel}:{row.id}",
            occurred_at=row.received_at,
            actor=Actor(id=course.patient_id, role=Role.PATIENT),
            fact=SessionConfirmed(session=visit.session, starts_at=visit.starts_at, channel=row.channel),
        )
        await append_batch(session, self._ledger, Batch(journey_id=course.id, entries=(entry,)))

    async def _case(
        self,
        session: AsyncSession,
        kind: CaseKind,
        patient: PatientRow,
        row: InboundMessageRow,
        visit: int | None = None,
    ) -> None:
        course = await open_course(session, patient.id)
        new = NewCase(kind, patient.site, patient.id, course.id if course else None, visit, row.id)
        await write_case(session, self._ledger, new, row.received_at)

    def _opt(self, session: AsyncSession, holder: PatientRow, reply: Reply, channel: str) -> None:
        """An opt-out is by address: it holds for everybody who is reached there, certain or not."""
        out = set(holder.opted_out_channels)
        if reply is Reply.STOP:
            out |= {channel}
        elif reply is Reply.START:
            out -= {channel}
        actor = Actor(id=holder.id, role=Role.PATIENT)
        self._contacts.change(session, holder, {"opted_out_channels": tuple(sorted(out))}, actor, channel)


async def write_case(session: AsyncSession, ledger: Ledger, new: NewCase, now: datetime) -> None:
    """Open the case, and its task in the record of the course."""
    case, entry = await open_case(session, new, now)
    if entry is not None and case.journey_id is not None:
        await append_batch(session, ledger, Batch(journey_id=case.journey_id, entries=(entry,)))


def received(row: InboundMessageRow) -> Received:
    answer = Answer(row.answer) if row.answer else None
    return Received(
        answer,
        row.answer_language,
        row.answer_zone,
        row.answer_at,
        received_at=row.received_at,
        patient_id=row.patient_id,
        told=row.told,
    )


def _understood(message: InboundText) -> Understood:
    """Words of crisis count wherever they stand in a mail, below its signature too."""
    said = understood(message.body)
    if message.to_the_point is None:
        return said
    return understood(message.to_the_point).model_copy(
        update={"crisis": said.crisis, "spanish": said.spanish}
    )


def _said_before(row: InboundMessageRow, last: InboundMessageRow | None) -> bool:
    if last is None or row.answer is None or last.answer != row.answer:
        return False
    return row.received_at - last.received_at < ONCE_WITHIN.get(Answer(row.answer), NOBODYS_ANSWERED_EVERY)


def _senders(holders: Sequence[PatientRow], message: InboundText) -> tuple[list[PatientRow], bool]:
    """Who it is from among those who are reached there, and whether that is more than what the message says."""
    there = [one for one in holders if ContactState(getattr(one, STATE[message.channel])) in READS_THERE]
    if message.channel == SMS:
        return there, True
    answering = [one for one in there if one.id == message.to_patient]
    return answering or there, bool(answering)


async def _to(session: AsyncSession, message: InboundText) -> list[PatientRow]:
    """Who got the message of ours that this one answers."""
    if message.to_patient is None:
        return []
    row = await session.get(PatientRow, message.to_patient, with_for_update=True)
    return [] if row is None else [row]


_ASKED = frozenset({Answer.ASKED_AGAIN.value, Answer.PERSON_WILL_READ.value})


def _answered(last: InboundMessageRow, row: InboundMessageRow) -> bool:
    return row.received_at - last.received_at < NOBODYS_ANSWERED_EVERY
