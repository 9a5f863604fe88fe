"""What may workflow code see of the outside? The one pass-through list; all else is checked by the sandbox.

Every module of `workflows` but the message types is loaded anew inside the sandbox, so that a clock or a random
number in any of them is refused when it runs. Everything else a workflow imports must be on the list: models have
to be one class inside and outside. A test asks the sandbox itself whether the list is complete.
"""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
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


def runner(
    policy: SandboxImportNotificationPolicy = SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT,
) -> SandboxedWorkflowRunner:
    """The sandbox for every worker and every replay; imports while a workflow runs are warned of."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions.with_import_notification_policy(policy))
