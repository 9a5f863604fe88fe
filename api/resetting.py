"""How is a failed step of a course taken up again, without ever going behind what was given to a person?

What can be undone by a reset is only the engine's memory, never the record and never the world. So it refuses to go
back behind a dose of the course, or behind the start of a part: the engine would no longer know of somebody in the
chair. It is written into the audit, with who and why, before it is done.
"""

from datetime import UTC, datetime

from api.auth import Caller
from api.composition import Composition
from api.dependencies import Course
from api.engine import NotRunning
from api.problems import Problem
from api.schemas.operations import ResetIn, ResetOut
from clinical.events import DoseGiven
from services.access.views import Looked

ACT = "reset_workflow"
PURPOSE = "HOPERAT"


async def reset(
    here: Composition, course: Course, caller: Caller, body: ResetIn, key: str, trace_id: str
) -> ResetOut:
    """Raises not-possible-now when nothing failed, or when it would go behind a dose or a part."""
    workflow_id = f"{course.id}/{body.part}" if body.part else course.id
    try:
        step = await here.engine.failed_step(workflow_id)
    except NotRunning:
        raise Problem("not-found", "there is no such workflow") from None
    if step is None:
        raise Problem("not-possible-now", "nothing has failed here: there is nothing to take up")
    if step.activity is None:
        if step.parts_since:
            raise Problem("not-possible-now", "a part has begun since: a reset would lose sight of it")
        since = step.since or datetime.min.replace(
            tzinfo=UTC
        )  # unknown is never safe: as if it were long ago
        given = [
            entry
            for entry in await here.records.entries(course.id)
            if isinstance(entry.fact, DoseGiven) and max(entry.occurred_at, entry.recorded_at) >= since
        ]
        if given:
            raise Problem("not-possible-now", "a dose was given since: what was given is never taken back")
    looked = Looked(
        site=course.site,
        actor_id=caller.principal.id,
        actor_role=caller.role.value,
        act=ACT,
        purpose=PURPOSE,
        object_id=workflow_id,
        part=f"activity/{step.activity}" if step.activity else f"event/{step.to_event}",
        trace_id=trace_id,
    )
    await here.access.audit.write(looked)
    run_id = await here.engine.take_up(step, body.reason, key)
    return ResetOut(
        workflow_id=workflow_id,
        did="activity-tried-again" if step.activity else "run-reset",
        activity=step.activity,
        run_id=run_id,
        to_event=None if step.activity else step.to_event,
    )
