"""How do we wait for processes without blocking the event loop?"""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Callable

from deploy.child import Child
from deploy.ports import LOOPBACK

READY_TIMEOUT_S = 120.0
POLL_S = 0.05


def is_healthy(port: int) -> bool:
    """Does GET /healthz on this loopback port answer 200?"""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


async def until_healthy(child: Child, port: int) -> None:
    """Return when `child` answers on `port` that it is healthy; StartFailed when it ends or is late."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not await asyncio.to_thread(is_healthy, port):
        child.fail_if_late(deadline)
        await asyncio.sleep(POLL_S)


async def in_threads(*calls: Callable[[], None]) -> None:
    """Run blocking calls side by side and come back when all have ended, whatever happens.

    A thread cannot be cancelled: leaving early would let it start something behind our back.
    """
    tasks = [asyncio.create_task(asyncio.to_thread(call)) for call in calls]
    together = asyncio.gather(*tasks, return_exceptions=True)
    try:
        await asyncio.shield(together)
    except asyncio.CancelledError:
        await together
        raise
    for task in tasks:
        task.result()
