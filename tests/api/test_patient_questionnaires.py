"""Is a questionnaire on a phone one question a page, resumed where it stopped, and never slow to help?"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from api.engine import EngineRefused, EngineUnavailable
from api.link_acts import tell
from api.patient_pages import WORDS
from clinical.events import TaskDone
from clinical.people import Role
from services.notifications.language import Language
from tests.api.conftest import Clinic
from tests.api.link_holder import (
    WEEK_TASK,
    Browser,
    a_browser,
    a_course_in_follow_up,
    a_form_link,
    note,
)
from workflows.messages import SubmitQuestionnaires

ITEMS = 9 + 7
SUICIDE_ITEM = 9
PLACE = re.compile(r"{\w+}")


def submitted(clinic: Clinic) -> list[dict[str, dict[str, int]]]:
    """What the engine was told, form by form."""
    return [
        {one.instrument: one.answers for one in message.questionnaires}
        for _, _, message in clinic.engine.heard
        if isinstance(message, SubmitQuestionnaires)
    ]


async def fill(browser: Browser, path: str, numbers: range, answer: str = "1") -> None:
    for number in numbers:
        value = "0" if number == SUICIDE_ITEM else answer
        assert (await browser.post(f"{path}/{number}", answer=value)).status_code == 303


async def test_one_question_a_page_and_all_of_them_sent_at_the_end(clinic: Clinic) -> None:
    path = await a_form_link(clinic, await a_course_in_follow_up(clinic))
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        start = (await browser.get(path)).text
        assert f"{ITEMS} short questions" in start and "by phone or at the clinic" in start
        for number in (1, ITEMS):
            page = (await browser.get(f"{path}/{number}")).text
            assert f"Question {number} of {ITEMS}" in page and page.count("<fieldset") == 1
            assert "988" in page and "911" in page
            assert (await browser.post(f"{path}/{number}")).status_code == 422
        await fill(browser, path, range(1, ITEMS))
        after = await browser.post(f"{path}/{ITEMS}", answer="0")
        assert after.headers["location"] == f"{path}/send"
        assert submitted(clinic) == []
        assert (await browser.post(f"{path}/send")).status_code == 200
        assert (await browser.post(f"{path}/send")).status_code == 303
    (forms,) = submitted(clinic)
    assert [len(forms["phq-9"]), len(forms["gad-7"])] == [9, 7]
    message = clinic.engine.heard[-1][2]
    assert message.actor.role is Role.PATIENT and message.model_dump()["on_site"] is False


async def test_it_goes_on_where_it_stopped_on_another_telephone_too(clinic: Clinic) -> None:
    path = await a_form_link(clinic, await a_course_in_follow_up(clinic))
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        await fill(browser, path, range(1, 3))
    async with a_browser(clinic.app) as another:
        await another.prove(path)
        assert f'href="{path}/3"' in (await another.get(path)).text
        assert re.search(r'value="1" required checked', (await another.get(f"{path}/2")).text)
        assert (await another.get(f"{path}/send")).headers["location"] == f"{path}/3"
        assert (await another.post(f"{path}/send")).headers["location"] == f"{path}/send"
        assert (await another.get(f"{path}/{ITEMS + 1}")).status_code == 410
    assert submitted(clinic) == []


async def test_a_positive_suicide_item_gets_help_and_is_told_at_once(clinic: Clinic) -> None:
    path = await a_form_link(clinic, await a_course_in_follow_up(clinic))
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        await fill(browser, path, range(1, SUICIDE_ITEM))
        help_now = await browser.post(f"{path}/{SUICIDE_ITEM}", answer="1")
        assert 'href="tel:988"' in help_now.text and "will call you" in help_now.text
        assert f'href="{path}/10"' in help_now.text
        (told,) = submitted(clinic)
        assert told["phq-9"]["q9"] == 1 and len(told["phq-9"]) == 9
        assert await clinic.drafts.unsettled() == []
        await browser.post(f"{path}/{SUICIDE_ITEM}", answer="1")  # pressed twice
        assert len(submitted(clinic)) == 1
        await fill(browser, path, range(10, ITEMS + 1))
        assert 'href="tel:988"' in (await browser.get(f"{path}/send")).text
        assert "tel:988" in (await browser.post(f"{path}/send")).text
    assert [sorted(forms) for forms in submitted(clinic)] == [["phq-9"], ["gad-7"]]
    assert len({message.key for _, _, message in clinic.engine.heard}) == 3


async def test_an_alarm_that_nobody_hears_is_not_lost(clinic: Clinic) -> None:
    path = await a_form_link(clinic, await a_course_in_follow_up(clinic))
    here = clinic.app.state.composition
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        clinic.engine.failure = EngineUnavailable()
        unheard = await browser.post(f"{path}/{SUICIDE_ITEM}", answer="3")
        assert unheard.status_code == 200
        assert "cannot reach your team" in unheard.text and "tel:988" in unheard.text
        (alarm,) = await clinic.drafts.unsettled()
        clinic.engine.failure = None
        assert await tell(here, alarm)
    assert submitted(clinic)[-1] == {"phq-9": {"q9": 3}}
    assert len({message.key for _, update, message in clinic.engine.heard if update != "start"}) == 1
    assert await clinic.drafts.unsettled() == []


async def test_an_alarm_for_a_closed_questionnaire_becomes_a_concern(clinic: Clinic) -> None:
    path = await a_form_link(clinic, await a_course_in_follow_up(clinic))
    closed = EngineRefused("not-possible-now", "no measurement is open now", {})
    clinic.engine.refuses["submit_questionnaires"] = closed
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        assert "will call you" in (await browser.post(f"{path}/{SUICIDE_ITEM}", answer="2")).text
    workflow_id, update, message = clinic.engine.heard[-1]
    assert (update, message.actor.role) == ("raise_concern", Role.PATIENT)
    assert workflow_id.count("/") == 2  # the course itself


async def test_two_screens_at_once_lose_no_answer(clinic: Clinic) -> None:
    path = await a_form_link(clinic, await a_course_in_follow_up(clinic))
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        await asyncio.gather(*(browser.post(f"{path}/{number}", answer="2") for number in range(1, 5)))
        assert f'href="{path}/5"' in (await browser.get(path)).text


async def test_answers_that_were_not_sent_are_not_kept_beyond_their_link(clinic: Clinic) -> None:
    path = await a_form_link(clinic, await a_course_in_follow_up(clinic))
    here = clinic.app.state.composition
    async with a_browser(clinic.app) as browser:
        await browser.prove(path)
        await fill(browser, path, range(1, 2))
    link = await here.links.find(path.rpartition("/")[2])
    await clinic.drafts.forget_expired()
    assert (await clinic.drafts.of(link)).answers == {"phq-9": {"q1": 1}}
    clinic.clock.forward = timedelta(hours=73)
    await clinic.drafts.forget_expired()
    assert (await clinic.drafts.of(link)).answers == {}


async def test_answers_that_came_in_by_others_end_the_link(clinic: Clinic) -> None:
    course = await a_course_in_follow_up(clinic)
    path = await a_form_link(clinic, course)
    await note(clinic, course, TaskDone(task_id=WEEK_TASK), at=datetime.now(UTC))
    async with a_browser(clinic.app) as browser:
        assert (await browser.prove(path)).status_code == 410


async def test_a_questionnaire_in_spanish(clinic: Clinic) -> None:
    path = await a_form_link(clinic, await a_course_in_follow_up(clinic, language="es-MX"))
    async with a_browser(clinic.app) as browser:
        first = await browser.get(path)
        assert '<html lang="es">' in first.text and first.headers["content-language"] == "es"
        await browser.prove(path)
        page = (await browser.get(f"{path}/1")).text
        assert "Pregunta 1 de 16" in page and "Poco interés" in page and "Casi todos los días" in page
        help_now = (await browser.post(f"{path}/{SUICIDE_ITEM}", answer="1")).text
        assert "le llamará" in help_now and "tel:988" in help_now


def places(words: Any, at: str = "") -> set[str]:
    if not isinstance(words, dict):
        return {f"{at} {sorted(PLACE.findall(str(words)))}"}
    return {place for name, inner in words.items() for place in places(inner, f"{at}/{name}")}


def test_every_word_exists_in_both_languages() -> None:
    assert places(WORDS[Language.ENGLISH]) == places(WORDS[Language.SPANISH])


async def test_names_and_answers_are_in_no_address_title_log_or_key(
    clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    canary = "Zebulon Kanarienvogel"
    with structlog.testing.capture_logs() as lines:
        course = await a_course_in_follow_up(clinic, name=canary, email="kanarienvogel@example.org")
        path = await a_form_link(clinic, course)
        async with a_browser(clinic.app) as browser:
            await browser.prove(path)
            page = (await browser.get(path)).text
            await browser.post(f"{path}/{SUICIDE_ITEM}", answer="3")
            clinic.engine.failure = RuntimeError("unforeseen")
            unheard = await browser.post(f"{path}/{SUICIDE_ITEM}", answer="2")
            assert "tel:988" in unheard.text
    token = path.rpartition("/")[2]
    ours = [record.getMessage() for record in caplog.records if record.name != "httpx2"]
    said = "".join([*ours, *(str(line) for line in lines)])
    assert "/l/{token}/{step}" in said and "not heard yet" in said
    keys = [message.key for _, _, message in clinic.engine.heard]
    for secret in (canary, "anarienvogel", "1984", token):
        assert secret not in said
        assert not [key for key in keys if secret in key]
    assert canary not in page
    assert set(browser.titles) == {"A page from your clinic"}
    assert all(
        re.fullmatch(rf"(http://api.example.org)?(/l/{token}(/\w+)?)?", one) for one in browser.visited
    )
