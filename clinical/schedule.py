"""May a dose be given then, and from when on may the next one be?

Counted from doses really given, in elapsed hours; only "not on the same local date" looks at a wall clock.
Source: clinical-facts §2.5 (D: at least 40 h, never the same local date, at most three in seven days by
vein), G4, H4, H14, H17.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from clinical.decision import Confidence, Decision, Reason, Verdict
from clinical.instants import (
    EARLIEST,
    Instant,
    elapsed_hours,
    later,
    local_date,
    next_local_midnight,
    zone_named,
)
from clinical.protocol import Protocol

_WEEK_HOURS = 7 * 24
_LONGEST_DATE_HOURS = 25
"""A date with a change of clocks lasts up to 25 h: after that long it is another date in any zone."""


class PastDose(BaseModel):
    """One dose that was given, here or elsewhere; a booster is a dose of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: int
    given_at: Instant
    dose_mg: Annotated[Decimal, Field(ge=0, le=10_000)]


def earliest_next(doses: Sequence[PastDose], protocol: Protocol, time_zone: str) -> datetime:
    """From when on would no interval rule object? Without doses the beginning of time.

    In a zone nobody knows, the longest possible date is assumed. Source: facts §2.5.
    """
    given = sorted(dose.given_at for dose in doses)
    if not given:
        return EARLIEST
    rules = protocol.schedule
    zone = zone_named(time_zone)
    candidates = [
        later(given[-1], hours=rules.min_interval_hours),
        next_local_midnight(given[-1], zone) if zone else later(given[-1], hours=_LONGEST_DATE_HOURS),
    ]
    if len(given) >= rules.max_per_rolling_7_days:
        candidates.append(later(given[-rules.max_per_rolling_7_days], hours=_WEEK_HOURS))
    return max(candidates)


def interval_allowed(
    proposed_at: datetime, doses: Sequence[PastDose], protocol: Protocol, time_zone: str
) -> Decision:
    """May a dose be given at that instant? Refused when too soon, reviewed when the gap grew too long."""
    zone = zone_named(time_zone)
    if zone is None:
        text = f"unknown time zone {time_zone[:60]!r}: the local date cannot be told"
        return Decision.of([_reason("INTERVAL-ZONE", Verdict.REFUSE, text, missing=True)])
    if not doses:
        return Decision.of([_reason("INTERVAL-FIRST", Verdict.PASS, "no earlier dose")])
    next_at = earliest_next(doses, protocol, time_zone)
    since_last = min(elapsed_hours(dose.given_at, proposed_at) for dose in doses)
    proposed_date = local_date(proposed_at, zone)
    same_date = any(local_date(dose.given_at, zone) == proposed_date for dose in doses)
    in_week = sum(elapsed_hours(dose.given_at, proposed_at) < _WEEK_HOURS for dose in doses)
    return Decision.of(
        [
            _minimum(since_last, protocol, next_at),
            _date(same_date, next_at),
            _rolling_week(in_week, protocol, next_at),
            _gap(since_last / 24, protocol),
        ]
    )


def more_doses_allowed(doses_given: int, approved: int) -> Decision:
    """Is there an approved dose left? The engine never extends a series by itself. Source: H17."""
    number = doses_given + 1
    left = 0 <= doses_given < approved
    return Decision.of(
        [
            Reason(
                rule="DOSE-COUNT",
                verdict=Verdict.PASS if left else Verdict.REFUSE,
                text=f"dose {number} of {approved}" + ("" if left else ": the series needs a new approval"),
                source="facts H17",
                value=str(number),
                limit=f"<= {approved}",
            )
        ]
    )


def _minimum(hours: float, protocol: Protocol, next_at: datetime) -> Reason:
    limit = protocol.schedule.min_interval_hours
    soon = hours < limit
    text = "too soon after the last dose" if soon else "long enough after the last dose"
    return _reason(
        "INTERVAL-MIN",
        Verdict.REFUSE if soon else Verdict.PASS,
        text,
        value=f"{hours:.2f}",
        unit="h",
        limit=f">= {limit:g}",
        next_at=next_at if soon else None,
    )


def _date(same_date: bool, next_at: datetime) -> Reason:
    text = "a dose was already given on that local date" if same_date else "no dose on that local date"
    verdict = Verdict.REFUSE if same_date else Verdict.PASS
    return _reason("INTERVAL-DATE", verdict, text, limit="1 per date", next_at=next_at if same_date else None)


def _rolling_week(count: int, protocol: Protocol, next_at: datetime) -> Reason:
    limit = protocol.schedule.max_per_rolling_7_days
    full = count >= limit
    return _reason(
        "INTERVAL-WEEK",
        Verdict.REFUSE if full else Verdict.PASS,
        f"{count} doses in the seven days before",
        value=str(count),
        unit="{doses}/wk",
        limit=f"< {limit}",
        next_at=next_at if full else None,
    )


def _gap(days: float, protocol: Protocol) -> Reason:
    rules = protocol.schedule
    verdict, text = Verdict.PASS, "the series is not interrupted"
    if days > rules.reentry_after_days:
        verdict, text = Verdict.REVIEW, "long gap: a prescriber reviews re-entry and dose"
    elif days > rules.max_interval_days:
        verdict, text = Verdict.CAUTION, "longer gap than the series foresees"
    return _reason(
        "INTERVAL-GAP", verdict, text, value=f"{days:.1f}", unit="d", limit=f"<= {rules.reentry_after_days}"
    )


def _reason(
    rule: str,
    verdict: Verdict,
    text: str,
    *,
    value: str | None = None,
    unit: str | None = None,
    limit: str | None = None,
    next_at: datetime | None = None,
    missing: bool = False,
) -> Reason:
    return Reason(
        rule=rule,
        verdict=verdict,
        text=text,
        source="facts §2.5, H4, H14",
        confidence=Confidence.DESIGN,
        value=value,
        unit=unit,
        limit=limit,
        available_at=next_at,
        missing=missing,
    )
