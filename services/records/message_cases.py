"""What does a message leave for a person to do, and when is that done or gone?

One open case of a kind for a patient: a further message joins it. While the patient has an open course the case
is a task of its work list as well, opened and closed in the record itself; a case without a course is in the
inbox only. A task goes when its reason has gone: the visit was moved or called off, or the course closed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.events import Entry, JourneyClosed, SessionBooked, SessionClosed, TaskCancelled, TaskOpened
from clinical.people import ENGINE, Role
from clinical.protocol import Inbox
from services.identifiers import new_id
from services.records.errors import NotFound
from services.records.inbox_tables import InboundCaseRow, MessageCaseRow
from services.records.published import published_protocol
from services.records.tables import JourneyRow
from services.records.task_tables import TaskRow

OPEN = "requested"
PART = "message/"
"""The ids of these tasks begin so."""
JOURNEY_OVER = "journey-over"


class CaseKind(StrEnum):
    REPLY_CRISIS = "reply-crisis"
    REPLY_MOVE = "reply-move"
    REPLY_UNCLEAR = "reply-unclear"
    REPLY_AMBIGUOUS = "reply-ambiguous"
    CONTACT_BAD = "contact-bad"
    CONTACT_SHARED = "contact-shared"
    LINK_LOCKED = "link-locked"


class _Duty(NamedTuple):
    """By when the protocol says, as which task, and why. The reason never repeats what somebody wrote."""

    within: Callable[[Inbox], timedelta]
    task: str
    reason: str


def _crisis(rules: Inbox) -> timedelta:
    return timedelta(minutes=rules.crisis_minutes)


def _read(rules: Inbox) -> timedelta:
    return timedelta(hours=rules.read_hours)


def _contact(rules: Inbox) -> timedelta:
    return timedelta(hours=rules.contact_hours)


DUTIES: Mapping[CaseKind, _Duty] = MappingProxyType(
    {
        CaseKind.REPLY_CRISIS: _Duty(
            _crisis, "answer-message", "a message of the patient holds words of crisis: call now"
        ),
        CaseKind.REPLY_MOVE: _Duty(_read, "answer-message", "the patient asks for another time"),
        CaseKind.REPLY_UNCLEAR: _Duty(
            _read, "answer-message", "a message of the patient has to be read by a person"
        ),
        CaseKind.REPLY_AMBIGUOUS: _Duty(
            _read, "answer-message", "a message came from an address that several patients have"
        ),
        CaseKind.CONTACT_BAD: _Duty(
            _contact, "correct-contact", "messages to this patient do not arrive: correct the contact"
        ),
        CaseKind.CONTACT_SHARED: _Duty(
            _contact, "correct-contact", "another patient has shown to have this number: whose is it?"
        ),
        CaseKind.LINK_LOCKED: _Duty(
            _read,
            "correct-contact",
            "a link to this patient was closed after wrong birth dates: call, check the address, send another",
        ),
    }
)


class NewCase(NamedTuple):
    """What has to be done, for whom, and because of which message."""

    kind: CaseKind
    site: str
    patient_id: str | None
    journey_id: str | None = None
    session: int | None = None
    message_id: str | None = None


async def open_case(
    session: AsyncSession, new: NewCase, now: datetime
) -> tuple[MessageCaseRow, Entry | None]:
    """The open case, this one or one before, and the task to be written into the record if it is a new one."""
    case = await _of_this_kind(session, new)
    entry = None
    if case is None:
        case = MessageCaseRow(
            id=new_id(),
            site=new.site,
            patient_id=new.patient_id,
            journey_id=new.journey_id,
            kind=new.kind.value,
            session=new.session,
            status=OPEN,
            opened_at=now,
            due_at=await _due_at(session, new, now),
        )
        session.add(case)
        await session.flush()
        entry = _task(case, now) if new.journey_id is not None else None
    if new.message_id is not None:
        link = insert(InboundCaseRow).values(case_id=case.id, message_id=new.message_id)
        await session.execute(link.on_conflict_do_nothing())
    return case, entry


async def open_course(session: AsyncSession, patient_id: str) -> JourneyRow | None:
    """The patient's open course, locked: what is looked at here stays so until this transaction ends."""
    return await session.scalar(
        select(JourneyRow)
        .where(JourneyRow.patient_id == patient_id, JourneyRow.closed_at.is_(None))
        .with_for_update(key_share=True)
    )


async def gone_with(session: AsyncSession, journey_id: str, entry: Entry) -> list[Entry]:
    """The ends of tasks whose reason goes with this fact; they are written just before it."""
    fact = entry.fact
    if isinstance(fact, JourneyClosed):
        gone, reason = await _open_tasks(session, journey_id), JOURNEY_OVER
    elif isinstance(fact, SessionClosed) or (isinstance(fact, SessionBooked) and fact.moved_from is not None):
        moving = await session.scalars(
            select(MessageCaseRow.id).where(
                MessageCaseRow.journey_id == journey_id,
                MessageCaseRow.session == fact.session,
                MessageCaseRow.kind == CaseKind.REPLY_MOVE.value,
                MessageCaseRow.status == OPEN,
            )
        )
        gone, reason = [PART + case_id for case_id in moving], "the visit was moved or is over"
    else:
        return []
    return [
        Entry(
            key=f"{task_id}:gone",
            occurred_at=entry.occurred_at,
            actor=ENGINE,
            fact=TaskCancelled(task_id=task_id, reason=reason),
        )
        for task_id in gone
    ]


async def settle_with_task(
    session: AsyncSession, task_id: str, status: str, reason: str, at: datetime, actor_id: str
) -> None:
    """The case of a task that ended; when only the course is over, somebody still has to read what came."""
    if not task_id.startswith(PART) or reason == JOURNEY_OVER:
        return
    case = await session.get(MessageCaseRow, task_id.removeprefix(PART))
    if case is not None and case.status == OPEN:
        case.status, case.settled_at, case.settled_by = status, at, actor_id


async def inbox_rules(session: AsyncSession, site: str, journey_id: str | None) -> Inbox | None:
    """What the protocol of the course says, or that of the site; None where the site has none."""
    canonical = None
    if journey_id is not None:
        canonical = await session.scalar(select(JourneyRow.protocol).where(JourneyRow.id == journey_id))
    try:
        return (await published_protocol(session, site, canonical)).of_inbox
    except NotFound:
        return None


async def _due_at(session: AsyncSession, new: NewCase, now: datetime) -> datetime:
    """Where no protocol says until when, at once."""
    rules = await inbox_rules(session, new.site, new.journey_id)
    return now if rules is None else now + DUTIES[new.kind].within(rules)


def _task(case: MessageCaseRow, now: datetime) -> Entry:
    duty = DUTIES[CaseKind(case.kind)]
    task = TaskOpened(
        task_id=PART + case.id, code=duty.task, owner=Role.COORDINATOR, due_at=case.due_at, reason=duty.reason
    )
    return Entry(key=f"{PART}{case.id}:opened", occurred_at=now, actor=ENGINE, fact=task)


async def _of_this_kind(session: AsyncSession, new: NewCase) -> MessageCaseRow | None:
    if new.patient_id is None:
        return None
    return await session.scalar(
        select(MessageCaseRow)
        .where(
            MessageCaseRow.patient_id == new.patient_id,
            MessageCaseRow.kind == new.kind.value,
            MessageCaseRow.status == OPEN,
        )
        .with_for_update()
    )


async def _open_tasks(session: AsyncSession, journey_id: str) -> list[str]:
    return list(
        await session.scalars(
            select(TaskRow.task_id).where(
                TaskRow.journey_id == journey_id,
                TaskRow.task_id.startswith(PART),
                TaskRow.status == OPEN,
            )
        )
    )
