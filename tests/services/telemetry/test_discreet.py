"""Does a span leave without what may be about somebody?"""

import json

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from services.telemetry.discreet import Discreet

SECRET = "Zimmerfeld-canary"


def test_words_of_an_exception_stay_here_and_its_type_leaves() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Discreet(exporter)))
    with provider.get_tracer("test").start_as_current_span("RunActivity:record_facts") as span:
        span.set_attribute("temporalWorkflowID", "journey/site-a/1")
        span.set_attribute("http.response.status_code", 500)
        span.set_attribute("error.type", f"{SECRET}\n")
        span.set_attribute("url.path", f"/{SECRET}")
        span.set_attribute("db.statement", "SELECT %(name)s")
        span.record_exception(ValueError(SECRET))
        span.set_status(StatusCode.ERROR, SECRET)
    (left,) = exporter.get_finished_spans()
    told = json.loads(left.to_json())
    assert SECRET not in left.to_json()
    assert told["attributes"] == {
        "temporalWorkflowID": "journey/site-a/1",
        "http.response.status_code": 500,
        "db.statement": "SELECT %(name)s",
    }
    assert [event["attributes"] for event in told["events"]] == [{"exception.type": "ValueError"}]
    assert told["status"] == {"status_code": "ERROR"}


def test_a_name_that_is_no_name_of_ours_does_not_leave() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Discreet(exporter)))
    provider.get_tracer("test").start_span("Zoë & friends").end()
    assert [span.name for span in exporter.get_finished_spans()] == ["withheld"]
