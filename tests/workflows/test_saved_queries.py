"""Do the saved queries find exactly the right workflows, on the real engine, with journeys in many states?"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import workflow
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from clinical.protocol import Protocol
from deploy.ops.saved_queries import BY_NAME, SAVED, as_markdown
from tests.architecture.tree import ROOT
from tests.replay.journeys import AT_RISK
from tests.workflows.shortcut import at_treating, shortened
from tests.workflows.walk import Walk
from workers.search_attributes import SEARCH_ATTRIBUTES
from workflows.names import DUE_AT, SITE, WAITS_FOR, WAITS_SINCE

DEPLOYMENT = f"kap-{secrets.token_hex(4)}"
VERSIONED = {"left-behind", "unversioned", "failing"}
WITHIN = timedelta(seconds=30)


def test_the_run_book_shows_every_query_as_it_is() -> None:
    assert as_markdown() in (ROOT / "deploy" / "README.md").read_text()


def test_queries_ask_for_known_attributes_only() -> None:
    words = {word.strip('("') for one in SAVED for word in one.query.split() if word.startswith("Kap")}
    assert words == set(SEARCH_ATTRIBUTES) - {"KapProtocol", "KapSite"}


async def found(client: Client, name: str, now: datetime, among: Iterable[str], build: str = "1") -> set[str]:
    """What the query finds among these workflows; others of the run are other tests' business."""
    query = BY_NAME[name].filled(now, DEPLOYMENT, f"{DEPLOYMENT}:{build}")
    return {one.id async for one in client.list_workflows(query)} & set(among)


async def finds(
    client: Client, name: str, now: datetime, wanted: set[str], among: Iterable[str], build: str = "1"
) -> None:
    """The engine lists what it knows a moment later."""
    seen: set[str] = set()
    try:
        async with asyncio.timeout(WITHIN.total_seconds()):
            while (seen := await found(client, name, now, among, build)) != wanted:
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{name} finds {sorted(seen)}, not {sorted(wanted)}") from None


async def test_operations_find_who_is_where(walk: Callable[..., Walk], protocol: Protocol) -> None:
    """In the chair, arrived, not booked yet, not called for days, in a crisis, and one whose course is over."""
    short = shortened(protocol)
    chair, arrived, unbooked = [await at_treating(walk(short)) for _ in range(3)]
    referred, crisis, over = walk(), walk(), walk()
    order = await chair.to_chair()
    await chair.give(order)
    await arrived.to_chair()
    await referred.start()
    before = await referred.now()
    await referred.forward(days=3)
    await crisis.to_screening()
    await crisis.answer("screening/1", cssrs=AT_RISK)
    await over.start()
    await over.leave()
    await over.outcome()

    everyone = (chair, arrived, unbooked, referred, crisis, over)
    case = await _risk_case(crisis)
    mine = {patient.journey_id for patient in everyone} | {
        *(f"{one.journey_id}/session/1" for one in (chair, arrived, unbooked)),
        f"{crisis.journey_id}/screening/1",
        case,
    }
    client, now = chair.client, await referred.now()
    in_chair, has_come, to_book = (f"{one.journey_id}/session/1" for one in (chair, arrived, unbooked))
    await finds(client, "in-the-chair", now, {in_chair}, mine)
    await finds(client, "arrived", now, {has_come}, mine)
    await finds(client, "risk", now, {case}, mine)
    await finds(client, "attention", now, {referred.journey_id}, mine)
    await finds(client, "drug-books", now, set(), mine)
    waiting = {has_come, to_book, referred.journey_id, f"{crisis.journey_id}/screening/1", case}
    await finds(client, "waiting", now, waiting, mine)
    late = {one for one in waiting if (await _due(client, one)) < now}
    assert referred.journey_id in late and to_book not in late
    await finds(client, "late", now, late, mine)

    shown = (await referred.handle().describe()).typed_search_attributes
    assert (shown.get(WAITS_FOR), shown.get(SITE)) == ("coordinator", "site-a")
    assert abs(shown[WAITS_SINCE] - before) < timedelta(minutes=1)
    await _reads_like_a_ward_board(chair, referred, unbooked)


async def _risk_case(patient: Walk) -> str:
    await patient.eventually(lambda: _opened(patient))
    case_id = (await patient.facts("risk.opened"))[0].case_id
    await patient.until_running(f"risk/{case_id}")
    return f"{patient.journey_id}/risk/{case_id}"


async def _opened(patient: Walk) -> bool:
    return bool(await patient.facts("risk.opened"))


async def _due(client: Client, workflow_id: str) -> datetime:
    shown = (await client.get_workflow_handle(workflow_id).describe()).typed_search_attributes
    return shown[DUE_AT]


async def _reads_like_a_ward_board(chair: Walk, referred: Walk, unbooked: Walk) -> None:
    """Stage, what it waits for, since when, until when, and who can move it; and the events of a visit by phase."""
    text = await _details(chair, chair.part)
    assert text.startswith("**in-the-chair**\n\n- waits for **the next reading** by the **nurse** until ")
    text = await _details(referred)
    assert text.startswith("**referred**\n\n- waits for **book-consultation** by the **coordinator** since ")
    assert text.endswith("UTC; late, the medical-director hears of it")
    assert "- waits for its part **session/1**" in await _details(unbooked)
    groups = _groups(await chair.handle(chair.part).fetch_history())
    assert groups == [f"Session 1: {phase}" for phase in ("booking", "arrival", "dose", "in the chair")]
    assert _groups(await unbooked.handle().fetch_history()) == ["session/1"]


async def _details(patient: Walk, part: str = "") -> str:
    answer = await patient.handle(part).query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(answer.current_details)


def _groups(history: WorkflowHistory) -> list[str]:
    """The names of the event groups, as they come."""
    marked = [mark.label.id for event in history.events for mark in event.event_group_markers]
    return list(dict.fromkeys(name for name in marked if name))


@workflow.defn(name="Waits")
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@workflow.defn(name="Fails")
class Fails:
    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("a fault of the code")


@pytest.fixture
async def releases(temporal_client: Client) -> AsyncIterator[Callable[[str], WorkerDeploymentVersion]]:
    """Workers of two releases at once; the answer makes one of them current."""
    async with AsyncExitStack() as running:
        for build in ("1", "2"):
            version = WorkerDeploymentVersion(DEPLOYMENT, build)
            worker = Worker(
                temporal_client,
                task_queue=DEPLOYMENT,
                workflows=[Waits, Fails],
                workflow_runner=UnsandboxedWorkflowRunner(),
                deployment_config=WorkerDeploymentConfig(
                    version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.PINNED
                ),
            )
            await running.enter_async_context(worker)
        yield lambda build: WorkerDeploymentVersion(DEPLOYMENT, build)


async def test_operations_find_what_a_release_left_behind_and_what_fails(
    temporal_client: Client, releases: Callable[[str], WorkerDeploymentVersion]
) -> None:
    client, now = temporal_client, datetime(2026, 1, 1, tzinfo=UTC)
    mine = {name: f"{DEPLOYMENT}/{name}" for name in ("old", "new", "failing", "unversioned")}
    await _current(client, "1")
    await client.start_workflow("Waits", id=mine["old"], task_queue=DEPLOYMENT)
    await _pinned(client, mine["old"])
    await _current(client, "2")
    await client.start_workflow("Waits", id=mine["new"], task_queue=DEPLOYMENT)
    await client.start_workflow("Fails", id=mine["failing"], task_queue=DEPLOYMENT)
    await _pinned(client, mine["new"])
    unversioned = f"{DEPLOYMENT}-before"
    async with Worker(
        client, task_queue=unversioned, workflows=[Waits], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        await client.start_workflow("Waits", id=mine["unversioned"], task_queue=unversioned)
        await finds(client, "left-behind", now, {mine["old"]}, mine.values(), "2")
        await finds(client, "left-behind", now, {mine["new"]}, mine.values(), "1")
        # what has not got beyond its first step is on no version yet
        await finds(client, "unversioned", now, {mine["unversioned"], mine["failing"]}, mine.values())
        await finds(client, "failing", now, {mine["failing"]}, mine.values())
    for one in mine.values():
        await client.get_workflow_handle(one).terminate()


async def _current(client: Client, build: str) -> None:
    """Make this release current, as soon as the engine has heard of it."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT, build_id=build
    )
    async with asyncio.timeout(WITHIN.total_seconds()):
        while True:
            try:
                await client.workflow_service.set_worker_deployment_current_version(request)
            except RPCError:
                await asyncio.sleep(0.05)
            else:
                return


async def _pinned(client: Client, workflow_id: str) -> None:
    async with asyncio.timeout(WITHIN.total_seconds()):
        while True:
            about = (await client.get_workflow_handle(workflow_id).describe()).raw_description
            if about.workflow_execution_info.versioning_info.deployment_version.build_id:
                return
            await asyncio.sleep(0.05)
