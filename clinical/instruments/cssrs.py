"""C-SSRS screener: how great is the risk of suicide, by what was endorsed and how recent it is?

There is no score: counting the answers "yes" is wrong. Questions 1 and 2 are always asked; 3 to 5 when
there are active thoughts; 6 always, and when it is "yes", whether it lies within three months. Answers are
0 (no) and 1 (yes). Unanswered is never "no": an incomplete form is `unknown` unless what was answered is
already high, and an attempt or preparation without a date counts as recent until somebody says otherwise
(thresholds may be moved upward only). Source: clinical facts §5.1, §5.4, §6.1. © Research Foundation for
Mental Hygiene: the wording comes from the clinic's own content pack.
"""

from collections.abc import Mapping

from clinical.instruments.answers import (
    AnswerOption,
    Instrument,
    InstrumentDefinition,
    InstrumentId,
    Item,
    Reading,
    RiskLevel,
)
from clinical.instruments.totals import unanswered

NO_YES = (AnswerOption(value=0, label="No"), AnswerOption(value=1, label="Yes"))

_ITEMS = (
    ("q1", "93246-7", "wish to be dead, past month"),
    ("q2", "93247-5", "active thoughts of suicide, past month"),
    ("q3", "93248-3", "thoughts of a method, past month"),
    ("q4", "93249-1", "some intent to act, past month"),
    ("q5", "93250-9", "plan with intent, past month"),
    ("q6", "93267-3", "attempt, interrupted or aborted attempt, or preparation, ever"),
    ("q6_recent", "93269-9", "attempt or preparation within the past 3 months"),
)
ALWAYS = ("q1", "q2", "q6")
WHEN_ACTIVE_THOUGHTS = ("q3", "q4", "q5")

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.CSSRS,
    title="Columbia suicide severity screener",
    version="1.0",
    rater="clinician",
    recall="thoughts: past month; behaviour: lifetime and past 3 months (follow-up: since last contact)",
    items=tuple(
        Item(id=i, concept=concept, loinc=loinc, maximum=1, options=NO_YES) for i, loinc, concept in _ITEMS
    ),
    total_range=None,
    wording="content-pack",
    licence=(
        "© Research Foundation for Mental Hygiene. Health providers need no licence for their own record; "
        "electronic implementations for trials are licensed exclusively. No wording is shipped: ask Columbia."
    ),
    credit="Posner and colleagues, Columbia Lighthouse Project",
    source="cssrs.columbia.edu triage; clinical facts §6.1",
)


def _yes(answers: Mapping[str, int], *items: str) -> bool:
    return any(answers.get(item) == 1 for item in items)


def required(answers: Mapping[str, int]) -> tuple[str, ...]:
    """Which questions has this form to answer, given the answers so far?"""
    asked: tuple[str, ...] = ALWAYS
    if _yes(answers, "q2", *WHEN_ACTIVE_THOUGHTS):
        asked += WHEN_ACTIVE_THOUGHTS
    if _yes(answers, "q6"):
        asked += ("q6_recent",)
    return asked


def triage(answers: Mapping[str, int]) -> RiskLevel:
    """Which level of risk do these answers mean? First match wins (clinical facts §6.1)."""
    undated = _yes(answers, "q6") and "q6_recent" not in answers
    if undated or _yes(answers, "q4", "q5", "q6_recent"):
        return RiskLevel.HIGH
    if unanswered(required(answers), answers):
        return RiskLevel.UNKNOWN
    if _yes(answers, "q3", "q6"):
        return RiskLevel.MODERATE
    if _yes(answers, "q1", "q2"):
        return RiskLevel.LOW
    return RiskLevel.NONE


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? Never a number; the band is the level. `sex` plays no part."""
    level = triage(answers)
    return Reading(None, unanswered(required(answers), answers), level.value, risk_level=level)


CSSRS = Instrument(DEFINITION, read)
