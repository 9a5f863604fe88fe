"""What do the Kubernetes manifests say? Every document of `deploy/k8s`, as its kustomizations list them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from tests.architecture.tree import ROOT

K8S = ROOT / "deploy" / "k8s"
Document = dict[str, Any]


def listed(folder: Path = K8S) -> Iterator[Path]:
    """The files that `kubectl apply --kustomize` reads."""
    for name in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]:
        if (folder / name).is_dir():
            yield from listed(folder / name)
        else:
            yield folder / name


def documents() -> list[Document]:
    return [one for path in listed() for one in yaml.safe_load_all(path.read_text())]


def of_kind(*kinds: str) -> list[Document]:
    return [one for one in documents() if one["kind"] in kinds]


def name_of(document: Document) -> str:
    return f"{document['kind']}/{document['metadata']['name']}"


def pod_of(document: Document) -> dict[str, Any]:
    pod: dict[str, Any] = document["spec"]["template"]["spec"]
    return pod


def can_be_run(module: str) -> bool:
    """Does `python -m MODULE` do something?"""
    found = importlib.util.find_spec(module)
    if found is None:
        return False
    return not found.submodule_search_locations or importlib.util.find_spec(f"{module}.__main__") is not None


class _Strict(BaseModel):
    """By hand after the published definitions: KEDA's scaledobjects and triggerauthentications (keda.sh/v1alpha1),
    its temporal scaler, and External Secrets' externalsecrets (external-secrets.io/v1)."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Named(_Strict):
    name: str
    namespace: Literal["kap"]


class Target(_Strict):
    kind: Literal["Deployment"]
    name: str


class Fallback(_Strict):
    failureThreshold: int = Field(ge=0)  # noqa: N815  # as Kubernetes spells it
    replicas: int = Field(ge=0)


class Backlog(_Strict):
    """Values are strings: the scaler reads them from annotations."""

    endpoint: str = Field(pattern=r"^[\w.-]+:\d+$")
    namespace: str
    taskQueue: str  # noqa: N815
    queueTypes: str = Field(pattern=r"^(workflow|activity|nexus)(,(workflow|activity|nexus))*$")  # noqa: N815
    targetQueueSize: str = Field(pattern=r"^\d+$")  # noqa: N815
    workerDeploymentName: str  # noqa: N815
    workerDeploymentBuildId: str  # noqa: N815


class Reference(_Strict):
    name: str


class Trigger(_Strict):
    type: Literal["temporal"]
    metadata: Backlog
    authenticationRef: Reference  # noqa: N815


class ScaledObjectSpec(_Strict):
    scaleTargetRef: Target  # noqa: N815
    minReplicaCount: int = Field(ge=0)  # noqa: N815
    maxReplicaCount: int = Field(ge=1)  # noqa: N815
    pollingInterval: int = Field(ge=1)  # noqa: N815
    cooldownPeriod: int = Field(ge=1)  # noqa: N815
    fallback: Fallback
    triggers: list[Trigger] = Field(min_length=1)


class ScaledObject(_Strict):
    apiVersion: Literal["keda.sh/v1alpha1"]  # noqa: N815
    kind: Literal["ScaledObject"]
    metadata: Named
    spec: ScaledObjectSpec


class FromSecret(_Strict):
    parameter: Literal["apiKey", "cert", "key", "ca", "keyPassword"]
    name: str
    key: str


class SecretTargets(_Strict):
    secretTargetRef: list[FromSecret]  # noqa: N815


class TriggerAuthentication(_Strict):
    apiVersion: Literal["keda.sh/v1alpha1"]  # noqa: N815
    kind: Literal["TriggerAuthentication"]
    metadata: Named
    spec: SecretTargets


class Store(_Strict):
    kind: Literal["SecretStore", "ClusterSecretStore"]
    name: str


class Template(_Strict):
    type: str


class SecretTarget(_Strict):
    name: str
    creationPolicy: Literal["Owner", "Orphan", "Merge", "None"]  # noqa: N815
    deletionPolicy: Literal["Delete", "Merge", "Retain"]  # noqa: N815
    template: Template | None = None


class Remote(_Strict):
    key: str
    property: str


class Datum(_Strict):
    secretKey: str  # noqa: N815
    remoteRef: Remote  # noqa: N815


class ExternalSecretSpec(_Strict):
    refreshInterval: str = Field(pattern=r"^\d+(s|m|h)$")  # noqa: N815
    secretStoreRef: Store  # noqa: N815
    target: SecretTarget
    data: list[Datum] = Field(min_length=1)


class ExternalSecret(_Strict):
    apiVersion: Literal["external-secrets.io/v1"]  # noqa: N815
    kind: Literal["ExternalSecret"]
    metadata: Named
    spec: ExternalSecretSpec


CUSTOM: dict[str, type[BaseModel]] = {
    "ScaledObject": ScaledObject,
    "TriggerAuthentication": TriggerAuthentication,
    "ExternalSecret": ExternalSecret,
}
"""Kinds that the cluster learns from its operators; all others are in the schemas that Kubernetes publishes."""
