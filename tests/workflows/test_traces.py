"""Is one command one trace, from the request over the workflow to each statement, and no replay doubles anything?

The workers of this file forget every workflow after each of its tasks, so that everything is replayed all the time.
Where tests are dealt to several processes, one may begin this file twice, on the same engine with another database:
then it is another course, and nothing that others left behind comes into it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, format_trace_id
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowUpdateWithStartInput,
    WorkflowUpdateHandle,
)
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.queues import TaskQueue
from api.app import compose as compose_api
from api.app import create_app
from api.engine import TemporalEngine
from clinical.people import Role
from deploy.postgres import PostgresServer
from services.database import Database
from services.identifiers import new_id
from services.protocols import load_protocol
from services.records.sql import SqlRecords
from services.telemetry.history import HistoryMeter
from services.telemetry.tracing import Tracing
from tests.api.caller import ISSUER, SITE, Person, person, verifier
from tests.api.conftest import PATIENT
from tests.services.settings_builder import some_settings
from tests.services.telemetry.series import total
from tests.workflows.clinic import a_database
from workers.registry import WORKFLOWS, compose
from workers.sandbox import runner

CALLERS = "ab" * 16
PATIENCE = timedelta(minutes=2)
"""A busy machine is no failure; and a task that the engine takes for lost is done again, which is no replay."""


class Patient(Interceptor):
    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Patient(next)


class _Patient(OutboundInterceptor):
    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        input.start_workflow_input.task_timeout = PATIENCE
        return await super().start_update_with_start_workflow(input)


@dataclass(frozen=True)
class Traced:
    coordinator: Person
    client: Client
    spans: InMemorySpanExporter

    def of_course(self, journey_id: str) -> list[ReadableSpan]:
        """What its workflow did; the requests to it are not among them."""
        finished = self.spans.get_finished_spans()
        return [one for one in finished if (one.attributes or {}).get("temporalWorkflowID") == journey_id]

    def of_trace(self, trace_id: str) -> list[ReadableSpan]:
        return [one for one in self.spans.get_finished_spans() if _trace(one) == trace_id]


@pytest.fixture(scope="module")
async def traced(
    temporal_environment: WorkflowEnvironment, postgres: PostgresServer, database_template: str
) -> AsyncIterator[Traced]:
    """The real API, workers and database, in one process; what leaves of the spans is kept."""
    spans = InMemorySpanExporter()
    tracing = Tracing("kap-test", "test", [SimpleSpanProcessor(spans)])
    known = temporal_environment.client.config()
    client = Client(**(known | {"interceptors": [tracing.interceptor(), Patient()]}))
    queue = f"{TaskQueue.JOURNEY}-{new_id()}"

    async def connected() -> Client:
        return client

    with a_database(postgres, database_template) as url:
        settings = some_settings(database_url=url, issuer_url=ISSUER)
        database = tracing.of_statements(Database(url))
        composed = compose_api(settings, tracing)
        assert isinstance(composed.records, SqlRecords)
        await composed.records.publish_protocol(load_protocol("iv-racemic"), SITE)
        here = replace(composed, tokens=verifier(), engine=TemporalEngine(connected, PATIENCE, queue))
        forgetful = Worker(
            client,
            task_queue=queue,
            workflows=WORKFLOWS,
            activities=compose(settings, database).of(TaskQueue.JOURNEY),
            workflow_runner=runner(),
            interceptors=[HistoryMeter()],
            max_cached_workflows=0,
        )
        async with forgetful:
            yield Traced(person(create_app(here), Role.COORDINATOR), client, spans)
        await here.close()
        await database.dispose()


@dataclass(frozen=True)
class Told:
    """A course that began, and a consultation that was booked in it."""

    journey_id: str
    started: str
    booked: str


@pytest.fixture(scope="module")
async def told(traced: Traced) -> Told:
    return await tell(traced)


async def tell(traced: Traced) -> Told:
    """Under keys that nobody had before: a course is named by the key that it was begun with."""
    registered = await traced.coordinator.post("/v1/patients", PATIENT | {"confirm_new": True})
    patient = {"site": SITE, "patient_id": registered.json()["patient_id"]}
    start = patient | {"indication": "major-depressive-disorder"}
    begun = await traced.coordinator.post("/v1/journeys", start, key=f"begin-{new_id()}")
    assert begun.status_code == 201, begun.text
    course = begun.json()["href"]
    starts = datetime.now(UTC) + timedelta(days=2)
    slot = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
    booked = await traced.coordinator.post(
        f"{course}/consultation", slot, key="book", traceparent=f"00-{CALLERS}-{'cd' * 8}-01"
    )
    assert booked.status_code < 300, booked.text
    journey_id = course.removeprefix("/v1/journeys/")
    return Told(f"journey/{journey_id}", begun.headers["trace-id"], booked.headers["trace-id"])


def test_a_command_is_one_trace_down_to_its_statements(traced: Traced, told: Told) -> None:
    spans = traced.of_trace(told.booked)
    parents = {span.context.span_id: span for span in spans if span.context is not None}
    inserts = [
        span for span in spans if span.name.startswith("INSERT") and "journey_entry" in _statement(span)
    ]
    assert inserts
    ways = [list(way_of(span, parents)) for span in inserts]
    for way in ways:
        assert [span.name for span in way] == [
            "RunActivity:record_facts",
            "StartActivity:record_facts",
            "StartWorkflowUpdate:book_consultation",
            "POST /v1/journeys/{site}/{ulid}/consultation",
        ]
    # What the command set off is one write, though a busy machine may have tried it twice.
    assert len({span.context.span_id for _, span, *_ in ways if span.context is not None}) == 1
    at = ways[0][-1]
    assert at.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/journeys/{site}/{ulid}/consultation",
        "http.response.status_code": 200,
    }


def test_the_trace_of_a_caller_is_not_taken_over(traced: Traced, told: Told) -> None:
    assert told.booked != CALLERS
    assert traced.of_trace(CALLERS) == []


def test_a_replay_makes_no_span_and_counts_nothing_again(traced: Traced, told: Told) -> None:
    handled = Counter(span.name for span in traced.of_course(told.journey_id))
    assert handled["RunWorkflow:PatientJourney"] == handled["HandleUpdate:start"] == 1
    assert handled["HandleUpdate:book_consultation"] == 1
    # A write that the engine had done again, because its workflow task was lost, was really done again.
    assert handled["RunActivity:record_facts"] >= handled["StartActivity:record_facts"] >= 3
    assert Counter(span.name for span in traced.of_trace(told.booked))["StartActivity:record_facts"] == 1


def test_each_write_told_how_long_the_history_was(traced: Traced, told: Told) -> None:
    written = [
        span
        for span in traced.of_course(told.journey_id)
        if span.name == "RunActivity:record_facts" and span.status.status_code is not StatusCode.ERROR
    ]
    assert written
    assert total("kap_journey_history_events_count") >= len(written)
    assert total("kap_journey_history_events_sum") > total("kap_journey_history_events_count")


async def test_the_engine_keeps_the_trace_and_no_more_events(traced: Traced, told: Told) -> None:
    history = await traced.client.get_workflow_handle(told.journey_id).fetch_history()
    headers = [
        event.workflow_execution_update_accepted_event_attributes.accepted_request.input.header.fields
        for event in history.events
        if event.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    assert len(headers) == 2
    for header, trace_id in zip(headers, (told.started, told.booked), strict=True):
        assert list(header) == ["_tracer-data"]
        carried = json.loads(header["_tracer-data"].data)
        assert list(carried) == ["traceparent"]
        assert trace_id in carried["traceparent"]


def test_what_belongs_to_no_act_makes_no_trace(traced: Traced) -> None:
    for span in traced.spans.get_finished_spans():
        if span.parent is None:
            assert not span.attributes or "db.statement" not in span.attributes, span.name


async def test_whoever_begins_again_begins_another_course(traced: Traced, told: Told) -> None:
    again = await tell(traced)
    assert (again.journey_id != told.journey_id, again.started != told.started) == (True, True)
    for one in (told, again):
        handled = Counter(span.name for span in traced.of_course(one.journey_id))
        assert (handled["RunWorkflow:PatientJourney"], handled["HandleUpdate:start"]) == (1, 1)


def way_of(span: ReadableSpan, parents: Mapping[int, ReadableSpan]) -> Iterator[ReadableSpan]:
    """From what set it off to where that began."""
    while span.parent is not None:
        span = parents[span.parent.span_id]
        yield span


def _trace(span: ReadableSpan) -> str:
    assert span.context is not None
    return format_trace_id(span.context.trace_id)


def _statement(span: ReadableSpan) -> str:
    return str((span.attributes or {}).get("db.statement", ""))
