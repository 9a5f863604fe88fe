"""Can everything that was written be read again, page by page, by those who may?"""

from __future__ import annotations

from datetime import timedelta

import pytest
import structlog

from api.cursors import VALID_FOR_S, Cursors
from api.next_steps import CHECK_TASK, DONE_BY, FOLLOW_UP_TASK, step
from api.problems import Problem
from api.schemas.intake import PatientOut
from clinical.events import Entry, Fact, SessionOpened, TaskOpened
from clinical.people import ENGINE, Role
from services.records.interface import Batch
from services.records.task_views import TaskView
from tests.api.answers import assert_is
from tests.api.caller import SITE
from tests.api.conftest import PATIENT, Clinic
from tests.api.fake_engine import AT
from tests.api.routes_of import routes_of


async def record(clinic: Clinic, course: str, *facts: Fact) -> None:
    entries = tuple(
        Entry(key=f"test:{number}:{fact.kind}", occurred_at=AT, actor=ENGINE, fact=fact)
        for number, fact in enumerate(facts)
    )
    await clinic.records.append(Batch(journey_id=course.replace("/v1/journeys", "journey"), entries=entries))


def a_task(code: str, part: str = "journey", owner: Role = Role.COORDINATOR, days: int = 1) -> TaskOpened:
    return TaskOpened(
        task_id=f"{part}/{code}/1",
        code=code,
        owner=owner,
        due_at=AT + timedelta(days=days),
        reason="it is due",
    )


async def test_a_course_is_read_with_its_version(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    first = await clinic.coordinator.get(course)
    assert first.json()["journey"]["stage"] == "referred"
    unchanged = await clinic.coordinator.get(course, if_none_match=first.headers["etag"])
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    await record(clinic, course, a_task("book-consultation"))
    changed = await clinic.coordinator.get(course, if_none_match=first.headers["etag"])
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_what_is_next_and_by_whom(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    await record(
        clinic,
        course,
        a_task("book-consultation"),
        a_task("give-dose", "session/3", Role.PRESCRIBER, days=2),
        a_task("follow-up-week-12", "follow-up/2", days=3),
        a_task("resolve-risk", "risk/session-3.k.phq-9", Role.PRESCRIBER, days=4),
    )
    answer = (await clinic.coordinator.get(f"{course}/next")).json()
    assert "book-consultation" in answer["possible_moves"]
    assert [(one["act"], one["href"]) for one in answer["waits_for"]] == [
        ("book_consultation", f"{course}/consultation"),
        ("give_dose", f"{course}/sessions/3/dose"),
        ("answer_follow_up", f"{course}/follow-ups/2/questionnaires"),
        ("resolve_risk", f"{course}/risk-cases/session-3.k.phq-9/resolution"),
    ]
    assert answer["waits_for"][0]["roles"] == ["coordinator"]


PARTS = {"screening": "screenings/{round}", "plan": "plans/{version}", "session": "sessions/{n}",
         "follow-up": "follow-ups/{round}", "risk": "risk-cases/{case_id}", "journey": ""}  # fmt: skip
DRUG_CASE = "/v1/custody/site-a/discrepancies/C/7"


async def test_every_task_leads_to_a_route(clinic: Clinic) -> None:
    """From one of the parts of a course, or from the drug books, the address is that of the act's route."""
    templates = {route.act: route.path for route in routes_of(clinic.app)}
    for code in (*DONE_BY, f"{FOLLOW_UP_TASK}2", f"{CHECK_TASK}liver"):
        site_task = step(a_view(code, "drug-case/C/7", journey_id=None), AT)
        hrefs = {(site_task.href or "").replace(DRUG_CASE, CASE_ROUTE)}
        for part, template in PARTS.items():
            found = step(a_view(code, part if part == "journey" else f"{part}/1"), AT)
            assert found.evidence
            href = (found.href or "").replace("/adverse-events/1/", "/adverse-events/{event_id}/")
            hrefs.add(href.replace("/1/", f"/{template.partition('/')[2]}/"))
        glass = a_view(code, "journey", journey_id=None).model_copy(update={"task_id": "break-glass/C"})
        hrefs.add((step(glass, AT).href or "").replace(f"/{SITE}/C/", "/{site}/{glass_id}/"))
        message = step(a_view(code, "journey").model_copy(update={"task_id": "message/C"}), AT)
        hrefs.add((message.href or "").replace("/v1/inbox/C/", "/v1/inbox/{message_case_id}/"))
        booking = step(a_view(code, "journey").model_copy(update={"task_id": "booking/1/7"}), AT)
        href = (booking.href or "").replace("/sessions/1/", "/sessions/{n}/")
        hrefs.add(href.replace("/v1/bookings/site-a/notices/7/", "/v1/bookings/{site}/notices/{notice_id}/"))
        assert templates[site_task.act or ""] in hrefs, code


def test_a_task_that_no_command_completes_has_no_address() -> None:
    found = step(a_view("something-else", "journey"), AT)
    assert (found.act, found.href, found.roles) == (None, None, ["coordinator"])


CASE_ROUTE = "/v1/custody/{site}/discrepancies/{container_id}/{n}"


def a_view(code: str, part: str, journey_id: str | None = "journey/{site}/{ulid}") -> TaskView:
    nothing = dict.fromkeys(
        ("overdue_at", "escalated_to", "settled_at", "settled_by", "holder", "holder_role", "held_until",
         "delegated_by")
    )  # fmt: skip
    return TaskView.model_validate(
        {
            "id": "0" * 26, "journey_id": journey_id, "site": SITE, "status": "requested", "opened_at": AT,
            "priority": "routine", "version": 1, **nothing,
            **a_task(code, part).model_dump(exclude={"kind"}),
        }
    )  # fmt: skip


async def test_lists_go_page_by_page_and_miss_nobody(clinic: Clinic) -> None:
    courses = [
        await clinic.a_journey(f"k{n}", await clinic.a_patient(email=f"p{n}@example.org")) for n in range(5)
    ]
    seen, path = [], "/v1/journeys?limit=2"
    while path:
        answer = await clinic.coordinator.get(path)
        page = answer.json()
        seen += [line["href"] for line in page["items"]]
        mark = page["next_cursor"]
        assert ("link" in answer.headers) == (mark is not None)
        path = f"/v1/journeys?limit=2&cursor={mark}" if mark else ""
    assert sorted(seen) == sorted(courses)
    assert len(seen) == 5


async def test_who_comes_or_goes_between_two_pages_makes_nobody_missing_or_twice(clinic: Clinic) -> None:
    """Pages by position would show somebody twice, or never, when the list moves under the reader."""
    courses = [
        await clinic.a_journey(f"k{n}", await clinic.a_patient(email=f"p{n}@example.org")) for n in range(4)
    ]
    first = (await clinic.coordinator.get("/v1/journeys?limit=2")).json()
    await clinic.a_journey("new", await clinic.a_patient(email="new@example.org"))
    seen, mark = [line["href"] for line in first["items"]], first["next_cursor"]
    while mark:
        page = (await clinic.coordinator.get(f"/v1/journeys?limit=2&cursor={mark}")).json()
        seen += [line["href"] for line in page["items"]]
        mark = page["next_cursor"]
    assert len(seen) == len(set(seen))
    assert set(courses) <= set(seen)


async def test_a_cursor_belongs_to_its_list_and_its_reader(clinic: Clinic) -> None:
    for n in range(2):
        await clinic.a_journey(f"k{n}", await clinic.a_patient(email=f"p{n}@example.org"))
    mark = (await clinic.coordinator.get("/v1/journeys?limit=1")).json()["next_cursor"]
    for path, who in (
        (f"/v1/journeys?cursor={mark}&stage=referred", clinic.coordinator),
        (f"/v1/journeys?cursor={mark[:-2]}", clinic.coordinator),
        (f"/v1/tasks?cursor={mark}", clinic.coordinator),
        (f"/v1/journeys?cursor={mark}", clinic.person(Role.NURSE)),
        ("/v1/journeys?cursor=abc", clinic.coordinator),
    ):
        answer = await who.get(path)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-invalid")


def test_a_cursor_ages() -> None:
    clock = [1000.0]
    cursors = Cursors(b"secret", lambda: clock[0])
    mark = cursors.seal("list", ["a", "b"])
    assert cursors.open("list", mark) == ["a", "b"]
    clock[0] += VALID_FOR_S + 1
    with pytest.raises(Problem, match="cursor-expired"):
        cursors.open("list", mark)
    with pytest.raises(Problem, match="cursor-invalid"):
        Cursors(b"other").open("list", mark)


async def test_the_work_list_is_filtered_and_counted(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    await record(
        clinic,
        course,
        a_task("book-consultation", days=3),
        a_task("sign-screening", "screening/1", Role.PRESCRIBER),
        a_task("check-in", "session/1", Role.NURSE, days=2),
    )
    page = (await clinic.coordinator.get("/v1/tasks")).json()
    assert [task["code"] for task in page["items"]] == ["check-in", "sign-screening", "book-consultation"]
    assert {count["owner"]: count["open"] for count in page["counts"]} == {
        "coordinator": 1,
        "nurse": 1,
        "prescriber": 1,
    }
    mine = (await clinic.coordinator.get("/v1/tasks?owner=nurse")).json()["items"]
    assert [task["code"] for task in mine] == ["check-in"]
    soon = (AT + timedelta(days=1, hours=1)).isoformat().replace("+00:00", "Z")
    early = (await clinic.coordinator.get(f"/v1/tasks?due_before={soon}")).json()["items"]
    assert [task["code"] for task in early] == ["sign-screening"]
    first = (await clinic.coordinator.get("/v1/tasks?limit=2")).json()
    rest = (await clinic.coordinator.get(f"/v1/tasks?limit=2&cursor={first['next_cursor']}")).json()
    assert [task["code"] for task in rest["items"]] == ["book-consultation"]


async def test_the_timeline_goes_page_by_page(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    await record(clinic, course, *(a_task(f"task-{n}") for n in range(4)))
    first = (await clinic.coordinator.get(f"{course}/timeline?limit=3")).json()
    rest = (await clinic.coordinator.get(f"{course}/timeline?cursor={first['next_cursor']}")).json()
    assert [one["seq"] for one in first["items"] + rest["items"]] == [1, 2, 3, 4, 5]
    assert rest["next_cursor"] is None
    assert first["items"][0]["actor_id"] == "staff-coordinator"


async def test_a_visit_is_read(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    await record(clinic, course, SessionOpened(session=1, plan_hash="ab" * 32, earliest_at=AT))
    answer = await clinic.coordinator.get(f"{course}/sessions/1")
    assert (answer.status_code, answer.json()["status"]) == (200, "planned")
    assert (await clinic.coordinator.get(f"{course}/sessions/2")).status_code == 404


async def test_a_patient_is_read_with_their_courses(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    course = await clinic.a_journey(patient_id=patient)
    answer = await clinic.coordinator.get(f"/v1/patients/{patient}")
    assert_is(PatientOut, answer)
    found = answer.json()
    assert (found["name"], found["phone_e164"]) == (PATIENT["name"], "+12025550199")
    assert found["journeys"] == [course.replace("/v1/journeys", "journey")]


async def test_with_several_sites_a_list_needs_one(clinic: Clinic) -> None:
    both = clinic.person(Role.COORDINATOR, sites=("site-a", "site-b"))
    unclear = await both.get("/v1/journeys")
    assert [fault["pointer"] for fault in unclear.json()["errors"]] == ["query:site"]
    assert (await both.get("/v1/journeys?site=site-b")).json()["items"] == []


async def test_a_protocol_is_published_once(clinic: Clinic) -> None:
    director = clinic.person(Role.MEDICAL_DIRECTOR)
    protocol = (await director.get("/v1/protocols")).json()
    again = await director.post("/v1/protocols", protocol)
    assert (again.status_code, again.json()["site"]) == (201, SITE)
    other = {**protocol, "title": "Another title", "signature": None}
    changed = await director.post("/v1/protocols", other)
    assert (changed.status_code, changed.json()["code"]) == (409, "version-immutable")
    newer = await director.post("/v1/protocols", {**other, "version": "1.0.1"})
    assert newer.status_code == 201
    assert (await director.get("/v1/protocols")).json()["version"] == "1.0.1"
    by_name = await director.get(f"/v1/protocols?canonical={protocol['url']}|{protocol['version']}")
    assert by_name.json()["version"] == protocol["version"]


async def test_a_protocol_with_faults_is_refused_with_all_of_them(clinic: Clinic) -> None:
    director = clinic.person(Role.MEDICAL_DIRECTOR)
    protocol = (await director.get("/v1/protocols")).json()
    protocol["surprise"] = 1
    protocol["dosing"]["max_mg_per_kg"] = "much"
    answer = await director.post("/v1/protocols", protocol)
    assert (answer.status_code, answer.json()["code"]) == (422, "protocol-invalid")
    assert {"/surprise", "/dosing/max_mg_per_kg"} <= {fault["pointer"] for fault in answer.json()["errors"]}


async def test_an_instrument_is_described_and_an_unknown_one_is_not(clinic: Clinic) -> None:
    found = (await clinic.person(Role.PATIENT).get("/v1/instruments/phq-9")).json()
    assert len(found["items"]) >= 9
    assert (await clinic.coordinator.get("/v1/instruments/mood-ring")).status_code == 404


async def test_a_request_leaves_one_line_without_anything_personal(clinic: Clinic) -> None:
    with structlog.testing.capture_logs() as lines:
        await clinic.coordinator.post("/v1/patients", PATIENT, key="Quentin's key")
        await clinic.coordinator.get("/v1/nothing/Zimmerfeld?name=Zimmerfeld")
        await clinic.coordinator.get(f"/v1/journeys/{SITE}/{'0' * 26}")
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["route"], line["status"]) for line in requests] == [
        ("/v1/patients", 201),
        ("unmatched", 404),
        ("/v1/journeys/{site}/{ulid}", 404),
    ]
    assert all(line["duration_ms"] >= 0 and len(line["trace_id"]) == 32 for line in requests)
    assert not [word for word in ("Quentin", "Zimmerfeld", "example.org", "0199") if word in str(lines)]


@pytest.mark.parametrize("limit", ["0", "201", "1000000", "-1", "many"])
async def test_a_page_is_never_larger_than_its_cap(clinic: Clinic, limit: str) -> None:
    """Nobody asks for everything at once, by accident or otherwise."""
    for path in ("/v1/journeys", "/v1/tasks", "/v1/inbox", "/v1/risk-cases", "/v1/closed-days"):
        answer = await clinic.coordinator.get(f"{path}?limit={limit}")
        assert (path, answer.status_code) == (path, 422)
        assert answer.json()["errors"][0]["pointer"] == "query:limit"
