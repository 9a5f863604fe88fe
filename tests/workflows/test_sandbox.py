"""Is the sandbox's one pass-through list complete, and does it check every module of the workflows?"""

import ast
import asyncio
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError
from temporalio.workflow import SandboxImportNotificationPolicy

from tests.architecture.tree import ROOT
from tests.workflows.forbidden_clock import LooksAtTheClock
from workers.registry import WORKFLOWS
from workers.sandbox import PASSED_THROUGH, LoadedOnce, runner

ENTERED = {workflow.__module__ for workflow in WORKFLOWS}
CHANGES = {"append", "add", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}
MUTABLE = {"list", "set", "dict", "deque", "defaultdict", "Counter", "count", "iter", "cycle"}
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


async def test_a_clock_is_refused_in_every_workflow_and_not_in_the_first_alone(
    temporal_client: Client,
) -> None:
    """The modules are loaded once; what they may see is asked each time, on whichever thread."""
    async with Worker(
        temporal_client,
        task_queue="forbidden",
        workflows=[LooksAtTheClock],
        workflow_runner=runner(),
        workflow_failure_exception_types=[RestrictedWorkflowAccessError],
        build_id="test",
    ):
        looking = [
            temporal_client.execute_workflow(
                LooksAtTheClock.run, at_once, id=f"forbidden/{n}/{at_once}", task_queue="forbidden"
            )
            for n in range(8)
            for at_once in (True, False)
        ]
        answers = await asyncio.gather(*looking, return_exceptions=True)
    refused = [answer.cause for answer in answers if isinstance(answer, WorkflowFailureError)]
    assert len(refused) == len(answers), answers
    assert all("time.time" in str(cause) for cause in refused)


async def test_the_modules_of_a_workflow_are_loaded_once(temporal_client: Client) -> None:
    """To load them for each patient again costs more than all else that a start does."""
    ours = runner()
    assert isinstance(ours, LoadedOnce)
    seen: list[dict[str, dict[str, ModuleType]]] = []
    for queue in ("once-1", "once-2"):
        async with Worker(
            temporal_client, task_queue=queue, workflows=WORKFLOWS, workflow_runner=ours, build_id="test"
        ):
            seen.append({entered: ours.importer_of(entered).new_modules.copy() for entered in ENTERED})
    before, after = seen
    for entered, modules in before.items():
        assert {name for name, module in modules.items() if after[entered][name] is not module} == set()
        assert entered in modules
        assert modules[entered] is not sys.modules[entered], "it was not loaded in the sandbox"


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").glob("*.py")), ids=lambda path: path.stem)
def test_no_module_of_the_workflows_keeps_state_that_one_patient_could_leave_to_another(path: Path) -> None:
    """Modules are shared by all workflows of a process: their constants are constant, and nothing is global."""
    assert list(_shared_state(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "source",
    [
        "seen = []",
        "seen: dict[str, int] = {}",
        "seen = set()",
        "KNOWN = {}\ndef note(x): KNOWN[x] = 1",
        "KNOWN = [1]\ndef note(x): KNOWN.append(x)",
        "from somewhere import TABLE\ndef note(x): TABLE.update(x)",
        "def note():\n    global last\n    last = 1",
        "class Part:\n    tasks = []",
        "from itertools import count\nnumbers = count()",
    ],
)
def test_shared_state_would_be_found(source: str) -> None:
    assert list(_shared_state(ast.parse(source)))


def _shared_state(tree: ast.Module) -> Iterator[str]:
    places: list[ast.Module | ast.ClassDef] = [tree]
    places += [one for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and not _is_model(one)]
    for place in places:
        for statement in place.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and _may_change(statement):
                yield f"line {statement.lineno}: a value that may change"
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: global"
        target = node.value if isinstance(node, ast.Attribute | ast.Subscript) else None
        if isinstance(target, ast.Name) and target.id.isupper():
            if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                yield f"line {node.lineno}: {target.id} is written to"
            if isinstance(node, ast.Attribute) and node.attr in CHANGES:
                yield f"line {node.lineno}: {target.id}.{node.attr}"


def _may_change(statement: ast.Assign | ast.AnnAssign) -> bool:
    """A list, a set, a dict or a counter that is not written in capitals, or one that begins empty."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    constant = all(isinstance(one, ast.Name) and one.id.isupper() for one in targets)
    value = statement.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in MUTABLE
    if isinstance(value, ast.List | ast.Set) and not value.elts:
        return True
    makes = ast.List | ast.Set | ast.Dict | ast.ListComp | ast.SetComp | ast.DictComp
    return isinstance(value, makes) and not constant


def _is_model(node: ast.ClassDef) -> bool:
    """Pydantic copies the defaults of its fields."""
    return any(isinstance(base, ast.Name) and base.id in {"BaseModel", "Message"} for base in node.bases)
