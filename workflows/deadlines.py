"""When does this wait end? A deadline is an instant that can be moved, asked and awaited."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow


class Deadline:
    """An absolute instant. Clinical waits are computed from instants, so that a late start shortens the wait.

    `name` is what operations read beside the timer.
    """

    def __init__(self, name: str, at: datetime) -> None:
        self.name = name
        self.at = at

    def move(self, at: datetime) -> None:
        """Whoever waits goes on waiting, for the new instant."""
        self.at = at

    def postpone(self, by: timedelta) -> None:
        self.move(self.at + by)

    @property
    def passed(self) -> bool:
        return workflow.now() >= self.at

    async def passes(self, unless: Callable[[], bool]) -> bool:
        """Wait for the instant: True when it came, False as soon as `unless` holds."""
        while not unless():
            at = self.at
            if self.passed:
                return True
            with contextlib.suppress(asyncio.TimeoutError):
                await workflow.wait_condition(
                    partial(self._over, at, unless), timeout=at - workflow.now(), timeout_summary=self.name
                )
        return False

    def _over(self, at: datetime, unless: Callable[[], bool]) -> bool:
        return unless() or self.at != at
