"""Is the sandbox's one pass-through list complete, and does it check every module of the workflows?"""

import re
import warnings

import pytest
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.workflow import SandboxImportNotificationPolicy

from workers.registry import WORKFLOWS
from workers.sandbox import PASSED_THROUGH, runner

REPORTED = re.compile(r"Module (\S+) was not intentionally passed through to the sandbox")


@pytest.fixture(scope="module")
async def loaded_anew(temporal_client: Client) -> set[str]:
    """Which modules does the sandbox load again while a worker validates every workflow?"""
    policy = SandboxImportNotificationPolicy.WARN_ON_UNINTENTIONAL_PASSTHROUGH
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        worker = Worker(
            temporal_client, task_queue="sandbox", workflows=WORKFLOWS, workflow_runner=runner(policy)
        )
    async with worker:
        found = (REPORTED.search(str(warning.message)) for warning in caught)
        return {match[1] for match in found if match}


def test_nothing_but_the_workflows_is_loaded_anew(loaded_anew: set[str]) -> None:
    strangers = {name for name in loaded_anew if name.partition(".")[0] != "workflows"}
    assert not strangers, f"missing in workers.sandbox.PASSED_THROUGH: {sorted(strangers)}"


def test_every_module_of_the_workflows_but_their_messages_is_loaded_anew(loaded_anew: set[str]) -> None:
    within = {base.__module__ for workflow in WORKFLOWS for base in workflow.__mro__}
    ours = {name for name in within if name.startswith("workflows.")}
    entered = {workflow.__module__ for workflow in WORKFLOWS}
    assert ours - entered <= loaded_anew
    assert not loaded_anew & set(PASSED_THROUGH)
