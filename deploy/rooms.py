"""Which rooms and people does the demonstration clinic have? Enough for two visits at once, round the clock.

Round the clock, so that the tour of the README works at any hour of the day.
"""

from __future__ import annotations

from typing import Any

from deploy.demo_clinic import Clinic
from deploy.tokens import DEMO_SITE, staff_id

TIME_ZONE = "America/New_York"
HOURS = [
    {"weekday": day, "starts": "00:00", "ends": "24:00"}
    for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
]
STAFF = ("nurse", "prescriber", "therapist")
AT_ONCE = 4
"""A prescriber on site is there for so many visits."""


def resources() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"code": "room-1", "kind": "room", "after_minutes": 15},
        {"code": "room-2", "kind": "room", "after_minutes": 15},
    ]
    for role in STAFF:
        one = {"code": f"{role}-1", "kind": "staff", "roles": [role], "person": staff_id(role)}
        two = {"code": f"{role}-2", "kind": "staff", "roles": [role]}
        capacity = {"capacity": AT_ONCE} if role == "prescriber" else {}
        found += [{**one, **capacity}, {**two, **capacity}]
    return [{**one, "time_zone": TIME_ZONE, "hours": HOURS} for one in found]


async def furnish(clinic: Clinic) -> None:
    """Register them, unless the site has some already."""
    address = f"/v1/resources/{DEMO_SITE}"
    if (await clinic.get(address, "coordinator"))["items"]:
        return
    for one in resources():
        await clinic.post(address, "coordinator", one)
