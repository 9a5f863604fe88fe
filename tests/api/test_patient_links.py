"""Does a link let its patient do one thing, once, in time, and nobody else anything?"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from api import locked_links
from api.engine import EngineRefused, EngineUnavailable
from api.limiter import Limiter, TooMany
from clinical.events import ConsentGiven, ConsentWithdrawn
from clinical.people import Role
from services.links.interface import ATTEMPTS
from tests.api.booking_site import a_hold, a_site
from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.api.link_holder import (
    VISIT_AT,
    Browser,
    a_booked_course,
    a_browser,
    a_link,
    a_visit_link,
    booked,
    note,
)
from workflows.messages import AskToMove, BookSession

READY = {
    "escort": "yes",
    "escort_agreed": "yes",
    "escort_phone": "+1 202 555 0188",
    "fast": "yes",
    "substances": "yes",
    "medication": "no",
    "illness": "no",
    "consent": "yes",
}
PHQ9, GAD7 = 9, 7


def told(clinic: Clinic, update: str) -> list[Any]:
    return [message for _, name, message in clinic.engine.heard if name == update]


async def test_opening_any_address_of_a_link_never_acts(clinic: Clinic) -> None:
    course = await a_booked_course(clinic)
    paths = [await a_visit_link(clinic, course), await a_link(clinic, course, "withdrawal")]
    async with a_browser(clinic.app) as browser:
        for proved in (False, True):
            for path in paths:
                if proved:
                    assert (await browser.prove(path)).status_code == 303
                for step in ("", "/ready", "/move", "/sure", "/send", "/1"):
                    await browser.get(path + step)
    assert [update for _, update, _ in clinic.engine.heard] == ["start"]


async def test_nothing_is_shown_before_the_birth_date(clinic: Clinic) -> None:
    path = await a_visit_link(clinic, await a_booked_course(clinic))
    async with a_browser(clinic.app) as browser:
        first = await browser.get(path)
        assert (first.status_code, "date of birth" in first.text) == (200, True)
        # Tags go as well: an address may have any letters.
        shown = re.sub(r"<style>.*?</style>|<[^>]*>", " ", first.text, flags=re.DOTALL)
        assert not re.search(r"visit|session|question|treat|AM|PM", shown)
        assert (await browser.get(f"{path}/ready")).headers["location"] == path
        assert (await browser.post(f"{path}/ready", **READY)).headers["location"] == path
        assert not told(clinic, "answer_readiness")
        assert (await browser.prove(path)).status_code == 303
        assert "I am coming" in (await browser.get(path)).text


async def test_a_patient_says_that_they_come(clinic: Clinic) -> None:
    path = await a_visit_link(clinic, await a_booked_course(clinic))
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        missing = await browser.post(f"{path}/ready", **{**READY, "fast": ""})
        own = await browser.post(f"{path}/ready", **{**READY, "escort_phone": "+1 202 555 0199"})
        assert (missing.status_code, own.status_code, told(clinic, "answer_readiness")) == (422, 422, [])
        thanks = await browser.post(f"{path}/ready", **READY)
        assert (thanks.status_code, "Thank you" in thanks.text) == (200, True)
        (message,) = told(clinic, "answer_readiness")
        assert message.actor.role is Role.PATIENT
        assert (message.answers.will_fast, message.answers.illness) == (True, False)
        assert message.answers.rems_enrolled is None
        assert (await browser.post(f"{path}/move")).headers["location"] == path
        assert "Thank you" in (await browser.get(path)).text
    assert len(told(clinic, "answer_readiness")) == 1 and not told(clinic, "ask_to_move")


async def test_a_patient_chooses_another_time_and_the_visit_has_it(clinic: Clinic) -> None:
    await a_site(clinic)
    course = await a_booked_course(clinic)
    other = await clinic.a_journey("other", await clinic.a_patient(email="other@example.org"))
    path = await a_visit_link(clinic, course)
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        page = (await browser.get(f"{path}/move")).text
        times = re.findall(r'name="starts_at" value="([^"]+)"', page)
        assert len(times) == 5 and times == sorted(times)
        assert datetime.fromisoformat(times[0]) - datetime.now(UTC) > timedelta(hours=23)
        made_up = await browser.post(f"{path}/move", starts_at="2199-01-01T00:00:00+00:00")
        assert made_up.status_code == 409 and "cannot be had" in made_up.text
        await a_hold(clinic, other, datetime.fromisoformat(times[0]))
        late = await browser.post(f"{path}/move", starts_at=times[0])
        assert late.status_code == 409 and "cannot be had" in late.text and times[0] not in late.text
        done = await browser.post(f"{path}/move", starts_at=times[1])
        assert done.status_code == 200 and "new time" in done.text
    workflow, update, message = clinic.engine.heard[-1]
    assert (update, workflow.endswith("/session/1")) == ("book_session", True)
    assert isinstance(message, BookSession) and message.actor.role is Role.PATIENT
    assert message.starts_at == datetime.fromisoformat(times[1])
    (line,) = (await clinic.coordinator.get(f"{course}/links")).json()["items"]
    assert (line["state"], line["act"]) == ("spent", "take")


async def test_a_visit_within_a_day_is_moved_by_a_person(clinic: Clinic) -> None:
    await a_site(clinic)
    course = await a_booked_course(clinic)
    soon = datetime.now(UTC) + timedelta(hours=20)
    await note(clinic, course, booked(soon), at=datetime.now(UTC))
    path = await a_visit_link(clinic, course)
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        page = (await browser.get(f"{path}/move")).text
        assert "starts_at" not in page and "stays booked" in page


async def test_a_patient_asks_for_another_time(clinic: Clinic) -> None:
    course = await a_booked_course(clinic)
    path = await a_visit_link(clinic, course)
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        assert "stays booked" in (await browser.get(f"{path}/move")).text
        assert (await browser.post(f"{path}/move")).status_code == 200
    (asked,) = clinic.engine.heard[-1:]
    assert asked[0].endswith("/session/1") and isinstance(asked[2], AskToMove)
    (line,) = (await clinic.coordinator.get(f"{course}/links")).json()["items"]
    assert (line["state"], line["act"]) == ("spent", "move")


async def test_withdrawing_takes_two_steps_and_happens_once(clinic: Clinic) -> None:
    path = await a_link(clinic, await clinic.a_journey(), "withdrawal")
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        assert "at any time" in (await browser.get(path)).text
        assert (await browser.post(f"{path}/ready", **READY)).status_code == 410
        for _ in range(2):
            await browser.get(f"{path}/sure")
            await browser.post(f"{path}/sure")
        assert "withdrawn" in (await browser.get(path)).text
    (leave,) = told(clinic, "leave")
    assert (leave.move, leave.channel, leave.actor.role) == ("withdraw", "link", Role.PATIENT)


async def test_opened_many_times_at_once_it_acts_once(clinic: Clinic) -> None:
    path = await a_visit_link(clinic, await a_booked_course(clinic))
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        sent = [browser.post(f"{path}/ready", **READY), browser.post(f"{path}/move")]
        sent += [browser.post(f"{path}/{step}", **READY) for step in ("ready", "move", "ready", "move")]
        statuses = sorted(answer.status_code for answer in await asyncio.gather(*sent))
    acts = [update for _, update, _ in clinic.engine.heard if update != "start"]
    assert len(acts) == 1
    assert statuses[0] == 200 and set(statuses) <= {200, 303, 409}


async def test_an_act_that_nobody_answered_for_can_be_sent_again_and_no_other_one(clinic: Clinic) -> None:
    path = await a_visit_link(clinic, await a_booked_course(clinic))
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        clinic.engine.failure = EngineUnavailable()
        trouble = await browser.post(f"{path}/ready", **READY)
        assert (trouble.status_code, "988" in trouble.text) == (503, True)
        clinic.engine.failure = None
        assert (await browser.post(f"{path}/move")).status_code == 409
        assert (await browser.post(f"{path}/ready", **READY)).status_code == 200
    keys = {message.key for message in told(clinic, "answer_readiness")}
    assert len(told(clinic, "answer_readiness")) == 2 and len(keys) == 1 and not told(clinic, "ask_to_move")


async def test_an_act_that_was_refused_leaves_the_link_open(clinic: Clinic) -> None:
    path = await a_visit_link(clinic, await a_booked_course(clinic))
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        clinic.engine.failure = EngineRefused("not-possible-now", "the session is over", {})
        assert (await browser.post(f"{path}/move")).status_code == 409
        clinic.engine.failure = None
        assert (await browser.post(f"{path}/ready", **READY)).status_code == 200


async def dead(browser: Browser, path: str) -> str:
    """The page of a dead link, at every address and by every method; the words are always the same."""
    pages = [await browser.get(path), await browser.prove(path)]
    pages += [await browser.get(f"{path}/ready"), await browser.post(f"{path}/ready", **READY)]
    assert [answer.status_code for answer in pages] == [410] * 4
    (text,) = {answer.text for answer in pages}
    return text


async def test_dead_links_are_all_the_same_and_tell_nothing(clinic: Clinic) -> None:
    course = await a_booked_course(clinic)
    moved, revoked, spent, locked, expired = [await a_visit_link(clinic, course) for _ in range(5)]
    async with a_browser(clinic.app) as browser:
        await browser.prove(spent)
        assert (await browser.post(f"{spent}/ready", **READY)).status_code == 200
        lines = (await clinic.coordinator.get(f"{course}/links")).json()["items"]
        answer = await clinic.coordinator.post(f"{course}/links/{lines[3]['link_id']}/revocation", {})
        assert answer.json()["state"] == "revoked"
        tries = [(await browser.prove(locked, "1990-01-01")).status_code for _ in range(ATTEMPTS)]
        assert tries == [*[422] * (ATTEMPTS - 1), 410]
    async with a_browser(clinic.app) as stranger:
        texts = {
            await dead(stranger, path) for path in ("/l/unknown", "/l/" + "x" * 200, revoked, spent, locked)
        }
        clinic.clock.forward = timedelta(hours=48)
        texts.add(await dead(stranger, expired))
        clinic.clock.forward = timedelta()
        assert (await stranger.get(moved)).status_code == 200
        await note(clinic, course, booked(VISIT_AT + timedelta(hours=1)), at=datetime.now(UTC))
        texts.add(await dead(stranger, moved))
    assert len(texts) == 1
    assert "988" in texts.pop()
    states = [line["state"] for line in (await clinic.coordinator.get(f"{course}/links")).json()["items"]]
    assert sorted(states) == ["locked", "outdated", "outdated", "revoked", "spent"]


async def test_a_link_that_wrong_birth_dates_have_ended_is_a_task_of_the_coordinator(clinic: Clinic) -> None:
    course = await a_booked_course(clinic)
    first, second = [await a_visit_link(clinic, course) for _ in range(2)]
    inbox = f"/v1/inbox?site={SITE}"
    async with a_browser(clinic.app) as browser:
        for n in range(ATTEMPTS):
            assert (await clinic.coordinator.get(inbox)).json()["items"] == [], n
            await browser.prove(first, "1990-01-01")
        [case] = (await clinic.coordinator.get(inbox)).json()["items"]
        assert (case["kind"], case["messages"]) == ("link-locked", [])
        tasks = (await clinic.coordinator.get(course)).json()["journey"]["open_tasks"]
        [task] = [one for one in tasks if one["code"] == "correct-contact"]
        assert task["owner"] == "coordinator"
        assert "birth date" in task["reason"]
        assert (await browser.prove(first)).status_code == 410
        async with (
            clinic.database.transaction() as session
        ):  # nobody can be asked to see to it at this moment
            await session.execute(text("ALTER TABLE message_case RENAME TO away"))
        tries = [(await browser.prove(second, "1990-01-01")).status_code for _ in range(ATTEMPTS)]
        assert tries == [*[422] * (ATTEMPTS - 1), 410]
    async with clinic.database.transaction() as session:
        await session.execute(text("ALTER TABLE away RENAME TO message_case"))
    done = await clinic.coordinator.post(f"/v1/inbox/{case['case_id']}/settlement", {"note": "called"})
    assert done.status_code == 200
    for _ in range(2):
        await locked_links.tell(clinic.here)
    assert len((await clinic.coordinator.get(inbox)).json()["items"]) == 1  # the second one, once


async def test_leaving_the_course_ends_every_link(clinic: Clinic) -> None:
    course = await a_booked_course(clinic)
    given = ConsentGiven(
        document_version="2026-01", elements=(), capacity_attested_by="x", expires_at=VISIT_AT + timedelta(9)
    )
    await note(clinic, course, given)
    paths = [await a_visit_link(clinic, course)]
    paths += [await a_link(clinic, course, purpose) for purpose in ("withdrawal", "next")]
    await note(clinic, course, ConsentWithdrawn(channel="phone", reason="enough"), at=datetime.now(UTC))
    async with a_browser(clinic.app) as browser:
        for path in paths:
            await dead(browser, path)
    refused = await clinic.coordinator.post(f"{course}/links", {"purpose": "next"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not-possible-now")


async def test_a_link_is_for_one_person_and_its_proof_for_one_link(clinic: Clinic) -> None:
    mine = await a_link(clinic, await clinic.a_journey(), "next")
    other_patient = await clinic.a_patient(name="Ana Otra", birth_date="1990-01-01", phone="+1 202 555 0111")
    other = await a_link(clinic, await clinic.a_journey("start-2", other_patient), "next")
    async with a_browser(clinic.app) as browser:
        assert (await browser.prove(other)).status_code == 422  # the right date of somebody else
        proved = await browser.prove(mine)
        (cookie,) = proved.headers.get_list("set-cookie")
        assert f"Path={mine};" in cookie and "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
        proof = re.sub(";.*", "", cookie)
        assert "date of birth" in (await browser.get(other, cookie=proof)).text
        assert "What comes next" in (await browser.get(mine, cookie=proof)).text
        clinic.clock.forward = timedelta(minutes=61)
        assert "date of birth" in (await browser.get(mine, cookie=proof)).text


async def test_guessing_the_birth_date_many_times_at_once_gains_nothing(clinic: Clinic) -> None:
    path = await a_link(clinic, await clinic.a_journey(), "next")
    async with a_browser(clinic.app) as browser:
        guesses = [browser.prove(path, f"19{year}-05-17") for year in range(60, 75)]
        answers = await asyncio.gather(*guesses)
        assert {answer.status_code for answer in answers} <= {422, 410}
        assert (await browser.prove(path)).status_code == 410


async def test_what_comes_next_can_be_read_again_and_again(clinic: Clinic) -> None:
    course = await a_booked_course(clinic)
    path = await a_link(clinic, course, "next")
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        texts = {(await browser.get(path)).text for _ in range(3)}
        assert len(texts) == 1 and "Your visit" in texts.pop()
        spanish = (await browser.get(f"{path}?lang=es")).text
        assert 'lang="es"' in spanish and "Qué viene ahora" in spanish


async def test_a_coordinator_sees_an_address_once_and_the_same_request_makes_one_link(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    made = [await clinic.coordinator.post(f"{course}/links", {"purpose": "next"}, key="k") for _ in range(2)]
    assert made[0].json()["link_id"] == made[1].json()["link_id"]
    assert made[0].json()["url"] != made[1].json()["url"]
    listed = await clinic.coordinator.get(f"{course}/links")
    assert len(listed.json()["items"]) == 1 and "url" not in listed.text
    other = await clinic.coordinator.post(f"{course}/links", {"purpose": "withdrawal"}, key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    token = made[0].json()["url"].rpartition("/")[2]
    assert len(token) >= 32
    for wrong in ({"purpose": "session"}, {"purpose": "next", "of": "session"}, {"purpose": "party"}):
        assert (await clinic.coordinator.post(f"{course}/links", wrong)).status_code == 422
    nothing = {"purpose": "session", "of": "session", "number": 1}
    assert (await clinic.coordinator.post(f"{course}/links", nothing)).status_code == 409


async def test_pages_are_sealed(clinic: Clinic) -> None:
    path = await a_link(clinic, await clinic.a_journey(), "withdrawal")
    async with a_browser(clinic.app) as browser:
        for answer in (await browser.get(path), await browser.get("/l/unknown"), await browser.prove(path)):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            policy = answer.headers["content-security-policy"]
            assert (
                "default-src 'none'" in policy and "unsafe" not in policy and "form-action 'self'" in policy
            )
            assert not re.search(r"<script|https?://|src=|url\(", answer.text)
        assert (await browser.post(path, year="9" * 9000)).status_code == 413


def test_one_address_gets_so_many_pages_a_minute() -> None:
    now = [0.0]
    limiter = Limiter(most=3, clock=lambda: now[0], remembered=2)
    for _ in range(3):
        limiter.admit("a")
    limiter.admit("b")
    with pytest.raises(TooMany):
        limiter.admit("a")
    now[0] = 61.0
    limiter.admit("a")
