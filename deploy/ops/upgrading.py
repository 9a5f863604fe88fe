"""What would a new build do to the journeys that run now? `./dev ops upgrade-preview`: nothing is touched.

Every history of every open journey and part is replayed with the code of this checkout, and each patient's course is
listed: would break (which step), would differ (deadline, gate, dose rule), goes on as it is. Exit status 1 when
something would break.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from temporalio.client import Client

from deploy.build import build_of
from deploy.local import ROOT
from deploy.ops.noting import Seen
from services.settings import Settings
from services.temporal import connect
from workers.listening import Listening, Said
from workers.replay_check import running
from workers.replay_differences import Difference, differences
from workers.replaying import Execution, replayed

OPEN = "ExecutionStatus = 'Running'"


@dataclass
class Course:
    """One patient's course with all its parts, or one case that belongs to none."""

    replayed: int = 0
    breaks: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)

    @property
    def word(self) -> str:
        return "would break" if self.breaks else "would differ" if self.differs else "goes on as it is"


def add_to(subparsers: Any) -> None:
    preview = subparsers.add_parser(
        "upgrade-preview", help="what would this checkout do to every open journey (1: something would break)"
    )
    preview.add_argument("--journey", metavar="ID", help="this one only, with all its parts")
    preview.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
    preview.set_defaults(look=show)


async def show(settings: Settings, options: argparse.Namespace, _: Console) -> Seen:
    client = await connect(settings)
    query = f"{OPEN} AND WorkflowId STARTS_WITH '{options.journey}'" if options.journey else OPEN
    found = [one async for one in running(client, query)]
    with _progress(len(found)) as advance:
        courses = await preview(client, found, advance)
    return Seen(len(courses), lambda: _tell(options, courses))


def _tell(options: argparse.Namespace, courses: Mapping[str, Course]) -> int:
    breaking = sum(bool(course.breaks) for course in courses.values())
    if options.json:
        print(json.dumps({"build": build_of(ROOT), "journeys": _as_json(courses)}, indent=2))
    else:
        _print(courses, breaking)
    return 1 if breaking else 0


async def preview(
    client: Client, executions: Sequence[Execution], advance: Any = lambda: None
) -> Mapping[str, Course]:
    """Each course by its id: what of it would break or differ under the code of this checkout."""
    courses: dict[str, Course] = defaultdict(Course)
    listening = Listening(Said)
    async for one in replayed(client, executions, listening):
        course, part = _place(one.execution)
        courses[course].replayed += 1
        if one.failure:
            courses[course].breaks.append(f"{part}, {one.step}: {one.failure}")
        else:
            said = listening.said.pop(one.history.run_id)
            told = await differences(client.data_converter, one.history, said)
            courses[course].differs += [f"{part}, {difference}" for difference in _once(told)]
        advance()
    return dict(sorted(courses.items()))


def _once(told: Sequence[Difference]) -> Iterator[Difference]:
    """What a step says time after time is told once."""
    yield from dict.fromkeys(told)


def _place(execution: Execution) -> tuple[str, str]:
    """`journey/site/id/session/3` is part `session/3` of its course."""
    words = execution.workflow_id.split("/")
    if words[0] != "journey":
        return execution.workflow_id, execution.workflow_type
    return "/".join(words[:3]), "/".join(words[3:5]) or "the course"


def _print(courses: Mapping[str, Course], breaking: int) -> None:
    for name, course in courses.items():
        print(f"{name}: {course.word}")
        for line in [*course.breaks, *course.differs]:
            print(f"  {line}")
    differing = sum(bool(course.differs) and not course.breaks for course in courses.values())
    same = len(courses) - breaking - differing
    print(
        f"{len(courses)} courses and cases: {breaking} would break, {differing} would differ, {same} go on as they are"
    )


def _as_json(courses: Mapping[str, Course]) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "outcome": course.word,
            "replayed": course.replayed,
            "breaks": course.breaks,
            "differs": course.differs,
        }
        for name, course in courses.items()
    ]


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    console = Console(file=sys.stderr)
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("replaying", total=total)
        yield lambda: bar.advance(task)
