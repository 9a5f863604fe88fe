"""Does a worker refuse to serve what it cannot replay, and say which workflow, at which step?"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from clinical.custody import FindingKind
from clinical.people import Role
from services.encryption import KeyRing
from services.protocols import load_protocol
from services.settings import Settings, Versioning
from services.temporal import data_converter
from tests.services.settings_builder import some_settings
from workers.replay_check import CannotReplay, check
from workers.versioning import deployment_of, may_come_to
from workflows.messages import StartDiscrepancy

START = StartDiscrepancy(
    site="site-a",
    container_id="vial",
    number=1,
    kind=FindingKind.COUNT_DIFFERS,
    difference_mg=Decimal(5),
    opened_at=datetime(2026, 11, 1, tzinfo=UTC),
    owner=Role.NURSE,
    involved=(),
    custody=load_protocol("iv-racemic").custody,
)


@workflow.defn(name="DrugDiscrepancy", sandboxed=False)
class OfAnotherBuild:
    """A build that waits where ours writes."""

    @workflow.run
    async def run(self, start: object) -> None:
        await workflow.sleep(timedelta(days=300), summary="wait for an explanation")


@pytest.fixture
def settings() -> Settings:
    return some_settings(build="abc1234", versioning="pinned", replay_check=1)


@pytest.fixture
async def stranger(temporal_client: Client) -> AsyncIterator[WorkflowHandle[OfAnotherBuild, None]]:
    """A running workflow whose history this code cannot go on with."""
    queue = f"another-{uuid.uuid4().hex}"
    worker = Worker(
        temporal_client,
        task_queue=queue,
        workflows=[OfAnotherBuild],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        handle = await temporal_client.start_workflow(
            OfAnotherBuild.run, START, id=f"drug/site-a/{queue}/1", task_queue=queue
        )
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.HasField("timer_started_event_attributes"):
                break
        yield handle
        await handle.terminate()


async def test_a_build_that_cannot_go_on_does_not_serve(
    temporal_client: Client, settings: Settings, stranger: WorkflowHandle[OfAnotherBuild, None]
) -> None:
    with pytest.raises(CannotReplay) as refused:
        await check(temporal_client, settings)
    [stuck] = refused.value.stuck
    assert stuck.execution.workflow_id == stranger.id
    assert "ondeterminism" in stuck.failure
    assert stuck.step == "event 5, timer started 'wait for an explanation'"
    said = str(refused.value)
    assert said.startswith("build abc1234 does not serve") and "DrugDiscrepancy" in said
    await check(temporal_client, settings.model_copy(update={"replay_check": 0}))


async def test_where_nothing_runs_nothing_is_in_the_way(temporal_client: Client, settings: Settings) -> None:
    await check(temporal_client, settings)


def test_what_is_pinned_elsewhere_does_not_come_here(settings: Settings) -> None:
    assert "'kap-engine:abc1234'" in may_come_to(settings)
    off = settings.model_copy(update={"versioning": Versioning.OFF})
    assert "TemporalWorkerDeploymentVersion" not in may_come_to(off)
    assert deployment_of(off) is None
    config = deployment_of(settings)
    assert config is not None and config.version == WorkerDeploymentVersion("kap-engine", "abc1234")


async def test_keys_that_do_not_open_it_are_not_taken_for_another_build(
    temporal_client: Client, settings: Settings, stranger: WorkflowHandle[OfAnotherBuild, None]
) -> None:
    config = temporal_client.config()
    other = KeyRing({"k": os.urandom(32)}, "k")
    without = Client(**config | {"data_converter": data_converter(other)})
    with pytest.raises(CannotReplay) as refused:
        await check(without, settings)
    assert "KAP_PAYLOAD_KEYS" in str(refused.value) and "workflow.patched" not in str(refused.value)
