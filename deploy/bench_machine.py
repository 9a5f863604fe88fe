"""How long does a replay take, what does a cached journey weigh, how long does a process take to start?

Nothing to compare with: measured to be written down (deploy/speed.md) and looked at again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Replayer

from deploy.bench_course import Told
from deploy.bench_measure import Figure, quantile
from deploy.demo_clinic import Clinic
from deploy.local import ROOT
from deploy.seed import start_somebody
from workers.registry import WORKFLOWS
from workers.sandbox import runner

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
CACHED = 200


async def replay(client: Client, told: Told, *, quick: bool) -> list[Figure]:
    """The longest history of a course, built up again as a worker does that has forgotten it."""
    _, longest = max(told.runs, key=lambda run: len(run[1].events))
    replayer = Replayer(
        workflows=WORKFLOWS, workflow_runner=runner(), data_converter=client.data_converter, build_id="bench"
    )
    taken = []
    for _ in range(3 if quick else 20):
        began = time.perf_counter()
        await replayer.replay_workflow(longest)
        taken.append(1000 * (time.perf_counter() - began))
    return [Figure("machine", f"replay of {len(longest.events)} events", "ms", quantile(taken, 0.5))]


async def memory(clinic: Clinic, protocol: str, worker: int, *, quick: bool) -> list[Figure]:
    """How much does a worker grow with each course that it keeps in mind?"""
    number = 20 if quick else CACHED
    before = _resident(worker)
    for n in range(number):
        await start_somebody(clinic, f"Cached{n}", protocol)
    return [
        Figure("machine", "memory of a cached course", "KiB", (_resident(worker) - before) / number / 1024)
    ]


def _resident(pid: int) -> int:
    statm = Path(f"/proc/{pid}/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * PAGE_BYTES
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(shown.stdout) * 1024


def starts(*, quick: bool) -> list[Figure]:
    """Processor time until everything is imported, that of an empty interpreter beside it."""
    found = []
    for module in ("api.starting", "workers.starting"):
        code = f"from services.process import loading\nwith loading():\n    import {module}"
        spent = [_processor_ms(code) for _ in range(1 if quick else 5)]
        found.append(Figure("machine", f"start of {module.partition('.')[0]}", "ms", min(spent)))
    return found


def _processor_ms(code: str) -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    after = os.times()
    return 1000 * (
        after.children_user - before.children_user + after.children_system - before.children_system
    )
