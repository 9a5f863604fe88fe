"""How does a trace go through the engine? With the command: request, update, what it writes, each statement.

The SDK's own interceptor puts everything a workflow ever does into the trace of whoever started it, a year ago perhaps,
and only links a command to it. Here a command's handler, and all it sets off, belongs to the trace of the command
(`workflows/journal.py` writes in the context of whoever noted first). What a timer sets off stays with the start.

Spans of workflows are made while they run, never in a replay. The trace goes along as a header, `traceparent` and
nothing else; it adds no event to a history.
"""

from contextvars import ContextVar
from typing import Any

from opentelemetry.trace import Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio.contrib.opentelemetry import TracingInterceptor, TracingWorkflowInboundInterceptor
from temporalio.worker import (
    HandleSignalInput,
    HandleUpdateInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

Carrier = dict[str, Any]

HEADER = "_tracer-data"
TRACEPARENT_ONLY = TraceContextTextMapPropagator()

_cause: ContextVar[Carrier | None] = ContextVar("kap_trace_of_the_command", default=None)


class CommandTracing(TracingInterceptor):
    """For `Client.connect(interceptors=[…])`: client calls and, through the client, its workers."""

    def __init__(self, tracer: Tracer, *, recording: bool) -> None:
        super().__init__(tracer)
        self.text_map_propagator = TRACEPARENT_ONLY
        self._recording = recording

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[TracingWorkflowInboundInterceptor]:
        super().workflow_interceptor_class(input)
        return _Recording if self._recording else _Passing


class _Recording(TracingWorkflowInboundInterceptor):
    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        super().__init__(next)
        self.text_map_propagator = TRACEPARENT_ONLY

    async def handle_signal(self, input: HandleSignalInput) -> None:
        _cause.set(self._carried_by(input))
        await super().handle_signal(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        _cause.set(self._carried_by(input))
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        _cause.set(self._carried_by(input))
        return await super().handle_update_handler(input)

    def _carried_by(self, input: HandleSignalInput | HandleUpdateInput) -> Carrier | None:
        header = input.headers.get(HEADER)
        return None if header is None else self.payload_converter.from_payloads([header])[0]

    def _load_workflow_context_carrier(self) -> Carrier | None:
        """The SDK asks in whose trace this handler runs; each handler is a task of its own."""
        return _cause.get() or super()._load_workflow_context_carrier()


class _Passing(_Recording):
    """Nobody records: the trace goes along without a span for each step."""

    def _completed_span(self, span_name: str, **given: Any) -> None:
        outbound = given.get("add_to_outbound")
        if outbound is not None:
            outbound.headers = self._context_to_headers(outbound.headers)
