"""A workflow of the tests whose first task fails, and which then writes and acts: it shows all that an SDK measures."""

from datetime import timedelta

from temporalio import activity, workflow

_stumbled: set[str] = set()


@activity.defn
async def act() -> None:
    """Nothing, which takes a moment."""


@workflow.defn(sandboxed=False)
class Stumbling:
    @workflow.run
    async def run(self) -> None:
        run_id = workflow.info().run_id
        if run_id not in _stumbled:
            _stumbled.add(run_id)
            raise RuntimeError("the first task fails")
        soon = timedelta(seconds=30)
        await workflow.execute_local_activity(act, start_to_close_timeout=soon)
        await workflow.execute_activity(act, start_to_close_timeout=soon)
