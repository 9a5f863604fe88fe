"""What is noted about each request? One line, one span, one measurement, and never anything that was sent.

The outermost layer of the application: begins the trace of the request, measures it, notes method, route
template, status and duration, sets the headers that keep answers out of caches, and turns a failure that
nobody foresaw into a problem. The framework's own telemetry is off: it would note addresses and queries.
"""

import time
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem_of, problem_response
from services.telemetry.metrics import observe_request
from services.telemetry.names import METHODS, OTHER

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}

_log = structlog.get_logger(__name__)


class RequestLog:
    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        span = self._tracer.start_span("request", kind=SpanKind.SERVER)
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            await self._answer(scope, receive, send, span)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, span: Span) -> None:
        trace_id = trace.format_trace_id(span.get_span_context().trace_id)
        scope.setdefault("state", {})["trace_id"] = trace_id
        status = 0
        started = time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["Trace-Id"] = trace_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            _log.exception("request failed", trace_id=trace_id, **_about(scope))
            span.set_attribute("error.type", type(error).__name__)
            if status:  # half an answer is out: the connection must break, not look complete
                raise
            problem = problem_of(error)
            await problem_response(problem, scope["path"], trace_id)(scope, receive, noting)
        finally:
            seconds = time.perf_counter() - started
            about = _about(scope)
            _note(span, about["route"], scope["method"], status, seconds)
            _log.info(
                "request", status=status, duration_ms=round(seconds * 1000, 1), trace_id=trace_id, **about
            )


def _note(span: Span, route: str, given: str, status: int, seconds: float) -> None:
    """The same names in the span and in the measurement: those of OpenTelemetry's semantic conventions."""
    observe_request(given, route, status, seconds)
    if not span.is_recording():
        return
    method = given if given in METHODS else OTHER
    span.update_name(f"{method} {route}")
    span.set_attributes(
        {"http.request.method": method, "http.route": route, "http.response.status_code": status}
    )
    if status >= 500 or not status:
        span.set_status(StatusCode.ERROR)


def _about(scope: Scope) -> dict[str, Any]:
    route = scope.get("route")
    caller = scope.get("state", {}).get("caller")
    about = {"method": scope["method"], "route": getattr(route, "path", "unmatched")}
    if caller is not None:
        about |= {"actor_id": caller.principal.id, "actor_role": str(caller.role)}
    return about
