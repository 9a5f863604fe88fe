"""How does the topology of production run on one machine? API ×2, workers ×3 by queue, PostgreSQL, Temporal.

Each is a process of its own that may be killed at any time. Whatever ended is started again, as a cluster's
supervisor does: what the others stand on first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial

from activities.queues import TaskQueue
from deploy.child import Child
from deploy.local import WATCH_EVERY_S, LocalOptions, LocalSystem
from deploy.waiting import in_threads, until_healthy

QUEUES = tuple(TaskQueue)
API_PROCESSES = 2


class LocalCluster(LocalSystem):
    """A local system in which every task queue has a worker of its own and the API stands twice.

    Clients get both addresses. `restarts` counts by name what was brought back.
    """

    def __init__(
        self, options: LocalOptions | None = None, progress: Callable[[str], None] | None = None
    ) -> None:
        self.options = replace(
            options or LocalOptions(), api_processes=API_PROCESSES, worker_processes=len(QUEUES)
        )
        super().__init__(self.options, progress or (lambda step: None))
        self.restarts: Counter[str] = Counter()

    async def watch(self) -> None:
        """Return never; bring back what ended. Raises StartFailed when something cannot be started again."""
        while True:
            for child, start in list(self._parts()):
                if not child.is_alive():
                    await in_threads(child.kill)  # it is dead: this only buries it
                    await start()
                    self.restarts[child.name] += 1
                    self._progress(f"{child.name} had ended and was started again")
            await asyncio.sleep(WATCH_EVERY_S)

    async def start_postgres(self) -> None:
        await in_threads(self.postgres.start)
        self._note_children()

    async def start_api(self, number: int = 0) -> None:
        self._apis[number] = self._run_api(number)
        self._note_children()
        await until_healthy(self._apis[number], self.api_ports[number])

    async def start_codec(self) -> None:
        assert self.codec_port is not None
        self._codecs = [self._run_codec()]
        self._note_children()
        await until_healthy(self._codecs[0], self.codec_port)

    def _parts(self) -> Iterator[tuple[Child, Callable[[], Awaitable[None]]]]:
        """Every process with what starts it again; whoever stands on another one after it."""
        if self.postgres.child is not None and self.temporal.child is not None:
            yield self.postgres.child, self.start_postgres
            yield self.temporal.child, self.start_temporal
        for number, worker in enumerate(self._workers):
            yield worker, partial(self.start_worker, number)
        for number, api in enumerate(self._apis):
            yield api, partial(self.start_api, number)
        for codec in self._codecs:
            yield codec, self.start_codec

    def _run_worker(self, number: int) -> Child:
        queue = QUEUES[number]
        own = {"KAP_WORKER_HEALTH_PORT": str(self.worker_ports[number])}
        own |= self.scraped.environment(f"worker-{number + 1}")
        return self._run(f"worker-{queue.removeprefix('kap-')}", "workers", own, "--queue", queue)
