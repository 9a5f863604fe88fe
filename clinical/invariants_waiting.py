"""Does every wait have somebody or something that ends it, and does nothing wait when all is over? 9 and 12.

Task ids begin with the part of the journey that opened them; what a risk case owes is exempt, since a case
outlives its journey. Judge a record at rest: between the end of one step and the beginning of the next there
is an instant without a task. Source: product §4, F19.
"""

from collections.abc import Iterator

from clinical.adverse_events import KEPT_UNTIL_DONE
from clinical.events import (
    DoseGiven,
    JourneyClosed,
    JourneyStarted,
    SessionClosed,
    SessionOpened,
    StageChanged,
    TaskCancelled,
    TaskDone,
    TaskOpened,
)
from clinical.invariants_record import Record, Violation, Written, breach, hours_from, is_aware
from clinical.journey import FINAL, Stage
from clinical.people import Role

_RISK = "risk/"
_HOURS_PER_WEEK = 7 * 24


def every_wait_ends(record: Record) -> Iterator[Violation]:
    """Invariant 9: each task has an owner and a deadline, and an open journey has something that goes on."""
    for task in record.every(TaskOpened):
        if task.fact.owner is Role.SYSTEM:
            yield breach(9, "OWNER", task.seq, f"task {task.fact.task_id} belongs to nobody")
        if not is_aware(task.fact.due_at):
            yield breach(9, "DEADLINE", task.seq, f"the deadline of task {task.fact.task_id} is no instant")
    if _is_under_way(record) and not _something_goes_on(record):
        yield breach(9, "STUCK", record.entries[-1].seq, f"the journey waits in {_stage(record)} for nobody")


def nothing_outlives_the_journey(record: Record) -> Iterator[Violation]:
    """Invariant 12: no open task, no open session once the journey is over, and none opened afterwards.

    A course that is over for the patient stays open in the record while something is owed (H18).
    """
    yield from _duties_are_not_dropped(record)
    closed = next(iter(record.every(JourneyClosed)), None)
    if closed is None:
        if _stage(record) in FINAL and not _open_tasks(record, len(record.entries)):
            text = f"the journey is {_stage(record)} and was not closed"
            yield breach(12, "NOT-CLOSED", record.entries[-1].seq, text)
        return
    for task in _open_tasks(record, closed.place):
        yield breach(12, "TASK-OPEN", task.seq, f"task {task.fact.task_id} was open when the journey closed")
    for session in _open_sessions(record, closed.place):
        text = f"session {session.fact.session} was open when the journey closed"
        yield breach(12, "SESSION-OPEN", session.seq, text)
    begun: list[Written[SessionOpened] | Written[DoseGiven]] = [
        *record.every(SessionOpened),
        *record.every(DoseGiven),
    ]
    for started in begun:
        if started.place > closed.place:
            text = f"session {started.fact.session} went on after the journey was closed"
            yield breach(12, "SESSION-AFTER", started.seq, text)
    for task in record.every(TaskOpened):
        if task.place > closed.place and not _is_of_risk(task):
            text = f"task {task.fact.task_id} was opened after the journey was closed"
            yield breach(12, "TASK-AFTER", task.seq, text)


def _duties_are_not_dropped(record: Record) -> Iterator[Violation]:
    """What is owed whatever becomes of the course ends with proof, or by the medical director's release."""
    owed = {task.fact.task_id for task in record.every(TaskOpened) if task.fact.code in KEPT_UNTIL_DONE}
    for end in record.every(TaskCancelled):
        if end.fact.task_id in owed and end.entry.actor.role is not Role.MEDICAL_DIRECTOR:
            yield breach(12, "DUTY-DROPPED", end.seq, f"the duty {end.fact.task_id} was dropped")


def _is_of_risk(task: Written[TaskOpened]) -> bool:
    return task.fact.task_id.startswith(_RISK)


def _is_under_way(record: Record) -> bool:
    begun = bool(record.every(JourneyStarted))
    return begun and not record.every(JourneyClosed) and _stage(record) not in FINAL


def _stage(record: Record) -> Stage:
    changes = record.every(StageChanged)
    return changes[-1].fact.entered if changes else Stage.REFERRED


def _something_goes_on(record: Record) -> bool:
    end = len(record.entries)
    return bool(_open_tasks(record, end) or _open_sessions(record, end)) or _measurement_ahead(record)


def _measurement_ahead(record: Record) -> bool:
    """Between two measurements the follow-up waits for a date of the protocol and for no person."""
    doses = record.doses
    if _stage(record) is not Stage.FOLLOW_UP or not doses:
        return False
    until = max(record.protocol.follow_up.weeks) * _HOURS_PER_WEEK
    return hours_from(doses[-1].fact.given_at, record.ends_at) < until


def _open_tasks(record: Record, place: int) -> list[Written[TaskOpened]]:
    """The tasks open just before that place, without those of risk cases."""
    ended: list[Written[TaskDone] | Written[TaskCancelled]] = [
        *record.every(TaskDone),
        *record.every(TaskCancelled),
    ]
    return [
        task
        for task in record.every(TaskOpened)
        if task.place < place
        and not _is_of_risk(task)
        and not any(task.place < end.place < place and end.fact.task_id == task.fact.task_id for end in ended)
    ]


def _open_sessions(record: Record, place: int) -> list[Written[SessionOpened]]:
    closings = record.every(SessionClosed)
    return [
        session
        for session in record.every(SessionOpened)
        if session.place < place
        and not any(
            session.place < end.place < place and end.fact.session == session.fact.session for end in closings
        )
    ]
