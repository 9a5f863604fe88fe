"""Is a freed time offered in order, and is a closed day looked at before anything is moved?"""

from __future__ import annotations

from typing import Any

from api.engine import EngineRefused
from clinical.booking_tasks import BookingTask
from clinical.people import Role
from tests.api.booking_site import BOOKINGS, a_booking, a_hold, a_site, local, refusal, statuses, wednesday
from tests.api.conftest import Clinic
from tests.api.test_booking import let_time_pass


async def in_line(clinic: Clinic, course: str, **bounds: Any) -> dict[str, Any]:
    answer = await clinic.coordinator.post(f"{course}/sessions/1/waitlist", bounds, key=f"wait-{course}")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def lines(clinic: Clinic) -> list[tuple[str, str]]:
    page = (await clinic.coordinator.get(f"{BOOKINGS}/waitlist")).json()
    return [(one["journey_id"].rpartition("/")[2], one["status"]) for one in page["items"]]


async def asked(clinic: Clinic) -> list[tuple[str, str, str]]:
    """What booking has on the work list: course, code, and where the command goes."""
    page = (await clinic.coordinator.get("/v1/tasks?owner=coordinator")).json()["items"]
    codes = {task.value for task in BookingTask}
    return [(one["course"], one["code"], one["href"]) for one in page if one["code"] in codes]


async def test_a_freed_time_is_offered_in_order_and_a_late_yes_hears_that_it_is_gone(
    clinic: Clinic, database_url: str
) -> None:
    await a_site(clinic)
    booked, first, second, third = [await clinic.a_journey(key=f"c{n}") for n in range(4)]
    await a_booking(clinic, booked, wednesday(9))
    for course in (first, second, third):
        await in_line(clinic, course)
    where = "{}/sessions/1/waitlist/{}".format
    refusal(await clinic.coordinator.post(where(first, "acceptance"), {}, key="0"), 404, "not-found")
    reason = {"reason": "flu"}
    assert (await clinic.coordinator.post(f"{booked}/sessions/1/cancellation", reason)).status_code == 200
    ids = [course.rpartition("/")[2] for course in (first, second, third)]
    assert await lines(clinic) == [(ids[0], "offered"), (ids[1], "waiting"), (ids[2], "waiting")]
    assert await asked(clinic) == [(first, "answer-offer", where(first, "acceptance"))]

    declined = await clinic.coordinator.post(where(first, "refusal"), {})
    assert declined.json()["booking"]["status"] == "released"
    assert await lines(clinic) == [(ids[0], "waiting"), (ids[1], "offered"), (ids[2], "waiting")]

    let_time_pass(database_url)  # the second one thinks too long
    late = await clinic.coordinator.post(where(second, "acceptance"), {}, key="late")
    refusal(late, 410, "hold-expired")
    left = await clinic.coordinator.post(where(first, "departure"), {})  # anything that looks again
    assert left.json()["status"] == "left"
    assert await lines(clinic) == [(ids[1], "waiting"), (ids[2], "offered")]

    taken = await clinic.coordinator.post(where(third, "acceptance"), {}, key="yes")
    assert taken.status_code == 200, taken.text
    _, update, message = clinic.engine.heard[-1]
    assert (update, message.starts_at) == ("book_session", wednesday(9))  # type: ignore[attr-defined]
    assert await statuses(clinic, taken.json()["detail"]["booking_id"]) == ["booked"]
    late = await clinic.coordinator.post(where(second, "acceptance"), {}, key="later")
    refusal(late, 410, "hold-expired")
    ((course, code, href),) = await asked(clinic)  # the offer was taken; who did not answer is called
    assert (course, code, href.endswith("/handling")) == (second, "ask-waiting", True)
    called = await clinic.coordinator.post(href, {"outcome": "waits-on"})
    assert (called.json()["outcome"], await asked(clinic)) == ("waits-on", [])


async def test_only_who_would_come_earlier_and_may_is_asked(clinic: Clinic) -> None:
    await a_site(clinic)
    booked, earlier, bounded, fits = [await clinic.a_journey(key=f"c{n}") for n in range(4)]
    await a_booking(clinic, booked, wednesday(12), key="a")
    await a_booking(clinic, earlier, wednesday(9), key="b")
    await a_booking(clinic, fits, wednesday(15), key="c")
    await in_line(clinic, earlier)
    await in_line(clinic, bounded, until_at=wednesday(10).isoformat())
    await in_line(clinic, fits)
    await clinic.coordinator.post(f"{booked}/sessions/1/cancellation", {"reason": "flu"})
    by_course = dict(await lines(clinic))
    assert [by_course[course.rpartition("/")[2]] for course in (earlier, bounded, fits)] == [
        "waiting",
        "waiting",
        "offered",
    ]
    taken = await clinic.coordinator.post(f"{fits}/sessions/1/waitlist/acceptance", {}, key="y")
    assert taken.status_code == 200
    day = f"starting={local(wednesday(0))}&until={local(wednesday(24))}"
    listed = (await clinic.coordinator.get(f"{BOOKINGS}?{day}&limit=1")).json()
    following = (await clinic.coordinator.get(f"{BOOKINGS}?{day}&cursor={listed['next_cursor']}")).json()
    starts = [one["starts_at"] for one in (*listed["items"], *following["items"])]
    assert starts == [wednesday(hour).isoformat().replace("+00:00", "Z") for hour in (9, 12)]


async def a_preview(clinic: Clinic, key: str) -> dict[str, Any]:
    body = {"starts_at": local(wednesday(0)), "ends_at": local(wednesday(24)), "reason": "storm"}
    answer = await clinic.person(Role.MEDICAL_DIRECTOR).post(f"{BOOKINGS}/closures", body, key=key)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_closed_day_is_looked_at_then_moved_item_by_item(clinic: Clinic) -> None:
    await a_site(clinic)
    courses = [await clinic.a_journey(key=f"c{n}") for n in range(4)]
    old = [
        await a_booking(clinic, course, wednesday(hour), key=f"b{hour}")
        for course, hour in zip(courses, (8, 11), strict=False)
    ]
    stale = await a_preview(clinic, "first look")
    assert [one["booking_id"] for one in stale["items"]] == old
    old.append(await a_booking(clinic, courses[2], wednesday(14), key="b14"))
    told = len(clinic.engine.heard)
    where = f"{BOOKINGS}/closures/{stale['id']}/confirmation"
    refused = await clinic.coordinator.post(where, {"token": stale["token"]}, key="x")
    refusal(refused, 412, "selection-changed")
    assert len(clinic.engine.heard) == told  # nothing was done

    preview = await a_preview(clinic, "second look")
    new = [one["new_starts_at"] for one in preview["items"]]
    assert (len(set(new)), all(new)) == (3, True)
    where = f"{BOOKINGS}/closures/{preview['id']}/confirmation"
    refusal(await clinic.coordinator.post(where, {"token": "0" * 64}, key="y"), 412, "selection-changed")
    clinic.engine.failure = EngineRefused("not-possible-now", "moved too often", {})
    failed = (await clinic.coordinator.post(where, {"token": preview["token"]}, key="z")).json()
    assert {(one["result"], one["problem"]) for one in failed["items"]} == {("failed", "not-possible-now")}
    clinic.engine.failure = None
    done = (await clinic.coordinator.post(where, {"token": preview["token"]}, key="z2")).json()
    assert {one["result"] for one in done["items"]} == {"moved"}
    assert await statuses(clinic, *old) == ["moved"] * 3
    told = len(clinic.engine.heard)
    again = (await clinic.coordinator.post(where, {"token": preview["token"]}, key="z3")).json()
    assert (again["items"], len(clinic.engine.heard)) == (done["items"], told)
    read = (await clinic.coordinator.get(f"{BOOKINGS}/closures/{preview['id']}")).json()
    assert read == again

    there = await clinic.coordinator.post(
        f"{courses[3]}/sessions/1/holds", {"starts_at": local(wednesday(9))}, key="closed"
    )
    problem = refusal(there, 409, "slot-conflict")
    assert {one["obstacle"] for one in problem["clashes"]} == {"not-at-work"}
    assert await a_hold(clinic, courses[3], wednesday(9, weeks=2), key="open")
