"""A workflow that does what none may: it looks at the clock, at once or after a step."""

import time

from temporalio import workflow


@workflow.defn(name="LooksAtTheClock")
class LooksAtTheClock:
    @workflow.run
    async def run(self, at_once: bool) -> float:
        if not at_once:
            await workflow.sleep(0.001)
        return time.time()
