"""Has somebody who responded fallen ill again?

Engine rule of clinical facts §7.2 (D): after a response, a PHQ-9 of 10 or more with at least half of the
gain lost, on two readings 7 to 14 days apart, or an admission or attempt. One such reading alone asks for a
second one; it proves nothing. A relapse opens a proposal for people to decide on, it never doses. Numbers
come from the protocol.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import combinations

from pydantic import BaseModel, ConfigDict

from clinical.decision import Decision, Reason, Verdict
from clinical.instants import Instant, elapsed_hours, in_utc, later
from clinical.instruments.answers import InstrumentId, InstrumentResult, Measurement
from clinical.protocol import Outcomes, Protocol

SOURCE = "clinical facts §7.2"


class RelapseFinding(BaseModel):
    """Relapsed or not, and why. `recheck_between`: when a second reading would confirm the last one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    relapsed: bool
    decision: Decision
    since: Instant | None = None
    confirmed_at: Instant | None = None
    recheck_between: tuple[Instant, Instant] | None = None


class _Score(BaseModel):
    model_config = ConfigDict(frozen=True)

    at: Instant
    score: float


def _reason(
    verdict: Verdict, rule: str, text: str, *, missing: bool = False, value: str | None = None
) -> Reason:
    return Reason(rule=rule, verdict=verdict, text=text, source=SOURCE, missing=missing, value=value)


def relapse(
    history: Sequence[Measurement],
    baseline: InstrumentResult | None,
    protocol: Protocol,
    *,
    admissions_or_attempts: Sequence[datetime] = (),
) -> RelapseFinding:
    """Has this person relapsed after a response, as things stand now? Only scored PHQ-9 forms count.

    Without a baseline it cannot be told, and the decision says so. Days are elapsed hours, rounded to the
    nearest day, so that a change of clocks does not lose a reading. Source: clinical facts §7.2.
    """
    if baseline is None or baseline.score is None or baseline.instrument is not InstrumentId.PHQ9:
        reason = _reason(
            Verdict.REVIEW, "RELAPSE-BASELINE", "there is no scored PHQ-9 baseline", missing=True
        )
        return RelapseFinding(relapsed=False, decision=Decision.of([reason]))
    scores = _scores(history)
    start = _first_response(scores, baseline.score, protocol.outcomes)
    if start is None:
        reason = _reason(Verdict.PASS, "RELAPSE-NO-RESPONSE", "there was no response to lose")
        return RelapseFinding(relapsed=False, decision=Decision.of([reason]))
    events = sorted(in_utc(at) for at in admissions_or_attempts if in_utc(at) >= scores[start].at)
    if events:
        reason = _reason(Verdict.REVIEW, "RELAPSE-EVENT", "admission or attempt after the response")
        return RelapseFinding(
            relapsed=True, decision=Decision.of([reason]), since=events[0], confirmed_at=events[0]
        )
    return _by_scores(scores[start:], baseline.score, protocol.outcomes)


def _scores(history: Sequence[Measurement]) -> list[_Score]:
    scores = [
        _Score(at=measurement.at, score=measurement.result.score)
        for measurement in history
        if measurement.result.instrument is InstrumentId.PHQ9 and measurement.result.score is not None
    ]
    return sorted(scores, key=lambda score: score.at)


def _first_response(scores: Sequence[_Score], baseline: float, outcomes: Outcomes) -> int | None:
    for index, score in enumerate(scores):
        if baseline > 0 and (baseline - score.score) * 100 >= outcomes.response_percent * baseline:
            return index
    return None


def _by_scores(scores: Sequence[_Score], baseline: float, outcomes: Outcomes) -> RelapseFinding:
    """What do the latest readings in a row say? One that holds the response ends what came before it."""
    best, run = scores[0].score, list[_Score]()
    for score in scores:
        best = min(best, score.score)
        run = [*run, score] if _looks_relapsed(score.score, best, baseline, outcomes) else []
    if not run:
        reason = _reason(Verdict.PASS, "RELAPSE-HELD", "the response holds", value=f"{scores[-1].score:g}")
        return RelapseFinding(relapsed=False, decision=Decision.of([reason]))
    shortest, longest = outcomes.relapse_apart_days
    for first, second in combinations(run, 2):
        if shortest <= _days(first.at, second.at) <= longest:
            return _confirmed(first, second)
    last = run[-1]
    text = f"a reading has lost the response: repeat in {shortest} to {longest} days"
    reason = _reason(Verdict.REVIEW, "RELAPSE-UNCONFIRMED", text, value=f"{last.score:g}")
    window = (later(last.at, days=shortest), later(last.at, days=longest))
    return RelapseFinding(
        relapsed=False, decision=Decision.of([reason]), since=run[0].at, recheck_between=window
    )


def _confirmed(first: _Score, second: _Score) -> RelapseFinding:
    text = f"two readings {_days(first.at, second.at)} days apart have lost the response"
    reason = _reason(Verdict.REVIEW, "RELAPSE-SCORES", text, value=f"{second.score:g}")
    return RelapseFinding(
        relapsed=True, decision=Decision.of([reason]), since=first.at, confirmed_at=second.at
    )


def _looks_relapsed(score: float, best: float, baseline: float, outcomes: Outcomes) -> bool:
    lost, gain = score - best, baseline - best
    return score >= outcomes.relapse_phq9_from and lost * 100 >= outcomes.relapse_gain_lost_percent * gain


def _days(start: datetime, end: datetime) -> int:
    return int((elapsed_hours(start, end) + 12) // 24)
