"""What does a registry of metrics say now? By the name of a series and its labels."""

from services.telemetry.metrics import REGISTRY


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, labels)
    assert found is not None, f"no series {name} {labels}"
    return found


def total(name: str) -> float:
    """Over all labels."""
    return sum(
        sample.value for metric in REGISTRY.collect() for sample in metric.samples if sample.name == name
    )
