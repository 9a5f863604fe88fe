"""How long are the histories that are being written to? Each write takes the length along; who did it counts.

The header of a local activity is no part of the history, and an activity is not replayed.
"""

from typing import Any

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from services.telemetry.metrics import HISTORY_EVENTS

HEADER = "kap-history-events"


class HistoryMeter(Interceptor):
    """For a worker: `interceptors=[HistoryMeter()]`."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Counting(next)

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_TakingAlong(outbound))


class _TakingAlong(WorkflowOutboundInterceptor):
    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        length = workflow.info().get_current_history_length()
        taken = Payload(metadata={"encoding": b"json/plain"}, data=str(length).encode())
        input.headers = {**input.headers, HEADER: taken}
        return super().start_local_activity(input)


class _Counting(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        result = await super().execute_activity(input)
        taken = input.headers.get(HEADER)
        if taken is not None:
            HISTORY_EVENTS.of(workflow_type=activity.info().workflow_type or "").observe(int(taken.data))
        return result
