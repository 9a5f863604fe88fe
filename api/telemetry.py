"""What is noted about each request? One line, and never anything that was sent.

The outermost layer of the application: gives the request a trace id, measures it, writes method, route
template, status and duration, sets the headers that keep answers out of caches, and turns a failure that
nobody foresaw into a problem.
"""

import time
import uuid
from typing import Any

import structlog
from opentelemetry import trace
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem_of, problem_response

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}

_log = structlog.get_logger(__name__)


class RequestLog:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        trace_id = scope.setdefault("state", {})["trace_id"] = _trace_id()
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
            if status:  # half an answer is out: the connection must break, not look complete
                raise
            problem = problem_of(error)
            await problem_response(problem, scope["path"], trace_id)(scope, receive, noting)
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            _log.info("request", status=status, duration_ms=milliseconds, trace_id=trace_id, **_about(scope))


def _about(scope: Scope) -> dict[str, Any]:
    route = scope.get("route")
    caller = scope.get("state", {}).get("caller")
    about = {"method": scope["method"], "route": getattr(route, "path", "unmatched")}
    if caller is not None:
        about |= {"actor_id": caller.principal.id, "actor_role": str(caller.role)}
    return about


def _trace_id() -> str:
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else uuid.uuid4().hex
