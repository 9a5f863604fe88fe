"""What does `./dev ops` find out from the engine? Who is where, what a course waits for, what cannot go on.

All of it is coded: search attributes, current details, names of events, types of failures, never a payload.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
)
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.common import TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from deploy.ops.door import Refused
from deploy.ops.noting import Seen
from deploy.ops.saved_queries import BY_NAME
from services.settings import Settings
from services.temporal import connect
from workflows.names import DUE_AT, NEEDS_ATTENTION, STAGE, WAITS_FOR, WAITS_SINCE

SHOWN = (STAGE, WAITS_FOR, WAITS_SINCE, DUE_AT, NEEDS_ATTENTION)
LAST_EVENTS = 10
METADATA = "__temporal_workflow_metadata"
DETAILS_WITHIN = timedelta(seconds=10)


async def find(settings: Settings, given: argparse.Namespace, console: Console) -> Seen:
    """Exit status 0, whether something was found or not."""
    client = await connect(settings)
    version = f"{settings.deployment_name}:{given.build or settings.build}"
    query = BY_NAME[given.name].filled(datetime.now(UTC), settings.deployment_name, version, given.site)
    found = [one async for one in _lines(client, query)]
    return Seen(len(found), lambda: _tell(given, console, found))


async def stuck(settings: Settings, given: argparse.Namespace, console: Console) -> Seen:
    """Exit status 1 when there is one: whoever asks every minute hears of it."""
    client = await connect(settings)
    query = BY_NAME["failing"].filled(datetime.now(UTC), "", "", given.site)
    found = [{**one, **await _failures(client, one["workflow_id"])} async for one in _lines(client, query)]
    return Seen(len(found), lambda: _tell(given, console, found) or int(bool(found)))


async def why(settings: Settings, given: argparse.Namespace, console: Console) -> Seen:
    client = await connect(settings)
    handle = client.get_workflow_handle(given.journey)
    try:
        about = await handle.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Refused("the engine knows no such workflow") from None
        raise
    found = {
        **_line(about.id, about.workflow_type, about.typed_search_attributes),
        "status": about.status.name.lower() if about.status else "unknown",
        "details": await _details(client, about),
        **await _failures(client, given.journey),
        "last_events": await _last_events(client, given.journey),
    }
    return Seen(1, lambda: _tell_one(given, console, found))


def _tell_one(given: argparse.Namespace, console: Console, found: dict[str, Any]) -> int:
    if given.json:
        print(json.dumps(found))
        return 0
    for name, value in found.items():
        lines = value if isinstance(value, list) else str(value).splitlines() or [""]
        console.print(f"{name + ':':<16} {lines[0] if lines else 'none'}", markup=False)
        for line in lines[1:]:
            console.print(f"{'':<16} {line}", markup=False)
    return 0


async def _lines(client: Client, query: str) -> AsyncIterator[dict[str, Any]]:
    async for one in client.list_workflows(query):
        yield _line(one.id, one.workflow_type, one.typed_search_attributes)


def _line(workflow_id: str, kind: str, shown: TypedSearchAttributes) -> dict[str, Any]:
    values = {key.name: shown.get(key) for key in SHOWN}
    instants = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }
    return {"workflow_id": workflow_id, "type": kind, **{k: v for k, v in instants.items() if v is not None}}


async def _details(client: Client, about: WorkflowExecutionDescription) -> str:
    """What the workflow itself says that it waits for; it has to be asked, and a broken one does not answer."""
    handle = client.get_workflow_handle(about.id, run_id=about.run_id)
    try:
        answer = await handle.query(
            "__temporal_workflow_metadata", result_type=WorkflowMetadata, rpc_timeout=DETAILS_WITHIN
        )
    except (RPCError, RuntimeError):
        return "it does not answer"
    return str(answer.current_details)


async def _failures(client: Client, workflow_id: str) -> dict[str, Any]:
    """The failing activity, or the failing step: which, how often, since when, of which type; never its words."""
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    about = await client.workflow_service.describe_workflow_execution(request)
    failing = [
        f"activity {one.activity_type.name}, try {one.attempt}: {one.last_failure.application_failure_info.type}"
        for one in about.pending_activities
        if one.HasField("last_failure")
    ]
    return {"failing": failing + _failing_step(about)}


def _failing_step(about: DescribeWorkflowExecutionResponse) -> list[str]:
    task = about.pending_workflow_task
    if not about.HasField("pending_workflow_task") or task.attempt < 2:
        return []
    since = task.original_scheduled_time.ToDatetime(tzinfo=UTC)
    return [f"workflow task, try {task.attempt}, since {since:%Y-%m-%d %H:%M} UTC"]


async def _last_events(client: Client, workflow_id: str) -> list[str]:
    events = [event async for event in client.get_workflow_handle(workflow_id).fetch_history_events()]
    return [
        f"{event.event_id} {event.event_time.ToDatetime(tzinfo=UTC):%Y-%m-%d %H:%M:%S} "
        + EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower().replace("_", "-")
        for event in events[-LAST_EVENTS:]
    ]


def _tell(given: argparse.Namespace, console: Console, found: list[dict[str, Any]]) -> int:
    if given.json:
        print(json.dumps({"items": found}))
        return 0
    for one in found:
        console.print("  ".join(_word(name, value) for name, value in one.items() if value), markup=False)
    console.print(f"{len(found)} found", markup=False)
    return 0


def _word(name: str, value: object) -> str:
    words = ", ".join(value) if isinstance(value, list) else str(value)
    return words if name in {"workflow_id", "type"} else f"{name}={words}"
