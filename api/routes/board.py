"""What does the day of a site look like right now?"""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query, Response

from api.auth import ACTS
from api.composition import Composition
from api.dependencies import CallerHere, Composed
from api.next_steps import course_href
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.board import BoardOut, PersonOut, ResourceOnBoard
from api.schemas.values import Day
from clinical.booking import Span
from clinical.instants import local_date
from services.records.board_queries import PLACES
from services.records.board_views import PersonOnBoard

router = routes("/v1/board", "tasks")

NEXT_OF = {
    "expected": (("answer_readiness", "/readiness"), ("check_in", "/check-in")),
    "arrived": (("order_dose", "/order"), ("give_dose", "/dose")),
    "in-chair": (("record_observation", "/observations"), ("discharge", "/discharge")),
    "home": (("record_contact", "/contact"), ("record_integration", "/integration")),
}
END_DOSE = ("end_dose", "/dose-end")
AT_MOST = 1000
"""Visits of one site on one day."""


@router.get("", operation_id="read_board")
async def read_board(
    here: Composed,
    caller: CallerHere,
    response: Response,
    site: AtSite = None,
    day: Annotated[Day | None, Query(description="on the wall of the site; today if left out")] = None,
) -> BoardOut:
    """The day of a site in its own zone: rooms, who is expected, here, in the chair (since when, the next reading
    and whether it is late, the tier of the last one), who went home, and what can be done for each.

    Whoever is here is shown whatever the day.
    """
    at, now = one_site(caller, site), datetime.now(UTC)
    zone = await here.zone_of(at)
    board = await here.queries.board(at, day or local_date(now, zone), zone, now)
    response.headers["Cache-Control"] = "no-store"
    people = tuple(_person(one) for one in board.people)
    counts = {place: sum(one.place == place for one in people) for place in PLACES}
    resources = await _resources(here, at, Span(board.starts_at, board.ends_at))
    return BoardOut(**(dict(board) | {"people": people}), counts=counts, resources=tuple(resources))


async def _resources(here: Composition, site: str, day: Span) -> list[ResourceOnBoard]:
    """Everything that the site has registered, by kind and code, with the visits of that day."""
    taken: dict[str, list[dict[str, Any]]] = {}
    for booking in await here.bookings.between(site, day, limit=AT_MOST):
        for part in booking.parts:
            span = {
                "part": part.part,
                "starts_at": part.starts_at,
                "ends_at": part.ends_at,
                "status": booking.status,
                "booking_id": booking.id,
                "journey_id": booking.journey_id,
                "session": booking.session,
            }
            taken.setdefault(part.resource_id, []).append(span)
    return [
        ResourceOnBoard.model_validate({"code": one.code, "kind": one.kind, "taken": taken.get(one.id, ())})
        for one in sorted(await here.bookings.resources(site), key=lambda one: (one.kind, one.code))
    ]


def _person(one: PersonOnBoard) -> PersonOut:
    course = course_href(one.journey_id)
    ways: tuple[tuple[str, str], ...] = NEXT_OF[one.place]
    if one.place == "in-chair" and one.dose_ended_at is None:
        ways = (*ways, END_DOSE)
    acts = [
        {"act": act, "href": f"{course}/sessions/{one.session}{end}", "roles": sorted(ACTS[act])}
        for act, end in ways
    ]
    return PersonOut.model_validate({**dict(one), "course": course, "next": acts})
