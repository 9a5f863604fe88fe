"""How does a demonstration move a year forward in a minute? It moves the clocks of the workflows, one by one.

Each workflow of a journey has a clock of its own; `now` is the story's. A workflow with an open part cannot be
moved: its part is moved instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper, TimeSkippingConfig

SOON_S = 30.0


class VirtualClock:
    def __init__(self, client: Client) -> None:
        config = TimeSkippingConfig(enabled=False, disable_propagation=True)
        self._client = client
        self._skipper = TimeSkipper(client, config=config)
        self.now = datetime.now(UTC)

    async def until_running(self, workflow_id: str) -> None:
        """Return when this workflow exists: parts are started a moment after what causes them."""
        await self.eventually(lambda: self._exists(workflow_id))

    @staticmethod
    async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
        """Ask again and again until it holds; raises TimeoutError when it takes too long."""
        async with asyncio.timeout(SOON_S):
            while not await holds():  # noqa: ASYNC110  # what is waited for lives in another process
                await asyncio.sleep(0.02)

    async def _exists(self, workflow_id: str) -> bool:
        try:
            await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError:
            return False
        return True

    async def move(self, workflow_id: str, instant: datetime) -> None:
        """Let it be `instant` in this workflow; its timers fire on the way. Never backwards."""
        handle = self._client.get_workflow_handle(workflow_id)
        away = instant - await self._skipper.get_current_time(handle)
        if away > timedelta():
            await self._skipper.fast_forward(handle, away)
        self.now = max(self.now, instant)
