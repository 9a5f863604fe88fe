"""What do one API process, one worker and one database carry on this machine? (`./dev size`)

Real commands over HTTP (authorised, validated, recorded, told to the engine) and reads, many in flight; then whole
courses in virtual time, for the bytes that they leave behind. deploy/sizing.md says what follows from it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import psycopg
from temporalio.client import Client

from clinical.protocol import Indication
from deploy.child import Child
from deploy.demo import SAMPLE, reachable
from deploy.demo_clinic import Clinic, Refused, tokens_of
from deploy.demo_story import TIME_ZONE, Story
from deploy.local import LocalOptions, LocalSystem
from deploy.rooms import resources
from deploy.tokens import DEMO_SITE
from deploy.virtual_clock import VirtualClock
from services.fhir.bundle import read_referral
from services.process import end_process
from services.protocols import load_protocol
from services.temporal import connect

IN_FLIGHT = 16
ROUNDS = 4
"""Each course is paused and resumed so many times."""


class Measured:
    """One running system, and what was found of it."""

    def __init__(self, system: LocalSystem, client: Client) -> None:
        self.system, self.client = system, client
        self.clinic = Clinic(system.base_url, tokens_of(system.issuer_key))
        self.protocol = load_protocol("iv-racemic")
        self.referral = reachable(json.loads(SAMPLE.read_bytes()))
        self.found: dict[str, float] = {}
        self.asked_again = 0

    async def run(self, courses: int) -> dict[str, float]:
        await self.clinic.post("/v1/protocols", "medical-director", self.protocol.model_dump(mode="json"))
        for one in resources():
            await self.clinic.post(f"/v1/resources/{DEMO_SITE}", "coordinator", {**one, "capacity": 100})
        paths = [await self._begin() for _ in range(IN_FLIGHT)]
        await self._commands(paths)
        await self._reads(paths)
        self._memory()
        if courses:
            await self._whole(courses)
        await self.clinic.close()
        return self.found

    async def _begin(self) -> str:
        query = {"site": DEMO_SITE, "time_zone": TIME_ZONE, "country": "US", "confirm_new": "true"}
        received = await self.clinic.post("/v1/referrals", "coordinator", self.referral, query=query)
        course = {
            "site": DEMO_SITE,
            "indication": "major-depressive-disorder",
            "protocol": self.protocol.canonical,
        }
        people = {name: received[name] for name in ("patient_id", "referral_id")}
        return str((await self.clinic.post("/v1/journeys", "coordinator", course | people))["href"])

    async def _commands(self, paths: Sequence[str]) -> None:
        async def one(path: str) -> int:
            for _ in range(ROUNDS):
                await self._post(f"{path}/pause", "coordinator", {"reason": "on holiday"})
                await self._post(f"{path}/resume", "medical-director", {"reason": "back"})
            return 2 * ROUNDS

        await self._spent("command", one, paths)
        self.found["commands that were asked again"] = self.asked_again

    async def _post(self, path: str, role: str, body: Mapping[str, str]) -> None:
        """Who is told to ask again does so, with the same key."""
        key = {"Idempotency-Key": secrets.token_hex(12)}
        while True:
            try:
                await self.clinic.post(path, role, body, headers=key)
                return
            except Refused as refused:
                if not refused.problem["retryable"]:
                    raise
            self.asked_again += 1

    async def _reads(self, paths: Sequence[str]) -> None:
        async def journey(path: str) -> int:
            for _ in range(ROUNDS):
                await self.clinic.get(path)
            return ROUNDS

        async def work_list(asked: str) -> int:
            for _ in range(ROUNDS):
                await self.clinic.get("/v1/tasks", "coordinator")
            return ROUNDS

        await self._spent("read of a course", journey, paths)
        await self._spent("read of the work list", work_list, paths)

    async def _spent(self, act: str, do: Callable[[str], Awaitable[int]], paths: Sequence[str]) -> None:
        """How many a second, and what each process worked for one: that is the same on a machine that others use."""
        children = self.system.children()
        before, began = [_cpu_ms(child) for child in children], time.monotonic()
        done = sum(await asyncio.gather(*(do(path) for path in paths)))
        self.found[f"{act}: a second, {len(paths)} in flight"] = done / (time.monotonic() - began)
        for child, worked in zip(children, before, strict=True):
            self.found[f"{act}: CPU ms of {child.name}"] = (_cpu_ms(child) - worked) / done

    def _memory(self) -> None:
        for child in self.system.children():
            self.found[f"MiB of {child.name}"] = _resident(child)

    async def _whole(self, courses: int) -> None:
        size = await asyncio.to_thread(self._database_bytes)
        began = time.monotonic()
        events = history = 0
        for _ in range(courses):
            record = read_referral(json.dumps(self.referral).encode()).record
            clock = VirtualClock(self.client)
            story = Story(self.clinic, clock, self.protocol, Indication.DEPRESSION, record, lambda step: None)
            await story.run(self.referral)
            async for run in self.client.list_workflows(f'WorkflowId STARTS_WITH "{story.journey_id}"'):
                events += run.raw_info.history_length
                history += run.raw_info.history_size_bytes
        grown = await asyncio.to_thread(self._database_bytes) - size
        self.found["KiB of the record a course"] = grown / courses / 1024
        self.found["KiB of history a course"] = history / courses / 1024
        self.found["events a course"] = events / courses
        self.found["seconds a course"] = (time.monotonic() - began) / courses

    def _database_bytes(self) -> int:
        address = self.system.database_url.replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(address, autocommit=True) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0


def _cpu_ms(child: Child) -> float:
    """What this process has worked so far, with those below it and those that have ended (Linux)."""
    below = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in (child.pid, *below)]
    ticks = sum(int(ticks) for stat in stats for ticks in stat[11:15])
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def _resident(child: Child) -> float:
    """What this process and those below it keep in memory, shared pages counted once (Linux)."""
    below = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in (str(child.pid), *below)]
    lines = [line for text in texts for line in text.splitlines() if line.startswith("Pss:")]
    return sum(int(line.split()[1]) for line in lines) / 1024


async def measure(courses: int, times: int) -> Mapping[str, Sequence[float]]:
    """Several times over, each on a fresh system: others use the machine too."""
    found: list[dict[str, float]] = []
    for _ in range(times):
        async with LocalSystem(LocalOptions(virtual_time=True, with_ui=False)) as system:
            found.append(await Measured(system, await connect(system.settings())).run(courses))
    return {name: [one[name] for one in found] for name in found[0]}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev size", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--courses", type=int, default=2, metavar="N", help="whole courses each time (2)")
    parser.add_argument("--times", type=int, default=3, metavar="N", help="how often; the best counts (3)")
    given = parser.parse_args(arguments)
    found = asyncio.run(measure(given.courses, given.times))
    for name, values in found.items():
        best = max(values) if "a second" in name else min(values)
        print(f"{name:<48} {best:10.1f}   of {', '.join(f'{value:.1f}' for value in values)}")
    return 0


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))
