"""Is a reply understood as it was meant, and does it never change what it is not about?"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical import reply_words
from clinical.replies import Answer, Reply, Visit, answer_to, understood

NOW = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
SOON = NOW + timedelta(days=1)
VISIT = Visit(session=2, starts_at=SOON)

SAID = {
    Reply.YES: (
        "YES",
        "yes!",
        " Yes. ",
        "Y",
        "Sí",
        "SI",
        "sí, gracias",
        "Ok yes thanks",
        "👍",
        "👍🏽",
        "I’ll be there",
    ),
    Reply.NO: ("No", "NO.", "no, thank you", "no puedo", "Can’t", "👎", "CANCEL"),
    Reply.CHANGE: (
        "CHANGE",
        "change please",
        "Cambiar",
        "por favor cambiar",
        "otra hora",
        "Can I reschedule?",
    ),
    Reply.STOP: ("STOP", "stop.", "Stop texting me", "ALTO", "No más mensajes", "please stop", "UNSUBSCRIBE"),
    Reply.START: ("START", "unstop", "iniciar"),
    Reply.HELP: ("HELP", "ayuda?"),
    Reply.UNCLEAR: (
        "",
        "?",
        "no problem",
        "yes but later",
        "who is this",
        "stop by at five",
        "thanks",
        "🙂",
        "NOYES",
    ),
}


@pytest.mark.parametrize(
    ("reply", "text"), [(reply, text) for reply, texts in SAID.items() for text in texts]
)
def test_each_spelling_is_understood(reply: Reply, text: str) -> None:
    said = understood(text)
    assert (said.reply, said.crisis) == (reply, False)


def test_no_phrase_means_two_things() -> None:
    lists = (
        reply_words.YES,
        reply_words.NO,
        reply_words.CHANGE,
        reply_words.STOP,
        reply_words.START,
        reply_words.HELP,
    )
    assert sum(map(len, lists)) == len(frozenset().union(*lists))


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("I want to kill myself", Reply.UNCLEAR),
        ("no. i don’t want to live anymore", Reply.UNCLEAR),
        ("QUIERO MORIR", Reply.UNCLEAR),
        ("pienso en el suicidio", Reply.UNCLEAR),
        ("voy a hacerme daño", Reply.UNCLEAR),
    ],
)
def test_words_of_crisis_are_found_anywhere(text: str, reply: Reply) -> None:
    said = understood(text)
    assert (said.reply, said.crisis) == (reply, True)


@given(st.sampled_from(reply_words.CRISIS), st.text(max_size=40), st.text(max_size=40))
def test_nothing_around_them_hides_words_of_crisis(words: str, before: str, after: str) -> None:
    assert understood(f"{before} {words.upper()} {after}").crisis


@given(st.text(max_size=400))
def test_any_text_is_understood_somehow_and_spacing_makes_no_difference(text: str) -> None:
    assert understood(f"  {text}!! ") == understood(text)


@pytest.mark.parametrize(
    ("text", "spanish"), [("sí", True), ("por favor cambiar", True), ("yes", False), ("", False)]
)
def test_spanish_is_noticed(text: str, spanish: bool) -> None:
    assert understood(text).spanish is spanish


def answered(
    reply: Reply,
    asked_about: datetime | None = SOON,
    next_visit: Visit | None = VISIT,
    *,
    had_visits: bool = False,
    asked_again: bool = False,
) -> Answer:
    return answer_to(
        reply,
        asked_about=asked_about,
        next_visit=next_visit,
        had_visits=had_visits,
        asked_again=asked_again,
        now=NOW,
    )


@pytest.mark.parametrize("asked_about", [SOON, None])
def test_the_visit_that_was_asked_about_is_answered(asked_about: datetime | None) -> None:
    assert answered(Reply.YES, asked_about) is Answer.CONFIRMED
    assert answered(Reply.NO, asked_about) is Answer.PERSON_WILL_MOVE_IT
    assert answered(Reply.CHANGE, asked_about) is Answer.PERSON_WILL_MOVE_IT


@pytest.mark.parametrize("reply", [Reply.YES, Reply.NO, Reply.CHANGE])
def test_a_reply_to_a_visit_that_is_past_moved_or_gone_changes_nothing(reply: Reply) -> None:
    assert answered(reply, NOW) is Answer.ALREADY_PASSED
    assert answered(reply, None, None, had_visits=True) is Answer.ALREADY_PASSED
    assert answered(reply, SOON + timedelta(hours=1)) is Answer.OTHER_TIME
    assert answered(reply, SOON, None, had_visits=True) is Answer.NO_VISIT
    assert answered(reply, None, None) is Answer.NO_VISIT


def test_what_is_about_no_visit() -> None:
    assert answered(Reply.STOP) is Answer.STOPPED
    assert answered(Reply.START) is Answer.STARTED
    assert answered(Reply.HELP) is Answer.HELP


def test_what_is_not_understood_is_asked_once_and_then_read_by_a_person() -> None:
    assert answered(Reply.UNCLEAR) is Answer.ASKED_AGAIN
    assert answered(Reply.UNCLEAR, asked_again=True) is Answer.PERSON_WILL_READ


@given(
    st.sampled_from([Reply.YES, Reply.NO, Reply.CHANGE]),
    st.none() | st.integers(-5, 5).map(lambda h: NOW + timedelta(hours=h)),
    st.none() | st.integers(1, 5).map(lambda h: Visit(session=1, starts_at=NOW + timedelta(hours=h))),
)
def test_only_the_very_visit_that_was_asked_about_is_ever_confirmed(
    reply: Reply, asked_about: datetime | None, next_visit: Visit | None
) -> None:
    answer = answered(reply, asked_about, next_visit)
    if answer in (Answer.CONFIRMED, Answer.PERSON_WILL_MOVE_IT):
        assert next_visit is not None
        assert asked_about in (None, next_visit.starts_at)
        assert next_visit.starts_at > NOW
