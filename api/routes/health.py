"""Is this process alive, and can it do its work? Open to all, says nothing about anybody."""

from fastapi import Response

from api.dependencies import Composed
from api.routes.router import routes
from api.schemas.answers import HealthOut, ReadinessOut

router = routes("", "health")


@router.get("/healthz", operation_id="read_health")
async def health(here: Composed) -> HealthOut:
    """The process is up; which build it is."""
    return HealthOut(status="up", build=here.build)


@router.get("/readyz", operation_id="read_readiness", responses={503: {"model": ReadinessOut}})
async def readiness(here: Composed, response: Response) -> ReadinessOut:
    """Whether database and engine answer; 503 when one of them does not.

    A clock that differs from the database's is said, and takes nobody out of service: who did would close the clinic.
    """
    database, engine = await here.database_is_up(), await here.engine.is_up()
    if not (database and engine):
        response.status_code = 503
    seen = here.clock.last
    return ReadinessOut(
        ready=database and engine,
        database="answers" if database else "does not answer",
        engine="answers" if engine else "does not answer",
        clock="not looked at yet" if seen is None else "differs" if seen.differs else "agrees",
        clock_offset_s=None if seen is None else seen.ahead.total_seconds(),
    )
