"""What may workflow code see of the outside? The one pass-through list; all else is checked by the sandbox.

Every module of `workflows` but the message types is loaded anew inside the sandbox, so that a clock or a random
number in any of them is refused when it runs. Everything else a workflow imports must be on the list: models have
to be one class inside and outside. A test asks the sandbox itself whether the list is complete.

The SDK's own runner loads those twenty modules again for each workflow: 30 to 60 ms of processor time and megabytes
of memory for every start and every replay. Here they are loaded once for each kind of workflow, under the same
restrictions. What that gives up is only that module-level state of one workflow is out of reach of another;
a test sees to it that there is none.
"""

import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker._command_aware_visitor import CommandInfo
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.worker.workflow_sandbox._importer import Importer
from temporalio.worker.workflow_sandbox._restrictions import RestrictionContext
from temporalio.worker.workflow_sandbox._runner import _Instance
from temporalio.workflow import SandboxImportNotificationPolicy

PASSED_THROUGH = (
    "clinical",
    "activities",
    "services",
    "workflows.messages",
    "workflows.names",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "opentelemetry",
    "zoneinfo",
    "tzdata",
)


class _OfThisThread(RestrictionContext, threading.local):
    """Whether a workflow is running, for each thread of the worker: another one may be loading or resting."""


class _LoadedBefore(_Instance):
    """A workflow in the modules that were loaded for the first one of its kind."""

    def __init__(self, details: WorkflowInstanceDetails, runner: "LoadedOnce") -> None:
        self.instance_details = details
        self.runner_class = runner.runner_class
        self.importer = runner.importer_of(self._workflow_module_name())
        self._current_thread_id = None
        self.globals_and_locals = {"__file__": "workflow_sandbox.py"}
        self._create_instance()

    def get_serialization_context(self, command_info: CommandInfo | None) -> SerializationContext | None:
        """Asked for every payload: what the SDK knows of the workflow, without a round through the restrictions."""
        inside: Any = self.globals_and_locals["__temporal_in_sandbox"]
        context: SerializationContext | None = inside.get_serialization_context(command_info)
        return context

    def get_external_store_context(self, command_info: CommandInfo | None) -> StorageDriverStoreContext:
        """The same for where a large payload would be stored: asked for each, though we store none elsewhere."""
        inside: Any = self.globals_and_locals["__temporal_in_sandbox"]
        context: StorageDriverStoreContext = inside.get_external_store_context(command_info)
        return context

    def _run_code(self, code: str, **extra_globals: Any) -> None:
        """Each turn runs the same two lines: they are read once."""
        super()._run_code(_read(code), **extra_globals)


@cache
def _read(code: str) -> Any:
    return compile(code, "<string>", "exec")


@dataclass(frozen=True)
class LoadedOnce(SandboxedWorkflowRunner):
    """The SDK's sandbox, with the modules of each kind of workflow loaded once: by the worker, before it takes work."""

    _importers: dict[str, Importer] = field(default_factory=dict, init=False, repr=False, compare=False)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _LoadedBefore(det, self)

    def importer_of(self, module: str) -> Importer:
        if module not in self._importers:
            self._importers[module] = Importer(self.restrictions, _OfThisThread(), module)
        return self._importers[module]


@cache
def runner(
    policy: SandboxImportNotificationPolicy = SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT,
) -> SandboxedWorkflowRunner:
    """The sandbox for every worker and every replay; imports while a workflow runs are warned of."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return LoadedOnce(restrictions=restrictions.with_import_notification_policy(policy))
