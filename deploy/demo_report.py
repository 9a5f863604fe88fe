"""What came of the demonstration? Timeline, scores, messages, size of the history, and whether anything was broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

VIRTUAL_TIME = frozenset(
    {
        "EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED",
        "EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED",
    }
)
"""Events that only a clock moved by hand writes; a clinic's history holds none of them."""

_MOVED, _TASK = "EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED", "EVENT_TYPE_WORKFLOW_TASK_"


def kinds(history: WorkflowHistory) -> Counter[str]:
    """How many events of each kind, without those that only a moved clock writes.

    A clock that is moved while a workflow is at work makes it come once more, with nothing to do: that task of three
    events begins right after the word that the clock was moved, where else it begins after something that happened.
    """
    counted: Counter[str] = Counter()
    before, for_the_clock = "", False
    for event in history.events:
        kind = EventType.Name(event.event_type)
        if kind == f"{_TASK}SCHEDULED":
            for_the_clock = before == _MOVED
        before = kind
        if kind not in VIRTUAL_TIME and not (for_the_clock and kind.startswith(_TASK)):
            counted[kind.removeprefix("EVENT_TYPE_")] += 1
    return counted


@dataclass(frozen=True)
class HistorySize:
    """Events of all runs of all workflows of one journey, without those that only virtual time writes."""

    workflows: int
    runs: int
    events: int
    virtual_time_events: int
    by_workflow: Mapping[str, int] = field(default_factory=dict)


async def history_size(client: Client, journey_id: str) -> HistorySize:
    """How much does the engine keep of this journey?"""
    by_workflow: Counter[str] = Counter()
    runs = virtual = 0
    async for execution in client.list_workflows(f'WorkflowId STARTS_WITH "{journey_id}"'):
        history = await client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
        written = kinds(history).total()
        part = execution.id.removeprefix(journey_id).lstrip("/") or "journey"
        by_workflow[part] += written
        virtual += len(history.events) - written
        runs += 1
    return HistorySize(len(by_workflow), runs, by_workflow.total(), virtual, dict(by_workflow))


def show(
    console: Console,
    timeline: Sequence[Mapping[str, Any]],
    scores: Sequence[Mapping[str, Any]],
    messages: Sequence[Mapping[str, Any]],
    history: HistorySize,
) -> None:
    """Everything, as tables that become plain text when piped."""
    console.print(_timeline(timeline))
    if scores:
        console.print(_scores(scores))
    console.print(_messages(messages))
    sizes = ", ".join(f"{part} {events}" for part, events in sorted(history.by_workflow.items()))
    console.print(
        f"History: {history.events} events in {history.workflows} workflows ({sizes})", markup=False
    )
    console.print(
        f"         and {history.virtual_time_events} that only the moved clock wrote; "
        f"{history.runs} runs with those that continued as new",
        markup=False,
    )


def _timeline(entries: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Timeline", "when (UTC)", "who", "what")
    for entry in entries:
        if not str(entry["kind"]).startswith("task."):
            table.add_row(_minute(entry["occurred_at"]), str(entry["actor_role"]), str(entry["text"]))
    return table


def _scores(scores: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Scores over time", "when (UTC)", "instrument", "score", "band", "where")
    for score in scores:
        value = "-" if score["score"] is None else f"{float(score['score']):g}"
        table.add_row(
            _minute(score["measured_at"]),
            str(score["instrument"]),
            value,
            str(score["band"] or ""),
            str(score["context"]),
        )
    return table


def _messages(messages: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Messages", "when (UTC)", "to", "template", "channel", "status")
    for message in messages:
        status = f"{message['status']} {message.get('reason') or ''}".strip()
        to = "staff" if message["template"] == "staff_page" else "patient"
        channel = str(message.get("channel") or "-")
        table.add_row(_minute(message["occurred_at"]), to, str(message["template"]), channel, status)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _minute(instant: object) -> str:
    return str(instant)[:16].replace("T", " ")
