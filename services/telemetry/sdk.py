"""Where does the engine's SDK put its own metrics? At a Prometheus endpoint of its own, if a port is set.

Requests to the engine, polls, slots, how long tasks waited and took: https://docs.temporal.io/references/sdk-metrics.
Names carry their unit (`temporal_…_seconds`) and counters end in `_total`.
"""

from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from services.settings import Settings


def runtime_of(settings: Settings) -> Runtime | None:
    """The runtime of this process, to be made once; None: the SDK's own, which measures nothing."""
    if settings.sdk_metrics_port is None:
        return None
    return runtime_at(f"{settings.probed_at}:{settings.sdk_metrics_port}")


def runtime_at(address: str) -> Runtime:
    endpoint = PrometheusConfig(
        bind_address=address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
    return Runtime(telemetry=TelemetryConfig(metrics=endpoint))
