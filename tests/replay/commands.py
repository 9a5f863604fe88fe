"""Which commands does today's code answer a stored history with, in which order?

A replay gives the code the same events again, so its commands depend on the code alone: no server, no clock, no
race. Each becomes one readable line, which names what the engine would run, never an argument or an instant.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import UpdateResponse, WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.replay.corpus import CONVERTER, Run
from workers.listening import Listening
from workers.registry import WORKFLOWS

NAMELESS = "(without a name)"


@dataclass(frozen=True)
class Replayed:
    """What became of one replay: a line for each command, and why it failed (empty: it did not)."""

    run: Run
    commands: tuple[str, ...]
    failure: str


async def replay(runs: Sequence[Run]) -> list[Replayed]:
    """Run today's workflow code over stored histories, in the sandbox of the workers."""
    listening = Listening(_Words)
    replayer = Replayer(
        workflows=WORKFLOWS, workflow_runner=listening, data_converter=CONVERTER, build_id="replay"
    )

    async def histories() -> AsyncIterator[WorkflowHistory]:
        for run in runs:
            yield run.history

    found: list[Replayed] = []
    async with replayer.workflow_replay_iterator(histories()) as results:
        async for result in results:
            run = runs[len(found)]
            failure = "" if result.replay_failure is None else _reason(str(result.replay_failure))
            # Taken away: a history that is kept for two releases comes twice, under one run id.
            found.append(
                Replayed(run, tuple(listening.said.pop(result.history.run_id, _Words()).lines), failure)
            )
    return found


def _reason(failure: str) -> str:
    """The sentence inside the SDK's dump of a failed workflow task."""
    said = re.search(r'message: "((?:[^"\\]|\\.)+)"', failure)
    return said.group(1) if said else failure


class _Words:
    """Commands in words. The numbers by which the SDK refers back to timers and updates become names again."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._timers: dict[int, str] = {}
        self._updates: dict[str, str] = {}

    def heard(self, act: WorkflowActivation, completion: WorkflowActivationCompletion) -> None:
        for job in act.jobs:
            if job.HasField("do_update"):
                self._updates[job.do_update.protocol_instance_id] = job.do_update.name
        if completion.HasField("failed"):
            self.lines.append(f"the workflow task fails: {_message(completion.failed.failure)}")
        self.lines += [self._line(command) for command in completion.successful.commands]

    def _line(self, command: WorkflowCommand) -> str:
        kind = command.WhichOneof("variant") or "nothing"
        match kind:
            case "start_timer":
                name = self._timers[command.start_timer.seq] = _summary(command)
                return f"timer: {name}"
            case "cancel_timer":
                return f"cancel timer: {self._timers[command.cancel_timer.seq]}"
            case "schedule_local_activity":
                return f"local activity {command.schedule_local_activity.activity_type}: {_summary(command)}"
            case "schedule_activity":
                return f"activity {command.schedule_activity.activity_type}: {_summary(command)}"
            case "start_child_workflow_execution":
                named = "" if command.user_metadata.summary.data else f" {NAMELESS}"
                return f"start {command.start_child_workflow_execution.workflow_type}{named}"
            case "signal_external_workflow_execution":
                return f"signal {command.signal_external_workflow_execution.signal_name}"
            case "upsert_workflow_search_attributes":
                fields = command.upsert_workflow_search_attributes.search_attributes.indexed_fields
                return f"search attributes: {', '.join(sorted(fields))}"
            case "update_response":
                return self._answer(command.update_response)
            case "set_patch_marker":
                return f"patch: {command.set_patch_marker.patch_id}"
            case _:
                return kind.replace("_", " ")

    def _answer(self, response: UpdateResponse) -> str:
        return f"{response.WhichOneof('response')} {self._updates[response.protocol_instance_id]}"


def _message(failure: Failure) -> str:
    """The failure converter of all our clients hides the text among the payloads."""
    data = failure.encoded_attributes.data
    return str(json.loads(data)["message"]) if data else failure.message


def _summary(command: WorkflowCommand) -> str:
    data = command.user_metadata.summary.data
    return str(json.loads(data)) if data else NAMELESS
