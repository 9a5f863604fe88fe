"""Can people share the work: take a task on, pass it on, give it back, and never two at once?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from api.schemas.work import TaskPage
from clinical.events import Entry, Fact, TaskCancelled, TaskDone, TaskOpened, TaskOverdue
from clinical.people import ENGINE, Role
from services.records.interface import Batch
from services.records.task_tables import ColleagueRow
from tests.api.answers import assert_is
from tests.api.booking_site import RESOURCES, a_room
from tests.api.caller import SITE, Person
from tests.api.conftest import Clinic
from tests.api.fake_engine import AT

NOW = datetime.now(UTC)


async def record(clinic: Clinic, course: str, *facts: Fact) -> None:
    entries = tuple(
        Entry(key=f"{fact.kind}:{getattr(fact, 'task_id', '')}", occurred_at=AT, actor=ENGINE, fact=fact)
        for fact in facts
    )
    await clinic.records.append(Batch(journey_id=course.replace("/v1/journeys", "journey"), entries=entries))


def a_task(code: str, part: str, owner: Role, due_at: datetime = NOW + timedelta(days=1)) -> TaskOpened:
    task_id = f"{part}/{code}/1"
    return TaskOpened(task_id=task_id, code=code, owner=owner, due_at=due_at, reason="it is due")


async def a_check_in(clinic: Clinic) -> tuple[str, str]:
    """The course and the address of a task for nurse or prescriber."""
    course = await clinic.a_journey()
    await record(clinic, course, a_task("check-in", "session/1", Role.NURSE))
    (task,) = await listed(clinic.coordinator)
    return course, f"/v1/tasks/{task['id']}"


async def listed(person: Person, query: str = "") -> list[dict[str, Any]]:
    answer = await person.get(f"/v1/tasks?{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_task_is_claimed_held_longer_and_given_back(clinic: Clinic) -> None:
    course, task = await a_check_in(clinic)
    nurse = clinic.person(Role.NURSE, subject="nurse-1")
    claimed = await nurse.post(f"{task}/claim")
    assert (claimed.status_code, claimed.json()["holder"], claimed.headers["etag"]) == (
        200,
        "nurse-1",
        'W/"2"',
    )
    again = await nurse.post(f"{task}/claim")
    assert again.json()["held_until"] > claimed.json()["held_until"]
    assert [one["id"] for one in await listed(nurse, "held=by-me")] == [task.rpartition("/")[2]]
    assert await listed(nurse, "held=by-nobody") == []
    waits = (await nurse.get(f"{course}/next")).json()["waits_for"]
    assert [(one["holder"], one["priority"]) for one in waits] == [("nurse-1", "asap")]
    free = await nurse.post(f"{task}/release")
    assert (free.status_code, free.json()["holder"]) == (200, None)
    assert (await nurse.post(f"{task}/release")).status_code == 200  # it is free already: nothing changes
    read = (await nurse.get(task)).json()
    assert [one["act"] for one in read["history"]] == ["claimed", "renewed", "released"]
    assert (read["task"]["act"], read["task"]["href"]) == ("check_in", f"{course}/sessions/1/check-in")
    assert read["task"]["evidence"] and read["task"]["course"] == course


async def test_of_many_who_claim_at_once_one_wins_and_the_rest_hear_who(clinic: Clinic) -> None:
    _, task = await a_check_in(clinic)
    people = [clinic.person(Role.NURSE, subject=f"nurse-{n}") for n in range(8)]
    answers = await asyncio.gather(*(one.post(f"{task}/claim") for one in people))
    (winner,) = (one.json()["holder"] for one in answers if one.status_code == 200)
    lost = [one.json() for one in answers if one.status_code == 409]
    assert len(lost) == len(people) - 1
    assert {(one["code"], one["holder"]) for one in lost} == {("task-held", winner)}
    assert [one["act"] for one in (await clinic.coordinator.get(task)).json()["history"]] == ["claimed"]


async def test_only_who_may_do_it_may_claim_it(clinic: Clinic) -> None:
    _, task = await a_check_in(clinic)
    for role in (Role.THERAPIST, Role.COORDINATOR, Role.MEDICAL_DIRECTOR):
        refused = await clinic.person(role).post(f"{task}/claim")
        assert (refused.status_code, refused.json()["code"]) == (403, "wrong-role")
    assert (await clinic.person(Role.PRESCRIBER).post(f"{task}/claim")).status_code == 200
    stranger = clinic.person(Role.NURSE, sites=("site-b",))
    for answer in (await stranger.post(f"{task}/claim"), await stranger.get(task)):
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_what_another_holds_is_theirs_unless_one_steers(clinic: Clinic) -> None:
    _, task = await a_check_in(clinic)
    await clinic.person(Role.NURSE, subject="nurse-1").post(f"{task}/claim")
    other = await clinic.person(Role.NURSE, subject="nurse-2").post(f"{task}/release")
    assert (other.status_code, other.json()["code"], other.json()["holder"]) == (
        403,
        "not-your-task",
        "nurse-1",
    )
    assert (await clinic.coordinator.post(f"{task}/release")).json()["holder"] is None


async def test_a_task_is_handed_to_a_colleague_who_may_do_it(clinic: Clinic) -> None:
    course, task = await a_check_in(clinic)
    registered = a_room("nurse-2", kind="staff", roles=["nurse"], person="nurse-2")
    left = a_room("nurse-9", kind="staff", roles=["nurse"], person="nurse-9", active=False)
    for body in (registered, left):
        assert (await clinic.coordinator.post(RESOURCES, body)).status_code == 201
    elsewhere = RESOURCES.replace(SITE, "site-b")
    stranger = clinic.person(Role.COORDINATOR, sites=("site-b",))
    await stranger.post(elsewhere, {**registered, "code": "nurse-b", "person": "nurse-b"})
    concern = {"text": "did not sleep", "on_site": False}
    for role, subject in ((Role.NURSE, "nurse-3"), (Role.THERAPIST, "therapist-1")):
        acted = await clinic.person(role, subject=subject).post(f"{course}/concerns", concern)
        assert acted.status_code == 201
    looked = clinic.person(Role.NURSE, subject="nurse-who-only-looks")
    assert (await looked.get("/v1/tasks")).status_code == 200
    etag = (await clinic.coordinator.get(task)).headers["etag"]
    for person in ("therapist-1", "nurse-b", "nurse-9", "nurse-who-only-looks"):
        refused = await clinic.coordinator.post(f"{task}/delegation", {"person": person}, if_match=etag)
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown-colleague")
        assert refused.json()["candidates"] == ["nurse-2", "nurse-3"]
        assert refused.json()["errors"][0]["pointer"] == "/person"
    handed = await clinic.coordinator.post(f"{task}/delegation", {"person": "nurse-2"}, if_match=etag)
    assert (handed.json()["holder"], handed.json()["holder_role"]) == ("nurse-2", "nurse")
    assert handed.json()["delegated_by"] == "staff-coordinator"
    late = await clinic.coordinator.post(f"{task}/delegation", {"person": "nurse-2"}, if_match=etag)
    assert (late.status_code, late.json()["code"]) == (412, "task-changed")
    blind = await clinic.coordinator.post(f"{task}/delegation", {"person": "nurse-2"})
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition-required")
    outsider = clinic.person(Role.THERAPIST)
    refused = await outsider.post(f"{task}/delegation", {"person": "nurse-2"}, if_match='W/"2"')
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong-role")


async def test_reading_the_work_list_writes_nothing(clinic: Clinic) -> None:
    await a_check_in(clinic)
    async with clinic.database.transaction() as session:
        before = await session.scalar(select(func.count()).select_from(ColleagueRow))
    for role in (Role.NURSE, Role.THERAPIST):
        assert (await clinic.person(role, subject=f"only-{role}").get("/v1/tasks")).status_code == 200
    async with clinic.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ColleagueRow)) == before


async def test_that_nobody_can_be_noted_fails_no_act(clinic: Clinic) -> None:
    course, _ = await a_check_in(clinic)
    async with clinic.database.transaction() as session:
        await session.execute(text("ALTER TABLE site_colleague RENAME TO away"))
    concern = {"text": "did not sleep", "on_site": False}
    answer = await clinic.person(Role.NURSE, subject="nurse-7").post(f"{course}/concerns", concern)
    assert answer.status_code == 201


async def test_the_same_request_again_gets_the_same_answer(clinic: Clinic) -> None:
    _, task = await a_check_in(clinic)
    nurse = clinic.person(Role.NURSE, subject="nurse-1")
    first = await nurse.post(f"{task}/claim", key="k")
    again = await nurse.post(f"{task}/claim", key="k")
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
    assert len((await nurse.get(task)).json()["history"]) == 1


async def test_a_claim_ends_with_its_task_and_what_is_over_is_gone(clinic: Clinic) -> None:
    course, task = await a_check_in(clinic)
    nurse = clinic.person(Role.NURSE, subject="nurse-1")
    await nurse.post(f"{task}/claim")
    await record(clinic, course, TaskCancelled(task_id="session/1/check-in/1", reason="moved"))
    over = (await nurse.get(task)).json()
    assert (over["task"]["status"], over["task"]["holder"]) == ("cancelled", None)
    assert [one["act"] for one in over["history"]] == ["claimed", "ended"]
    for act, body in (("claim", None), ("release", None), ("delegation", {"person": "nurse-1"})):
        gone = await nurse.post(f"{task}/{act}", body, if_match='W/"2"')
        assert (gone.status_code, gone.json()["code"]) == (410, "task-over")


async def test_the_list_is_urgent_first_and_filtered(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    day = timedelta(days=1)
    await record(
        clinic,
        course,
        a_task("book-session", "session/1", Role.COORDINATOR, NOW - day),
        a_task("take-consent", "journey", Role.COORDINATOR, NOW + day),
        a_task("resolve-risk", "risk/c", Role.PRESCRIBER, NOW + 5 * day),
        a_task("hold-integration", "session/1", Role.THERAPIST, NOW + 9 * day),
        TaskOverdue(task_id="session/1/book-session/1", escalated_to=Role.MEDICAL_DIRECTOR),
    )
    codes = {
        query: [one["code"] for one in await listed(clinic.coordinator, query)]
        for query in (
            "", "overdue=true", "priority=routine", "code=take-consent", "owner=medical-director",
            "owner=coordinator", "held=by-nobody&limit=1", f"journey={course.rpartition('/')[2]}",
            f"journey={'0' * 26}", "status=completed",
            f"due_before={(NOW + 6 * day).isoformat().replace('+00:00', 'Z')}",
        )
    }  # fmt: skip
    everything = ["resolve-risk", "book-session", "take-consent", "hold-integration"]
    assert list(codes.values()) == [
        everything, ["book-session"], everything[2:], ["take-consent"], ["book-session"],
        ["book-session", "take-consent"], ["resolve-risk"], everything, [], [], everything[:3],
    ]  # fmt: skip
    answer = await clinic.coordinator.get("/v1/tasks?limit=2")
    assert_is(TaskPage, answer)
    assert 'rel="next"' in answer.headers["link"]
    counts = answer.json()["counts"]
    assert {one["owner"]: (one["open"], one["overdue"], one["urgent"]) for one in counts} == {
        "coordinator": (2, 1, 1),
        "prescriber": (1, 0, 1),
        "therapist": (1, 0, 0),
    }


async def test_every_page_together_is_the_whole_list(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    kinds = ("take-reading", "check-in", "next-day-contact", "draft-plan")
    tasks = [
        a_task(kinds[n % 4], f"session/{n}", Role.NURSE, NOW - timedelta(hours=n // 3)) for n in range(12)
    ]
    await record(clinic, course, *tasks, *(TaskDone(task_id=task.task_id) for task in tasks[:2]))
    for query in ("", "overdue=true", "owner=nurse", "owner=nurse&overdue=true", "priority=stat"):
        whole = [one["id"] for one in await listed(clinic.coordinator, query)]
        seen: list[str] = []
        mark: str | None = ""
        while mark is not None:
            page = (await clinic.coordinator.get(f"/v1/tasks?{query}&limit=3{mark}")).json()
            seen += [one["id"] for one in page["items"]]
            mark = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        assert (query, seen) == (query, whole)


async def test_a_difference_in_the_drug_books_is_on_the_list(clinic: Clinic) -> None:
    nurse, director = clinic.person(Role.NURSE), clinic.person(Role.MEDICAL_DIRECTOR)
    body = {"drug": "ketamine-racemic", "product": "vial", "strength": "10 mg/mL", "lot": "L1",
            "expires_on": "2099-01-01", "amount_mg": 500, "witness": "staff-7"}  # fmt: skip
    taken_in = await nurse.post(f"/v1/custody/{SITE}/containers", body, key="c")
    assert taken_in.status_code == 201, taken_in.text
    container = taken_in.json()["container_id"]
    address = f"/v1/custody/{SITE}/containers/{container}/count"
    assert (await nurse.post(address, {"amount_mg": 400, "witness": "staff-7"}, key="n")).status_code == 201
    (task,) = await listed(director)
    assert (task["code"], task["journey_id"], task["course"]) == ("explain-discrepancy", None, None)
    assert task["href"] == f"/v1/custody/{SITE}/discrepancies/{container}/1/explanation"
    assert task["reason"]
    assert (await director.post(f"/v1/tasks/{task['id']}/claim")).status_code == 200


async def test_closed_days_move_what_waits_for_the_calendar_only(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    await record(
        clinic,
        course,
        a_task("book-session", "session/1", Role.COORDINATOR, datetime(2026, 3, 6, tzinfo=UTC)),
        a_task("next-day-contact", "session/1", Role.NURSE, datetime(2026, 3, 6, tzinfo=UTC)),
    )

    async def due() -> dict[str, str]:
        return {one["code"]: one["due_at"] for one in await listed(clinic.coordinator)}

    before = await due()
    closed = {"site": SITE, "day": "2026-03-04", "name": "Storm", "time_zone": "America/New_York"}
    added = await clinic.coordinator.post("/v1/closed-days", closed)
    assert (added.status_code, added.json()["items"][0]["starts_at"]) == (201, "2026-03-04T05:00:00Z")
    assert (await clinic.coordinator.post("/v1/closed-days", closed)).status_code == 201
    assert await due() == {**before, "book-session": "2026-03-07T00:00:00Z"}
    page = (await clinic.person(Role.NURSE).get("/v1/closed-days?since=2026-03-01")).json()
    assert ([one["name"] for one in page["items"]], page["total"]) == (["Storm"], 1)
    gone = await clinic.coordinator.send("DELETE", f"/v1/closed-days/{SITE}/2026-03-04", None, {})
    assert gone.status_code == 204
    assert await due() == before
    again = await clinic.coordinator.send("DELETE", f"/v1/closed-days/{SITE}/2026-03-04", None, {})
    assert again.status_code == 404
    weekends = {**closed, "day": "2026-03-07", "weekly_until": "2026-03-31"}
    assert len((await clinic.coordinator.post("/v1/closed-days", weekends)).json()["items"]) == 4
    endless = await clinic.coordinator.post("/v1/closed-days", {**weekends, "weekly_until": "2036-01-01"})
    assert endless.json()["errors"][0]["pointer"] == "/weekly_until"
    faults = await clinic.coordinator.post("/v1/closed-days", {**closed, "day": "soon", "time_zone": "Mars"})
    assert {fault["pointer"] for fault in faults.json()["errors"]} == {"/day", "/time_zone"}
    assert (await clinic.person(Role.NURSE).post("/v1/closed-days", closed)).status_code == 403
