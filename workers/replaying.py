"""Can this code go on with a workflow that is under way? Its history is replayed, the workflow is not touched."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from google.protobuf.message import Message as Protobuf
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, WorkflowRunner

from services.encryption import EncryptionError
from workers.registry import WORKFLOWS
from workers.sandbox import runner

FETCHED_AHEAD = 8
_SAID = re.compile(r'message: "((?:[^"\\]|\\.)+)"')
_EVENT = re.compile(r"HistoryEvent\(id: (\d+)")


@dataclass(frozen=True)
class Execution:
    workflow_id: str
    run_id: str
    workflow_type: str


@dataclass(frozen=True)
class Replayed:
    """`failure` is empty when the code can go on; else it says why not, and `step` at which event."""

    execution: Execution
    history: WorkflowHistory = field(repr=False)
    failure: str = ""
    step: str = ""

    def __str__(self) -> str:
        kind, place = self.execution.workflow_type, self.execution.workflow_id
        return f"{kind} {place}: {self.step}: {self.failure}" if self.failure else f"{kind} {place}: goes on"


async def replayed(
    client: Client, executions: Iterable[Execution], workflow_runner: WorkflowRunner | None = None
) -> AsyncIterator[Replayed]:
    """One after another; a few histories are fetched ahead. What ended meanwhile is left out by who lists."""
    replayer = Replayer(
        workflows=WORKFLOWS,
        workflow_runner=workflow_runner or runner(),
        data_converter=client.data_converter,
        build_id="replay",  # else the SDK reads the code of every module to make one
    )
    sent: deque[Execution] = deque()

    async def histories() -> AsyncIterator[WorkflowHistory]:
        async for execution, history in _fetched(client, executions):
            sent.append(execution)
            yield history

    async with replayer.workflow_replay_iterator(histories()) as results:
        async for result in results:
            execution, history = sent.popleft(), result.history
            if result.replay_failure is None:
                yield Replayed(execution, history)
            else:
                failure = _reason(str(result.replay_failure))
                yield Replayed(execution, history, failure, await _step(client, history, failure))


async def _fetched(
    client: Client, executions: Iterable[Execution]
) -> AsyncIterator[tuple[Execution, WorkflowHistory]]:
    waiting = iter(executions)
    ahead: deque[tuple[Execution, asyncio.Task[WorkflowHistory]]] = deque()
    try:
        while True:
            while len(ahead) < FETCHED_AHEAD and (one := next(waiting, None)) is not None:
                handle = client.get_workflow_handle(one.workflow_id, run_id=one.run_id)
                ahead.append((one, asyncio.create_task(handle.fetch_history())))
            if not ahead:
                return
            execution, fetching = ahead.popleft()
            yield execution, await fetching
    finally:
        for _, fetching in ahead:
            fetching.cancel()


def _reason(failure: str) -> str:
    """The sentence inside the SDK's dump of a failed workflow task."""
    said = _SAID.search(failure)
    return said.group(1) if said else failure


async def _step(client: Client, history: WorkflowHistory, failure: str) -> str:
    """The event that the code did not come to, with the name that it goes by in the workflow; else the last one."""
    named = _EVENT.search(failure)
    number = int(named.group(1)) if named else len(history.events)
    event = history.events[min(number, len(history.events)) - 1]
    kind = (event.WhichOneof("attributes") or "event").removesuffix("_event_attributes").replace("_", " ")
    return f"event {event.event_id}, {kind}{await name_of(client, event)}"


async def name_of(client: Client, event: HistoryEvent) -> str:
    """` 'book-session'`: what operations read beside this event; empty when it has no name, or none that opens."""
    if event.user_metadata.summary.data:
        try:
            [summary] = await client.data_converter.decode([event.user_metadata.summary])
        except EncryptionError:
            return ""
        return f" {str(summary)!r}"
    attributes = getattr(event, event.WhichOneof("attributes") or "", None)
    for place in ("activity_type", "workflow_type"):
        if isinstance(attributes, Protobuf) and place in attributes.DESCRIPTOR.fields_by_name:
            return f" {getattr(attributes, place).name!r}"
    return ""
