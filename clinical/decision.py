"""What did a rule answer, and why? Every rule returns all its reasons, not the first."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict


class Verdict(StrEnum):
    """The answer of a rule, from harmless to decisive; a decision is as severe as its worst reason."""

    PASS = "pass"
    CAUTION = "caution"
    REVIEW = "review"
    REFUSE = "refuse"


_SEVERITY = {verdict: rank for rank, verdict in enumerate(Verdict)}


class Confidence(StrEnum):
    """How well a fact is known: confirmed, confirmed second hand, well-known, uncertain, design default."""

    CONFIRMED = "C"
    SECONDARY = "C*"
    WELL_KNOWN = "W"
    UNCERTAIN = "U"
    DESIGN = "D"


class Reason(BaseModel):
    """One rule's finding: what was looked at, what it should have been, how old it is, who says so.

    `rule` is a stable id (`X17`, `G4`, `DOSE-CAP`); `value` carries its UCUM unit in `unit`; `age_hours` is the
    age of the value when the rule was asked; `available_at` is the instant from which the finding could change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    verdict: Verdict
    text: str
    source: str
    confidence: Confidence = Confidence.DESIGN
    value: str | None = None
    unit: str | None = None
    limit: str | None = None
    observed_at: datetime | None = None
    age_hours: float | None = None
    available_at: datetime | None = None
    missing: bool = False


class Decision(BaseModel):
    """All reasons of one question. An empty decision passes only if the question had nothing to look at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reasons: tuple[Reason, ...] = ()

    @classmethod
    def of(cls, reasons: Iterable[Reason]) -> Self:
        return cls(reasons=tuple(reasons))

    @property
    def verdict(self) -> Verdict:
        return max((r.verdict for r in self.reasons), key=_SEVERITY.__getitem__, default=Verdict.PASS)

    @property
    def passes(self) -> bool:
        """True when nothing refuses and nothing waits for a person."""
        return self.verdict in (Verdict.PASS, Verdict.CAUTION)

    @property
    def objections(self) -> tuple[Reason, ...]:
        """The reasons that stand in the way, worst first."""
        blocking = [r for r in self.reasons if r.verdict in (Verdict.REVIEW, Verdict.REFUSE)]
        return tuple(sorted(blocking, key=lambda r: -_SEVERITY[r.verdict]))

    @property
    def missing(self) -> tuple[str, ...]:
        """The rules that could not be answered because something is absent or out of date."""
        return tuple(r.rule for r in self.reasons if r.missing)

    def __add__(self, other: "Decision") -> "Decision":
        return Decision(reasons=self.reasons + other.reasons)


def age_hours(observed_at: datetime, now: datetime) -> float:
    """How old is a value, in elapsed hours? Negative when it lies in the future."""
    return (now - observed_at).total_seconds() / 3600
