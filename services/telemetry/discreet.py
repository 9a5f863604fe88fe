"""What may a span say when it leaves? Default-deny: listed attributes, no words of an exception.

Messages of exceptions and texts of a status repeat data. Of an exception only the type is kept; an attribute that is
not on the list, or whose value is no code, does not leave.
"""

import re
from collections.abc import Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from opentelemetry.util.types import Attributes, AttributeValue

CODES = frozenset(
    {
        *("http.request.method", "http.route", "http.response.status_code", "error.type"),
        *("temporalWorkflowID", "temporalRunID", "temporalActivityID"),
        *("db.system", "db.name", "db.operation", "exception.type"),
    }
)
STATEMENT = "db.statement"
"""Texts of our own code with places for parameters."""

CODE = re.compile(r"[\w.:/+{} @=<>-]{0,200}", re.ASCII)


class Discreet(SpanExporter):
    """Hands on what may leave."""

    def __init__(self, onward: SpanExporter) -> None:
        self._onward = onward

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._onward.export([discreet(span) for span in spans])

    def shutdown(self) -> None:
        self._onward.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._onward.force_flush(timeout_millis)


def discreet(span: ReadableSpan) -> ReadableSpan:
    """The same span without what might be about somebody."""
    return ReadableSpan(
        name=span.name if CODE.fullmatch(span.name) else "withheld",
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_listed(span.attributes),
        events=[Event(event.name, _listed(event.attributes), event.timestamp) for event in span.events],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _listed(given: Attributes) -> dict[str, AttributeValue]:
    return {name: value for name, value in (given or {}).items() if _may_leave(name, value)}


def _may_leave(name: str, value: AttributeValue) -> bool:
    if name == STATEMENT:
        return True
    if name not in CODES:
        return False
    return isinstance(value, int) or (isinstance(value, str) and CODE.fullmatch(value) is not None)
