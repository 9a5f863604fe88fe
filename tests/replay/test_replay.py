"""Can today's code go on with every journey that is under way, and does it still do things in the same order?"""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from tests.replay import corpus
from tests.replay.commands import NAMELESS, Replayed, replay
from tests.replay.fingerprints import commands_of, committed, fingerprints, first_difference
from workers.registry import WORKFLOWS

CURRENT = f"{corpus.CURRENT}/"
TYPES = sorted(workflow.__name__ for workflow in WORKFLOWS)
LARGEST_CORPUS_BYTES = 3_000_000
SHOWN = 5

STUCK = """
{stuck}

Journeys that run at this moment would get stuck in the same way. What to do:
1. If the other order was not meant: put it back.
2. If it was: guard it with `workflow.patched("what-changed")`, the old order in the other branch, or give the
   workers a new version that running journeys are not moved to (workflows/README.md).
3. Do not record the histories anew to make this pass: that only hides what running journeys would meet.
"""

OTHER_ORDER = """
{type} issues its commands in another order than {file} says.
{differences}

What to do:
1. Run the replays: `python -m pytest tests/replay -k running`. If one fails, running journeys would get stuck:
   guard the change with `workflow.patched(...)` or a new version (workflows/README.md).
2. If all pass and the change is meant: `PYTHONPATH=. python -m tests.replay.record --fingerprints`, and commit
   the new order together with the code, so that whoever reviews the change sees it.
"""


@pytest.fixture(scope="module")
async def replayed() -> list[Replayed]:
    """Every stored history, replayed once."""
    return await replay([run for journey in corpus.stored() for run in corpus.load(journey)])


@pytest.mark.parametrize("journey", corpus.stored())
def test_a_running_journey_can_go_on(journey: str, replayed: list[Replayed]) -> None:
    stuck = [_stuck(one) for one in replayed if one.run.journey == journey and one.failure]
    if stuck:
        pytest.fail(STUCK.format(stuck="\n".join(stuck[:SHOWN])), pytrace=False)


@pytest.mark.parametrize("workflow_type", TYPES)
def test_commands_come_in_the_order_that_was_committed(workflow_type: str, replayed: list[Replayed]) -> None:
    before, now = committed(), fingerprints(replayed)
    assert workflow_type in now, f"no stored history shows a {workflow_type}: add a journey, and record it"
    if before.get(workflow_type, {}).get("hash") == now[workflow_type]["hash"]:
        return
    old, new = commands_of(before, workflow_type), commands_of(now, workflow_type)
    differences = [
        f"- {run}: {first_difference(old.get(run, []), new.get(run, []))}"
        for run in sorted(old | new)
        if old.get(run) != new.get(run)
    ]
    told = OTHER_ORDER.format(
        type=workflow_type, file=corpus.FINGERPRINTS.name, differences="\n".join(differences[:SHOWN])
    )
    pytest.fail(told, pytrace=False)


def test_every_command_and_signal_is_in_the_corpus(replayed: list[Replayed]) -> None:
    shown = {name for one in replayed for name in _taken_in(one.run.history)}
    missing = sorted(name for workflow in WORKFLOWS for name in _takes(workflow) if name not in shown)
    assert not missing, f"add a journey to tests/replay/journeys.py that uses {missing}, and record it"


def test_operations_read_what_every_timer_activity_and_part_is_for(replayed: list[Replayed]) -> None:
    nameless = {
        f"{one.run.workflow_type}: {line}" for one in replayed for line in one.commands if NAMELESS in line
    }
    assert not nameless, f"give them a summary: {sorted(nameless)}"


def test_every_history_is_whole() -> None:
    """Recorded to the last event: the end of a workflow is where unfinished handlers and timers would show."""
    for journey in corpus.stored():
        for run in corpus.load(journey):
            last = run.history.events[-1].WhichOneof("attributes") or ""
            assert last.startswith(("workflow_execution_completed", "workflow_execution_continued")), run.name


def test_the_corpus_stays_small() -> None:
    files = list((corpus.HISTORIES / corpus.CURRENT).glob("*.json.gz"))
    assert sum(file.stat().st_size for file in files) <= LARGEST_CORPUS_BYTES


def test_the_first_difference_names_the_step() -> None:
    before = ["timer: a", "start B", "complete workflow execution"]
    assert first_difference(before, before) == "no difference"
    assert first_difference(before, ["start B"]).startswith(
        "command 1, at the very beginning: was 'timer: a'"
    )
    assert first_difference(before, before[:2]) == (
        "command 3, after 'start B': was 'complete workflow execution', is '(the end)'"
    )
    assert first_difference(before, [*before, "timer: c"]).endswith("was '(the end)', is 'timer: c'")


def _stuck(one: Replayed) -> str:
    """Which workflow, at which step, and what the engine says about it."""
    before = commands_of(committed(), one.run.workflow_type).get(one.run.name.removeprefix(CURRENT))
    where = (
        first_difference(before, one.commands)
        if before is not None
        else f"its last command was {one.commands[-1] if one.commands else '(none)'!r}"
    )
    return (
        f"{one.run.name} ({one.run.workflow_type}) cannot go on under this code.\n  {where}\n  {one.failure}"
    )


def _taken_in(history: WorkflowHistory) -> set[str]:
    names = set()
    for event in history.events:
        accepted = event.workflow_execution_update_accepted_event_attributes
        names.add(accepted.accepted_request.input.name)
        names.add(event.workflow_execution_signaled_event_attributes.signal_name)
    return names


def _takes(workflow: type) -> set[str]:
    """The names of a workflow's updates and signals, as the SDK knows them."""
    definition: Any = vars(workflow)["__temporal_workflow_definition"]
    return {*definition.updates, *definition.signals}
