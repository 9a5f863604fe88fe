"""Is what has failed found on the real engine, and does it go on after it was taken up?"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.engine_resets import FailedStep, failed_step, take_up

BROKEN: set[str] = set()
"""Which workflows meet a fault of the code, or of the world, at this moment."""


@activity.defn(name="reach_the_world")
async def reach_the_world() -> None:
    if activity.info().workflow_id in BROKEN:
        raise RuntimeError("the world is away")


@workflow.defn(name="Part")
class Part:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@workflow.defn(name="Story")
class Story:
    def __init__(self) -> None:
        self.told: list[str] = []

    @workflow.run
    async def run(self, act: str) -> list[str]:
        await workflow.wait_condition(lambda: bool(self.told))
        if act == "part":
            await workflow.start_child_workflow(Part.run, id=f"{workflow.info().workflow_id}/part")
        if act == "activity":
            slowly = RetryPolicy(initial_interval=timedelta(days=1))
            await workflow.execute_activity(
                reach_the_world, start_to_close_timeout=timedelta(seconds=10), retry_policy=slowly
            )
        if workflow.info().workflow_id in BROKEN:
            raise RuntimeError("a fault of the code")
        return self.told

    @workflow.signal
    def tell(self, word: str) -> None:
        self.told.append(word)


Begin = Callable[[str], Awaitable[WorkflowHandle[Story, list[str]]]]


@pytest.fixture
async def begin(temporal_client: Client) -> AsyncIterator[Begin]:
    """A story that has met its fault."""
    queue = f"stories-{secrets.token_hex(4)}"

    async def started(act: str) -> WorkflowHandle[Story, list[str]]:
        name = f"story/{secrets.token_hex(8)}"
        BROKEN.add(name)
        handle = await temporal_client.start_workflow(Story.run, act, id=name, task_queue=queue)
        await handle.query("__stack_trace")  # its first step has gone well
        await handle.signal(Story.tell, "once upon a time")
        return handle

    async with Worker(
        temporal_client,
        task_queue=queue,
        workflows=[Story, Part],
        activities=[reach_the_world],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield started


async def found(client: Client, workflow_id: str) -> FailedStep:
    async with asyncio.timeout(30):
        while (step := await failed_step(client, workflow_id)) is None:
            await asyncio.sleep(0.05)
    return step


async def test_a_step_that_fails_goes_back_to_the_last_good_one_and_loses_nothing(
    temporal_client: Client, begin: Begin
) -> None:
    story = await begin("step")
    step = await found(temporal_client, story.id)
    assert (step.activity, step.parts_since) == (None, False)
    assert step.to_event > 0 and step.since is not None
    BROKEN.discard(story.id)
    run_id = await take_up(temporal_client, step, "the code is mended", "key-1")
    again = temporal_client.get_workflow_handle(story.id, run_id=run_id, result_type=list[str])
    assert await again.result() == ["once upon a time"]
    assert await failed_step(temporal_client, story.id) is None


async def test_an_activity_that_fails_is_tried_at_once(temporal_client: Client, begin: Begin) -> None:
    story = await begin("activity")
    step = await found(temporal_client, story.id)
    assert step.activity is not None
    BROKEN.discard(story.id)
    assert await take_up(temporal_client, step, "the world is back", "key-1") is None
    async with asyncio.timeout(30):  # and not in a day
        assert await story.result() == ["once upon a time"]


async def test_what_goes_well_has_no_failed_step(temporal_client: Client, begin: Begin) -> None:
    story = await begin("step")
    BROKEN.discard(story.id)
    await story.result()
    assert await failed_step(temporal_client, story.id) is None
