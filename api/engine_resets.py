"""What has failed in a workflow, and how does the engine take it up again?

A pending activity that fails is tried at once. A workflow task that fails, or a run that has failed for good, goes back
to the last workflow task that went well; commands and signals that came since are applied again.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, PendingWorkflowTaskState, WorkflowExecutionStatus
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    ResetActivityRequest,
    ResetWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowHandle

GAVE_UP = frozenset(
    {
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
    }
)
PARTS = frozenset(
    {
        EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
    }
)


@dataclass(frozen=True)
class FailedStep:
    """`activity`: the id of one that fails and is tried again; else the run goes back to `to_event`, which was at
    `since`. `parts_since`: has a part been started after that?"""

    workflow_id: str
    run_id: str
    activity: str | None = None
    to_event: int = 0
    since: datetime | None = None
    parts_since: bool = False


async def failed_step(client: Client, workflow_id: str) -> FailedStep | None:
    about = await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(
            namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
        )
    )
    info = about.workflow_execution_info
    run_id = info.execution.run_id
    for pending in about.pending_activities:
        if pending.HasField("last_failure"):
            return FailedStep(workflow_id, run_id, activity=pending.activity_id)
    if info.status not in GAVE_UP and not task_fails(about):
        return None
    return await _last_good(client.get_workflow_handle(workflow_id, run_id=run_id))


def task_fails(about: DescribeWorkflowExecutionResponse) -> bool:
    """Has the workflow task that is pending been tried before, in vain?"""
    pending = about.pending_workflow_task
    waits = pending.state != PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_UNSPECIFIED
    return about.HasField("pending_workflow_task") and waits and pending.attempt > 1


async def _last_good(handle: WorkflowHandle[object, object]) -> FailedStep | None:
    found: FailedStep | None = None
    parts_since = False
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            since = event.event_time.ToDatetime(tzinfo=UTC)
            found = FailedStep(handle.id, handle.run_id or "", to_event=event.event_id, since=since)
            parts_since = False
        parts_since = parts_since or event.event_type in PARTS
    return None if found is None else replace(found, parts_since=parts_since)


async def take_up(client: Client, step: FailedStep, reason: str, key: str) -> str | None:
    """The run that goes on from there; None for an activity."""
    execution = WorkflowExecution(workflow_id=step.workflow_id, run_id=step.run_id)
    if step.activity is not None:
        await client.workflow_service.reset_activity(
            ResetActivityRequest(namespace=client.namespace, execution=execution, id=step.activity)
        )
        return None
    answer = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=execution,
            reason=reason,
            workflow_task_finish_event_id=step.to_event,
            request_id=key,
        )
    )
    return answer.run_id
