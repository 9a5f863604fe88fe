"""Which versions of the workers does the engine know, and which one gets what begins now?

A version becomes current by an explicit act: until then nothing new is given to it. What is pinned to another one
stays there until it begins a new run, or until it is moved after a replay has shown that it can be.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client
from temporalio.common import OneTimeVersioningOverride, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode

from services.settings import Settings, Versioning
from services.temporal import connect
from workers.replaying import Execution
from workers.versioning import described, on_version, version_of
from workflows.names import STAGE

KNOWN_WITHIN_S = 30.0
ASKED_AGAIN_AFTER_S, AT_MOST_S = 0.05, 1.0
"""Each time twice as long: a server takes ten such questions a second, and after a hundred of them no more."""
NOT_YET = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)
_IDENTITY = "ops"


@dataclass(frozen=True)
class Version:
    """`status`: inactive, current, ramping, draining or drained; `open`: what runs there, by stage."""

    build: str
    status: str
    ramp_percent: float = 0.0
    open: Counter[str] = field(default_factory=Counter)

    @property
    def may_be_stopped(self) -> bool:
        """Nothing stands with it and nothing is given to it: its workers are not needed any more."""
        return self.status in ("draining", "drained") and not self.open.total()


async def make_current(settings: Settings) -> None:
    """What begins from now on goes to this build, as soon as the engine knows its workers."""
    if settings.versioning is not Versioning.OFF:
        await promote(await connect(settings), version_of(settings))


async def promote(
    client: Client, version: WorkerDeploymentVersion, ramp_percent: float | None = None
) -> None:
    """Make it current, or let it have so many percent of what begins. Raises RPCError when no worker of it is there."""
    loop = asyncio.get_running_loop()
    until = loop.time() + KNOWN_WITHIN_S
    pause_s = ASKED_AGAIN_AFTER_S
    while True:
        try:
            return await _route(client, version, ramp_percent)
        except RPCError as error:
            if error.status not in NOT_YET or loop.time() > until:
                raise
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, AT_MOST_S)


async def _route(client: Client, version: WorkerDeploymentVersion, ramp_percent: float | None) -> None:
    if ramp_percent is None:
        await client.workflow_service.set_worker_deployment_current_version(
            SetWorkerDeploymentCurrentVersionRequest(
                namespace=client.namespace,
                deployment_name=version.deployment_name,
                build_id=version.build_id,
                identity=_IDENTITY,
            )
        )
    else:
        await client.workflow_service.set_worker_deployment_ramping_version(
            SetWorkerDeploymentRampingVersionRequest(
                namespace=client.namespace,
                deployment_name=version.deployment_name,
                build_id=version.build_id,
                percentage=ramp_percent,
                identity=_IDENTITY,
            )
        )


async def versions(client: Client, deployment_name: str) -> list[Version]:
    """Every version the engine knows, the newest first; empty when no worker of the deployment ever came."""
    info = await described(client, deployment_name)
    if info is None:
        return []
    ramping = info.routing_config.ramping_deployment_version.build_id
    found = []
    for summary in info.version_summaries:
        version = WorkerDeploymentVersion(deployment_name, summary.deployment_version.build_id)
        status = WorkerDeploymentVersionStatus.Name(summary.status).rpartition("_")[2].lower()
        share = info.routing_config.ramping_version_percentage if version.build_id == ramping else 0.0
        found.append(Version(version.build_id, status, share, await _open_on(client, version)))
    return found


async def _open_on(client: Client, version: WorkerDeploymentVersion) -> Counter[str]:
    counted: Counter[str] = Counter()
    async for one in client.list_workflows(f"ExecutionStatus = 'Running' AND {on_version(version)}"):
        counted[one.typed_search_attributes.get(STAGE) or one.workflow_type] += 1
    return counted


async def move(client: Client, execution: Execution, version: WorkerDeploymentVersion) -> None:
    """The next workflow task of this run goes to `version`, and the run is pinned there from then on."""
    options = WorkflowExecutionOptions(versioning_override=OneTimeVersioningOverride(version)._to_proto())
    await client.workflow_service.update_workflow_execution_options(
        UpdateWorkflowExecutionOptionsRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=execution.workflow_id, run_id=execution.run_id),
            workflow_execution_options=options,
            update_mask=FieldMask(paths=["versioning_override"]),
            identity=_IDENTITY,
        )
    )
