"""Does the board show who is expected, here, in the chair and gone home, and every course why it waits?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.schemas.board import BoardOut
from clinical.events import (
    CheckedIn,
    DoseGiven,
    Entry,
    Fact,
    ObservationRecorded,
    SessionBooked,
    SessionDischarged,
    SessionOpened,
    StageChanged,
)
from clinical.journey import Stage
from clinical.people import ENGINE, Role
from services.access.views import SiteDetails
from services.records.interface import Batch
from tests.api.answers import assert_is
from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.services.records.facts import SAMPLES

NEW_YORK = ZoneInfo("America/New_York")


def a_fact(kind: type[Any], **changes: Any) -> Any:
    """One of the sample facts, changed."""
    sample = next(fact for fact in SAMPLES if isinstance(fact, kind))
    return sample.model_copy(update={"session": 1, **changes})


async def tell(clinic: Clinic, course: str, *told: tuple[datetime, Fact]) -> None:
    entries = tuple(
        Entry(key=f"{n}:{fact.kind}:{at.isoformat()}", occurred_at=at, actor=ENGINE, fact=fact)
        for n, (at, fact) in enumerate(told)
    )
    await clinic.records.append(Batch(journey_id=course.replace("/v1/journeys", "journey"), entries=entries))


@pytest.fixture
async def day(clinic: Clinic) -> dict[str, str]:
    """Five courses: one in the chair, one whose reading is late, one expected, one late, one gone home."""
    now = datetime.now(UTC)
    here = SiteDetails(name="Site A", time_zone="America/New_York")
    await clinic.access.sites.change(SITE, here, ENGINE, None)
    courses = {}
    for n, name in enumerate(("chair", "overdue", "expected", "late", "home")):
        patient = await clinic.a_patient(email=f"p{n}@example.org", phone=f"+1 202 555 01{n:02}")
        courses[name] = await clinic.a_journey(f"k{n}", patient)
    for name, ago in (("chair", 12), ("overdue", 31), ("expected", -1), ("late", 1), ("home", 200)):
        midnight = now.astimezone(NEW_YORK).replace(hour=0, minute=0, second=0, microsecond=0)
        starts = max(now - timedelta(minutes=ago + (10 if ago > 1 else 0)), midnight.astimezone(UTC))
        booked = a_fact(
            SessionBooked, starts_at=starts, ends_at=starts + timedelta(hours=4), room=f"room-{name}",
            moved_from=None,
        )  # fmt: skip
        opened = SessionOpened(session=1, plan_hash="ab" * 32, earliest_at=now)
        await tell(clinic, courses[name], (starts, opened), (starts, booked))
        if ago <= 1:
            continue
        dosed = now - timedelta(minutes=ago)
        dose = a_fact(DoseGiven, given_at=dosed, container_id=None)
        await tell(clinic, courses[name], (starts, a_fact(CheckedIn)), (dosed, dose))
    read = now - timedelta(minutes=2)
    reading = a_fact(ObservationRecorded, minute=10, amends=None, observation_id="o1")
    await tell(clinic, courses["chair"], (read, reading))
    home = a_fact(SessionDischarged, discharged_at=now)
    await tell(clinic, courses["home"], (now, home))
    return courses


async def test_the_day_of_a_site(clinic: Clinic, day: dict[str, str]) -> None:
    answer = await clinic.person(Role.NURSE).get("/v1/board")
    board = answer.json()
    assert_is(BoardOut, answer)
    assert board["time_zone"] == "America/New_York"
    assert board["day"] == datetime.now(NEW_YORK).date().isoformat()
    people = {
        next(name for name, href in day.items() if href == one["course"]): one for one in board["people"]
    }
    assert {name: one["place"] for name, one in people.items() if name != "expected"} == {
        "overdue": "in-chair", "chair": "in-chair", "late": "expected", "home": "home",
    }  # fmt: skip
    assert [one["place"] for one in board["people"]][:2] == ["in-chair", "in-chair"]
    chair, overdue = people["chair"], people["overdue"]
    assert chair["lateness"] == "on-time" and chair["last_reading"]["minute"] == 10
    assert chair["next_reading_at"] > board["at"]
    assert overdue["lateness"] in {"alert", "page"} and overdue["last_reading"] is None
    assert overdue["next_reading_at"] < board["at"]
    assert people["late"]["late_since"] is not None
    assert {act["act"] for act in chair["next"]} == {"record_observation", "end_dose", "discharge"}
    assert chair["next"][0]["href"] == f"{day['chair']}/sessions/1/observations"
    rooms = {one["room"]: one for one in board["rooms"]}
    assert rooms["room-chair"]["session"] == 1 and rooms["room-late"]["journey_id"] is None
    assert board["counts"]["in-chair"] == 2 and board["counts"]["home"] == 1


async def test_who_is_in_the_chair_is_shown_whatever_the_day(clinic: Clinic, day: dict[str, str]) -> None:
    other = (await clinic.coordinator.get("/v1/board?day=2026-03-08")).json()
    assert (other["starts_at"], other["ends_at"]) == ("2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z")
    assert {one["place"] for one in other["people"]} == {"in-chair"}
    stranger = clinic.person(Role.NURSE, sites=("site-b",))
    assert (await stranger.get("/v1/board")).json()["people"] == []
    assert (await stranger.get("/v1/board?site=site-a")).status_code == 404


async def test_every_course_says_why_it_waits(clinic: Clinic, day: dict[str, str]) -> None:
    why = {name: (await clinic.coordinator.get(course)).json()["why"] for name, course in day.items()}
    assert [(one["kind"], one["by"]) for one in why["chair"]] == [("chair", ["nurse", "prescriber"])]
    assert [(one["kind"], one["late"]) for one in why["late"]] == [("appointment", True)]
    assert [(one["kind"], one["late"]) for one in why["expected"]] == [("appointment", False)]
    assert [one["kind"] for one in why["home"]] == ["stuck"]  # nobody opened a task: it is seen


async def test_what_is_waited_for_in_follow_up_and_on_hold(clinic: Clinic, day: dict[str, str]) -> None:
    now = datetime.now(UTC)
    to_follow_up = next(fact for fact in SAMPLES if isinstance(fact, StageChanged)).model_copy(
        update={"entered": Stage.FOLLOW_UP, "left": Stage.TREATING}
    )
    await tell(clinic, day["home"], (now, to_follow_up))
    answer = (await clinic.coordinator.get(f"{day['home']}/next")).json()
    assert [(one["kind"], one["text"]) for one in answer["why"]] == [
        ("date", "the questionnaires of week 2 are due")
    ]


async def test_the_timeline_is_filtered_and_read_backwards(clinic: Clinic, day: dict[str, str]) -> None:
    whole = (await clinic.coordinator.get(f"{day['chair']}/timeline")).json()
    assert whole["total"] == len(whole["items"])
    back: list[int] = []
    mark: str | None = ""
    while mark is not None:
        query = f"newest_first=true&limit=2{mark}"
        page = (await clinic.coordinator.get(f"{day['chair']}/timeline?{query}")).json()
        back += [one["seq"] for one in page["items"]]
        mark = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert back == [one["seq"] for one in reversed(whole["items"])]
    path = f"{day['chair']}/timeline?kind=dose.given&kind=session.opened&session=1"
    found = (await clinic.coordinator.get(path)).json()["items"]
    assert [one["kind"] for one in found] == ["session.opened", "dose.given"]
    assert (await clinic.coordinator.get(f"{day['chair']}/timeline?kind=DROP")).status_code == 422
