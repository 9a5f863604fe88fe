"""How does a test come to the first session without walking through screening and planning each time?

The first patient of a protocol walks the whole way. What the record says then, and the state with which their
journey continued as new, is the beginning of every other patient of that protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.queues import TaskQueue
from clinical.adverse_events import KEPT_UNTIL_DONE, Duty, Grade
from clinical.events import (
    Entry,
    JourneyStarted,
    RecordedEntry,
    StageChanged,
    TaskCancelled,
    TaskDone,
    TaskOpened,
)
from clinical.journey import Move, Stage
from clinical.people import Role
from clinical.protocol import Protocol
from services.records.interface import Batch
from tests.workflows.walk import PEOPLE, Walk, a_key
from workflows import messages as m

SHORT: dict[str, dict[str, Any]] = {
    "schedule": {"sessions": 2},
    "therapy": {"preparation_sessions": 0},
    "decisions": {"review_after_doses": ()},
    "readiness": {"reschedules_max": 1},
    "monitoring": {"reading_minutes": (10, 40, 80, 100)},
    "follow_up": {"weeks": (2,)},
}
"""Two doses, no preparation, no decision, four readings: as little as shows a rule."""


def shortened(protocol: Protocol, **sections: dict[str, Any]) -> Protocol:
    """The protocol cut down to `SHORT`, with further changes by section; `sessions` are those of each phase."""
    wanted = {name: SHORT.get(name, {}) | sections.get(name, {}) for name in SHORT | sections}
    if (sessions := wanted["schedule"].pop("sessions", None)) is not None:
        wanted["schedule"]["phases"] = tuple(
            phase.model_copy(update={"sessions": sessions}) for phase in protocol.schedule.phases
        )
    changed = {name: getattr(protocol, name).model_copy(update=fields) for name, fields in wanted.items()}
    return protocol.model_copy(update=changed)


@dataclass(frozen=True)
class _Beginning:
    given: m.JourneyInput
    entries: tuple[RecordedEntry, ...]
    time: datetime


_BEGINNINGS: dict[str, _Beginning] = {}


async def at_treating(patient: Walk) -> Walk:
    """Bring a new patient to the first session: consented, screened, with an approved plan."""
    known = patient.protocol.content_hash
    if known not in _BEGINNINGS:
        _BEGINNINGS[known] = await _walk_there(Walk(patient.environment, patient.records, patient.protocol))
    beginning = _BEGINNINGS[known]
    await patient.register()
    await patient.records.append(_of(patient, beginning.entries))
    given = beginning.given
    start = given.start.model_copy(update={"patient_id": patient.patient_id, "referral_id": None})
    await patient.client.start_workflow(
        "PatientJourney",
        given.model_copy(update={"journey_id": patient.journey_id, "start": start}),
        id=patient.journey_id,
        task_queue=TaskQueue.JOURNEY,
    )
    assert given.state is not None and given.state.plan is not None
    patient.plan_hash, patient.time, patient.session = given.state.plan.plan_hash, beginning.time, 1
    await patient.until_there(patient.part)
    return patient


async def _walk_there(first: Walk) -> _Beginning:
    await first.to_preparation(sessions=first.protocol.schedule.first.sessions, preparation_sessions=0)
    await first.until_there("session/1")
    await first.now("session/1")
    given = await _continued_with(first)
    record = await first.record()
    prepared = next(e.seq for e in record if _enters(e, Stage.TREATING))
    await first.leave(Move.END)
    await first.outcome()
    return _Beginning(given, tuple(e for e in record if e.seq < prepared), first.time)


async def _continued_with(walk: Walk) -> m.JourneyInput:
    """The argument of the journey's latest run, as the engine has it."""
    history = await walk.handle().fetch_history()
    given = history.events[0].workflow_execution_started_event_attributes.input.payloads
    [decoded] = await walk.client.data_converter.decode(given, [m.JourneyInput])
    assert isinstance(decoded, m.JourneyInput)
    return decoded


def _enters(entry: RecordedEntry, stage: Stage) -> bool:
    return isinstance(entry.fact, StageChanged) and entry.fact.entered is stage


def _of(patient: Walk, entries: tuple[RecordedEntry, ...]) -> Batch:
    def own(entry: RecordedEntry) -> Entry:
        fact = entry.fact
        if isinstance(fact, JourneyStarted):
            fact = fact.model_copy(update={"patient_id": patient.patient_id, "referral_id": None})
        return Entry(key=entry.key, occurred_at=entry.occurred_at, actor=entry.actor, fact=fact)

    return Batch(journey_id=patient.journey_id, entries=tuple(own(entry) for entry in entries))


async def arrived(patient: Walk, **checked_in: Any) -> Walk:
    """Booked, ready and checked in; nobody has asked or ordered anything yet.

    A value that depends on the time of arrival is given as a function of it.
    """
    starts = await patient.book_session()
    await patient.ready()
    await patient.forward_to(starts, patient.part)
    given = {name: value(starts) if callable(value) else value for name, value in checked_in.items()}
    await patient.check_in(**given)
    return patient


async def over(patient: Walk) -> None:
    """Whoever is in the chair is watched until they may go home; then the course ends, and all was sound."""
    if len(await patient.facts("dose.given")) > len(await patient.facts("session.discharged")):
        given = (await patient.facts("dose.given"))[-1]
        await patient.in_the_chair(given.given_at, given.dose_mg)
        await patient.discharge()
    if await patient.stage() in (Stage.CONSULTATION, Stage.TREATING, Stage.FOLLOW_UP):
        await patient.leave(Move.END)
    await settle_duties(patient)
    await patient.outcome()
    await patient.assert_sound()


async def open_duties(patient: Walk) -> list[TaskOpened]:
    """What is owed whatever becomes of the course, and was neither done nor released."""
    ended = {e.fact.task_id for e in await patient.record() if isinstance(e.fact, TaskDone | TaskCancelled)}
    opened: list[TaskOpened] = await patient.facts("task.opened")
    return [task for task in opened if task.code in KEPT_UNTIL_DONE and task.task_id not in ended]


async def settle_duties(patient: Walk) -> None:
    """Everybody does what they owe: drafts are judged, the rest is done with proof."""
    for task in await open_duties(patient):
        if task.code == Duty.COMPLETE_DRAFT:
            await judge(patient, task.task_id.rpartition("/")[2].partition(".")[0])
    for task in await open_duties(patient):
        await patient.say("complete_duty", done(task))


def done(task: TaskOpened, role: Role | None = None, evidence: str = "reference 4711") -> m.CompleteDuty:
    return m.CompleteDuty(
        key=a_key(), actor=PEOPLE[role or task.owner], task_id=task.task_id, evidence=evidence
    )


async def judge(patient: Walk, event_id: str, **changes: Any) -> m.Accepted:
    """Amend an adverse event; what was not judged is a mild event, and not serious."""
    reported = [f for f in await patient.facts("adverse-event.recorded") if f.event_id == event_id][-1]
    event = reported.event.model_copy(update={"grade": Grade.MILD, "seriousness": frozenset(), **changes})
    amended = m.AmendAdverseEvent(key=a_key(), actor=PEOPLE[Role.NURSE], event_id=event_id, event=event)
    return await patient.say_twice("amend_adverse_event", amended)
