"""Which builds serve, what still stands with the old ones, and how does work come to a new one?

`./dev ops versions`, `promote BUILD [--ramp PERCENT]`, `move`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion

from deploy.build import build_of
from deploy.deployment_versions import Version, move, promote, versions
from deploy.local import ROOT
from deploy.ops.noting import Seen
from services.settings import Settings
from services.temporal import connect
from workers.replay_check import running
from workers.replaying import Replayed, replayed
from workers.versioning import not_on


def add_to(subparsers: Any) -> None:
    shown = subparsers.add_parser(
        "versions", help="each version of the workers, and what still stands with it"
    )
    shown.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
    shown.set_defaults(look=show)
    promoted = subparsers.add_parser("promote", help="from now on this build gets what begins")
    promoted.add_argument("build", metavar="BUILD")
    promoted.add_argument(
        "--ramp", type=_percent, metavar="PERCENT", help="so much of what begins, for a trial"
    )
    promoted.set_defaults(run=make_it_current)
    moved = subparsers.add_parser(
        "move",
        help="move what stands with older builds to the one of this checkout, after a replay of each (1: some stay)",
    )
    moved.add_argument("--journey", metavar="ID", help="this one only, with all its parts")
    moved.set_defaults(run=move_all)


def _percent(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 100:
        raise argparse.ArgumentTypeError(f"{text} is no percentage")
    return share


async def show(settings: Settings, given: argparse.Namespace, console: Console) -> Seen:
    found = await versions(await connect(settings), settings.deployment_name)
    return Seen(len(found), lambda: _tell(settings, given, console, found))


def _tell(settings: Settings, options: argparse.Namespace, console: Console, found: Sequence[Version]) -> int:
    if options.json:
        print(json.dumps([_as_json(one) for one in found], indent=2))
        return 0
    if not found:
        print(f"no worker of {settings.deployment_name} has ever told its version")
        return 0
    table = Table("build", "status", "open", "by stage", "its workers")
    for one in found:
        stages = ", ".join(f"{stage} {count}" for stage, count in sorted(one.open.items()))
        ramp = f" {one.ramp_percent:g} %" if one.ramp_percent else ""
        needed = "may be stopped" if one.may_be_stopped else "are needed"
        table.add_row(one.build, one.status + ramp, str(one.open.total()), stages or "nothing", needed)
    console.print(table)
    return 0


def _as_json(version: Version) -> dict[str, Any]:
    return {
        "build": version.build,
        "status": version.status,
        "ramp_percent": version.ramp_percent,
        "open": version.open.total(),
        "by_stage": dict(sorted(version.open.items())),
        "may_be_stopped": version.may_be_stopped,
    }


async def make_it_current(settings: Settings, options: argparse.Namespace) -> int:
    version = WorkerDeploymentVersion(settings.deployment_name, options.build)
    await promote(await connect(settings), version, options.ramp)
    print(
        f"{options.build} is current" if options.ramp is None else f"{options.build} gets {options.ramp:g} %"
    )
    return 0


async def move_all(settings: Settings, options: argparse.Namespace) -> int:
    """Only to the build of this checkout: no replay says anything about another one."""
    build = build_of(ROOT)
    client = await connect(settings)
    known = {one.build for one in await versions(client, settings.deployment_name)}
    if build not in known:
        print(f"ops: no worker of {build}, the build of this checkout, is known", file=sys.stderr)
        return 1
    stay = [
        line
        async for line in _moving(client, WorkerDeploymentVersion(settings.deployment_name, build), options)
    ]
    return 1 if stay else 0


async def _moving(
    client: Client, version: WorkerDeploymentVersion, options: argparse.Namespace
) -> AsyncIterator[Replayed]:
    """Says what became of each; yields those that stay where they are."""
    elsewhere = f"ExecutionStatus = 'Running' AND ({not_on(version)})"
    elsewhere += f" AND WorkflowId STARTS_WITH '{options.journey}'" if options.journey else ""
    found = [one async for one in running(client, elsewhere)]
    async for one in replayed(client, found):
        if one.failure:
            print(f"stays: {one}")
            yield one
        else:
            await move(client, one.execution, version)
            print(f"moved: {one.execution.workflow_type} {one.execution.workflow_id}")
