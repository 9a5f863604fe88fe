"""`./dev bench`: what do we cost, against a floor that is measured in the same run?

`--only NAME` (repeatable) runs one part, `--quick` takes few samples, `--json` prints one JSON object. Exit status 1
when an aim is missed. What each part does stands in the file named after it; what was found, in deploy/speed.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import AsyncExitStack

from clinical.people import Role
from deploy.bench_commands import commands
from deploy.bench_course import course
from deploy.bench_machine import memory, replay, starts
from deploy.bench_measure import Figure, missed, table
from deploy.bench_reads import reads
from deploy.child import Child
from deploy.demo_clinic import Clinic, tokens_of
from deploy.local import ROOT, LocalOptions, LocalSystem
from deploy.rooms import resources
from deploy.seed import PROTOCOL, register_site
from deploy.tokens import DEMO_SITE
from services.process import end_process
from services.protocols import load_protocol
from services.temporal import connect

PARTS = ("commands", "course", "machine", "reads")
"""`course` counts the events as well; `machine` tells a course for itself when it runs alone."""


async def measure(parts: set[str], *, quick: bool) -> list[Figure]:
    found: list[Figure] = []
    if parts - {"reads"}:
        found += await _of_the_engine(parts, quick=quick)
    if "reads" in parts:
        found += await reads(quick=quick)
    return found


async def _of_the_engine(parts: set[str], *, quick: bool) -> list[Figure]:
    found: list[Figure] = []
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(
            LocalSystem(LocalOptions(virtual_time=True, with_ui=False), _say)
        )
        floor = Child(
            "the floor",
            [sys.executable, "-m", "deploy.bench_floor", system.temporal_address],
            system.data_dir / "logs" / "floor.log",
            folder=ROOT,
        )
        stack.callback(floor.stop)
        clinic = Clinic(system.base_url, tokens_of(system.issuer_key))
        stack.push_async_callback(clinic.close)
        client = await connect(system.settings())
        protocol = load_protocol(PROTOCOL)
        await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol.model_dump(mode="json"))
        await register_site(clinic)
        for one in resources():  # courses are told at the same hours: there is room for all of them
            await clinic.post(f"/v1/resources/{DEMO_SITE}", "coordinator", {**one, "capacity": 100})
        if "commands" in parts:
            _say("commands")
            found += await commands(clinic, system.temporal_address, protocol.canonical, quick=quick)
        if parts & {"course", "machine"}:
            _say("courses")
            figures, told = await course(clinic, client, protocol, quick=quick)
            found += figures if "course" in parts else []
            if "machine" in parts:
                _say("replay, memory, starts")
                found += await replay(client, told, quick=quick)
                found += await memory(clinic, protocol.canonical, system.worker_pids[0], quick=quick)
                found += starts(quick=quick)
    return found


def _say(step: str) -> None:
    print(f"- {step}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", action="append", choices=PARTS, help="repeatable")
    parser.add_argument("--quick", action="store_true", help="few samples: does it run?")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    wanted = parser.parse_args(arguments)
    figures = asyncio.run(measure(set(wanted.only or PARTS), quick=wanted.quick))
    print(table(figures))
    if wanted.json:
        print(json.dumps({"figures": [figure.as_json() for figure in figures]}))
    return 1 if missed(figures) else 0


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))
