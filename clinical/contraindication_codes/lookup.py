"""Which rows of the contraindication tables does one coded or worded condition meet?

A code that the tables know decides alone. Words are asked otherwise, and a wording that denies or suspects
("no history of", "ruled out") is not understood well enough to block or to clear: it is `unclear`.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from clinical.contraindication_codes.body import BODY
from clinical.contraindication_codes.brain_and_mind import BRAIN_AND_MIND
from clinical.contraindication_codes.finding import Finding
from clinical.contraindication_codes.heart_and_vessels import HEART_AND_VESSELS
from clinical.contraindication_codes.substances import SUBSTANCES
from clinical.patient_record import Allergy, Coding, Condition

FINDINGS: tuple[Finding, ...] = (*HEART_AND_VESSELS, *BRAIN_AND_MIND, *SUBSTANCES, *BODY)

_SNOMED, _ICD10 = frozenset({"snomed", ""}), frozenset({"icd-10-cm", ""})

# An ended pregnancy is not a pregnancy; a BMI is judged by its measurement; a victim of abuse abuses nothing.
_HARMLESS = frozenset(
    {"19169002", "17369002", "85116003", "428251008", "237602007", "162864005", "706893006"}
)

_PAST_EVENTS = frozenset({"399211009", "429007001", "703151001", "275526006", "161511000"})
_PAST_ICD10 = re.compile(r"Z86|Z87|I252|F1[0-9][129]1$")  # personal history, old infarction, remission
_HISTORY = re.compile(
    r"\b(personal )?history of\b|\bh/o\b|\bin (full |early |sustained )*remission\b", re.IGNORECASE
)
_FAMILY = re.compile(r"family history|family member|\bfh:", re.IGNORECASE)
_UNCLEAR = re.compile(
    r"\bno (known |personal |prior |past )*(history|evidence|signs?) of\b|\bdenie[sd]\b|\bruled out\b"
    r"|\bnegative for\b|\bsuspected\b|\bpossible\b|\bscreening for\b|\brisk of\b",
    re.IGNORECASE,
)
_KETAMINE_CODES = frozenset({"294224001", "373464007", "6130", "2119365"})
_KETAMINE_WORDS = re.compile(r"\b(es)?ketamine|ketalar|spravato|benzethonium", re.IGNORECASE)


class Match(NamedTuple):
    """The rows that a condition meets; `unclear` when only an uncertain or denying wording says so."""

    findings: tuple[Finding, ...]
    unclear: bool


def wording(codings: Iterable[Coding], text: str) -> str:
    """Everything that was written in words, for matching and for showing."""
    return " / ".join(dict.fromkeys(part for part in (text, *(c.display or "" for c in codings)) if part))


def _dotless(code: str) -> str:
    return code.upper().replace(".", "").strip()


def _by_code(codings: tuple[Coding, ...]) -> tuple[Finding, ...]:
    snomed = {c.code.strip() for c in codings if c.system in _SNOMED}
    icd10 = [_dotless(c.code) for c in codings if c.system in _ICD10]
    return tuple(
        row
        for row in FINDINGS
        if row.snomed & snomed or (row.icd10 is not None and any(row.icd10.match(code) for code in icd10))
    )


def findings_of(condition: Condition) -> Match:
    """Which contraindications does this condition stand for? Rows of §1.1, none for a harmless condition."""
    if condition.of_relative:
        return _of_relative(condition)
    by_code = _by_code(condition.codings)
    if by_code:
        return Match(by_code, unclear=False)
    if any(coding.code.strip() in _HARMLESS for coding in condition.codings):
        return Match((), unclear=False)
    words = wording(condition.codings, condition.text)
    in_family = _FAMILY.search(words) is not None
    rows = tuple(
        row
        for row in FINDINGS
        if row.words is not None and row.words.search(words) and in_family == (row.rule == "X13")
    )
    return Match(rows, unclear=_UNCLEAR.search(words) is not None)


def _of_relative(condition: Condition) -> Match:
    """A psychotic disorder of a close relative is X13; nothing else in the family counts."""
    own = findings_of(condition.model_copy(update={"of_relative": False}))
    psychotic = any(row.rule in ("X11", "X13") for row in own.findings)
    rows = tuple(row for row in FINDINGS if row.rule == "X13") if psychotic else ()
    return Match(rows, own.unclear)


def states_history(condition: Condition) -> bool:
    """Does the entry itself say that the thing is over, even while the entry is marked active?"""
    if any(coding.code.strip() in _PAST_EVENTS for coding in condition.codings):
        return True
    if any(c.system in _ICD10 and _PAST_ICD10.match(_dotless(c.code)) for c in condition.codings):
        return True
    words = wording(condition.codings, condition.text)
    return _HISTORY.search(words) is not None and _FAMILY.search(words) is None


def names_ketamine(allergy: Allergy) -> bool:
    """Is this an intolerance of ketamine, esketamine or the preservative of ketamine vials?"""
    if any(coding.code.strip() in _KETAMINE_CODES for coding in allergy.codings):
        return True
    return _KETAMINE_WORDS.search(wording(allergy.codings, allergy.text)) is not None
