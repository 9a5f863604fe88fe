"""Is every answer to a text message there in every language, neutral, short, and with help at its end?"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from clinical.replies import Answer
from services.notifications.answers import ANSWERS, WITHOUT_HELP, answer_text, placeholders
from services.notifications.interface import ChannelName, TemplateName
from services.notifications.kinds import ASKS_FOR_A_REPLY
from services.notifications.language import Language
from services.notifications.wording import HelpLines, Wording
from tests.services.notifications.test_wording import GSM7, TELLING

AT = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
LINES = HelpLines()


def said(answer: Answer, wish: str) -> str:
    return answer_text(answer, wish, "America/New_York", AT, LINES)


@pytest.mark.parametrize("answer", Answer)
def test_every_answer_exists_in_each_language_with_the_same_placeholders(answer: Answer) -> None:
    words = [ANSWERS[language][answer] for language in Language]
    assert len(set(words)) == len(Language)
    assert len({frozenset(placeholders(one)) for one in words}) == 1


@pytest.mark.parametrize(("answer", "language"), [*product(Answer, Language)])
def test_an_answer_is_neutral_short_and_says_who_helps(answer: Answer, language: Language) -> None:
    text = said(answer, language)
    assert TELLING.findall(text) == []
    assert "{" not in text
    assert ("988" in text and "911" in text) == (answer not in WITHOUT_HELP)
    assert len(text) <= (306 if language is Language.ENGLISH or set(text) <= GSM7 else 400)


def test_a_visit_is_told_in_the_persons_own_time_and_language() -> None:
    assert "Tuesday, March 3 at 9:00 AM EST" in said(Answer.OTHER_TIME, "en")
    assert "martes 3 de marzo a las 9:00" in said(Answer.OTHER_TIME, "es-MX")
    assert said(Answer.CONFIRMED, "tlh") == said(Answer.CONFIRMED, "en")


@pytest.mark.parametrize(("template", "language"), [*product(TemplateName, Language)])
def test_only_a_text_message_about_a_visit_asks_for_a_reply(
    template: TemplateName, language: Language
) -> None:
    wording = Wording(LINES)
    assert wording.how_to_reply(template, ChannelName.EMAIL, language) == ""
    asks = wording.how_to_reply(template, ChannelName.SMS, language)
    assert bool(asks) == (template in ASKS_FOR_A_REPLY)
    assert TELLING.findall(asks) == []
