"""Rooms, people and wishes for the tests of booking."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from clinical.booking import CourseRules, Kind
from clinical.booking_hours import WEEK, Shift
from clinical.people import Role
from clinical.protocol import Protocol
from services.booking.interface import BookingView, ResourceContent, ResourceView, Wish
from services.booking.service import Bookings
from services.identifiers import new_id
from tests.shipped import shipped_protocol

SITE = "site-a"
NEW_YORK = "America/New_York"
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)  # a Monday, 08:00 in New York
NINE = datetime(2026, 6, 2, 13, 0, tzinfo=UTC)  # Tuesday, 09:00 in New York
PROTOCOL: Protocol = shipped_protocol()


def shifts(first: int = 8 * 60, last: int = 18 * 60) -> tuple[Shift, ...]:
    return tuple(Shift(weekday=day, from_minute=first, to_minute=last) for day in WEEK[:5])


def a_resource(code: str, **given: Any) -> ResourceContent:
    values: dict[str, Any] = {"code": code, "kind": Kind.ROOM, "time_zone": NEW_YORK, "hours": shifts()}
    return ResourceContent.model_validate({**values, **given})


def somebody(code: str, *roles: Role, **given: Any) -> ResourceContent:
    return a_resource(code, kind=Kind.STAFF, roles=roles, **given)


async def a_site(
    books: Bookings, *, rooms: int = 1, people: int = 1, serving: int = 1, site: str = SITE, **given: Any
) -> dict[str, ResourceView]:
    """So many rooms, and of each role so many people; by their codes."""
    contents = [a_resource(f"room-{n}", **given) for n in range(1, rooms + 1)]
    for role in (Role.NURSE, Role.PRESCRIBER, Role.THERAPIST):
        contents += [
            somebody(f"{role.value}-{n}", role, capacity=serving, **given) for n in range(1, people + 1)
        ]
    made = [await books.add_resource(site, new_id(), content) for content in contents]
    return {one.code: one for one in made}


def rules(journey_id: str = "", **given: Any) -> CourseRules:
    values: dict[str, Any] = {
        "journey_id": journey_id or f"journey/{SITE}/{new_id()}",
        "site": SITE,
        "time_zone": NEW_YORK,
        "protocol": PROTOCOL,
        "phase": None,
        "doses": (),
        "open": True,
    }
    return CourseRules.model_validate({**values, **given})


def a_wish(starts_at: datetime = NINE, **given: Any) -> Wish:
    course = given.pop("rules", None) or rules(given.pop("journey_id", ""))
    values: dict[str, Any] = {
        "id": new_id(),
        "rules": course,
        "session": 1,
        "starts_at": starts_at,
        "held_by": "staff-1",
        "minutes": 15,
    }
    return Wish.model_validate({**values, **given})


async def booked(books: Bookings, wish: Wish, now: datetime = NOW) -> BookingView:
    """Held, claimed, settled."""
    held = await books.hold(wish, now)
    await books.claim(wish.rules.site, held.id, f"key-{held.id}", now)
    return await books.settle(wish.rules.site, held.id, now)


def after(**given: float) -> datetime:
    return NOW + timedelta(**given)
