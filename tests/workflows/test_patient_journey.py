"""One course on the real engine, from referral to the closing summary."""

from collections import Counter
from collections.abc import Callable

from temporalio.api.enums.v1 import EventType

from clinical.journey import Stage
from tests.workflows.walk import VIRTUAL_TIME, Walk, histories

EVENTS_PER_COURSE = 1500
TASKS, AT_MOST = 205, 230
"""Workflow tasks of a course on a quiet machine. On a busy one the engine hands over in two what came together, or does
one again: three events each time, which are the machine's and not the course's (`./dev bench` counts them all)."""


async def test_a_whole_course(walk: Callable[..., Walk]) -> None:
    patient = walk()
    await patient.to_follow_up()
    await patient.follow_up()
    outcome = await patient.outcome()
    assert (outcome.stage, outcome.doses, outcome.sessions_completed) == (Stage.FINISHED, 6, 6)
    counts: Counter[str] = Counter()
    for history in (await histories(patient)).values():
        counts.update(EventType.Name(event.event_type) for event in history.events)
    of_tasks = sum(number for kind, number in counts.items() if kind.startswith("EVENT_TYPE_WORKFLOW_TASK_"))
    others = counts.total() - of_tasks - sum(counts[kind] for kind in VIRTUAL_TIME)
    assert others + 3 * TASKS <= EVENTS_PER_COURSE
    assert counts["EVENT_TYPE_WORKFLOW_TASK_COMPLETED"] <= AT_MOST
