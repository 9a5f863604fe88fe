"""Which version of the code does this worker say it is, and what may come to it?

A version is a deployment's name and a build, made from the commit. `pinned`: every run stays with the build that
began it, and a journey moves to the current one where it begins a new run (workflows/README.md). `auto-upgrade`: for
one machine on which only one build runs at a time.
"""

from temporalio.api.deployment.v1 import WorkerDeploymentInfo
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

from services.settings import Settings, Versioning

_BEHAVIORS = {
    Versioning.PINNED: VersioningBehavior.PINNED,
    Versioning.AUTO_UPGRADE: VersioningBehavior.AUTO_UPGRADE,
}

_MAY_COME = "TemporalWorkflowVersioningBehavior IS NULL OR TemporalWorkflowVersioningBehavior = 'AutoUpgrade'"
"""What is pinned to no version goes to whichever is current."""


def version_of(settings: Settings) -> WorkerDeploymentVersion:
    return WorkerDeploymentVersion(settings.deployment_name, settings.build)


def deployment_of(settings: Settings) -> WorkerDeploymentConfig | None:
    """What the workers are told of versions; None: they take part in none."""
    if settings.versioning is Versioning.OFF:
        return None
    return WorkerDeploymentConfig(
        version=version_of(settings),
        use_worker_versioning=True,
        default_versioning_behavior=_BEHAVIORS[settings.versioning],
    )


def on_version(version: WorkerDeploymentVersion) -> str:
    """The visibility query for what stands with this version."""
    return f"TemporalWorkerDeploymentVersion = '{version.deployment_name}:{version.build_id}'"


def not_on(version: WorkerDeploymentVersion) -> str:
    """The visibility query for what stands with another version, or with none."""
    named = f"'{version.deployment_name}:{version.build_id}'"
    return f"TemporalWorkerDeploymentVersion != {named} OR TemporalWorkerDeploymentVersion IS NULL"


def may_come_to(settings: Settings) -> str:
    """The visibility query for the running workflows that a worker with these settings may be given."""
    if settings.versioning is Versioning.OFF:
        return f"ExecutionStatus = 'Running' AND ({_MAY_COME})"
    return f"ExecutionStatus = 'Running' AND ({_MAY_COME} OR {on_version(version_of(settings))})"


async def described(client: Client, deployment_name: str) -> WorkerDeploymentInfo | None:
    """What the engine knows of the builds of this deployment; None when no worker of it ever came. Raises RPCError."""
    asked = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=deployment_name)
    try:
        told = await client.workflow_service.describe_worker_deployment(asked)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return told.worker_deployment_info
