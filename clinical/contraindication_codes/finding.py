"""What does one row of the contraindication tables say?

A `Finding` names the rule of clinical-facts §1.1, how it counts while the condition is there and once it is
over, and how it is written: SNOMED CT, ICD-10-CM (patterns over the code without its dot) or plain words.
Codes decide; words are asked only where no code of a condition is known here. A `recent` window makes an
event count more while it is fresh.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from clinical.decision import Confidence


class Strength(StrEnum):
    """ABS blocks; REL waits for a documented prescriber override; CAUTION warns."""

    ABS = "ABS"
    REL = "REL"
    CAUTION = "CAUTION"


ABS, REL, CAUTION = Strength.ABS, Strength.REL, Strength.CAUTION


class Window(StrEnum):
    """Which number of the protocol says how long an event is recent."""

    CARDIAC_EVENT = "cardiac_event_days"
    SUICIDE_ATTEMPT = "suicide_attempt_days"
    SUBSTANCE = "substance_lookback_days"


@dataclass(frozen=True, slots=True)
class Finding:
    """`past` is how the finding counts once it is over; None means it no longer matters."""

    rule: str
    what: str
    current: Strength | None
    past: Strength | None
    source: str
    confidence: Confidence
    snomed: frozenset[str]
    icd10: re.Pattern[str] | None
    words: re.Pattern[str] | None
    recent: tuple[Window, Strength] | None


def finding(
    rule: str,
    what: str,
    counts: tuple[Strength | None, Strength | None],
    source: str,
    confidence: Confidence,
    *,
    snomed: str = "",
    icd10: str = "",
    words: str = "",
    recent: tuple[Window, Strength] | None = None,
) -> Finding:
    """One row, written compactly: codes and ICD-10-CM patterns are separated by blanks."""
    return Finding(
        rule,
        what,
        *counts,
        source,
        confidence,
        frozenset(snomed.split()),
        re.compile("|".join(icd10.split())) if icd10 else None,
        re.compile(words, re.IGNORECASE) if words else None,
        recent,
    )
