"""Does some worker run everything that a workflow may ask for, and does the engine know every search attribute?"""

from __future__ import annotations

import inspect
import pkgutil
from collections import Counter
from importlib import import_module
from typing import cast
from unittest.mock import AsyncMock, create_autospec

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

import workflows
from activities.downtime import DowntimeActivities
from activities.notifications import NotificationActivities
from activities.queues import TaskQueue
from activities.records import RecordActivities
from tests.workers.stand_ins import NoNotifications, NoRecords
from workers.registry import WORKFLOWS, Activities
from workers.search_attributes import KEYS, SEARCH_ATTRIBUTES, register
from workflows import names


def defined_workflows() -> set[type]:
    modules = [
        import_module(f"workflows.{module.name}") for module in pkgutil.iter_modules(workflows.__path__)
    ]
    return {
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if workflow._Definition.from_class(kind) is not None
    }


def test_every_workflow_is_registered() -> None:
    assert set(WORKFLOWS) == defined_workflows()


def test_every_workflow_has_a_name_of_its_own_that_a_rename_does_not_change() -> None:
    named = {workflow._Definition.must_from_class(kind).name for kind in WORKFLOWS}
    assert named == {
        "PatientJourney",
        "Screening",
        "PlanApproval",
        "TreatmentSession",
        "FollowUp",
        "RiskEscalation",
        "DrugDiscrepancy",
    }


def test_every_activity_is_run_by_some_queue_and_local_ones_by_the_journey_queue() -> None:
    activities = Activities.over(NoRecords(), NoNotifications(), {})
    run = {queue: {act.__name__ for act in activities.of(queue)} for queue in TaskQueue}
    defined = {
        name
        for kind in (RecordActivities, NotificationActivities, DowntimeActivities)
        for name, member in inspect.getmembers(kind, inspect.isfunction)
        if activity._Definition.from_callable(member) is not None
    }
    assert set.union(*run.values()) == defined
    assert run[TaskQueue.JOURNEY] == defined
    assert "send_message" in run[TaskQueue.NOTIFY]


def test_the_list_of_search_attributes_is_complete() -> None:
    used = {value for value in vars(names).values() if isinstance(value, SearchAttributeKey)}
    assert used == set(KEYS)
    assert set(SEARCH_ATTRIBUTES) == {key.name for key in KEYS}


def test_there_is_room_for_every_search_attribute_in_a_namespace_whose_visibility_is_in_sql() -> None:
    """So many columns the schema of Temporal has for the attributes of a namespace, of each type."""
    assert Counter(SEARCH_ATTRIBUTES.values()) <= Counter(Keyword=10, Datetime=3, Bool=3)


async def test_registering_twice_adds_nothing(temporal_client: Client) -> None:
    await register(temporal_client)
    assert await register(temporal_client) == ()


@pytest.mark.parametrize("status", [RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED])
async def test_where_others_keep_the_search_attributes_a_worker_starts_all_the_same(
    status: RPCStatusCode,
) -> None:
    assert await register(_refusing(status)) == ()


async def test_an_engine_that_does_not_answer_is_not_taken_for_one_that_refuses() -> None:
    with pytest.raises(RPCError):
        await register(_refusing(RPCStatusCode.UNAVAILABLE))


def _refusing(status: RPCStatusCode) -> Client:
    """A client of an engine that answers so when it is asked for its search attributes."""
    client = create_autospec(Client, instance=True, namespace="kap.a1b2c")
    client.operator_service.list_search_attributes = AsyncMock(side_effect=RPCError("no", status, b""))
    return cast(Client, client)
