"""What does this code answer a history with? The commands of a replay, kept as they are before they are encrypted."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import Info

from workers.sandbox import runner


def value_of(payload: Payload) -> Any:
    """The JSON value in it; None where there is nothing, as for an attribute that is taken away."""
    return json.loads(payload.data) if payload.data else None


@dataclass
class Said:
    """What one run said while it was replayed. A payload is the JSON value it holds.

    `timers`: number → for how long; `answers`: update → its answer, or None for a refusal; `children`: id → input.
    """

    timers: dict[str, timedelta] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    children: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def heard(self, act: WorkflowActivation, completion: WorkflowActivationCompletion) -> None:
        for command in completion.successful.commands:
            self._hear(command)

    def _hear(self, command: WorkflowCommand) -> None:
        match command.WhichOneof("variant"):
            case "start_timer":
                timer = command.start_timer
                self.timers[str(timer.seq)] = timer.start_to_fire_timeout.ToTimedelta()
            case "update_response":
                response = command.update_response
                if response.HasField("completed"):
                    self.answers[response.protocol_instance_id] = value_of(response.completed)
                elif response.HasField("rejected"):
                    self.answers[response.protocol_instance_id] = None
            case "start_child_workflow_execution":
                child = command.start_child_workflow_execution
                self.children[child.workflow_id] = [value_of(one) for one in child.input]
            case "upsert_workflow_search_attributes":
                fields = command.upsert_workflow_search_attributes.search_attributes.indexed_fields
                self.attributes |= {name: value_of(one) for name, one in fields.items()}
            case _:
                pass  # what makes no difference to a person


class Hearer(Protocol):
    """Who is told each turn of a run: what woke it, and what it answered."""

    def heard(self, act: WorkflowActivation, completion: WorkflowActivationCompletion) -> None: ...


H = TypeVar("H", bound=Hearer)


class Listening(WorkflowRunner, Generic[H]):
    """The sandbox of the workers with somebody who listens to each run; `said` has them by run id."""

    def __init__(self, hearer: Callable[[], H]) -> None:
        self._inner = runner()
        self.said: dict[str, H] = defaultdict(hearer)

    def prepare_workflow(self, defn: Any) -> None:
        self._inner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Instance(self._inner.create_instance(det), self.said[det.info.run_id])

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        self._inner.set_worker_level_failure_exception_types(types)


class _Instance(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance, hearer: Hearer) -> None:
        self._inner = inner
        self._hearer = hearer

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = self._inner.activate(act)
        self._hearer.heard(act, completion)
        return completion

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._inner.get_external_store_context(command_info)

    def get_info(self) -> Info:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()
