"""What is a questionnaire, and what did a person's answers to it come to?

Answers are whole numbers keyed by item id (`q1`, `q9`); they are kept as given. A score is null while the
form is incomplete (unless the instrument's own rule allows an estimate, which is then flagged `prorated`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict

from clinical.decision import Confidence


class InstrumentId(StrEnum):
    """The instruments the engine can score."""

    PHQ9 = "phq-9"
    GAD7 = "gad-7"
    PCL5 = "pcl-5"
    CSSRS = "c-ssrs-screener"
    AUDIT_C = "audit-c"
    DAST10 = "dast-10"
    PDSS_SR = "pdss-sr"
    QIDS_SR16 = "qids-sr16"
    MADRS = "madrs"
    CADSS6 = "cadss-6"
    MEQ30 = "meq-30"
    EDI = "edi"


class RiskLevel(StrEnum):
    """How great is the risk of suicide? `unknown` is never safe: it is handled like moderate."""

    NONE = "none"
    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    UNKNOWN = "unknown"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AnswerOption(_Data):
    """One possible answer; `loinc` is an answer code (LA…) where confirmed."""

    value: int
    label: str
    loinc: str | None = None


class Item(_Data):
    """One question: `concept` in our own words, `text` in the instrument's where it may be shipped."""

    id: str
    concept: str
    text: str | None = None
    loinc: str | None = None
    minimum: int = 0
    maximum: int
    options: tuple[AnswerOption, ...] = ()
    reverse_scored: bool = False


class ChangeRule(_Data):
    """When is a change a response, a remission, a difference that matters, a worsening? Null: no rule known.

    `remission_below` is exclusive. Scores are whole numbers where it is used, so "≤ 5" is written as below 6.
    """

    response_percent: float | None = None
    remission_below: float | None = None
    mcid_points: float | None = None
    worse_points: float | None = None
    source: str
    confidence: Confidence


class InstrumentDefinition(_Data):
    """One version of one instrument: items, ranges, codes, recall window, rights."""

    instrument: InstrumentId
    title: str
    version: str
    rater: Literal["self", "clinician"]
    recall: str
    stem: str | None = None
    items: tuple[Item, ...]
    panel_loinc: str | None = None
    total_loinc: str | None = None
    total_range: tuple[float, float] | None
    suicide_item: str | None = None
    wording: Literal["shipped", "content-pack"]
    licence: str
    credit: str
    source: str
    change: ChangeRule | None = None

    @property
    def item_ids(self) -> tuple[str, ...]:
        return tuple(item.id for item in self.items)


class InstrumentResult(_Data):
    """What the answers came to.

    `suicide_item` is the raw answer of the suicide item: null means not answered, or that this instrument
    asks no such thing; neither ever means "cleared". `risk_level` is set by the C-SSRS screener only.
    `client_score` is a score somebody sent along; it is never used, only compared (`mismatch`). `flags` are
    stable words a reader needs beside the score (`case-positive`, `provisional-ptsd`, `q1-only`).
    """

    instrument: InstrumentId
    version: str
    answers: dict[str, int]
    score: float | None
    band: str | None = None
    complete: bool
    missing: tuple[str, ...] = ()
    prorated: bool = False
    subscores: dict[str, float] = {}
    flags: tuple[str, ...] = ()
    suicide_item: int | None = None
    risk_level: RiskLevel | None = None
    status: Literal["completed", "in-progress"]
    client_score: float | None = None

    @property
    def mismatch(self) -> bool:
        """True when a score was sent along and it is not ours."""
        return self.client_score is not None and self.client_score != self.score


class Measurement(_Data):
    """One scored form and the instant it was answered."""

    at: AwareDatetime
    result: InstrumentResult


class Fault(NamedTuple):
    """One thing wrong with one item of a submitted form."""

    item: str
    detail: str


class InvalidAnswers(ValueError):
    """The answers name unknown items or lie outside their range; `faults` lists all of them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.item}: {fault.detail}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True)
class Reading:
    """What one instrument's own rule makes of valid answers; the registry turns it into a result."""

    score: float | None
    missing: tuple[str, ...] = ()
    band: str | None = None
    prorated: bool = False
    subscores: Mapping[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    risk_level: RiskLevel | None = None


class Instrument(NamedTuple):
    """A definition and its scoring rule; the rule's second argument is the recorded sex, if any."""

    definition: InstrumentDefinition
    read: Callable[[Mapping[str, int], str | None], Reading]
