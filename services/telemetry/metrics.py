"""What is measured, under which names? The one registry of this system's own metrics.

Labels come from closed sets: whatever is in none of them counts as "other", so that no id, no name and no word of
anybody can become a label. All series of a set exist from the start, with 0: the first event after a start is seen.
Counted is what has happened (a fact after its commit, a request after its answer), never inside workflow code.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

from clinical.instruments.answers import RiskLevel
from clinical.journey import OPEN
from clinical.people import Role
from clinical.pre_dose_gate import Gate
from services.telemetry.names import (
    DECODINGS,
    METHODS,
    OTHER,
    OUTCOMES,
    REMINDERS,
    TEMPLATES,
    VERSION_STATUSES,
    WORKFLOW_TYPES,
)

disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

M = TypeVar("M", Counter, Gauge, Histogram)

SECONDS_OF_A_REQUEST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SECONDS_TO_TAKE_OVER = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
EVENTS = (25, 50, 100, 200, 400, 800, 1_600, 5_000, 10_240, 25_000, 51_200)
"""The engine warns at 10,240 events and refuses at 51,200; ours stay below 5,000, a tenth of that."""


class Closed(Generic[M]):
    """A metric whose labels have known values only. `of(…)` is the series of these values."""

    def __init__(self, metric: M, labels: Mapping[str, frozenset[str]]) -> None:
        self._metric: M = metric
        self._labels = labels
        combinations: list[dict[str, str]] = [{}]
        for name, values in labels.items():
            combinations = [{**one, name: value} for one in combinations for value in sorted(values)]
        for one in combinations:
            metric.labels(**one)

    def of(self, **given: str) -> M:
        closed = {
            name: given[name] if given[name] in values else OTHER for name, values in self._labels.items()
        }
        series: M = self._metric.labels(**closed)
        return series

    def each(self) -> Iterator[tuple[str, M]]:
        """The series of a metric with one label, by its values."""
        ((name, values),) = self._labels.items()
        for value in sorted(values):
            yield value, self._metric.labels(**{name: value})


def _set(values: Iterable[str]) -> frozenset[str]:
    return frozenset(str(value) for value in values)


def _counter(name: str, what: str, **labels: frozenset[str]) -> Closed[Counter]:
    return Closed(Counter(name, what, list(labels), registry=REGISTRY), labels)


def _gauge(name: str, what: str, **labels: frozenset[str]) -> Closed[Gauge]:
    return Closed(Gauge(name, what, list(labels), registry=REGISTRY), labels)


def _histogram(name: str, what: str, buckets: Iterable[float], **labels: frozenset[str]) -> Closed[Histogram]:
    return Closed(Histogram(name, what, list(labels), buckets=tuple(buckets), registry=REGISTRY), labels)


# What the record was told (services/records/tally.py).
GATE_BLOCKED = _counter(
    "kap_gate_blocked", "Gates that were closed when a dose was to start.", gate=_set(Gate)
)
RISK_ACK_DURATION = _histogram(
    "kap_risk_ack_duration_seconds",
    "From the opening of a risk case until a clinician has taken it over.",
    SECONDS_TO_TAKE_OVER,
    level=_set(RiskLevel),
)
RISK_ACKNOWLEDGED = _counter(
    "kap_risk_acknowledged", "Risk cases that were taken over.", in_time=frozenset({"true", "false"})
)
REMINDER_EXPIRED = _counter(
    "kap_reminder_expired", "Reminders that did not leave in time.", template=_set(REMINDERS)
)
MESSAGE_SETTLED = _counter(
    "kap_message_settled", "What became of messages.", template=_set(TEMPLATES), outcome=_set(OUTCOMES)
)
OBSERVATION_LATE = _counter(
    "kap_session_observation_late", "Alarms that a reading at the chair is late.", paged=_set(Role)
)
OBSERVATION_RECORDED = Counter(
    "kap_session_observation_recorded", "Readings at the chair; an amendment is none.", registry=REGISTRY
)
HISTORY_EVENTS = _histogram(
    "kap_journey_history_events",
    "Events in the history of a workflow's run, at each of its writes.",
    EVENTS,
    workflow_type=_set(WORKFLOW_TYPES),
)

# How it stands now (workers/census.py); every process that looks says the same: read them with max.
JOURNEY_ACTIVE = _gauge("kap_journey_active", "Courses that are open.", stage=_set(OPEN))
JOURNEY_ON_HOLD = Gauge("kap_journey_on_hold", "Open courses that are on hold.", registry=REGISTRY)
TASK_OPEN = _gauge("kap_task_open", "Tasks that wait for somebody.", owner=_set(Role))
TASK_OVERDUE = _gauge("kap_task_overdue", "Of these, those past their time.", owner=_set(Role))
RISK_OPEN = _gauge("kap_risk_open", "Risk cases that nobody has closed.", level=_set(RiskLevel))
RISK_UNACKNOWLEDGED = Gauge(
    "kap_risk_unacknowledged_late",
    "Risk cases that nobody has taken over, past their time.",
    registry=REGISTRY,
)
IN_CHAIR = Gauge("kap_session_in_chair", "People who had a dose and are not home.", registry=REGISTRY)
OBSERVATION_OVERDUE = Gauge(
    "kap_session_observation_overdue", "Of these, those whose reading is late now.", registry=REGISTRY
)
OUTBOX_LAG = Gauge(
    "kap_outbox_lag_seconds", "For how long the oldest event has waited to be published.", registry=REGISTRY
)
MESSAGE_OLDEST = Gauge(
    "kap_message_oldest_seconds",
    "For how long the oldest message that may leave has not left.",
    registry=REGISTRY,
)
CENSUS_AT = Gauge(
    "kap_census_timestamp_seconds", "When these were last counted (Unix time).", registry=REGISTRY
)

# What stands with old builds (workers/left_behind.py); read it with max as well.
VERSION_RUNS = _gauge(
    "kap_version_open_runs",
    "What still runs on builds of the workers that are given nothing new.",
    status=_set(VERSION_STATUSES),
)

# What each process sees from where it is (services/clock_watch.py).
CLOCK_OFFSET = Gauge(
    "kap_clock_offset_seconds",
    "By how much the database's clock is ahead of this machine's; NaN until it was looked at.",
    registry=REGISTRY,
)
CLOCK_OFFSET.set(math.nan)  # a process that never looks must not say that they agree

# What the API answered (api/telemetry.py). Names of OpenTelemetry's semantic conventions; a route is a template.
REQUEST_DURATION = Histogram(
    "http_server_request_duration_seconds",
    "From the first byte of a request to the last of its answer.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=SECONDS_OF_A_REQUEST,
    registry=REGISTRY,
)
CODEC_DECODED = _counter(
    "kap_codec_decoded",
    "What came of asking to read what the engine keeps encrypted (api/codec_endpoint.py).",
    outcome=_set(DECODINGS),
)
BUILD = Gauge("kap_build_info", "1 for each process; its release.", ["build"], registry=REGISTRY)


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """`route` must be the template of a route of ours, or a constant."""
    REQUEST_DURATION.labels(method if method in METHODS else OTHER, route, str(status)).observe(seconds)
