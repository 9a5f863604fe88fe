"""Is a time held, booked, moved and freed over HTTP, with everything it needs, once, and with every refusal said?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import create_engine, text

from api.engine import EngineRefused, EngineUnavailable
from api.schemas.board import BoardOut
from clinical.people import Role
from tests.api.answers import assert_is
from tests.api.booking_site import (
    BOOKINGS,
    RESOURCES,
    ZONE,
    a_booking,
    a_hold,
    a_room,
    a_site,
    local,
    refusal,
    statuses,
    times,
    wednesday,
)
from tests.api.caller import SITE
from tests.api.conftest import Clinic


def let_time_pass(database_url: str) -> None:
    """Whatever is held has lapsed by now."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE booking SET expires_at = now() - interval '1 second'"))
    engine.dispose()


async def test_a_time_is_found_held_booked_and_in_the_calendar(clinic: Clinic) -> None:
    made = await a_site(clinic)
    course = await clinic.a_journey()
    where = f"{course}/sessions/1"
    found = (await clinic.coordinator.get(f"{where}/slots?starting={local(wednesday())}&count=3")).json()
    assert found["time_zone"] == ZONE.key
    slot = found["items"][0]
    assert slot["starts_at"] == wednesday().isoformat().replace("+00:00", "Z")
    assert (slot["room"], set(slot["people"])) == ("room-1", {"monitor", "prescriber", "therapist"})
    held = await a_hold(clinic, course, wednesday())
    assert (held["status"], len(held["parts"])) == ("pending", 4)
    body = {"hold_id": held["id"]}
    booked = await clinic.coordinator.post(f"{where}/booking", body, key="book")
    assert (booked.status_code, booked.json()["detail"]["booking_id"]) == (200, held["id"])
    again = await clinic.coordinator.post(f"{where}/booking", body, key="book")
    assert again.headers["idempotent-replayed"] == "true"
    workflow_id, update, message = clinic.engine.heard[-1]
    assert (update, workflow_id.endswith("/session/1")) == ("book_session", True)
    assert (message.starts_at, message.room) == (wednesday(), "room-1")  # type: ignore[attr-defined]
    assert await statuses(clinic, held["id"]) == ["booked"]
    day = f"starting={local(wednesday(0))}&until={local(wednesday(24))}"
    listed = (await clinic.coordinator.get(f"{BOOKINGS}?{day}")).json()["items"]
    assert [one["id"] for one in listed] == [held["id"]]
    wall = wednesday().astimezone(ZONE).date()
    answer = await clinic.coordinator.get(f"/v1/board?day={wall.isoformat()}")
    assert_is(BoardOut, answer)
    board = answer.json()["resources"]
    assert {one["code"]: [part["booking_id"] for part in one["taken"]] for one in board} == {
        one["resource"]: [held["id"]] for one in held["parts"]
    }
    free = (await clinic.coordinator.get("/v1/board")).json()["resources"]
    assert len(free) == len(board) and not any(one["taken"] for one in free)
    feed = await clinic.coordinator.get(f"{made['nurse-1']}/calendar")
    assert feed.headers["content-type"].startswith("text/calendar")
    assert "STATUS:CONFIRMED" in feed.text
    patients = (await clinic.coordinator.get(f"{where}/calendar")).text
    assert ("LOCATION:room-1" in feed.text, "LOCATION" in patients) == (True, False)


async def test_two_people_book_the_last_room_and_one_hears_every_clash(clinic: Clinic) -> None:
    await a_site(clinic)
    courses = [await clinic.a_journey(key=f"start-{n}") for n in range(2)]
    body = {**times(wednesday()), "room": "room-1"}
    answers = await asyncio.gather(
        *(
            clinic.coordinator.post(f"{course}/sessions/1/booking", body, key=f"b-{n}")
            for n, course in enumerate(courses)
        )
    )
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.status_code == 200
    problem = refusal(lost, 409, "slot-conflict")
    owner = won.json()["detail"]["booking_id"]
    assert {(one["part"], *one["bookings"]) for one in problem["clashes"]} == {
        (part, owner) for part in ("place", "monitor", "prescriber", "therapist")
    }
    assert len(problem["alternatives"]) == 3
    at = problem["alternatives"][0]["starts_at"]
    loser = courses[answers.index(lost)]
    again = await clinic.coordinator.post(f"{loser}/sessions/1/holds", {"starts_at": at}, key="again")
    assert again.status_code == 201
    assert [update for _, update, _ in clinic.engine.heard].count("book_session") == 1


async def test_a_hold_that_has_lapsed_is_gone_and_stands_in_nobodys_way(
    clinic: Clinic, database_url: str
) -> None:
    await a_site(clinic)
    late, other = await clinic.a_journey(key="late"), await clinic.a_journey(key="other")
    held = await a_hold(clinic, late, wednesday(), key="one")
    let_time_pass(database_url)
    body = {"hold_id": held["id"]}
    refusal(await clinic.coordinator.post(f"{late}/sessions/1/booking", body, key="x"), 410, "hold-expired")
    assert all(update != "book_session" for _, update, _ in clinic.engine.heard)
    await a_booking(clinic, other, wednesday())  # nobody has swept
    refusal(await clinic.coordinator.post(f"{late}/sessions/1/booking", body, key="y"), 410, "hold-expired")
    (task,) = (await clinic.coordinator.get("/v1/tasks?code=finish-booking")).json()["items"]
    assert (task["course"], task["act"], task["href"]) == (late, "book_session", f"{late}/sessions/1/booking")
    assert (await clinic.coordinator.post(f"/v1/tasks/{task['id']}/claim", {})).status_code == 200
    await a_hold(clinic, late, wednesday(13), key="again")  # whoever holds another time is at it
    assert (await clinic.coordinator.get("/v1/tasks?code=finish-booking")).json()["items"] == []


async def test_what_the_workflow_refuses_is_free_again(clinic: Clinic) -> None:
    await a_site(clinic)
    course = await clinic.a_journey()
    held = await a_hold(clinic, course, wednesday())
    clinic.engine.failure = EngineRefused("not-possible-now", "this session was moved too often", {})
    where, body = f"{course}/sessions/1", {"hold_id": held["id"]}
    refusal(await clinic.coordinator.post(f"{where}/booking", body, key="b"), 409, "not-possible-now")
    assert await statuses(clinic, held["id"]) == ["pending"]
    clinic.engine.failure = None
    released = await clinic.coordinator.post(f"{where}/holds/{held['id']}/release", {})
    assert released.json()["booking"]["status"] == "released"
    refusal(await clinic.coordinator.post(f"{where}/booking", body, key="c"), 409, "not-possible-now")


async def test_a_booking_that_was_refused_blocks_nobody_and_may_be_sent_again(clinic: Clinic) -> None:
    await a_site(clinic)
    course, other = await clinic.a_journey(key="one"), await clinic.a_journey(key="two")
    body = {**times(wednesday()), "room": "room-1"}
    clinic.engine.failure = EngineRefused("on-hold", "the course is on hold", {})
    where = f"{course}/sessions/1"
    refusal(await clinic.coordinator.post(f"{where}/booking", body, key="b"), 409, "on-hold")
    held = await a_hold(clinic, other, wednesday())
    clinic.engine.failure = None
    refusal(await clinic.coordinator.post(f"{where}/booking", body, key="b"), 409, "slot-conflict")
    await clinic.coordinator.post(f"{other}/sessions/1/holds/{held['id']}/release", {})
    assert (await clinic.coordinator.post(f"{where}/booking", body, key="b")).status_code == 200


async def test_when_the_engine_did_not_answer_the_same_request_goes_on(
    clinic: Clinic, database_url: str
) -> None:
    await a_site(clinic)
    course = await clinic.a_journey()
    body = {**times(wednesday()), "room": "room-1"}
    clinic.engine.failure = EngineUnavailable()
    first = await clinic.coordinator.post(f"{course}/sessions/1/booking", body, key="b")
    assert first.status_code == 503
    let_time_pass(database_url)  # what is being confirmed lapses no more
    refusal(
        await clinic.coordinator.post(
            f"{course}/sessions/1/holds", {"starts_at": local(wednesday(13))}, key="other"
        ),
        409,
        "not-possible-now",
    )
    clinic.engine.failure = None
    again = await clinic.coordinator.post(f"{course}/sessions/1/booking", body, key="b")
    assert again.status_code == 200
    assert await statuses(clinic, again.json()["detail"]["booking_id"]) == ["booked"]


async def test_moving_keeps_the_old_time_until_the_new_one_is_booked(clinic: Clinic) -> None:
    made = await a_site(clinic)
    course, other = await clinic.a_journey(key="one"), await clinic.a_journey(key="two")
    old = await a_booking(clinic, course, wednesday(9), key="old")
    held = await a_hold(clinic, course, wednesday(9.5), key="half an hour later")
    taken = await clinic.coordinator.post(
        f"{other}/sessions/1/holds", {"starts_at": wednesday(9).isoformat()}, key="x"
    )
    assert taken.status_code == 409
    assert await statuses(clinic, old, held["id"]) == ["booked", "pending"]
    where = f"{course}/sessions/1"
    moved = await clinic.coordinator.post(f"{where}/booking", {"hold_id": held["id"]}, key="move")
    assert moved.status_code == 200
    assert await statuses(clinic, old, held["id"]) == ["moved", "booked"]
    calendar = (await clinic.coordinator.get(f"{where}/calendar")).text
    assert ("SEQUENCE:1" in calendar, calendar.count("BEGIN:VEVENT")) == (True, 1)
    assert await a_hold(clinic, other, wednesday(13))
    cancelled = await clinic.coordinator.post(f"{where}/cancellation", {"reason": "flu"})
    assert cancelled.status_code == 200
    assert await statuses(clinic, held["id"]) == ["cancelled"]
    feed = (await clinic.coordinator.get(f"{made['nurse-1']}/calendar")).text
    assert ("STATUS:CANCELLED" in feed, "SEQUENCE:2" in feed) == (True, True)
    assert await a_hold(clinic, other, wednesday(9), key="free again")


async def test_times_that_cannot_be_are_refused_with_every_fault(clinic: Clinic) -> None:
    await a_site(clinic)
    course = await clinic.a_journey()
    where = f"{course}/sessions/1"

    async def refused(**body: str) -> list[str]:
        problem = refusal(
            await clinic.coordinator.post(f"{where}/holds", body, key=str(body)), 422, "invalid-time"
        )
        return sorted(f"{one['pointer']} {one['code']}" for one in problem["errors"])

    assert await refused(starts_at="2027-03-14T02:30") == ["/starts_at nonexistent-local-time"]
    assert await refused(starts_at="2027-11-07T01:30") == ["/starts_at ambiguous-local-time"]
    assert await refused(starts_at="2027-02-30T09:00") == ["/starts_at invalid-time"]
    yesterday = wednesday() - timedelta(days=30)
    both = await refused(starts_at=local(yesterday), ends_at=local(yesterday - timedelta(hours=1)))
    assert both == ["/ends_at invalid-time", "/starts_at invalid-time"]
    assert await refused(**times(wednesday(), hours=1)) == ["/ends_at invalid-time"]  # nobody is home by then
    assert await refused(**times(wednesday(), hours=25)) == ["/ends_at invalid-time"]
    assert await refused(**times(wednesday(), hours=0)) == ["/ends_at invalid-time"]
    offset = {"starts_at": "2027-11-07T01:30:00-05:00"}
    sunday = await clinic.coordinator.post(f"{where}/holds", offset, key="sunday")
    refusal(sunday, 409, "slot-conflict")  # it is a time; nobody is there on Sundays


async def test_without_rooms_and_people_a_room_is_a_word(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    where = f"{course}/sessions/1"
    body = {**times(wednesday()), "room": "the blue one".replace(" ", "-")}
    assert (await clinic.coordinator.post(f"{where}/booking", body, key="a")).status_code == 200
    refusal(
        await clinic.coordinator.post(f"{where}/holds", {"starts_at": body["starts_at"]}, key="h"),
        409,
        "not-possible-now",
    )
    refusal(await clinic.coordinator.post(f"{where}/booking", {}, key="b"), 422, "invalid-request")
    both = body | {"hold_id": "0" * 26}
    refusal(await clinic.coordinator.post(f"{where}/booking", both, key="c"), 422, "invalid-request")
    await a_site(clinic)
    unknown = await clinic.coordinator.post(f"{where}/booking", body, key="d")
    problem = refusal(unknown, 409, "slot-conflict")
    assert [one["obstacle"] for one in problem["clashes"]] == ["unknown"]


async def test_rooms_and_people_are_kept_with_every_fault_told(clinic: Clinic) -> None:
    made = await a_site(clinic)
    address = made["room-1"]
    director, nurse = clinic.person(Role.MEDICAL_DIRECTOR), clinic.person(Role.NURSE)
    assert (await nurse.post(RESOURCES, a_room("room-7"))).status_code == 403
    refusal(await director.post(RESOURCES, a_room()), 409, "resource-exists")
    faulty = a_room(
        "x", roles=["nurse"], time_zone="Mars/Base", hours=[{**HOURS_BACKWARDS}], person="staff-9"
    )
    problem = refusal(await director.post(RESOURCES, faulty), 422, "invalid-request")
    assert {one["pointer"] for one in problem["errors"]} == {"/roles", "/time_zone", "/hours/0"}
    elsewhere = await director.post(RESOURCES, a_room("y", time_zone="Europe/Berlin"))
    assert refusal(elsewhere, 422, "invalid-request")["errors"][0]["code"] == "another-zone"
    read = await nurse.get(address)
    assert (read.status_code, read.headers["etag"]) == (200, 'W/"1"')
    change = a_room(capacity=2)
    refusal(await director.post(f"{address}/content", change), 428, "precondition-required")
    changed = await director.post(f"{address}/content", change, if_match='W/"1"')
    assert (changed.json()["resource"]["capacity"], changed.headers["etag"]) == (2, 'W/"2"')
    late = await director.post(f"{address}/content", change, if_match='W/"1"')
    refusal(late, 412, "resource-changed")
    away = {"starts_at": local(wednesday(0)), "ends_at": local(wednesday(24)), "reason": "painting"}
    absence = (await clinic.coordinator.post(f"{address}/absences", away)).json()
    course = await clinic.a_journey()
    hold = {"starts_at": local(wednesday())}
    problem = refusal(
        await clinic.coordinator.post(f"{course}/sessions/1/holds", hold, key="h"), 409, "slot-conflict"
    )
    assert [(one["part"], one["obstacle"]) for one in problem["clashes"]] == [("place", "not-at-work")]
    assert (await nurse.get(f"{address}/absences")).json()["items"] == [absence]
    ended = await clinic.coordinator.post(f"{address}/absences/{absence['id']}/end", {})
    assert ended.status_code == 200
    assert (await nurse.get(f"{address}/absences")).json()["items"] == []
    assert len((await nurse.get(RESOURCES)).json()["items"]) == 4
    stranger = clinic.person(Role.COORDINATOR, sites=("site-b",))
    assert (await stranger.get(address)).status_code == 404
    elsewhere = await stranger.get(address.replace(SITE, "site-b"))
    refusal(elsewhere, 404, "not-found")


HOURS_BACKWARDS = {"weekday": "mon", "starts": "18:00", "ends": "08:00"}
