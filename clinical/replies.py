"""What does a patient's text message mean, and what is answered to it?

YES, NO, CHANGE, STOP, START and HELP are understood in English and Spanish, whatever case, accents or
punctuation; everything else is asked once, politely, and then read by a person. A reply is about the visit that
was last asked about: if that is past, moved or gone, nothing changes. Words of crisis fail open: they are found
anywhere, in any reply, and go before everything else. Source: product F10.
"""

import re
import unicodedata
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from clinical import reply_words

_TOKENS = re.compile(r"[a-z0-9]+|[👍👎✅❌]")


class Reply(StrEnum):
    YES = "yes"
    NO = "no"
    CHANGE = "change"
    STOP = "stop"
    START = "start"
    HELP = "help"
    UNCLEAR = "unclear"


class Answer(StrEnum):
    """What the person reads in return; the words are in `services.notifications.answers`."""

    CONFIRMED = "confirmed"
    PERSON_WILL_MOVE_IT = "person-will-move-it"
    ALREADY_PASSED = "already-passed"
    OTHER_TIME = "other-time"
    NO_VISIT = "no-visit"
    ASKED_AGAIN = "asked-again"
    PERSON_WILL_READ = "person-will-read"
    STOPPED = "stopped"
    STARTED = "started"
    HELP = "help"
    CRISIS = "crisis"
    NOT_KNOWN = "not-known"  # nobody, or nobody certain, is reached at this number


class Understood(BaseModel):
    """What a message says. `spanish`: it holds Spanish words, whatever the person's language is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reply: Reply
    crisis: bool
    spanish: bool


class Visit(BaseModel):
    """The visit that a reply could be about: the next one that is booked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: int
    starts_at: datetime


_PHRASES: tuple[tuple[Reply, frozenset[str]], ...] = (
    (Reply.STOP, reply_words.STOP),
    (Reply.START, reply_words.START),
    (Reply.YES, reply_words.YES),
    (Reply.NO, reply_words.NO),
    (Reply.CHANGE, reply_words.CHANGE),
    (Reply.HELP, reply_words.HELP),
)


_ABOUT_NO_VISIT = {Reply.STOP: Answer.STOPPED, Reply.START: Answer.STARTED, Reply.HELP: Answer.HELP}


def understood(text: str) -> Understood:
    """The whole message must be one of the known phrases, but for politeness at its ends."""
    tokens = _tokens(text)
    plain = " ".join(tokens)
    phrase = " ".join(_without_politeness(tokens))
    spaced = f" {plain} "
    return Understood(
        reply=next((reply for reply, known in _PHRASES if phrase in known), Reply.UNCLEAR),
        crisis=any(words in spaced for words in reply_words.CRISIS),
        spanish=any(token in reply_words.SPANISH for token in tokens),
    )


def answer_to(
    reply: Reply,
    *,
    asked_about: datetime | None,
    next_visit: Visit | None,
    had_visits: bool,
    asked_again: bool,
    now: datetime,
) -> Answer:
    """What follows from a reply without words of crisis.

    `asked_about` is the start of the visit in the last message to this person, `had_visits` whether one of
    theirs lies behind, `asked_again` whether the last message was our question what they meant.
    """
    if reply in _ABOUT_NO_VISIT:
        return _ABOUT_NO_VISIT[reply]
    if reply is Reply.UNCLEAR:
        return Answer.PERSON_WILL_READ if asked_again else Answer.ASKED_AGAIN
    return _about_a_visit(reply, asked_about, next_visit, had_visits, now)


def _about_a_visit(
    reply: Reply, asked_about: datetime | None, next_visit: Visit | None, had_visits: bool, now: datetime
) -> Answer:
    if asked_about is not None and asked_about <= now:
        return Answer.ALREADY_PASSED
    if next_visit is None:
        if asked_about is None and had_visits:
            return Answer.ALREADY_PASSED
        return Answer.NO_VISIT
    if asked_about is not None and asked_about != next_visit.starts_at:
        return Answer.OTHER_TIME
    return Answer.CONFIRMED if reply is Reply.YES else Answer.PERSON_WILL_MOVE_IT


def _tokens(text: str) -> list[str]:
    """Lower case words without accents; typographic apostrophes and skin tones make no difference."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return _TOKENS.findall("".join(letter for letter in apart if not unicodedata.combining(letter)))


def _without_politeness(tokens: list[str]) -> list[str]:
    rest = list(tokens)
    while len(rest) > 1 and rest[-1] in reply_words.POLITE:
        rest.pop()
    while len(rest) > 1 and rest[0] in reply_words.POLITE:
        rest.pop(0)
    return rest
