"""One course on the real engine, from referral to the closing summary."""

from collections import Counter
from collections.abc import Callable

from temporalio.api.enums.v1 import EventType

from clinical.journey import Stage
from tests.workflows.walk import VIRTUAL_TIME, Walk, histories

EVENTS_PER_COURSE = 1500


async def test_a_whole_course(walk: Callable[..., Walk]) -> None:
    patient = walk()
    await patient.to_follow_up()
    await patient.follow_up()
    outcome = await patient.outcome()
    assert (outcome.stage, outcome.doses, outcome.sessions_completed) == (Stage.FINISHED, 6, 6)
    counts: Counter[str] = Counter()
    for history in (await histories(patient)).values():
        counts.update(EventType.Name(event.event_type) for event in history.events)
    assert counts.total() - sum(counts[kind] for kind in VIRTUAL_TIME) <= EVENTS_PER_COURSE
