"""A site with rooms and people, over HTTP, and times that are always still to come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.api.test_problems import is_problem

ZONE = ZoneInfo("America/New_York")
RESOURCES = f"/v1/resources/{SITE}"
BOOKINGS = f"/v1/bookings/{SITE}"
HOURS = [{"weekday": day, "starts": "08:00", "ends": "18:00"} for day in ("mon", "tue", "wed", "thu", "fri")]
ROLES = ("nurse", "prescriber", "therapist")


def a_room(code: str = "room-1", **changes: Any) -> dict[str, Any]:
    return {"code": code, "kind": "room", "time_zone": ZONE.key, "hours": HOURS, **changes}


async def a_site(clinic: Clinic, rooms: int = 1, people: int = 1) -> dict[str, str]:
    """So many rooms, and of each role so many people; their addresses by code."""
    bodies = [a_room(f"room-{n}") for n in range(1, rooms + 1)]
    for role in ROLES:
        bodies += [
            a_room(f"{role}-{n}", kind="staff", roles=[role], person=f"staff-{role}-{n}")
            for n in range(1, people + 1)
        ]
    found = {}
    for body in bodies:
        answer = await clinic.coordinator.post(RESOURCES, body, key=f"make-{body['code']}")
        assert answer.status_code == 201, answer.text
        found[body["code"]] = answer.json()["href"]
    return found


def wednesday(hour: float = 9, weeks: int = 1) -> datetime:
    """That hour on the wall, on a Wednesday to come that has nothing to do with a change of clocks."""
    today = datetime.now(ZONE).date()
    day = today + timedelta(days=(2 - today.weekday()) % 7 + 7 * weeks)
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    return (midnight + timedelta(minutes=round(hour * 60))).astimezone(UTC)


def local(at: datetime) -> str:
    return at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")


def times(starts_at: datetime, hours: float = 3) -> dict[str, str]:
    return {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=hours)).isoformat()}


async def a_hold(
    clinic: Clinic, course: str, at: datetime, key: str = "hold", n: int = 1, **more: Any
) -> dict[str, Any]:
    body = {"starts_at": at.isoformat(), **more}
    answer = await clinic.coordinator.post(f"{course}/sessions/{n}/holds", body, key=key)
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["booking"])


async def a_booking(clinic: Clinic, course: str, at: datetime, key: str = "b", n: int = 1) -> str:
    """The id of a visit's time that is booked."""
    held = await a_hold(clinic, course, at, key=f"hold-{key}", n=n)
    answer = await clinic.coordinator.post(
        f"{course}/sessions/{n}/booking", {"hold_id": held["id"]}, key=f"book-{key}"
    )
    assert answer.status_code == 200, answer.text
    return str(held["id"])


def refusal(answer: httpx2.Response, status: int, code: str) -> Any:
    """The problem that this answer is."""
    return is_problem(answer, status, code)


async def statuses(clinic: Clinic, *bookings: str) -> list[str]:
    answers = [await clinic.coordinator.get(f"{BOOKINGS}/{one}") for one in bookings]
    return [answer.json()["booking"]["status"] for answer in answers]
