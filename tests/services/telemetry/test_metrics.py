"""Do labels come from closed sets, and can a process be asked for its metrics?"""

import httpx2

from services.notifications.interface import SendReason, TemplateName
from services.telemetry import metrics
from services.telemetry.endpoint import MetricsEndpoint
from services.telemetry.metrics import REGISTRY, observe_request
from services.telemetry.names import (
    METHODS,
    OTHER,
    REMINDERS,
    TEMPLATES,
    TOO_LATE,
    VERSION_STATUSES,
    WORKFLOW_TYPES,
)
from tests.services.settings_builder import some_settings
from tests.services.telemetry.series import total, value
from workers.left_behind import STATUSES
from workers.registry import WORKFLOWS

OF_PEOPLE = ("patient", "journey_id", "case", "name", "actor", "site", "trace")


def test_the_closed_sets_are_those_of_the_code() -> None:
    assert set(TemplateName) == TEMPLATES
    assert set(WORKFLOW_TYPES) == {workflow.__name__ for workflow in WORKFLOWS}
    assert REMINDERS < TEMPLATES
    assert set(VERSION_STATUSES) == set(STATUSES)
    assert TOO_LATE - {"undeliverable"} <= set(SendReason)


def test_what_is_in_no_set_counts_as_other() -> None:
    before = total("kap_gate_blocked_total")
    metrics.GATE_BLOCKED.of(gate="Ada Example").inc()
    assert value("kap_gate_blocked_total", gate=OTHER) >= 1
    assert total("kap_gate_blocked_total") == before + 1
    observe_request("QUILLON", "unmatched", 404, 0.1)
    methods = {
        sample.labels["http_request_method"]
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if "http_request_method" in sample.labels
    }
    assert methods <= METHODS | {OTHER}


def test_every_series_of_a_closed_set_is_there_from_the_start() -> None:
    assert value("kap_gate_blocked_total", gate="G16") >= 0
    assert value("kap_risk_acknowledged_total", in_time="false") >= 0
    assert value("kap_journey_active", stage="treating") >= 0


def test_no_label_is_about_a_person() -> None:
    labels = {name for metric in REGISTRY.collect() for sample in metric.samples for name in sample.labels}
    assert labels
    assert not {label for label in labels if any(word in label for word in OF_PEOPLE)}


async def test_a_process_serves_its_metrics_at_a_port_of_its_own() -> None:
    with MetricsEndpoint(some_settings(metrics_port=0, build="7")) as endpoint:
        async with httpx2.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{endpoint.port}/metrics")
    assert 'kap_build_info{build="7"} 1.0' in answer.text
    assert "kap_outbox_lag_seconds" in answer.text


def test_without_a_port_nothing_is_served() -> None:
    with MetricsEndpoint(some_settings()) as endpoint:
        assert endpoint.port is None
