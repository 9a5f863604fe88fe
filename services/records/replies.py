"""What follows from one text message? Everything in one transaction, once for each message of the provider.

Who it is from is who has exactly this number now and is known to read there. Nobody: nothing but an opt-out
follows. Several: nothing is guessed, each has a case. Words of crisis open a case for whoever it may be.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
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
from services.records.message_cases import CaseKind, NewCase, inbox_rules, open_case, open_course
from services.records.register_tables import PatientRow
from services.records.tables import JourneyRow, VisitRow

SENDER, BODY = "inbound_message.sender", "inbound_message.body"
NOBODYS_ANSWERED_EVERY = timedelta(hours=72)
"""A number that no patient has gets our answer once in this time: two machines do not talk for ever."""
READS_THERE = frozenset({ContactState.STATED, ContactState.VERIFIED})
SMS = "sms"


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
        said = understood(message.body)
        row = InboundMessageRow(
            id=message.id,
            sender_index=sender,
            sender=self._cipher.encrypt(SENDER, message.sender, row=message.id),
            body=self._cipher.encrypt(BODY, message.body, row=message.id),
            received_at=now,
            reply=(message.keyword or said.reply).value,
            answer_language="es" if said.spanish else "en",
            answer_zone="UTC",
        )
        last = await _last_of(session, sender)
        session.add(row)
        await session.flush()
        await self._act(session, row, said, message.sender, last, asked)
        return received(row)

    async def _act(
        self,
        session: AsyncSession,
        row: InboundMessageRow,
        said: Understood,
        number: str,
        last: InboundMessageRow | None,
        asked: Mapping[str, AskedAbout],
    ) -> None:
        holders = await self._contacts.holders(session, number)
        reply = Reply(row.reply)
        for holder in holders:
            self._opt(session, holder, reply)
        senders = [holder for holder in holders if ContactState(holder.phone_state) in READS_THERE]
        if len(senders) == 1:
            row.patient_id = senders[0].id
            row.answer_language, row.answer_zone = senders[0].language, senders[0].time_zone
        if said.crisis:
            row.answer = Answer.CRISIS
            for holder in senders or holders:
                await self._case(session, CaseKind.REPLY_CRISIS, holder, row)
        elif reply in (Reply.STOP, Reply.START, Reply.HELP):
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
            row.answer = Answer.PERSON_WILL_READ
            for holder in senders:
                await self._case(session, CaseKind.REPLY_AMBIGUOUS, holder, row)
        else:
            await self._of_one(session, row, senders[0], last, asked.get(senders[0].id))

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
        visit = await _next_visit(session, course, row.received_at)
        recent = await _recent(session, patient.site, course, last, row)
        reply = Reply(row.reply)
        answer = answer_to(
            reply,
            asked_about=_asked_about(asked, last),
            next_visit=visit,
            had_visits=await _had_visits(session, patient.id, row.received_at),
            asked_again=last is not None and recent and last.answer in _ASKED,
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
            key=f"sms:{row.id}",
            occurred_at=row.received_at,
            actor=Actor(id=course.patient_id, role=Role.PATIENT),
            fact=SessionConfirmed(session=visit.session, starts_at=visit.starts_at, channel=SMS),
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

    def _opt(self, session: AsyncSession, holder: PatientRow, reply: Reply) -> None:
        """An opt-out is by number: it holds for everybody who is reached there, certain or not."""
        out = set(holder.opted_out_channels)
        if reply is Reply.STOP:
            out |= {SMS}
        elif reply is Reply.START:
            out -= {SMS}
        actor = Actor(id=holder.id, role=Role.PATIENT)
        self._contacts.change(session, holder, {"opted_out_channels": tuple(sorted(out))}, actor, SMS)


async def write_case(session: AsyncSession, ledger: Ledger, new: NewCase, now: datetime) -> None:
    """Open the case, and its task in the record of the course."""
    case, entry = await open_case(session, new, now)
    if entry is not None and case.journey_id is not None:
        await append_batch(session, ledger, Batch(journey_id=case.journey_id, entries=(entry,)))


def received(row: InboundMessageRow) -> Received:
    answer = Answer(row.answer) if row.answer else None
    return Received(answer, row.answer_language, row.answer_zone, row.answer_at)


_ASKED = frozenset({Answer.ASKED_AGAIN.value, Answer.PERSON_WILL_READ.value})


def _answered(last: InboundMessageRow, row: InboundMessageRow) -> bool:
    return row.received_at - last.received_at < NOBODYS_ANSWERED_EVERY


async def _recent(
    session: AsyncSession,
    site: str,
    course: JourneyRow | None,
    last: InboundMessageRow | None,
    row: InboundMessageRow,
) -> bool:
    """Is the message before so near that this one goes on with it? By the protocol; without one a person decides."""
    if last is None:
        return False
    rules = await inbox_rules(session, site, course.id if course else None)
    return rules is None or row.received_at - last.received_at < timedelta(hours=rules.asked_again_hours)


def _asked_about(asked: AskedAbout | None, last: InboundMessageRow | None) -> datetime | None:
    """The visit that was spoken of last: in our message, or in our answer that named another time."""
    told = last is not None and last.answer == Answer.OTHER_TIME and last.answer_at is not None
    if told and last is not None and (asked is None or last.received_at > asked.sent_at):
        return last.answer_at
    return asked.starts_at if asked else None


async def _last_of(session: AsyncSession, sender: str) -> InboundMessageRow | None:
    return (
        await session.scalars(
            select(InboundMessageRow)
            .where(InboundMessageRow.sender_index == sender)
            .order_by(InboundMessageRow.received_at.desc(), InboundMessageRow.id.desc())
            .limit(1)
        )
    ).one_or_none()


async def _next_visit(session: AsyncSession, course: JourneyRow | None, now: datetime) -> Visit | None:
    if course is None:
        return None
    row = (
        await session.scalars(
            select(VisitRow)
            .where(
                VisitRow.journey_id == course.id,
                VisitRow.booking_status == "booked",
                VisitRow.closed_at.is_(None),
                VisitRow.starts_at > now,
            )
            .order_by(VisitRow.starts_at)
            .limit(1)
        )
    ).one_or_none()
    return Visit(session=row.session, starts_at=row.starts_at) if row is not None and row.starts_at else None


async def _had_visits(session: AsyncSession, patient_id: str, now: datetime) -> bool:
    counted = (
        select(func.count())
        .select_from(VisitRow)
        .join(JourneyRow, JourneyRow.id == VisitRow.journey_id)
        .where(JourneyRow.patient_id == patient_id, VisitRow.starts_at <= now)
    )
    return bool(await session.scalar(counted))
