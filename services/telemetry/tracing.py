"""How is one act followed through all processes? By one trace id: in the answer, in every log line, in every span.

The id goes along always. Spans are made and exported only where `KAP_OTLP_ENDPOINT` says so: what they may say is in
`services.telemetry.discreet`. A trace begins at our own door: what a caller sends along as a trace is not taken over,
because it would stand unencrypted in the engine's history.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.metrics import NoOpUpDownCounter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, Span, SpanKind, Tracer, TraceState, get_current_span
from opentelemetry.util.types import Attributes
from sqlalchemy import Engine
from temporalio.client import Interceptor

from services.database import Database
from services.settings import Settings
from services.telemetry.commands import CommandTracing

SCOPE = "kap"
EXPORT_WITHIN_S = 3.0
"""A process that ends waits no longer than that for a collector that is away."""


class Tracing:
    """The traces of one process. Without `processors` nothing is recorded, and ids go along all the same."""

    def __init__(self, service: str, build: str, processors: Sequence[SpanProcessor] = ()) -> None:
        self._recording = bool(processors)
        self._provider = TracerProvider(
            sampler=_OfActs() if processors else ALWAYS_OFF,
            resource=Resource({"service.name": service, "service.version": build}),
            shutdown_on_exit=False,  # processes end by end_process
        )
        for processor in processors:
            self._provider.add_span_processor(processor)
        self.tracer: Tracer = self._provider.get_tracer(SCOPE)

    @classmethod
    def from_settings(cls, settings: Settings, service: str) -> "Tracing":
        if settings.otlp_endpoint is None:
            return cls(service, settings.build)
        # Most processes export nothing: 60 ms of each start, with what the exporter brings along.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from services.telemetry.discreet import Discreet

        to = settings.otlp_endpoint.rstrip("/") + "/v1/traces"
        exporter = OTLPSpanExporter(endpoint=to, timeout=EXPORT_WITHIN_S)
        return cls(service, settings.build, [BatchSpanProcessor(Discreet(exporter))])

    def interceptor(self) -> Interceptor:
        """What a client of the engine, and the workers that use it, take along."""
        return CommandTracing(self.tracer, recording=self._recording)

    def of_statements(self, database: Database) -> Database:
        """A span for each statement of this database: its text, never its parameters."""
        if self._recording:
            database.look_at_engine(self._watch)
            database.watch_questions(self._span_of)
        return database

    def close(self) -> None:
        """Send what has not been sent."""
        self._provider.shutdown()

    def _span_of(self, statement: str, _: Mapping[str, Any]) -> AbstractContextManager[Span]:
        """As the watcher of the engine makes one of what SQLAlchemy sends."""
        words = {
            "db.system": "postgresql",
            "db.statement": statement,
            "db.operation": statement.split(None, 1)[0],
        }
        return self.tracer.start_as_current_span(
            words["db.operation"], kind=SpanKind.CLIENT, attributes=words, record_exception=False
        )

    def _watch(self, engine: Engine) -> None:
        from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer  # see from_settings

        EngineTracer(self.tracer, engine, NoOpUpDownCounter("unused"))  # type: ignore[no-untyped-call]


class _OfActs(Sampler):
    """Everything but statements that belong to nothing: those of the looks that are taken again and again."""

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        parent = get_current_span(parent_context).get_span_context()
        begins = kind is not SpanKind.CLIENT or ":" in name  # a call of the engine: "StartWorkflow:…"
        keep = parent.trace_flags.sampled if parent.is_valid else begins
        return SamplingResult(Decision.RECORD_AND_SAMPLE if keep else Decision.DROP, attributes)

    def get_description(self) -> str:
        return "acts"
