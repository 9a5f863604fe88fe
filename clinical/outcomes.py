"""Did it help: how far has a score moved from the baseline, and is that a response, a remission, a worsening?

Rules of clinical facts §5.2 (per instrument) and §7.2 (response, partial response, remission,
deterioration). Without a baseline nothing can be computed, and "nothing" is never zero. `points` is current
− baseline (negative is better); `percent` is the fall from the baseline in % (positive is better). Losing a
response is in `relapse.py`.
"""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from clinical.instants import Instant
from clinical.instruments.answers import ChangeRule, InstrumentId, InstrumentResult, Measurement
from clinical.instruments.registry import definition
from clinical.protocol import Outcomes
from clinical.relapse import RelapseFinding, relapse

__all__ = [
    "Change", "CourseSummary", "Measurement", "Point", "RelapseFinding", "Series", "best_improvement_percent",
    "change", "course_summary", "relapse", "remembered",
]  # fmt: skip

PARTIAL_FROM_PERCENT = 30.0
USUAL_RESPONSE_PERCENT = 50.0
"""The protocol moves this one; an instrument with a response of its own (PDSS-SR, 40 %) keeps it."""
PHQ9_MCID_PERCENT = 20.0
PCL5_MARKS = (("reliable-5", 5), ("meaningful-10", 10), ("reliable-15", 15))


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Change(_Data):
    """What happened to one score. Null: cannot be computed, or there is no rule for this instrument.

    `partial` means partly but not fully a response. `flags` name further published marks (`mcid-20-percent`,
    `reliable-5`, `meaningful-10`, `reliable-15`) and `prorated` when either score is an estimate.
    """

    instrument: InstrumentId
    points: float | None = None
    percent: float | None = None
    response: bool | None = None
    partial: bool | None = None
    remission: bool | None = None
    mcid_met: bool | None = None
    deterioration: bool | None = None
    computable: bool
    why: str
    flags: tuple[str, ...] = ()


class Point(_Data):
    """One measurement of a series, compared with the baseline."""

    at: Instant
    score: float | None
    band: str | None
    change: Change


class Series(_Data):
    """One instrument over the course. `best_percent` is the greatest fall from the baseline so far, in %."""

    instrument: InstrumentId
    baseline: float | None
    points: tuple[Point, ...]
    best_percent: float | None


class CourseSummary(_Data):
    """Scores over time, one series per instrument, in time order."""

    series: tuple[Series, ...]


def change(
    baseline: InstrumentResult | None, current: InstrumentResult, outcomes: Outcomes | None = None
) -> Change:
    """How far has the score moved, and what is that? `outcomes`: the clinic's numbers, else the published.

    Source: clinical facts §5.2, §7.2. Never raises.
    """
    if baseline is None:
        return Change(instrument=current.instrument, computable=False, why="there is no baseline")
    if baseline.instrument is not current.instrument:
        why = f"the baseline is of another instrument ({baseline.instrument.value})"
        return Change(instrument=current.instrument, computable=False, why=why)
    if baseline.score is None or current.score is None:
        which = "baseline" if baseline.score is None else "current form"
        return Change(instrument=current.instrument, computable=False, why=f"the {which} has no score")
    rule = _rule(current.instrument, outcomes)
    fall, percent = baseline.score - current.score, None
    if baseline.score > 0:
        percent = fall * 100 / baseline.score
    partial_from = outcomes.partial_percent if outcomes else PARTIAL_FROM_PERCENT
    response = _fell_by(baseline.score, fall, rule.response_percent if rule else None)
    partly = _fell_by(baseline.score, fall, partial_from if rule and rule.response_percent else None)
    prorated = ("prorated",) if baseline.prorated or current.prorated else ()
    return Change(
        instrument=current.instrument,
        points=-fall if fall else 0.0,
        percent=percent,
        response=response,
        partial=None if partly is None else partly and not response,
        remission=None
        if rule is None or rule.remission_below is None
        else current.score < rule.remission_below,
        mcid_met=None if rule is None or rule.mcid_points is None else fall >= rule.mcid_points,
        deterioration=None if rule is None or rule.worse_points is None else -fall >= rule.worse_points,
        computable=True,
        why="compared with the baseline"
        if rule
        else "compared with the baseline; no rule says what it means",
        flags=_marks(baseline.instrument, baseline.score, fall) + prorated,
    )


def _fell_by(baseline: float, fall: float, percent: float | None) -> bool | None:
    """Is the fall at least so many percent? Null without a rule or with nothing to fall from."""
    return None if percent is None or baseline <= 0 else fall * 100 >= percent * baseline


def _rule(instrument: InstrumentId, outcomes: Outcomes | None) -> ChangeRule | None:
    """The published rule, with the clinic's own numbers where its protocol sets them."""
    rule = definition(instrument).change
    if rule is None or outcomes is None:
        return rule
    updates: dict[str, float] = {}
    if rule.response_percent == USUAL_RESPONSE_PERCENT:
        updates["response_percent"] = outcomes.response_percent
    if instrument is InstrumentId.PHQ9:
        updates["remission_below"] = outcomes.phq9_remission_below
        updates["worse_points"] = outcomes.deterioration_points
    if instrument is InstrumentId.GAD7:
        updates["remission_below"] = outcomes.gad7_remission_below
    return rule.model_copy(update=updates)


def _marks(instrument: InstrumentId, baseline: float, fall: float) -> tuple[str, ...]:
    """Further published marks of a fall that stand beside the rule, where sources differ (§5.2)."""
    if instrument is InstrumentId.PHQ9 and _fell_by(baseline, fall, PHQ9_MCID_PERCENT):
        return ("mcid-20-percent",)
    if instrument is InstrumentId.PCL5:
        return tuple(name for name, points in PCL5_MARKS if fall >= points)
    return ()


def best_improvement_percent(
    history: Sequence[Measurement], baseline: InstrumentResult | None
) -> float | None:
    """The greatest fall from the baseline in these measurements, in %; null when unknown (§7.3)."""
    falls = [change(baseline, measurement.result).percent for measurement in history]
    return max((fall for fall in falls if fall is not None), default=None)


def remembered(history: Sequence[Measurement], newest: int) -> list[Measurement]:
    """What is enough to go on with, however long the history: the newest, and before them each instrument's best.

    The best is the lowest score: whoever responded before still did, and the greatest fall stays the greatest.
    """
    older, recent = history[:-newest], history[-newest:]
    best: dict[InstrumentId, tuple[float, Measurement]] = {}
    for measurement in older:
        result = measurement.result
        if result.score is not None and result.score < best.get(result.instrument, (float("inf"),))[0]:
            best[result.instrument] = result.score, measurement
    return [*sorted((one for _, one in best.values()), key=lambda one: one.at), *recent]


def course_summary(
    history: Sequence[Measurement],
    baselines: Mapping[InstrumentId, InstrumentResult],
    outcomes: Outcomes | None = None,
) -> CourseSummary:
    """The scores of a whole course over time, each compared with its baseline (product F16)."""
    ordered = sorted(history, key=lambda measurement: measurement.at)
    series = []
    for instrument in InstrumentId:
        baseline = baselines.get(instrument)
        own = [measurement for measurement in ordered if measurement.result.instrument is instrument]
        if not own and baseline is None:
            continue
        points = tuple(
            Point(
                at=measurement.at,
                score=measurement.result.score,
                band=measurement.result.band,
                change=change(baseline, measurement.result, outcomes),
            )
            for measurement in own
        )
        series.append(
            Series(
                instrument=instrument,
                baseline=None if baseline is None else baseline.score,
                points=points,
                best_percent=best_improvement_percent(own, baseline),
            )
        )
    return CourseSummary(series=tuple(series))
