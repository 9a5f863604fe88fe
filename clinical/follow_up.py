"""When are scores taken after the last dose, and what must be decided after a dose that has not helped?

Rules of clinical facts §7.1 (weeks after the last induction dose), §7.3 (decision points after doses 3, 4
and 6) and hazard H17: the engine never continues and never stops by itself; it says what the default is and
who decides.
"""

import math
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from clinical.decision import Confidence, Decision, Reason, Verdict
from clinical.instants import elapsed_hours, in_utc, local_date, zone_named
from clinical.people import Role
from clinical.protocol import Protocol

DUE_AT = time(9, 0)
"""Wall-clock hour at which a measurement falls due, in the patient's zone."""


class Choice(StrEnum):
    """What a decision point can come to; `review` is a default only: a person settles it either way."""

    GO_ON = "go-on"
    STOP = "stop"
    REVIEW = "review"


class MeasurementTime(NamedTuple):
    """The measurement `week` weeks after the last dose, and the instant (UTC) at which it is due."""

    week: int
    due_at: datetime


class DecisionNeeded(BaseModel):
    """Must a prescriber decide now, and what is the default that needs no further reason?"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    needed: bool
    default: Choice
    reasons: tuple[Reason, ...] = ()

    @property
    def improvement_unknown(self) -> bool:
        return any(reason.missing for reason in self.reasons)


def measurement_times(
    last_dose_at: datetime, protocol: Protocol, time_zone: str
) -> tuple[MeasurementTime, ...]:
    """When is each follow-up measurement due: 9:00 on the wall, whole weeks after the local date of the dose?

    A change of clocks moves the instant, not the hour. An unknown zone counts as UTC: monitoring goes on
    (fail open). Source: clinical facts §7.1, hazard H14.
    """
    zone = zone_named(time_zone) or ZoneInfo("UTC")
    dosed_on = local_date(last_dose_at, zone)
    return tuple(
        MeasurementTime(week, in_utc(datetime.combine(dosed_on + timedelta(weeks=week), DUE_AT, tzinfo=zone)))
        for week in sorted(set(protocol.follow_up.weeks))
    )


def _improvement(rule: str, text: str, percent: float | None, limit: float | None = None) -> Reason:
    return Reason(
        rule=rule,
        verdict=Verdict.REVIEW,
        text=text,
        source="clinical facts §7.3",
        confidence=Confidence.DESIGN,
        value=None if percent is None else f"{percent:.1f}",
        unit="%",
        limit=None if limit is None else f"≥ {limit:g}",
        missing=percent is None,
    )


def decision_due(dose_no: int, protocol: Protocol) -> bool:
    """Does the protocol ask for a person's decision after this dose, boosters and maintenance included (§7.3)?

    At its review doses, at the early stop and at the end of the series; after that at every so many doses.
    """
    rules = protocol.decisions
    if dose_no in (*rules.review_after_doses, rules.default_stop_after_dose, rules.final_after_dose):
        return True
    beyond = dose_no - rules.final_after_dose
    return beyond > 0 and beyond % rules.then_every_doses == 0


def overlapping_scores(measured_at: Sequence[datetime], protocol: Protocol) -> tuple[Reason, ...]:
    """Do the last two scores look back on the same days? A decision then rests on less than it seems.

    The PHQ-9 asks about two weeks, so that readings a few days apart share most of them: said with the
    decision, and no obstacle to it. Source: clinical facts §7.1, note.
    """
    latest = sorted(measured_at, key=in_utc)[-2:]
    apart = protocol.decisions.scores_apart_days
    if len(latest) < 2 or elapsed_hours(latest[0], latest[1]) >= apart * 24:
        return ()
    days = elapsed_hours(latest[0], latest[1]) / 24
    return (
        Reason(
            rule="DECIDE-OVERLAP",
            verdict=Verdict.CAUTION,
            text=f"the last two scores lie {days:.1f} d apart: the weeks that they ask about overlap",
            source="clinical facts §7.1 (recall windows C, spacing D)",
            confidence=Confidence.DESIGN,
            value=f"{days:.1f}",
            unit="d",
            limit=f">= {apart}",
        ),
    )


def decision_after(
    dose_no: int, best_improvement_percent: float | None, protocol: Protocol
) -> DecisionNeeded:
    """Must somebody decide after this dose, and what is the default (§7.3)? Never automatic.

    `best_improvement_percent` is the greatest fall from the baseline so far. When it is unknown the default
    is a review: neither going on nor stopping rests on a number nobody has.
    """
    if not decision_due(dose_no, protocol):
        return DecisionNeeded(needed=False, default=Choice.GO_ON)
    rules = protocol.decisions
    known = best_improvement_percent is not None and math.isfinite(best_improvement_percent)
    percent = best_improvement_percent if known else None
    if dose_no >= rules.final_after_dose:
        return _default("DECIDE-FINAL", "end of the series", percent, protocol.outcomes.response_percent)
    if dose_no == rules.default_stop_after_dose:
        return _default("DECIDE-STOP", "early non-response", percent, rules.default_stop_below_percent)
    reason = _improvement("DECIDE-REVIEW", f"review after dose {dose_no}", percent)
    return DecisionNeeded(needed=True, default=Choice.REVIEW, reasons=(reason,))


def decision_after_missed(missed_in_a_row: int, protocol: Protocol) -> DecisionNeeded:
    """Too many visits in a row came to nothing: does the course go on? A person settles it, without a default."""
    limit = protocol.readiness.reschedules_max
    missed = Reason(
        rule="DECIDE-MISSED",
        verdict=Verdict.REVIEW,
        text="too many visits in a row were missed or cancelled",
        source="product F9; design default",
        confidence=Confidence.DESIGN,
        value=str(missed_in_a_row),
        limit=f"<= {limit}",
    )
    return DecisionNeeded(needed=True, default=Choice.REVIEW, reasons=(missed,))


def _default(rule: str, why: str, percent: float | None, limit: float) -> DecisionNeeded:
    if percent is None:
        text, default = f"{why}: improvement unknown", Choice.REVIEW
    elif percent < limit:
        text, default = f"{why}: improvement below the limit, stopping is the default", Choice.STOP
    else:
        text, default = f"{why}: improvement reaches the limit", Choice.GO_ON
    reason = _improvement(rule, text, percent, limit)
    return DecisionNeeded(needed=True, default=default, reasons=(reason,))


def decision_allowed(choice: str, by: Role, reason: str | None, needed: DecisionNeeded) -> Decision:
    """May this role settle the decision point in this way (§7.3, H17)? Returns every objection.

    Only a prescriber, only `go-on` or `stop`, only while a decision is open. Against the default, and for
    going on with an unknown improvement, a documented reason is needed.
    """
    settles = choice in (Choice.GO_ON, Choice.STOP)
    against = settles and needed.default is not Choice.REVIEW and choice != needed.default
    blind = choice == Choice.GO_ON and needed.improvement_unknown
    documented = bool(reason and reason.strip())
    checks = (
        ("DECIDE-OPEN", needed.needed, "a decision is open", "no decision is open"),
        ("DECIDE-ROLE", by is Role.PRESCRIBER, "a prescriber decides", "only a prescriber decides"),
        ("DECIDE-CHOICE", settles, "the choice is clear", "the choice is to go on or to stop"),
        (
            "DECIDE-REASON",
            documented or not (against or blind),
            "a reason is documented or none is needed",
            "against the default, or without a known improvement, a documented reason is needed",
        ),
    )
    return Decision.of(
        Reason(
            rule=rule,
            verdict=Verdict.PASS if holds else Verdict.REFUSE,
            text=yes if holds else no,
            source="clinical facts §7.3, §10 H17",
        )
        for rule, holds, yes, no in checks
    )
