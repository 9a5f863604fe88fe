"""Do the manifests follow the published schemas, and is every process unprivileged, watched and scaled?"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from pydantic import SecretStr, ValidationError

from activities.queues import TaskQueue
from deploy.env_file import environment_of
from deploy.new_keys import keys
from services.settings import PREFIX, Settings
from tests.architecture.tree import ROOT
from tests.deploy.manifests import (
    CUSTOM,
    K8S,
    Document,
    can_be_run,
    documents,
    listed,
    name_of,
    of_kind,
    pod_of,
)

OLDEST, NEWEST = "1.31", "1.36"
BY_NAME = {name_of(one): one for one in documents()}


@pytest.mark.parametrize("document", documents(), ids=name_of)
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_document_follows_the_published_schema(document: Document, version: str) -> None:
    if document["kind"] in CUSTOM:
        CUSTOM[document["kind"]].model_validate(document)
    else:
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("name", ["Deployment/api", "ScaledObject/worker-journey", "ExternalSecret/kap"])
def test_a_word_that_no_schema_knows_is_found(name: str) -> None:
    document = {**BY_NAME[name], "spec": {**BY_NAME[name]["spec"], "replicaz": 2}}
    with pytest.raises((kubernetes_validate.ValidationError, ValidationError)):
        test_every_document_follows_the_published_schema(document, NEWEST)


def test_every_file_is_applied_once_and_every_name_is_one() -> None:
    beside = {
        K8S / "kustomization.yaml",
        K8S / "workers" / "kustomization.yaml",
        K8S / "workers" / "names.yaml",
    }
    assert sorted(listed()) == sorted(set(K8S.rglob("*.yaml")) - beside)
    assert len(BY_NAME) == len(documents())


@pytest.mark.parametrize("document", of_kind("Deployment", "Job"), ids=name_of)
def test_every_process_is_unprivileged_on_a_file_system_that_it_cannot_write(document: Document) -> None:
    pod = pod_of(document)
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] >= 10_000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"] and not pod["enableServiceLinks"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]
    assert container["image"] == "kap-engine"


@pytest.mark.parametrize("document", of_kind("Deployment"), ids=name_of)
def test_every_process_is_probed_kept_through_maintenance_and_more_than_one(document: Document) -> None:
    name, [container] = document["metadata"]["name"], pod_of(document)["containers"]
    ports = {port["name"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] in ports
    budget = BY_NAME[f"PodDisruptionBudget/{name}"]["spec"]
    assert budget["selector"] == document["spec"]["selector"] and budget["maxUnavailable"] == 1
    assert document["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert _fewest(name) >= 2


def _fewest(name: str) -> int:
    for scaler in of_kind("ScaledObject", "HorizontalPodAutoscaler"):
        if scaler["spec"]["scaleTargetRef"]["name"] == name:
            spec = scaler["spec"]
            return int(spec.get("minReplicaCount") or spec["minReplicas"])
    return int(BY_NAME[f"Deployment/{name}"]["spec"]["replicas"])


@pytest.mark.parametrize("document", of_kind("Deployment", "Job"), ids=name_of)
def test_every_command_is_a_module_that_can_be_run(document: Document) -> None:
    [container] = pod_of(document)["containers"]
    python, minus_m, module, *_ = container["command"]
    assert (python, minus_m) == ("python", "-m")
    assert can_be_run(module)


def test_every_queue_has_a_worker_that_grows_with_its_backlog() -> None:
    run = {queue: BY_NAME[f"Deployment/worker-{queue.removeprefix('kap-')}"] for queue in TaskQueue}
    for queue, worker in run.items():
        [container] = pod_of(worker)["containers"]
        assert container["command"][2:] == ["workers", "--queue", queue]
        scaler = BY_NAME[f"ScaledObject/{worker['metadata']['name']}"]["spec"]
        assert scaler["scaleTargetRef"]["name"] == worker["metadata"]["name"]
        [trigger] = scaler["triggers"]
        settings = BY_NAME["ConfigMap/kap-settings"]["data"]
        assert trigger["metadata"]["taskQueue"] == queue
        assert trigger["metadata"]["endpoint"] == settings["KAP_TEMPORAL_ADDRESS"]
        assert trigger["metadata"]["namespace"] == settings["KAP_TEMPORAL_NAMESPACE"]
        assert "TriggerAuthentication/" + trigger["authenticationRef"]["name"] in BY_NAME


def test_nothing_secret_stands_in_a_manifest_and_the_store_has_all_of_it() -> None:
    secret = {
        PREFIX + name.upper() for name, field in Settings.model_fields.items() if _is_secret(field.annotation)
    }
    secret |= {"KAP_DATABASE_URL"}
    written = set(BY_NAME["ConfigMap/kap-settings"]["data"])
    written |= {one["name"] for document in of_kind("Deployment", "Job") for one in _given(document)}
    assert not written & secret
    assert not of_kind("Secret")
    assert set(_from_store()) <= secret | {"KAP_SMTP_USERNAME"}


@pytest.mark.parametrize("document", of_kind("Deployment", "Job"), ids=name_of)
def test_every_process_gets_a_configuration_that_production_accepts(
    document: Document, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {**BY_NAME["ConfigMap/kap-settings"]["data"], **_from_store()}
    given |= {one["name"]: one["value"] for one in _given(document)} | {
        "KAP_BUILD": "0000000"
    }  # the image's own
    for name in ("KAP_TEMPORAL_CLIENT_CERT", "KAP_TEMPORAL_CLIENT_KEY"):
        file = Path(given[name])
        [mount] = [
            one for one in pod_of(document)["containers"][0]["volumeMounts"] if one["name"] == "temporal"
        ]
        assert str(file.parent) == mount["mountPath"]
        given[name] = str(tmp_path / file.name)
        Path(given[name]).write_text("")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment().in_production


def test_nobody_speaks_to_anybody_unless_a_policy_says_so() -> None:
    everybody = BY_NAME["NetworkPolicy/nobody"]["spec"]
    assert everybody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    apps = {one["metadata"]["name"] for one in of_kind("Deployment")}
    for policy in of_kind("NetworkPolicy"):
        for chosen in policy["spec"]["podSelector"].get("matchExpressions", []):
            assert (chosen["key"], set(chosen["values"]) - apps) == ("app", set())
        for rule in [*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])]:
            assert rule["ports"] and (rule.get("from") or rule.get("to"))


def _given(document: Document) -> list[dict[str, str]]:
    env: list[dict[str, str]] = pod_of(document)["containers"][0].get("env", [])
    return env


def _from_store() -> dict[str, str]:
    """What the operator makes of the store's entry, with keys as `./dev keys` makes them."""
    [spec] = [one["spec"] for one in of_kind("ExternalSecret") if one["metadata"]["name"] == "kap"]
    names = [one["secretKey"] for one in spec["data"]]
    assert names == [one["remoteRef"]["property"] for one in spec["data"]]
    known = {
        **environment_of((ROOT / "deploy" / "env.example").read_text()),
        **keys(),
        "KAP_DATABASE_URL": "postgresql+psycopg://kap:hunter2@db.example.org/kap?sslmode=verify-full",
    }
    return {name: known.get(name, "something") for name in names}


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))
