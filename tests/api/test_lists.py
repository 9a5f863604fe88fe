"""Does every list come in pages, say how many there are, and let itself be filtered?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from clinical import events
from clinical.people import Role
from tests.api.booking_site import RESOURCES, a_site, local, wednesday
from tests.api.caller import Person
from tests.api.conftest import Clinic
from tests.api.link_holder import note
from tests.api.test_reading import a_task, record
from tests.api.test_therapy_notes import told
from tests.services.records.facts import a_phq9

NO_LISTS = {
    "find_slots": "times that are worked out for one wish: it is asked on by `starting`, and none is stored",
    "read_closure": "the selection that its token stands for is one thing",
    "read_instrument": "the items of one form",
    "read_patient": "one person, and which courses are theirs",
    "read_journey": "one course whole",
    "read_next": "one course: what it waits for",
    "read_session": "one visit whole",
    "read_downtime_sheet": "one page of paper",
    "read_rems_form": "one form",
    "read_task": "one task, and whose hands it went through",
    "read_board": "the day of a site, seen whole",
    "read_inbox_case": "one case with its messages",
    "read_contact": "one person",
    "read_webhook_endpoint": "one endpoint",
    "read_protocol": "one document",
    "read_protocol_migration": "what another version would change for one course",
    "read_operation": "the selection that its token stands for is one thing, with what became of each",
}
"""Answers that hold arrays and are one thing: each with why it is no list."""

COUNTS = {"counts", "total", "last_seq"}


def parts_of(clinic: Clinic, act: str) -> tuple[set[str], dict[str, Any], dict[str, Any]]:
    """The query of a reading route, the members of its answer, and the parameter `limit`."""
    described = clinic.app.openapi()
    for methods in described["paths"].values():
        operation = methods.get("get", {})
        if operation.get("operationId") == act:
            query = {one["name"]: one for one in operation["parameters"] if one["in"] == "query"}
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            named = described["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
            return set(query), named.get("properties", {}), query.get("limit", {}).get("schema", {})
    raise LookupError(act)


def with_arrays(clinic: Clinic) -> set[str]:
    """Every reading route whose answer is an array or holds one."""
    described, found = clinic.app.openapi(), set()
    for methods in described["paths"].values():
        operation = methods.get("get", {})
        content = operation.get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
        schema = content.get("schema", {})
        named = described["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
        members = [named, *named.get("properties", {}).values()]
        if any("array" in str(member.get("type", member.get("anyOf", ""))) for member in members):
            found.add(operation["operationId"])
    return found


def test_every_list_has_pages_counts_and_a_filter(clinic: Clinic) -> None:
    """A new route that answers with an array has to be a list like the others, or say here why it is none."""
    lists = with_arrays(clinic) - NO_LISTS.keys()
    assert len(lists) > 25
    assert with_arrays(clinic) >= NO_LISTS.keys()
    for act in sorted(lists):
        query, members, limit = parts_of(clinic, act)
        assert {"cursor", "limit"} <= query, act
        assert "next_cursor" in members, act
        assert COUNTS & members.keys(), act
        assert limit["maximum"] <= 500, act
        if act != "read_therapy_note":  # one note: there is nothing to choose from
            assert query - {"cursor", "limit", "site"} or act in {"list_api_keys"}, act


async def walked(who: Person, path: str) -> list[Any]:
    """Every line, by following the links to the next page, one line a page."""
    found, pages, next_path = [], 0, f"{path}{'&' if '?' in path else '?'}limit=1"
    while next_path:
        answer = await who.get(next_path)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= 1
        found += page["items"]
        link = answer.headers.get("link", "")
        assert bool(link) == (page["next_cursor"] is not None)
        next_path = link.partition(">")[0].removeprefix("<")
        pages += 1
        assert pages < 20
    return found


async def test_lists_of_a_course_are_walked_by_their_links_with_filters(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    who, nurse = clinic.coordinator, clinic.person(Role.NURSE)
    sheets = [a_phq9(2, 2, 3, 2, 1, 2, 1, 1, 1), a_phq9(1), a_phq9(1, 0, 1, 1, 0, 1, 0, 0, 0)]
    await record(
        clinic,
        course,
        *(events.QuestionnaireScored(context=f"week-{n}", result=one) for n, one in enumerate(sheets)),
        a_task("submit-rems-form", "session/1", Role.PRESCRIBER),
        a_task("submit-rems-form", "session/2", Role.PRESCRIBER, days=4000),
        a_task("complete-draft", "journey", Role.NURSE, days=2),
        a_task("book-session"),
    )
    scores = f"{course}/scores"
    assert [one["context"] for one in await walked(nurse, scores)] == ["week-0", "week-1", "week-2"]
    assert [one["context"] for one in await walked(nurse, f"{scores}?complete=true")] == ["week-0", "week-2"]
    assert (await nurse.get(f"{scores}?instrument=gad-7")).json()["items"] == []
    assert (await nurse.get(f"{scores}?instrument=gad-7")).json()["counts"] == {"phq-9": 3}
    duties = await walked(who, f"{course}/duties")
    assert [one["task_id"].partition("/submit")[0] for one in duties[1:]] == ["session/1", "session/2"]
    assert len(await walked(who, f"{course}/duties?owner=prescriber")) == 2
    assert [one["code"] for one in await walked(who, f"{course}/duties?overdue=false")] == [
        "submit-rems-form"
    ]
    for n in range(3):
        await who.post(f"{course}/links", {"purpose": "next" if n else "withdrawal"}, key=f"l{n}")
    assert len(await walked(who, f"{course}/links?state=live")) == 3
    page = (await who.get(f"{course}/links?purpose=next&limit=1")).json()
    assert page["counts"] == {"live": 3}
    other_filter = await who.get(f"{course}/links?purpose=withdrawal&cursor={page['next_cursor']}")
    assert (other_filter.status_code, other_filter.json()["code"]) == (400, "cursor-invalid")
    plan = {name: ["x"] for name in (
        "warning_signs", "own_coping", "people_and_places", "people_to_ask", "professionals_and_lines",
        "safer_surroundings",
    )}  # fmt: skip
    for _ in range(3):
        made = events.SafetyPlanRecorded.model_validate(
            {"plan": plan, "review_by": datetime.now(UTC) + timedelta(days=30)}
        )
        await note(clinic, course, made, at=datetime.now(UTC))
    plans = f"{course}/safety-plans"
    assert [one["version"] for one in await walked(nurse, plans)] == [1, 2, 3]
    assert [one["version"] for one in await walked(nurse, f"{plans}?newest_first=true")] == [3, 2, 1]
    assert (await nurse.get(plans)).json()["total"] == 3


async def test_notes_and_the_log_of_their_readers_are_walked(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    therapist, notes = clinic.person(Role.THERAPIST), f"{course}/therapy-notes"
    await told(clinic, course)
    await therapist.post(f"{course}/sessions/2/therapy", {"minutes": 50, "themes": "the sea"}, key="t2")
    lines = await walked(therapist, notes)
    assert [one["session"] for one in lines] == [1, 2]
    assert [one["session"] for one in await walked(therapist, f"{notes}?session=2")] == [2]
    first = f"{notes}/{lines[0]['note_id']}"
    for n in range(2):
        await therapist.post(f"{first}/amendments", {"text": f"more {n}"}, key=f"a{n}")
    assert [one["text"] for one in await walked(therapist, first)][1:] == ["more 0", "more 1"]
    assert (await therapist.get(f"{first}?limit=1")).json()["total"] == 3
    log = f"{notes}/accesses?act=amend"
    assert [one["act"] for one in await walked(clinic.person(Role.AUDITOR), log)] == ["amend"] * 2


async def test_what_a_site_has_and_how_people_are_reached_is_walked(clinic: Clinic) -> None:
    who, made = clinic.coordinator, await a_site(clinic, rooms=2)
    assert [one["code"] for one in await walked(who, RESOURCES)] == sorted(made)
    assert [one["code"] for one in await walked(who, f"{RESOURCES}?role=nurse")] == ["nurse-1"]
    assert [one["code"] for one in await walked(who, f"{RESOURCES}?kind=room&active=true")] == [
        "room-1",
        "room-2",
    ]
    assert (await who.get(f"{RESOURCES}?kind=chair")).json()["counts"] == {"room": 2, "staff": 3}
    for hour in (9, 12, 15):
        span = {"starts_at": local(wednesday(hour)), "ends_at": local(wednesday(hour + 1)), "reason": "away"}
        await who.post(f"{made['room-1']}/absences", span, key=f"away-{hour}")
    assert len(await walked(who, f"{made['room-1']}/absences")) == 3
    until = wednesday(13).isoformat().replace("+", "%2B")
    assert len(await walked(who, f"{made['room-1']}/absences?until={until}")) == 2
    for site in ("site-a", "site-b", "site-c"):
        ops = clinic.person(Role.OPS, sites=(site,))
        zone = "Europe/Berlin" if site == "site-c" else "America/New_York"
        answer = await ops.post(f"/v1/sites/{site}", {"name": site, "time_zone": zone})
        assert answer.status_code == 200, answer.text
    everywhere = clinic.person(Role.OPS, sites=("site-a", "site-b", "site-c"))
    assert [one["site"] for one in await walked(everywhere, "/v1/sites")] == ["site-a", "site-b", "site-c"]
    assert [one["site"] for one in await walked(everywhere, "/v1/sites?time_zone=Europe/Berlin")] == [
        "site-c"
    ]
    contact = f"/v1/patients/{await clinic.a_patient()}/contact"
    for n, language in enumerate(("es", "en", "es"), start=1):
        await who.send("PATCH", contact, {"language": language}, {"if_match": f'W/"{n}"'})
    assert [one["version"] for one in await walked(who, f"{contact}/history")] == [2, 3, 4]
    assert await walked(who, f"{contact}/history?source=sms") == []
