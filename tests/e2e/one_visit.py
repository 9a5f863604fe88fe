"""How does a course go that is ended after its first visit, by people who ask again when they are told to?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx2
from temporalio.service import RPCError

from clinical.journey import FINAL
from deploy.demo_clinic import Clinic, Refused
from deploy.demo_story import Story
from deploy.rooms import resources
from deploy.tokens import DEMO_SITE
from deploy.virtual_clock import VirtualClock

AGAIN_AFTER_S = 0.1
ASKED_AGAIN_AFTER_S = 15


class OneVisit(Story):
    """From the referral to the day after the first dose; then the prescriber ends the course."""

    async def _treat(self) -> None:
        await self._receive_drug()
        await self._session(1)
        await self._leave()

    async def _leave(self) -> None:
        await self._post("end", "prescriber", {"reason": "moves to another town"})
        await self._clock.eventually(self._left)

    async def _left(self) -> bool:
        return (await self.journey())["stage"] in FINAL

    async def _follow_up(self) -> None:
        """The course was left."""


class Persistent(Clinic):
    """Any good client of several addresses: asks the next one, with the same key, when one does not answer."""

    def __init__(self, addresses: Sequence[str], tokens: Mapping[str, str]) -> None:
        super().__init__(addresses[0], tokens)
        self._addresses = addresses
        self.told: list[str] = []
        self.accepted = 0

    async def furnish(self) -> None:
        """Several courses are told at the same hours: there is room for all of them."""
        for one in resources():
            await self.post(f"/v1/resources/{DEMO_SITE}", "coordinator", {**one, "capacity": 100})

    async def _ask(self, method: str, path: str, role: str, **given: Any) -> Any:
        tries = 0
        while True:
            tries += 1
            address = self._addresses[(self.accepted + tries) % len(self._addresses)]
            try:
                answer = await super()._ask(method, f"{address}{path}", role, **dict(given))
            except httpx2.TransportError:
                self.told.append("no answer")
            except Refused as refused:
                if not refused.problem["retryable"]:
                    raise
                self.told.append(refused.code)
            else:
                self.accepted += 1
                return answer
            await asyncio.sleep(AGAIN_AFTER_S)


class PersistentClock(VirtualClock):
    """Goes on moving when the engine was away for a moment: what it was asked before it died, it may have forgotten."""

    async def move(self, workflow_id: str, instant: datetime) -> None:
        async with asyncio.timeout(120):
            while True:
                try:
                    return await asyncio.wait_for(super().move(workflow_id, instant), ASKED_AGAIN_AFTER_S)
                except (RPCError, TimeoutError):
                    await asyncio.sleep(AGAIN_AFTER_S)

    @staticmethod
    async def eventually(holds: Any) -> None:
        async with asyncio.timeout(60):
            while not await holds():
                await asyncio.sleep(AGAIN_AFTER_S)
