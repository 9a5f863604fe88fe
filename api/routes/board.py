"""What does the day of a site look like right now?"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Annotated, Any

from fastapi import Query, Response

from api.answering import written
from api.auth import ACTS
from api.dependencies import CallerHere, Composed
from api.next_steps import course_href
from api.routes.journeys import AtSite, one_site
from api.routes.router import routes
from api.schemas.board import BoardOut
from api.schemas.values import Day
from clinical.booking import Span
from clinical.instants import local_date
from services.records.board_queries import IN_CHAIR, PLACES

router = routes("/v1/board", "tasks")

NEXT_OF: dict[str, tuple[tuple[str, str], ...]] = {
    "expected": (("answer_readiness", "/readiness"), ("check_in", "/check-in")),
    "arrived": (("order_dose", "/order"), ("give_dose", "/dose")),
    IN_CHAIR: (("record_observation", "/observations"), ("discharge", "/discharge")),
    "home": (("record_contact", "/contact"), ("record_integration", "/integration")),
}
END_DOSE = ("end_dose", "/dose-end")
ROLES_OF = {act: sorted(role.value for role in ACTS[act]) for act, _ in chain(*NEXT_OF.values(), [END_DOSE])}
AT_MOST = 1000
"""Visits of one site on one day."""


@router.get("", operation_id="read_board", response_model=BoardOut)
async def read_board(
    here: Composed,
    caller: CallerHere,
    response: Response,
    site: AtSite = None,
    day: Annotated[Day | None, Query(description="on the wall of the site; today if left out")] = None,
) -> Response:
    """The day of a site in its own zone: rooms, who is expected, here, in the chair (since when, the next reading
    and whether it is late, the tier of the last one), who went home, and what can be done for each.

    Whoever is here is shown whatever the day.
    """
    at, now = one_site(caller, site), datetime.now(UTC)
    zone = await here.zone_of(at)
    board = await here.queries.board(at, day or local_date(now, zone), zone, now)
    response.headers["Cache-Control"] = "no-store"
    for person in board["people"]:
        dose_runs = person["place"] == IN_CHAIR and person["dose_ended_at"] is None
        person.update(_ways(person["journey_id"], person["session"], person["place"], dose_runs))
    places = Counter(person["place"] for person in board["people"])
    resources = await here.bookings.day(at, Span(board["starts_at"], board["ends_at"]), limit=AT_MOST)
    counts = {place: places[place] for place in PLACES}
    return written({**board, "counts": counts, "resources": resources}, response)


@lru_cache(maxsize=1024)
def _ways(journey_id: str, session: int, place: str, dose_runs: bool) -> Mapping[str, Any]:
    """Where the course is, and what can be done for this person now. Found once: a board is looked at all day."""
    course, ways = course_href(journey_id), NEXT_OF[place]
    if dose_runs:
        ways = (*ways, END_DOSE)
    visit = f"{course}/sessions/{session}"
    return {
        "course": course,
        "next": [{"act": act, "href": f"{visit}{end}", "roles": ROLES_OF[act]} for act, end in ways],
    }
