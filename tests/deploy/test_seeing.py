"""Can everything that the alerts and dashboards name be seen, and does every alert have its page?"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from temporalio.client import Client
from temporalio.worker import Worker

from deploy.ports import free_port
from services.telemetry.metrics import REGISTRY
from services.telemetry.sdk import runtime_at
from tests.architecture.tree import ROOT
from tests.deploy.promql import ALERTS, DASHBOARDS, Named, alerts, expressions, panels, rules, selectors
from tests.deploy.stumbling import Stumbling, act

RUNBOOK = ROOT / "deploy" / "runbook.md"
TESTS = sorted((ROOT / "tests" / "deploy" / "alerts").glob("*.yaml"))
PARTS = ("**What it means.**", "**How to see.**", "**What to do.**")
OF_PROMETHEUS = {"job", "instance"}


@pytest.fixture(scope="module")
async def of_the_sdk(temporal_client: Client) -> list[Sample]:
    """What a worker's own endpoint really says, after a task that failed, a write and an act."""
    port = free_port()
    known = temporal_client.config()
    client = await Client.connect(
        temporal_client.service_client.config.target_host,
        namespace=known["namespace"],
        data_converter=known["data_converter"],
        runtime=runtime_at(f"127.0.0.1:{port}"),
    )
    async with Worker(client, task_queue="stumbling", workflows=[Stumbling], activities=[act]):
        await client.execute_workflow(Stumbling.run, id="stumbling", task_queue="stumbling")
        async with httpx2.AsyncClient() as http:
            text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def _ours() -> Iterator[Sample]:
    """Every series of the registry; of one that has none yet, its names."""
    suffixes = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}
    for family in REGISTRY.collect():
        yield from family.samples
        yield from (Sample(family.name + end, {}, 0) for end in suffixes.get(family.type, ("",)))


@pytest.fixture(scope="module")
def series(of_the_sdk: list[Sample]) -> dict[str, list[dict[str, str]]]:
    """Every series that can be seen, by its name: the labels it has."""
    recorded = [Sample(rule["record"], rule.get("labels", {}), 0) for _, rule in rules() if "record" in rule]
    derived = [
        Sample(s.name.replace("ratio", "rate").replace("errors", "burn"), s.labels, 0) for s in recorded
    ]
    seen: dict[str, list[dict[str, str]]] = {"up": [{"job": "kap-api"}]}
    for sample in [*_ours(), *of_the_sdk, *recorded, *derived]:
        seen.setdefault(sample.name, []).append(sample.labels)
    return seen


NAMED = [named for where, text in expressions() for named in selectors(where, text)]


def test_the_expressions_were_read() -> None:
    names = {named.metric for named in NAMED}
    assert {"kap_risk_unacknowledged_late", "temporal_num_pollers", "kap:slo_burn:rate_5m", "up"} <= names
    (one,) = selectors("here", 'sum by (le) (rate(a_total{paged="nurse",le="1.0"}[5m])) > bool 3')
    assert one == Named("here", "a_total", {"paged": ("nurse",), "le": ("1.0",)})


def test_every_metric_that_is_named_exists(series: dict[str, list[dict[str, str]]]) -> None:
    assert {f"{named.where}: {named.metric}" for named in NAMED if named.metric not in series} == set()


def test_every_label_that_is_asked_by_exists(series: dict[str, list[dict[str, str]]]) -> None:
    """A label, or a value of a closed set, that no series has would silence an alert for ever."""
    unknown = []
    for named in NAMED:
        known = [labels for labels in series.get(named.metric, []) if labels]
        for label, values in named.labels.items():
            if label in OF_PROMETHEUS or not known or label.startswith("http_"):
                continue
            seen = {labels[label] for labels in known if label in labels}
            if not seen or (label != "task_queue" and not set(values) <= seen):
                unknown.append(f"{named.where}: {named.metric}{{{label}={values}}}")
    assert unknown == []


def test_labels_of_requests_are_named_as_they_are() -> None:
    from services.telemetry.metrics import REQUEST_DURATION

    asked = {label for named in NAMED for label in named.labels if label.startswith("http_")}
    assert asked <= set(REQUEST_DURATION._labelnames)
    bounds = {str(bound) for bound in REQUEST_DURATION._upper_bounds}
    assert {v for n in NAMED if n.metric.startswith("http_") for v in n.labels.get("le", ())} <= bounds


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    pages = dict(re.findall(r"^## (\w+)$\n(.*?)(?=^#|\Z)", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL))
    assert set(pages) == {alert["alert"] for alert in alerts()}
    for name, page in pages.items():
        places = [page.find(part) for part in PARTS]
        assert places == sorted(places) and places[0] >= 0, f"{name}: {PARTS}"
    for alert in alerts():
        assert alert["annotations"]["runbook_url"] == f"deploy/runbook.md#{alert['alert'].lower()}"
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert alert["annotations"]["summary"]


def test_every_alert_is_tried() -> None:
    tried = "".join(path.read_text() for path in TESTS)
    assert [alert["alert"] for alert in alerts() if alert["alert"] not in tried] == []


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_can_be_imported(dashboard: Path) -> None:
    content = json.loads(dashboard.read_text())
    assert {"uid", "title", "panels", "schemaVersion", "templating"} <= content.keys()
    ids = [panel["id"] for panel in panels(dashboard)]
    assert len(ids) == len(set(ids)) >= 5
    for panel in panels(dashboard):
        assert panel["datasource"]["uid"] == "${datasource}"
        assert {"x", "y", "w", "h"} == panel["gridPos"].keys()
        assert panel["targets"] and panel["title"]


@pytest.fixture(scope="module")
def promtool() -> str:
    """Debian's package `prometheus` has it; .ci/run installs that."""
    found = shutil.which("promtool")
    if found is None:
        assert "NOTHING_IS_SKIPPED" not in os.environ, "promtool is missing: apt-get install prometheus"
        pytest.skip("promtool (apt-get install prometheus) is not here: rules are not tried")
    return found


def _says(promtool: str, *arguments: str | Path) -> str:
    done = subprocess.run([promtool, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules_and_its_configuration(promtool: str) -> None:
    assert "SUCCESS" in _says(promtool, "check", "rules", *ALERTS)
    said = _says(promtool, "check", "config", ROOT / "deploy" / "prometheus.yml")
    assert f"{len(ALERTS)} rule files found" in said


def test_prometheus_takes_every_expression_of_the_dashboards(promtool: str, tmp_path: Path) -> None:
    shown = [text for where, text in expressions() if where.split(":")[0].endswith(".json")]
    listed = [{"record": f"shown:{number}", "expr": text} for number, text in enumerate(shown)]
    (tmp_path / "shown.yaml").write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": listed}]}))
    assert f"SUCCESS: {len(shown)} rules found" in _says(promtool, "check", "rules", tmp_path / "shown.yaml")


def test_alerts_fire_when_they_should_and_not_else(promtool: str) -> None:
    _says(promtool, "test", "rules", *TESTS)
