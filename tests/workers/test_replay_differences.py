"""Is it told what a build would decide otherwise: a wait, a refusal, a dose? Seeded into replays of the corpus."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.replay import corpus
from workers.listening import Listening, Said
from workers.registry import WORKFLOWS
from workers.replay_differences import Touches, differences

SESSION, JOURNEY = "session/1", "journey #2"
UNTIL_THE_DOSE = "give_dose"


async def _replayed(part: str) -> tuple[WorkflowHistory, Said]:
    [run] = [run for run in corpus.load(f"{corpus.CURRENT}/whole-course") if run.part == part]
    listening = Listening(Said)
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=listening, data_converter=corpus.CONVERTER)
    await replayer.replay_workflow(run.history)
    return run.history, listening.said[run.history.run_id]


@pytest.fixture(scope="module")
async def session() -> tuple[WorkflowHistory, Said]:
    return await _replayed(SESSION)


async def _new(
    replay: tuple[WorkflowHistory, Said], change: Callable[[WorkflowHistory, Said], None]
) -> list[tuple[Touches, str]]:
    """What is told in addition when this build had said that."""
    history, said = replay
    before = set(await differences(corpus.CONVERTER, history, said))
    seeded = Said(dict(said.timers), dict(said.answers), dict(said.children), dict(said.attributes))
    change(history, seeded)
    found = await differences(corpus.CONVERTER, history, seeded)
    return [(one.touches, one.text) for one in found if one not in before]


def _update(history: WorkflowHistory, name: str) -> str:
    """The id of the first such command."""
    return next(
        accepted.accepted_request.meta.update_id
        for event in history.events
        if (accepted := event.workflow_execution_update_accepted_event_attributes).accepted_request.input.name
        == name
    )


async def test_another_dose_is_a_dose_rule(session: tuple[WorkflowHistory, Said]) -> None:
    def smaller(history: WorkflowHistory, said: Said) -> None:
        key = _update(history, "order_dose")
        answer = said.answers[key]
        said.answers[key] = {**answer, "order": {**answer["order"], "dose_mg": "1.5"}}

    [(touches, text)] = await _new(session, smaller)
    assert touches is Touches.DOSE
    assert text.startswith("order_dose: dose_mg was ") and text.endswith(", would be 1.5")


async def test_a_refusal_is_a_gate(session: tuple[WorkflowHistory, Said]) -> None:
    def refuses(history: WorkflowHistory, said: Said) -> None:
        said.answers[_update(history, UNTIL_THE_DOSE)] = None

    assert await _new(session, refuses) == [(Touches.GATE, "give_dose: was taken, would be refused")]


async def test_an_open_wait_of_another_length_is_a_deadline(session: tuple[WorkflowHistory, Said]) -> None:
    history, said = session
    started = [event for event in history.events if event.HasField("timer_started_event_attributes")]
    timer = started[0].timer_started_event_attributes.timer_id
    until_then = [event for event in history.events if event.event_id <= started[0].event_id]
    cut = WorkflowHistory(history.workflow_id, until_then)  # the wait is still open here

    def longer(_: WorkflowHistory, seeded: Said) -> None:
        seeded.timers[timer] += timedelta(hours=6)

    [(touches, text)] = await _new((cut, said), longer)
    assert touches is Touches.DEADLINE
    assert "waits until" in text and "would wait until" in text


async def test_a_part_that_would_begin_otherwise_is_told_without_what_is_the_persons(
    session: tuple[WorkflowHistory, Said],
) -> None:
    replay = await _replayed(JOURNEY)

    def later(_: WorkflowHistory, said: Said) -> None:
        child = next(iter(said.children))
        [start] = said.children[child]
        said.children[child] = [{**start, "earliest_at": "2099-01-01T00:00:00Z", "patient_id": "somebody"}]

    told = await _new(replay, later)
    assert [touches for touches, _ in told] == [Touches.OTHER, Touches.DEADLINE]
    assert all("somebody" not in text for _, text in told)
    assert "would be 2099-01-01" in told[1][1]


async def test_what_operations_find_it_by_is_compared_as_well(session: tuple[WorkflowHistory, Said]) -> None:
    def elsewhere(_: WorkflowHistory, said: Said) -> None:
        said.attributes["KapDueAt"] = "2099-01-01T00:00:00+00:00"

    [(touches, text)] = await _new(session, elsewhere)
    assert touches is Touches.DEADLINE
    assert text.endswith("would be 2099-01-01T00:00:00+00:00")
