"""Does the bench reckon right, and do its parts run? How fast anything is, no test asks."""

from __future__ import annotations

import math
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from deploy.bench import PARTS, main
from deploy.bench_course import LIMITS
from deploy.bench_floor import due
from deploy.bench_measure import Figure, missed, quantile, table
from deploy.demo_report import kinds


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3, 1, 2], 0.5, 2),
        ([4, 3, 2, 1], 0.5, 2),
        (range(1, 101), 0.95, 95),
        (range(1, 21), 0.95, 19),
        ([7], 0.95, 7),
        ([1, 2, 3], 1, 3),
        ([1, 2, 3], 0, 1),
    ],
)
def test_a_quantile_is_the_smallest_value_that_so_many_do_not_exceed(
    values: Any, share: float, expected: float
) -> None:
    assert quantile(list(values), share) == expected


def test_there_is_no_quantile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


@pytest.mark.parametrize(
    ("figure", "ok"),
    [
        (Figure("p", "w", "ms", 25, 10, at_most=2.5), True),
        (Figure("p", "w", "ms", 25.1, 10, at_most=2.5), False),
        (Figure("p", "w", "/s", 50, 100, at_least=0.5), True),
        (Figure("p", "w", "/s", 49, 100, at_least=0.5), False),
        (Figure("p", "w", "", 1500, at_most=1500), True),
        (Figure("p", "w", "", 1501, at_most=1500), False),
        (Figure("p", "w", "ms", 7), None),
        (Figure("p", "w", "ms", 7, 0, at_most=2), False),
        (Figure("p", "w", "ms", math.nan, 1, at_most=2), False),
    ],
)
def test_an_aim_is_judged_by_the_ratio_where_there_is_a_floor(figure: Figure, ok: bool | None) -> None:
    assert figure.ok is ok
    assert missed([figure]) == ([figure] if ok is False else [])
    assert figure.as_json()["ok"] is ok


def test_the_table_shows_what_missed_its_aim() -> None:
    shown = table([Figure("part", "what", "ms", 30, 10, at_most=2.5), Figure("part", "more", "", 3)])
    heading, first, second = shown.splitlines()
    assert heading.split() == ["part", "what", "measured", "floor", "ratio", "aim"]
    assert first.split() == ["part", "what", "30", "ms", "10", "ms", "3.00", "<=", "2.5", "FAIL"]
    assert second.split() == ["part", "more", "3"]


@pytest.mark.parametrize(("total", "steps"), [(0, 1), (1, 3), (7, 3), (10, 10), (23, 7), (3, 50)])
def test_what_is_spread_over_steps_is_all_there_and_even(total: int, steps: int) -> None:
    shares = [due(total, step, steps) for step in range(steps)]
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


def test_the_limits_are_those_of_the_engine() -> None:
    assert LIMITS == {"events of a run": 51_200, "megabytes of a run": 50, "updates of a run": 2_000}


def test_a_quick_run_of_the_commands_measures_and_judges(capsys: pytest.CaptureFixture[str]) -> None:
    """The other parts take as long as a course does: `./dev bench --quick` runs them all."""
    status = main(["--quick", "--only", "commands"])
    said = capsys.readouterr().out
    assert status == ("FAIL" in said)
    assert [line.split()[:2] for line in said.splitlines()[1:]] == [
        ["commands", "median"],
        ["commands", "p95"],
        ["commands", "6"],
    ]


def test_there_is_no_part_but_those_that_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--only", "everything"])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert all(part in said for part in PARTS)


def test_what_only_a_moved_clock_writes_is_not_of_the_course() -> None:
    of_a_task = ["TASK_SCHEDULED", "TASK_STARTED", "TASK_COMPLETED"]
    written = ["EXECUTION_STARTED", *of_a_task, "EXECUTION_OPTIONS_UPDATED", *of_a_task]
    written += ["EXECUTION_TIME_SKIPPING_TRANSITIONED", *of_a_task, "EXECUTION_OPTIONS_UPDATED"]
    written += ["EXECUTION_SIGNALED", *of_a_task]
    names = [EventType.Value(f"EVENT_TYPE_WORKFLOW_{name}") for name in written]
    history = WorkflowHistory("a-course", [HistoryEvent(event_type=name) for name in names])
    counted = kinds(history)
    assert counted["WORKFLOW_TASK_SCHEDULED"] == counted["WORKFLOW_TASK_COMPLETED"] == 3
    assert counted.total() == 3 * 3 + 2
