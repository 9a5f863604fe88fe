"""One course, read: where it stands, what is next, what happened, the scores, the messages."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Header, Query, Response

from api.dependencies import CallerHere, Composed, Course, CourseHere
from api.next_steps import step
from api.routes.journeys import CursorParameter, Limit, link_next
from api.routes.router import COURSE, routes
from api.schemas.answers import JourneyOut, MessagesOut, NextOut, ScoresOut, TimelinePage
from clinical.journey import Stage, possible_moves

router = routes(COURSE, "journeys")


@router.get("", operation_id="read_journey", response_model=JourneyOut)
async def read_journey(
    course: CourseHere,
    response: Response,
    if_none_match: Annotated[str | None, Header(max_length=40)] = None,
) -> JourneyOut | Response:
    """The whole course as it stands; `ETag` is its version."""
    journey = await course.view()
    etag = f'W/"{journey.version}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return JourneyOut(href=course.href, journey=journey)


@router.get("/next", operation_id="read_next")
async def read_next(course: CourseHere) -> NextOut:
    """What the course waits for: which act, by whom, until when, and where to send it."""
    journey = await course.view()
    now = datetime.now(UTC)
    return NextOut(
        stage=journey.stage,
        status=journey.status,
        on_hold=journey.on_hold,
        waits_for=[step(task, course.href, now) for task in journey.open_tasks],
        possible_moves=list(possible_moves(Stage(journey.stage), on_hold=journey.on_hold)),
    )


@router.get("/timeline", operation_id="read_timeline")
async def read_timeline(
    course: CourseHere,
    here: Composed,
    caller: CallerHere,
    response: Response,
    cursor: CursorParameter = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> TimelinePage:
    """Everything that happened, one line each, in the order of recording."""
    listing = f"timeline {caller.principal.id} {course.id}"
    after = int(here.cursors.open(listing, cursor)[0]) if cursor is not None else 0
    found = await here.queries.timeline([course.site], course.id, after_seq=after, limit=limit + 1)
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [str(found[limit - 1].seq)])
        link_next(response, f"{course.href}/timeline", mark)
    return TimelinePage(items=found[:limit], next_cursor=mark)


@router.get("/scores", operation_id="read_scores")
async def read_scores(course: CourseHere, here: Composed) -> ScoresOut:
    """Every scored questionnaire, in the order of measuring. No score is null, never zero."""
    return ScoresOut(items=await here.queries.scores([course.site], course.id))


@router.get("/messages", operation_id="read_messages")
async def read_messages(
    course: CourseHere,
    here: Composed,
    caller: CallerHere,
    response: Response,
    cursor: CursorParameter = None,
    limit: Limit = 200,
) -> MessagesOut:
    """Every message of the course and what became of it: channel, receipts, why it did not leave.

    What it said stays encrypted.
    """
    await _exists(course)
    listing = f"messages {caller.principal.id} {course.id}"
    after = None
    if cursor is not None:
        occurred, recorded, key = here.cursors.open(listing, cursor)
        after = datetime.fromisoformat(occurred), datetime.fromisoformat(recorded), key
    found = await here.messages.for_journey(course.id, after, limit + 1)
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(
            listing, [last.occurred_at.isoformat(), last.recorded_at.isoformat(), last.key]
        )
        link_next(response, f"{course.href}/messages", mark)
    return MessagesOut(items=found[:limit], next_cursor=mark)


async def _exists(course: Course) -> None:
    await course.view()
