"""What must be done about somebody at risk, in which order and by when? By level and place.

Words for people who act, not rules that a machine checks: the clock is the case's own (`acknowledge_by`), so
that the list can be read from a record without its protocol. Two calls before the emergency contact are
§6.2's own number. Source: clinical facts §6.2 (actions C/D, times D).
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from clinical.instruments.answers import RiskLevel


class RiskAction(BaseModel):
    """One line of the list. `by` null: as long as the case is open, or after it was closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    text: str
    by: datetime | None


_ON_SITE = (
    ("stay", "do not leave the person alone", True),
    ("face-to-face", "a clinician sees the person face to face", True),
    ("remove-means", "remove what the person could harm themselves with", True),
    ("transfer-or-safe", "transfer to emergency care, or write down the safe alternative", False),
    ("no-discharge", "nobody goes home before a licensed clinician has closed the case", False),
)
_REMOTE = (
    ("call", "call the person", True),
    ("call-again", "no answer: call a second time", True),
    ("emergency-contact", "no answer twice: call the emergency contact", True),
    ("welfare-check", "nobody reached: ask for a welfare check, or call 911", True),
    ("remove-means", "reached: ask about means, and who can put them away", False),
)
_MODERATE = (
    ("assess", "a clinician assesses plan, intent, behaviour and what protects", True),
    ("safety-plan", "make or review the safety plan with the person", True),
    ("means", "talk about means and how to put them away", True),
)
_INCOMPLETE = (("ask-again", "ask what was left open: an incomplete screen may hide a high risk", True),)
_LOW = (
    ("review", "a clinician looks at the answers", True),
    ("offer-plan", "offer a safety plan", True),
    ("screen-again", "screen again at the next contact", False),
)
_RECONCILE = (("reconcile", "a clinician reconciles the contradiction in the answers", True),)
_AFTER = (
    ("dose-locked", "no dose until a licensed clinician has closed the case", False),
    ("caring-contact", "contacts follow when the case is closed", False),
)

_Line = tuple[str, str, bool]


_BELOW_HIGH: dict[RiskLevel, tuple[_Line, ...]] = {
    RiskLevel.UNKNOWN: (*_INCOMPLETE, *_MODERATE, *_AFTER),
    RiskLevel.MODERATE: (*_MODERATE, *_AFTER),
    RiskLevel.LOW: (*_LOW, *_AFTER[:1]),
    RiskLevel.NONE: (*_RECONCILE, *_AFTER[:1]),
}


def actions(level: RiskLevel, on_site: bool, acknowledge_by: datetime | None) -> tuple[RiskAction, ...]:
    """What is to be done, most urgent first? Every level has something to do."""
    return tuple(
        RiskAction(code=code, text=text, by=acknowledge_by if timed else None)
        for code, text, timed in _lines(level, on_site)
    )


def in_words(level: RiskLevel, on_site: bool) -> str:
    """The same as one line for a task."""
    return "; ".join(text for _, text, _ in _lines(level, on_site))


def _lines(level: RiskLevel, on_site: bool) -> tuple[_Line, ...]:
    if level is RiskLevel.HIGH:
        return (*(_ON_SITE if on_site else _REMOTE), *_MODERATE[1:2], *_AFTER)
    return _BELOW_HIGH[level]
