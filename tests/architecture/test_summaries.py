"""Does each command of a workflow say what it is for? What is read in the Temporal Web UI is written here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, sources

SAID_BY = {
    "execute_activity_method": "summary",
    "start_activity_method": "summary",
    "execute_local_activity_method": "summary",
    "start_local_activity_method": "summary",
    "start_child_workflow": "static_summary",
    "execute_child_workflow": "static_summary",
    "wait_condition": "timeout_summary",
}
"""What a workflow may ask of the engine that the Web UI shows with a summary."""

NAMELESS = {"sleep", "wait_for", "timeout", "timeout_at", "call_later", "call_at"}
"""Ways to start a timer, or to run an activity, that leave it without a name or go past this table."""

KINDS = ("activity", "child_workflow", "nexus")


def asks_of(tree: ast.AST) -> Iterator[tuple[int, str, set[str]]]:
    """Line, name and keywords of every call on `workflow` and `asyncio`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in {"workflow", "asyncio"}:
                yield node.lineno, node.func.attr, {word.arg for word in node.keywords if word.arg}


def silent(source: str) -> list[str]:
    """The calls that say nothing, as `line: name`."""
    found = []
    for line, name, words in asks_of(ast.parse(source)):
        if name == "wait_condition" and "timeout" not in words:
            continue
        unknown = name in NAMELESS or (name not in SAID_BY and any(kind in name for kind in KINDS))
        if unknown or (name in SAID_BY and SAID_BY[name] not in words):
            found.append(f"{line}: {name}")
    return found


@pytest.mark.parametrize("path", sources("workflows"), ids=str)
def test_every_timer_activity_and_part_has_a_summary(path: Path) -> None:
    assert silent((ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    "call",
    [
        "workflow.execute_activity_method(act, one)",
        "workflow.execute_activity(act, one, summary='x')",
        "workflow.start_child_workflow(run, one, id='x')",
        "workflow.wait_condition(done, timeout=5)",
        "workflow.sleep(5)",
        "asyncio.wait_for(one, 5)",
    ],
)
def test_what_says_nothing_is_found(call: str) -> None:
    assert silent(call) == [f"1: {call.split('(')[0].partition('.')[2]}"]
