"""What does a command cost, over HTTP, against an update of an empty workflow on the same engine?

The command: an adverse event is reported. Who it is and may is checked, its form and its sense, it is recorded with
its chain of hashes and its event for others, and its answer is kept for who asks again. The floor: an update of a
workflow that does nothing, by a bare client in this very process, without encryption. Both take turns, one by one, and
then thirty at a time in batches that take turns.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowHandle

from deploy.bench_floor import QUEUE
from deploy.bench_measure import Figure, quantile
from deploy.demo_clinic import Clinic
from deploy.seed import start_somebody

IN_FLIGHT, FEW_IN_FLIGHT = 30, 6
MEDIAN, P95, THROUGHPUT = 2.5, 3.0, 0.5
Act = Callable[[int], Awaitable[Any]]


async def commands(clinic: Clinic, address: str, protocol: str, *, quick: bool) -> list[Figure]:
    bare = await Client.connect(address)
    many = FEW_IN_FLIGHT if quick else IN_FLIGHT
    courses = [await start_somebody(clinic, f"Bench{n}", protocol) for n in range(many)]
    empty = [await _an_empty_one(bare) for _ in range(many)]

    async def command(n: int) -> Any:
        return await clinic.post(f"{courses[n % many]}/adverse-events", "nurse", an_event())

    async def floor(n: int) -> Any:
        return await empty[n % many].execute_update("touch", n)

    try:
        ours, theirs = await _in_turns(command, floor, 10 if quick else 300, warm=many)
        fast, fastest = await _in_batches(
            command, floor, many, batches=1 if quick else 10, each=3 if quick else 8
        )
    finally:
        for handle in empty:
            await handle.terminate("the bench is over")
    part = "commands"
    return [
        Figure(part, "median", "ms", quantile(ours, 0.5), quantile(theirs, 0.5), at_most=MEDIAN),
        Figure(part, "p95", "ms", quantile(ours, 0.95), quantile(theirs, 0.95), at_most=P95),
        Figure(part, f"{many} in flight", "/s", fast, fastest, at_least=THROUGHPUT),
    ]


def an_event() -> dict[str, Any]:
    return {
        "term": "nausea",
        "grade": 1,
        "seriousness": [],
        "relatedness": "unrelated",
        "outcome": "recovered",
        "onset_at": datetime.now(UTC).isoformat(),
    }


async def _an_empty_one(client: Client) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow("BareEmpty", id=f"bench/{secrets.token_hex(8)}", task_queue=QUEUE)


async def _in_turns(ours: Act, theirs: Act, times: int, *, warm: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each, one of ours after one of theirs: what slows the machine slows both."""
    for n in range(warm):
        await theirs(n)
        await ours(n)
    return await _timed(ours, theirs, times)


async def _timed(ours: Act, theirs: Act, times: int) -> tuple[list[float], list[float]]:
    taken: dict[Act, list[float]] = {ours: [], theirs: []}
    for n in range(times):
        for act in (theirs, ours):
            began = time.perf_counter()
            await act(n)
            taken[act].append(1000 * (time.perf_counter() - began))
    return taken[ours], taken[theirs]


async def _in_batches(ours: Act, theirs: Act, many: int, *, batches: int, each: int) -> tuple[float, float]:
    """How many in a second, so many at a time, over all batches of each."""
    seconds: dict[Act, float] = {ours: 0.0, theirs: 0.0}
    for _ in range(batches):
        for act in (theirs, ours):
            began = time.perf_counter()
            await asyncio.gather(*(_one_after_another(act, n, each) for n in range(many)))
            seconds[act] += time.perf_counter() - began
    done = batches * each * many
    return done / seconds[ours], done / seconds[theirs]


async def _one_after_another(act: Act, who: int, times: int) -> None:
    for _ in range(times):
        await act(who)
