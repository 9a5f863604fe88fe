"""Somebody may be at risk: raise a concern, take a case over, close it, plan for safety, stay in touch.

A risk case outlives its course, and so does worry: when the course is over, a concern or a safety plan goes to
the case that is still open, and a concern opens one of its own if there is none.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from api.composition import Composition
from api.dependencies import CaseId, Composed, Course, CourseHere, Desk, DeskHere
from api.paging import Paged
from api.problems import Problem
from api.routes.router import COURSE, routes
from api.schemas.answers import AcceptedOut
from api.schemas.risk import (
    AcknowledgementIn,
    CaringContactIn,
    ConcernIn,
    ResolutionIn,
    SafetyPlanIn,
    SafetyPlansOut,
)
from clinical.risk import concern
from services.records.views import JourneyView
from workflows.messages import (
    Accepted,
    AcknowledgeRisk,
    RaiseConcern,
    RecordCaringContact,
    RecordSafetyPlan,
    ResolveRisk,
    RiskSignal,
    StartRisk,
)

router = routes(COURSE, "follow-up and risk")

STILL_OPEN = frozenset({"open", "acknowledged"})


@router.post("/concerns", operation_id="raise_concern", response_model=AcceptedOut, status_code=201)
async def raise_concern(body: ConcernIn, course: CourseHere, desk: DeskHere, here: Composed) -> Accepted:
    """Any member of staff is worried: it pages as a positive screen does, at every stage, on hold or not.

    It opens a risk case or joins the open one; `detail.case_id` names it. When the course is over it opens one
    of its own.
    """
    return await concern_anyway(desk.message(RaiseConcern, body), course, desk, here)


async def concern_anyway(message: RaiseConcern, course: Course, desk: Desk, here: Composition) -> Accepted:
    """By the course, by the open case when the course is over, or by a case of its own."""
    try:
        return await desk.send(course, "raise_concern", message)
    except Problem as problem:
        journey = await _over(course, problem)
    case = open_risk_case(journey)
    if case is not None:
        try:
            return await desk.send(course, "raise_concern", message, part=f"risk/{case}")
        except Problem as problem:
            await _over(course, problem)
    return await here.engine.open_case(await case_of_its_own(here, course, journey, message))


@router.post(
    "/risk-cases/{case_id}/acknowledgement", operation_id="acknowledge_risk", response_model=AcceptedOut
)
async def acknowledge_risk(
    course: CourseHere, case_id: CaseId, desk: DeskHere, body: AcknowledgementIn | None = None
) -> Accepted:
    """A clinician takes the case over; the paging stops."""
    message = desk.message(AcknowledgeRisk, body or AcknowledgementIn())
    return await desk.send(course, "acknowledge_risk", message, part=f"risk/{case_id}")


@router.post("/risk-cases/{case_id}/resolution", operation_id="resolve_risk", response_model=AcceptedOut)
async def resolve_risk(body: ResolutionIn, course: CourseHere, case_id: CaseId, desk: DeskHere) -> Accepted:
    """A licensed clinician closes the case with a disposition; until then no dose is given.

    From moderate on, a safety plan must have been recorded since the finding, or `without_plan` say why not,
    unless others have taken over: 409 `safety-plan-required`.
    """
    return await desk.send(course, "resolve_risk", desk.message(ResolveRisk, body), part=f"risk/{case_id}")


@router.post(
    "/risk-cases/{case_id}/contacts", operation_id="record_caring_contact", response_model=AcceptedOut
)
async def record_caring_contact(
    body: CaringContactIn, course: CourseHere, case_id: CaseId, desk: DeskHere
) -> Accepted:
    """A contact after the case was closed: reached or not. Not reached goes to a prescriber at once."""
    message = desk.message(RecordCaringContact, body)
    return await desk.send(course, "record_caring_contact", message, part=f"risk/{case_id}")


@router.post("/safety-plans", operation_id="record_safety_plan", response_model=AcceptedOut, status_code=201)
async def record_safety_plan(body: SafetyPlanIn, course: CourseHere, desk: DeskHere) -> Accepted:
    """A safety plan was made or reviewed with the person: a new version, to be reviewed again in time."""
    message = desk.message(RecordSafetyPlan, body)
    try:
        return await desk.send(course, "record_safety_plan", message)
    except Problem as problem:
        case = open_risk_case(await _over(course, problem))
        if case is None:
            raise
    return await desk.send(course, "record_safety_plan", message, part=f"risk/{case}")


@router.get("/safety-plans", operation_id="read_safety_plans")
async def read_safety_plans(
    course: CourseHere,
    here: Composed,
    paging: Paged,
    newest_first: Annotated[bool, Query(description="the one that counts first")] = False,
) -> SafetyPlansOut:
    """Versions of the safety plan, oldest first. A patient may read one's own."""
    found = await here.queries.safety_plans(
        [course.site], course.id, newest_first=newest_first, after=paging.number, limit=paging.wanted
    )
    shown, mark = paging.page(found, lambda one: (one.version,))
    total = await here.queries.safety_plan_count(course.id)
    return SafetyPlansOut(items=shown, next_cursor=mark, total=total)


async def _over(course: Course, problem: Problem) -> JourneyView:
    """The course, if it is over; else the problem stands."""
    if problem.code != "not-possible-now":
        raise problem
    journey = await course.view()
    if journey.closed_at is None:
        raise problem
    return journey


def open_risk_case(journey: JourneyView) -> str | None:
    """The case that takes further concerns, if there is one."""
    return next((case.case_id for case in journey.risk_cases if case.status in STILL_OPEN), None)


async def case_of_its_own(
    here: Composition, course: Course, journey: JourneyView, message: RaiseConcern
) -> StartRisk:
    """The start of a case for a concern about somebody whose course is over."""
    protocol = await here.records.protocol(course.site, journey.protocol)
    found_at = message.occurred_at or datetime.now(UTC)
    found = concern(message.level, message.on_site, found_at, protocol)
    signal = RiskSignal(
        case_id=f"concern-{message.key}",
        level=found.level,
        trigger=found.trigger,
        on_site=found.on_site,
        found_at=found.found_at,
        patient_id=journey.patient_id,
    )
    return StartRisk(
        journey_id=course.id, site=course.site, protocol=protocol, finding=signal, concern=message
    )
