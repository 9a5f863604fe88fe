"""How does the engine hear that a message holds words of crisis?

The case is in the inbox and on the work list before the engine is asked; what it has not heard of is told again
until it has, with the same key: one concern for each case. When the course is over, the open risk case hears of
it, or a new one is opened, as for a concern of a member of staff.
"""

import asyncio
from datetime import UTC, datetime

import structlog

from api.composition import Composition
from api.dependencies import Course
from api.engine import NotRunning
from api.routes.risk import case_of_its_own, open_risk_case
from clinical.people import ENGINE
from services.records.errors import RecordsError
from services.records.inbox_views import CrisisCase
from workflows.messages import Accepted, RaiseConcern

TEXT = "A message of the patient holds words of crisis. It can be read in the inbox, case {case_id}."
LOOK_EVERY_S = 10.0

_log = structlog.get_logger(__name__)


async def tell_the_engine(here: Composition) -> None:
    """Raise a concern for every crisis that the engine has not heard of. Failures are tried again the next time."""
    for case in await here.inbox.unraised():
        try:
            await _raise(here, case)
        except (
            Exception
        ) as failure:  # whatever is wrong with one case must not keep the others from being told
            _log.warning("concern not raised", code=type(failure).__name__, journey_id=case.journey_id)
            continue
        await here.inbox.raised(case.case_id, datetime.now(UTC))


async def keep_telling(here: Composition, every_s: float = LOOK_EVERY_S) -> None:
    """Again and again until cancelled."""
    while True:
        try:
            await tell_the_engine(here)
        except RecordsError as failure:
            _log.warning("inbox not read", code=type(failure).__name__)
        await asyncio.sleep(every_s)


async def _raise(here: Composition, case: CrisisCase) -> None:
    message = RaiseConcern(
        key=f"message-{case.case_id}", actor=ENGINE, text=TEXT.format(case_id=case.case_id), on_site=False
    )
    try:
        await here.engine.command(case.journey_id, "raise_concern", message, Accepted)
        return
    except NotRunning:
        _, site, ulid = case.journey_id.split("/")
    course = Course(site, ulid, here)
    journey = await course.view()
    risk_case = open_risk_case(journey)
    if risk_case is not None:
        try:
            await here.engine.command(f"{course.id}/risk/{risk_case}", "raise_concern", message, Accepted)
            return
        except NotRunning:
            pass
    await here.engine.open_case(await case_of_its_own(here, course, journey, message))
