"""What does a site have, and for whom is it there on one day? For a page that is looked at all day."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Row, bindparam, select

from clinical.booking import Span
from services.asking import Question
from services.booking.interface import LIVE, Status
from services.booking.tables import BookingRow, ResourceRow
from services.database import Database

SHOWN = (*LIVE, Status.FULFILLED, Status.NOSHOW)

RESOURCES = Question(
    select(ResourceRow.id, ResourceRow.kind, ResourceRow.code).where(ResourceRow.site == bindparam("site"))
)
BOOKED = Question(
    select(BookingRow.id, BookingRow.journey_id, BookingRow.session, BookingRow.status, BookingRow.needs)
    .where(
        BookingRow.site == bindparam("site"),
        BookingRow.status.in_(SHOWN),
        BookingRow.starts_at < bindparam("until"),
        BookingRow.ends_at > bindparam("since"),
    )
    .order_by(BookingRow.starts_at, BookingRow.id)
    .limit(bindparam("at_most"))
)


async def day_of(database: Database, site: str, span: Span, at_most: int) -> list[dict[str, Any]]:
    """All rooms and people of a site by kind and code, each with what is held or booked of them in that time, in
    order: `taken`, with buffers, instants as text. The first `at_most` visits."""
    resources, booked = await database.ask(
        RESOURCES.of(site=site),
        BOOKED.of(site=site, since=span.starts_at, until=span.ends_at, at_most=at_most),
    )
    taken: dict[str, list[dict[str, Any]]] = {one.id: [] for one in resources}
    for booking_id, journey_id, session, status, needs in map(tuple, booked):
        for part in needs["parts"]:
            if part["resource_id"] in taken:
                taken[part["resource_id"]].append(
                    {
                        "part": part["part"],
                        "starts_at": instant(part["starts_at"]),
                        "ends_at": instant(part["ends_at"]),
                        "status": status,
                        "booking_id": booking_id,
                        "journey_id": journey_id,
                        "session": session,
                    }
                )
    return [
        {"code": one.code, "kind": one.kind, "taken": taken[one.id]} for one in sorted(resources, key=_place)
    ]


@lru_cache(maxsize=4096)
def instant(kept: str) -> str:
    """As an answer has it. What is kept as text need not be an instant in between, each time a page is looked at."""
    said: str = from_json(to_json(datetime.fromisoformat(kept)))
    return said


def _place(resource: Row[Any]) -> tuple[str, str]:
    return resource.kind, resource.code
