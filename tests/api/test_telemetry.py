"""What is noted of a request: the template of its route, never its address, never what was sent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, format_trace_id
from prometheus_client import generate_latest

from api.app import create_app
from clinical.people import Role
from services.telemetry.metrics import REGISTRY
from services.telemetry.tracing import Tracing
from tests.api.caller import Person, person
from tests.api.conftest import Clinic

SECRET = "Zimmerfeld-canary"


@dataclass(frozen=True)
class Watched:
    coordinator: Person
    spans: InMemorySpanExporter

    def last(self) -> ReadableSpan:
        return self.spans.get_finished_spans()[-1]


@pytest.fixture
def watched(clinic: Clinic) -> Watched:
    """The application with the spans of its requests as they are before anything is taken out."""
    spans = InMemorySpanExporter()
    tracing = Tracing("kap-api", "test", [SimpleSpanProcessor(spans)])
    app = create_app(replace(clinic.here, tracing=tracing))
    return Watched(person(app, Role.COORDINATOR), spans)


async def test_a_span_names_the_route_and_no_address(watched: Watched) -> None:
    for path in (f"/v1/patients/{SECRET}", f"/{SECRET}", f"/v1/tasks?site={SECRET}"):
        answer = await watched.coordinator.get(path)
        span = watched.last()
        assert span.context is not None
        assert format_trace_id(span.context.trace_id) == answer.headers["trace-id"]
        assert set(span.attributes or ()) == {
            "http.request.method",
            "http.route",
            "http.response.status_code",
        }
        assert SECRET not in span.to_json()
    assert SECRET.encode() not in generate_latest(REGISTRY)


async def test_what_nobody_foresaw_leaves_its_type(
    watched: Watched, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(clinic.here.queries, "patient", fails)
    answer = await watched.coordinator.get("/v1/patients/01HZZZZZZZZZZZZZZZZZZZZZZZ")
    span = watched.last()
    assert answer.status_code == 500
    assert (span.attributes or {})["error.type"] == "RuntimeError"
    assert span.status.status_code is StatusCode.ERROR
    assert SECRET not in span.to_json()


async def test_a_request_is_measured_once_under_its_route(watched: Watched) -> None:
    labels = {"http_request_method": "GET", "http_route": "/v1/tasks", "http_response_status_code": "200"}
    name = "http_server_request_duration_seconds_count"
    before = REGISTRY.get_sample_value(name, labels) or 0
    assert (await watched.coordinator.get("/v1/tasks")).status_code == 200
    assert REGISTRY.get_sample_value(name, labels) == before + 1
