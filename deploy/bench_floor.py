"""What is the least that the engine can do? Workflows that decide and record nothing, and a process that runs them.

`python -m deploy.bench_floor ADDRESS` serves the queue `bench-floor`. Payloads are plain, nothing is checked.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow

QUEUE = "bench-floor"
SHORT = timedelta(seconds=10)
SOON = timedelta(seconds=10)
"""Timers that fire, one after the other, when the clock is moved."""
FAR = timedelta(days=400)


@workflow.defn(name="BareEmpty")
class BareEmpty:
    """Takes updates and does nothing."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def touch(self, number: int) -> int:
        return number


@dataclass
class Script:
    """What one workflow of a real course did, counted: the bare one does as much of it.

    `fired` of the `timers` came to their time, the others were cancelled; `told` is how often it signalled its parent;
    `moves` is how often its clock was moved.
    """

    id: str
    updates: int
    writes: int
    timers: int
    fired: int
    sends: int
    told: int
    moves: int
    children: list[Script] = field(default_factory=list)


def due(total: int, step: int, steps: int) -> int:
    """How many of `total` fall to this one of so many steps, when they are spread evenly."""
    return total * (step + 1) // steps - total * step // steps


def due_before_the_last(total: int, step: int, steps: int) -> int:
    """The same, but none for the last step: with it a workflow ends, and what it has only just begun is never sent."""
    last = max(steps - 1, 1)
    return due(total, step, last) if step < last else 0


@activity.defn
async def nothing() -> None:
    """Nothing."""


@workflow.defn(name="BareCourse")
class BareCourse:
    """Answers as many updates, with as many activities, timers, children and their signals, and keeps nothing."""

    def __init__(self) -> None:
        self._done = 0
        self._far: list[asyncio.Task[None]] = []
        self._soon: list[asyncio.Task[None]] = []

    @workflow.run
    async def run(self, script: Script) -> None:
        self._script = script
        if not script.updates:
            await self._act(0, 1)
        await workflow.wait_condition(lambda: self._done >= script.updates)
        for child in script.children:
            await workflow.execute_child_workflow(BareCourse.run, child, id=child.id)
        await workflow.wait_condition(workflow.all_handlers_finished)
        for timer in (*self._far, *self._soon):
            timer.cancel()

    @workflow.update
    async def step(self) -> int:
        await workflow.wait_condition(lambda: hasattr(self, "_script"))
        await self._act(self._done, self._script.updates)
        self._done += 1
        return self._done

    @workflow.signal
    def heard(self) -> None: ...

    async def _act(self, step: int, steps: int) -> None:
        script, parent = self._script, workflow.info().parent
        for _ in range(due(script.writes, step, steps)):
            await workflow.execute_local_activity(nothing, start_to_close_timeout=SHORT)
        for _ in range(due(script.sends, step, steps)):
            await workflow.execute_activity(nothing, start_to_close_timeout=SHORT)
        for _ in range(due_before_the_last(script.told, step, steps)):
            assert parent is not None
            await workflow.get_external_workflow_handle(parent.workflow_id).signal(BareCourse.heard)
        for number in range(due_before_the_last(script.fired, step, steps)):
            self._soon.append(asyncio.create_task(asyncio.sleep(SOON.total_seconds() * (number + 1))))
            await asyncio.sleep(0)
        if others := due_before_the_last(script.timers - script.fired, step, steps):
            for timer in self._far:
                timer.cancel()
            self._far = [asyncio.create_task(asyncio.sleep(FAR.total_seconds())) for _ in range(others)]
            await asyncio.sleep(0)


async def serve(address: str) -> None:
    from temporalio.client import Client
    from temporalio.worker import Worker

    client = await Client.connect(address)
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[BareEmpty, BareCourse],
        activities=[nothing],
        build_id="bench",
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
