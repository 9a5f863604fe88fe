"""One course, read: where it stands, what is next, what happened, the scores, the messages."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Header, Query, Request, Response
from pydantic import Field

from api.composition import Composition
from api.dependencies import CallerHere, Composed, Course, CourseHere
from api.minimum import shown_entry, shown_journey, shown_score
from api.next_steps import step
from api.paging import CursorParameter, Limit, Paged, link_next
from api.routes.router import COURSE, routes
from api.schemas.answers import JourneyOut, MessagesOut, NextOut, ScoresOut, TimelinePage, Waiting
from api.why_waiting import why_waiting
from clinical.instruments.answers import InstrumentId
from clinical.journey import Move, Stage, possible_moves
from services.notifications.interface import ChannelName, CommunicationStatus
from services.records.errors import NotFound
from services.records.views import JourneyView

router = routes(COURSE, "journeys")

Kind = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$", max_length=60)]


@router.get("", operation_id="read_journey", response_model=JourneyOut)
async def read_journey(
    course: CourseHere,
    caller: CallerHere,
    here: Composed,
    response: Response,
    if_none_match: Annotated[str | None, Header(max_length=80)] = None,
) -> JourneyOut | Response:
    """Where a patient is, what can be done next and by whom, what it waits for, until when, and the whole record.

    `ETag` changes with the course, with who holds its tasks, and when one of them becomes overdue.
    """
    journey, now = await course.view(), datetime.now(UTC)
    waits_for = [step(task, now) for task in journey.open_tasks]
    late, held = sum(one.overdue for one in waits_for), sum(task.version for task in journey.open_tasks)
    etag = f'W/"{journey.version}.{held}.{late}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return JourneyOut(
        href=course.href,
        timeline=f"{course.href}/timeline",
        journey=shown_journey(journey, caller.role),
        waits_for=waits_for,
        why=await _why(here, journey, now),
        possible_moves=_moves(journey),
    )


@router.get("/next", operation_id="read_next")
async def read_next(course: CourseHere, here: Composed) -> NextOut:
    """What the course waits for: which act, by whom, until when, and where to send it; and why."""
    journey, now = await course.view(), datetime.now(UTC)
    return NextOut(
        stage=journey.stage,
        status=journey.status,
        on_hold=journey.on_hold,
        waits_for=[step(task, now) for task in journey.open_tasks],
        why=await _why(here, journey, now),
        possible_moves=_moves(journey),
    )


async def _why(here: Composition, journey: JourneyView, now: datetime) -> list[Waiting]:
    protocol = None
    if journey.stage == Stage.FOLLOW_UP:
        with suppress(NotFound):
            protocol = await here.records.protocol(journey.site, journey.protocol)
    return why_waiting(journey, protocol, now)


def _moves(journey: JourneyView) -> list[Move]:
    return list(possible_moves(Stage(journey.stage), on_hold=journey.on_hold))


@router.get("/timeline", operation_id="read_timeline")
async def read_timeline(
    course: CourseHere,
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    kind: Annotated[
        list[Kind] | None, Query(max_length=20, description="only facts of these kinds, as dose.given")
    ] = None,
    session: Annotated[int | None, Query(ge=1, le=1000, description="only of this session")] = None,
    newest_first: Annotated[bool, Query()] = False,
    cursor: CursorParameter = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> TimelinePage:
    """Everything that happened, one line each, in the order of recording or backwards; `total` counts all."""
    kinds = sorted(kind or ())
    listing = f"timeline {caller.principal.id} {course.id} {kinds} {session} {newest_first}"
    after = int(here.cursors.open(listing, cursor)[0]) if cursor is not None else None
    total = (await course.view()).last_seq
    found = await here.queries.timeline(
        [course.site],
        course.id,
        kinds=kinds,
        session_no=session,
        after_seq=after,
        newest_first=newest_first,
        limit=limit + 1,
    )
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [str(found[limit - 1].seq)])
        link_next(request, response, mark)
    return TimelinePage(
        items=[shown_entry(one, caller.role) for one in found[:limit]], next_cursor=mark, total=total
    )


@router.get("/scores", operation_id="read_scores")
async def read_scores(
    course: CourseHere,
    here: Composed,
    caller: CallerHere,
    paging: Paged,
    instrument: Annotated[InstrumentId | None, Query(description="only of this questionnaire")] = None,
    complete: Annotated[bool | None, Query(description="only whole ones, or only the others")] = None,
) -> ScoresOut:
    """Scored questionnaires, in the order of measuring. No score is null, never zero.

    A coordinator sees that it came, not what it says: those values are null.
    """
    place = paging.place
    found = await here.queries.scores(
        [course.site],
        course.id,
        instrument=instrument,
        complete=complete,
        after=None if place is None else (datetime.fromisoformat(place[0]), int(place[1])),
        limit=paging.wanted,
    )
    shown, mark = paging.page(found, lambda one: (one.measured_at, one.seq))
    counts = await here.queries.score_counts(course.id)
    return ScoresOut(items=[shown_score(one, caller.role) for one in shown], next_cursor=mark, counts=counts)


@router.get("/messages", operation_id="read_messages")
async def read_messages(
    course: CourseHere,
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    status: Annotated[CommunicationStatus | None, Query()] = None,
    channel: Annotated[ChannelName | None, Query()] = None,
    cursor: CursorParameter = None,
    limit: Limit = 200,
) -> MessagesOut:
    """Every message of the course and what became of it: channel, receipts, why it did not leave.

    What it said stays encrypted.
    """
    await _exists(course)
    listing = f"messages {caller.principal.id} {course.id} {status} {channel}"
    after = None
    if cursor is not None:
        occurred, recorded, key = here.cursors.open(listing, cursor)
        after = datetime.fromisoformat(occurred), datetime.fromisoformat(recorded), key
    found = await here.messages.for_journey(course.id, after, limit + 1, status=status, channel=channel)
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(
            listing, [last.occurred_at.isoformat(), last.recorded_at.isoformat(), last.key]
        )
        link_next(request, response, mark)
    return MessagesOut(items=found[:limit], next_cursor=mark, counts=await here.messages.counts(course.id))


async def _exists(course: Course) -> None:
    await course.person()
