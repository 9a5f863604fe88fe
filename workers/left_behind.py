"""How much still runs on builds that are no longer given anything? Asked of the engine now and then: a gauge.

The workers of such a build are needed until nothing runs there. `./dev ops versions` names the builds.
"""

import asyncio

import structlog
from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError

from services.telemetry.metrics import VERSION_RUNS
from workers.versioning import described, on_version

LOOK_EVERY_S = 300.0
STATUSES = {
    "draining": WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING,
    "drained": WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED,
}

log = structlog.get_logger()


async def count_left_behind(client: Client, deployment_name: str) -> None:
    """One look: a description, and one count for each status that a build has. Raises RPCError."""
    info = await described(client, deployment_name)
    for name, status in STATUSES.items():
        there = [
            on_version(WorkerDeploymentVersion(deployment_name, one.deployment_version.build_id))
            for one in (info.version_summaries if info else ())
            if one.status == status
        ]
        query = f"ExecutionStatus = 'Running' AND ({' OR '.join(there)})"
        runs = (await client.count_workflows(query)).count if there else 0
        VERSION_RUNS.of(status=name).set(runs)


async def keep_counting_left_behind(
    client: Client, deployment_name: str, every_s: float = LOOK_EVERY_S
) -> None:
    """Count again and again until cancelled; what fails now is counted the next time."""
    while True:
        try:
            await count_left_behind(client, deployment_name)
        except (RPCError, RuntimeError) as failure:
            log.warning("old builds not counted", error_type=type(failure).__name__)
        await asyncio.sleep(every_s)
