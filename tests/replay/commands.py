"""Which commands does today's code answer a stored history with, in which order?

A replay gives the code the same events again, so its commands depend on the code alone: no server, no clock, no
race. Each becomes one readable line, which names what the engine would run, never an argument or an instant.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import UpdateResponse, WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.converter import SerializationContext
from temporalio.worker import Replayer, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import Info

from tests.replay.corpus import CONVERTER
from workers.registry import WORKFLOWS
from workers.sandbox import runner


@dataclass
class Replayed:
    """What became of one replay: a line for each command, and why it failed, if it did."""

    commands: list[str] = field(default_factory=list)
    failure: str | None = None


async def replay(history: WorkflowHistory) -> Replayed:
    """Run today's workflow code over a stored history, in the sandbox of the workers."""
    replayed = Replayed()
    replayer = Replayer(
        workflows=WORKFLOWS, workflow_runner=_Listening(replayed.commands), data_converter=CONVERTER
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure is not None:
        replayed.failure = str(result.replay_failure)
    return replayed


class _Listening(WorkflowRunner):
    """The runner of the workers, with every command it answers written down."""

    def __init__(self, lines: list[str]) -> None:
        self._inner = runner()
        self._lines = lines

    def prepare_workflow(self, defn: object) -> None:
        self._inner.prepare_workflow(defn)  # type: ignore[arg-type]  # the SDK's own, private type

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Instance(self._inner.create_instance(det), _Words(self._lines))

    def set_worker_level_failure_exception_types(self, types: object) -> None:
        self._inner.set_worker_level_failure_exception_types(types)  # type: ignore[arg-type]  # passed on


class _Instance(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance, words: _Words) -> None:
        self._inner = inner
        self._words = words

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = self._inner.activate(act)
        self._words.heard(act, completion)
        return completion

    def get_serialization_context(self, command_info: object) -> SerializationContext | None:
        return self._inner.get_serialization_context(command_info)  # type: ignore[arg-type]  # private type

    def get_external_store_context(self, command_info: object) -> object:  # type: ignore[override]  # private type
        return self._inner.get_external_store_context(command_info)  # type: ignore[arg-type]  # private type

    def get_info(self) -> Info:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()


class _Words:
    """Commands in words. Numbers that the SDK gives away (sequence, protocol instance) become names again."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._named: dict[str | int, str] = {}

    def heard(self, act: WorkflowActivation, completion: WorkflowActivationCompletion) -> None:
        for job in act.jobs:
            if job.HasField("do_update"):
                self._named[job.do_update.protocol_instance_id] = job.do_update.name
        if completion.HasField("failed"):
            self._lines.append(f"the workflow task fails: {completion.failed.failure.message}")
        self._lines += [self._line(command) for command in completion.successful.commands]

    def _line(self, command: WorkflowCommand) -> str:
        kind = command.WhichOneof("variant") or "nothing"
        match kind:
            case "start_timer":
                name = self._named[command.start_timer.seq] = _summary(command)
                return f"timer: {name}"
            case "cancel_timer":
                return f"cancel timer: {self._named[command.cancel_timer.seq]}"
            case "schedule_local_activity":
                return f"local activity {command.schedule_local_activity.activity_type}: {_summary(command)}"
            case "schedule_activity":
                return f"activity {command.schedule_activity.activity_type}: {_summary(command)}"
            case "start_child_workflow_execution":
                return f"start {command.start_child_workflow_execution.workflow_type}"
            case "signal_external_workflow_execution":
                return f"signal {command.signal_external_workflow_execution.signal_name}"
            case "upsert_workflow_search_attributes":
                attributes = command.upsert_workflow_search_attributes.search_attributes.indexed_fields
                return f"search attributes: {', '.join(sorted(attributes))}"
            case "update_response":
                return self._answer(command.update_response)
            case "set_patch_marker":
                return f"patch: {command.set_patch_marker.patch_id}"
            case _:
                return kind.replace("_", " ")

    def _answer(self, response: UpdateResponse) -> str:
        name = self._named.get(response.protocol_instance_id, "?")
        return f"{response.WhichOneof('response')} {name}"


def _summary(command: WorkflowCommand) -> str:
    data = command.user_metadata.summary.data
    return str(json.loads(data)) if data else "(without a name)"
