"""What does a whole course cost in virtual time, against workflows that do as much of everything and record nothing?

Six sessions and 52 weeks are told over HTTP. Then the histories are counted: each workflow's updates, activities,
timers, how many of these fired, and signals. A bare course does as many of each, in as many workflows, and the same
clock moves each of them forward as often: what virtual time costs, both pay. That it did is counted as well.
Also: where do the events of a course go, and how near do they come to a limit of the engine?
"""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHistory

from clinical.protocol import Indication, Protocol
from deploy.bench_floor import QUEUE, Script, due_before_the_last
from deploy.bench_measure import Figure
from deploy.demo import SAMPLE, reachable
from deploy.demo_clinic import Clinic
from deploy.demo_report import kinds
from deploy.demo_story import Story
from deploy.virtual_clock import VirtualClock
from services.fhir.bundle import read_referral

AT_MOST = 2.0
EVENTS = 1500
LIMITS = {"events of a run": 51_200, "megabytes of a run": 50.0, "updates of a run": 2_000}
SHARE_OF_A_LIMIT = 0.1


STRIDE = timedelta(minutes=10)


class Counting(VirtualClock):
    """Also knows how often it moved which workflow."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.moves: Counter[str] = Counter()

    async def move(self, workflow_id: str, instant: datetime) -> None:
        self.moves[workflow_id] += 1
        await super().move(workflow_id, instant)


@dataclass(frozen=True)
class Told:
    """A course that was told: how long it took, how often each part was moved, and what the engine kept of it."""

    seconds: float
    moves: dict[str, int]
    runs: list[tuple[str, WorkflowHistory]]


async def tell(clinic: Clinic, client: Client, protocol: Protocol) -> Told:
    raw = SAMPLE.read_bytes()
    clock = Counting(client)
    story = Story(
        clinic, clock, protocol, Indication.DEPRESSION, read_referral(raw).record, lambda step: None
    )
    began = time.perf_counter()
    await story.run(reachable(json.loads(raw)))
    seconds = time.perf_counter() - began
    runs = []
    async for execution in client.list_workflows(f'WorkflowId STARTS_WITH "{story.journey_id}"'):
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        runs.append((_part(execution.id, story.journey_id), await handle.fetch_history()))
    return Told(seconds, {_part(one, story.journey_id): n for one, n in clock.moves.items()}, runs)


def _part(workflow_id: str, journey_id: str) -> str:
    return workflow_id.removeprefix(journey_id).lstrip("/") or "journey"


def script_of(told: Told) -> Script:
    """As many of everything as the real course had, workflow by workflow."""
    root = f"bench/{secrets.token_hex(8)}"
    counted: dict[str, Counter[str]] = {}
    for part, history in told.runs:
        counted[part] = counted.get(part, Counter()) + kinds(history)
    scripts = {
        part: Script(
            id=root if part == "journey" else f"{root}/{part}",
            updates=seen["WORKFLOW_EXECUTION_UPDATE_ACCEPTED"],
            writes=seen["MARKER_RECORDED"],
            timers=seen["TIMER_STARTED"],
            fired=seen["TIMER_FIRED"],
            sends=seen["ACTIVITY_TASK_SCHEDULED"],
            told=seen["SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED"],
            moves=told.moves.get(part, 0),
        )
        for part, seen in counted.items()
    }
    parent = scripts.pop("journey")
    parent.children = [scripts[part] for part in sorted(scripts)]
    return parent


async def tell_bare(client: Client, script: Script) -> float:
    """Seconds for the same number of everything, in workflows that keep nothing."""
    clock = VirtualClock(client)
    began = time.perf_counter()
    parent = await client.start_workflow("BareCourse", script, id=script.id, task_queue=QUEUE)
    for part in (script, *script.children):
        handle = client.get_workflow_handle(part.id)
        await clock.until_running(part.id)
        for step in range(part.updates):
            await handle.execute_update("step", result_type=int)
            for _ in range(due_before_the_last(part.moves, step, part.updates)):
                await clock.until_running(part.id)
                await clock.move(part.id, clock.now + STRIDE)
    await parent.result()
    return time.perf_counter() - began


async def course(
    clinic: Clinic, client: Client, protocol: Protocol, *, quick: bool
) -> tuple[list[Figure], Told]:
    bare = await Client.connect(client.service_client.config.target_host)
    ours: list[float] = []
    theirs: list[float] = []
    told = await tell(clinic, client, protocol)  # the first one warms both doors
    for _ in range(1 if quick else 3):
        script = script_of(told)
        theirs.append(await tell_bare(bare, script))
        await _counted(bare, script)
        told = await tell(clinic, client, protocol)
        ours.append(told.seconds)
    figure = Figure("course", "six sessions, 52 weeks", "s", min(ours), min(theirs), at_most=AT_MOST)
    return [figure, *events(told)], told


async def _counted(bare: Client, script: Script) -> None:
    """Raises RuntimeError when the bare course did less than it was to do: then it would be no floor."""
    for part in (script, *script.children):
        seen = kinds(await bare.get_workflow_handle(part.id).fetch_history())
        wanted = {
            "WORKFLOW_EXECUTION_UPDATE_COMPLETED": part.updates,
            "MARKER_RECORDED": part.writes,
            "TIMER_STARTED": part.timers,
            "TIMER_FIRED": part.fired,
            "ACTIVITY_TASK_COMPLETED": part.sends,
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": part.told,
        }
        if less := {name: (seen[name], number) for name, number in wanted.items() if seen[name] < number}:
            raise RuntimeError(f"the floor did less than the course, of {part.id}: {less}")


def events(told: Told) -> list[Figure]:
    """All events of the course, where they go, and the largest share of any limit."""
    by_kind: Counter[str] = Counter()
    by_part: Counter[str] = Counter()
    for part, history in told.runs:
        counted = kinds(history)
        by_kind += counted
        by_part[part.partition("/")[0]] += counted.total()
    found = [Figure("events", "of a course", "", by_kind.total(), at_most=EVENTS)]
    found += [Figure("events", f"of {part}", "", number) for part, number in by_part.most_common()]
    found += [Figure("events", group, "", number) for group, number in _groups(by_kind).most_common()]
    for name, largest in _largest(told).items():
        found.append(
            Figure(
                "events", f"share of a limit: {name}", "", largest / LIMITS[name], at_most=SHARE_OF_A_LIMIT
            )
        )
    return [*found, *_carried(told)]


def _groups(by_kind: Counter[str]) -> Counter[str]:
    groups: Counter[str] = Counter()
    for kind, number in by_kind.items():
        first = kind.removeprefix("WORKFLOW_").split("_")[0].lower()
        groups[{"task": "workflow tasks", "marker": "local activities"}.get(first, first)] += number
    return groups


def _largest(told: Told) -> dict[str, float]:
    sizes = [sum(event.ByteSize() for event in history.events) for _, history in told.runs]
    updates = [kinds(history)["WORKFLOW_EXECUTION_UPDATE_ACCEPTED"] for _, history in told.runs]
    return {
        "events of a run": max(len(history.events) for _, history in told.runs),
        "megabytes of a run": max(sizes) / 2**20,
        "updates of a run": max(updates),
    }


def _carried(told: Told) -> list[Figure]:
    """What the parent takes into each new run: it must not grow with the course."""
    found = []
    for part, history in told.runs:
        last: Any = history.events[-1]
        if part == "journey" and last.HasField("workflow_execution_continued_as_new_event_attributes"):
            carried = last.workflow_execution_continued_as_new_event_attributes.input.ByteSize()
            found.append(Figure("events", "bytes that the parent takes into a new run", "", carried))
    return found
