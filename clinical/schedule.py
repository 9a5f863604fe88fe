"""May a dose be given then, and from when on may the next one be?

Counted from doses really given, in elapsed hours; only "not on the same local date" and the calendar week look
at a wall clock. A session counts once a week, whatever boosters it had; the interval runs from its last dose.
Source: clinical-facts §2.3 (label schedule), §2.5 (D: intervals and most a week by route), G4, H4, H14, H17.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from clinical.decision import Confidence, Decision, Reason, Verdict
from clinical.instants import (
    EARLIEST,
    Instant,
    elapsed_hours,
    in_utc,
    later,
    local_date,
    next_local_midnight,
    zone_named,
)
from clinical.protocol import Phase, Protocol

_WEEK_HOURS = 7 * 24
_LONGEST_DATE_HOURS = 25
"""A date with a change of clocks lasts up to 25 h: after that long it is another date in any zone."""


class PastDose(BaseModel):
    """One dose that was given, here or elsewhere; a booster is a dose of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: int
    given_at: Instant
    dose_mg: Annotated[Decimal, Field(ge=0, le=10_000)]
    mg_per_kg: Annotated[Decimal, Field(ge=0, le=1000)] | None = None


def earliest_next(
    doses: Sequence[PastDose], protocol: Protocol, time_zone: str, phase: Phase | None = None
) -> datetime:
    """From when on would no interval rule object? Without doses the beginning of time.

    `phase` is the plan's (default: the first of the protocol). In a zone nobody knows, the longest possible
    date is assumed. Source: facts §2.5.
    """
    if not doses:
        return EARLIEST
    rules, zone = protocol.schedule, zone_named(time_zone)
    last = _last(doses)
    candidates = [
        later(last, hours=_minimum_hours(protocol, phase)),
        next_local_midnight(last, zone) if zone else later(last, hours=_LONGEST_DATE_HOURS),
    ]
    visits = _visits(doses)
    if len(visits) >= rules.max_per_rolling_7_days:
        candidates.append(later(visits[-rules.max_per_rolling_7_days], hours=_WEEK_HOURS))
    most = rules.max_per_calendar_week
    if zone and most is not None and _in_week_of(max(candidates), visits, zone) >= most:
        candidates.append(_next_monday(max(candidates), zone))
    return max(candidates)


def interval_allowed(
    proposed_at: datetime,
    doses: Sequence[PastDose],
    protocol: Protocol,
    time_zone: str,
    phase: Phase | None = None,
) -> Decision:
    """May a dose be given at that instant? Refused when too soon, reviewed when the gap grew too long.

    `phase` is the one that the plan names; without it the first of the protocol.
    """
    zone, stretch = zone_named(time_zone), phase or protocol.schedule.first
    if zone is None:
        text = f"unknown time zone {time_zone[:60]!r}: the local date cannot be told"
        return Decision.of([_reason("INTERVAL-ZONE", Verdict.REFUSE, text, missing=True)])
    if not doses:
        first = _reason("INTERVAL-FIRST", Verdict.PASS, "no earlier dose")
        return Decision.of([first, *_weeks(1, stretch)])
    next_at = earliest_next(doses, protocol, time_zone, phase)
    visits, last = _visits(doses), _last(doses)
    least_hours = _minimum_hours(protocol, phase)
    began_at = min(dose.given_at for dose in doses)
    since_last = elapsed_hours(last, proposed_at)
    proposed_date = local_date(proposed_at, zone)
    same_date = any(local_date(dose.given_at, zone) == proposed_date for dose in doses)
    in_week = sum(elapsed_hours(visit, proposed_at) < _WEEK_HOURS for visit in visits)
    return Decision.of(
        [
            _minimum(proposed_at < later(last, hours=least_hours), since_last, least_hours, next_at),
            _date(same_date, next_at),
            _rolling_week(in_week, protocol, next_at),
            *_calendar_week(_in_week_of(proposed_at, visits, zone), protocol, next_at),
            _gap(since_last / 24, stretch, protocol),
            *_weeks(1 + int(elapsed_hours(began_at, proposed_at) // _WEEK_HOURS), stretch),
        ]
    )


def _last(doses: Sequence[PastDose]) -> datetime:
    return max(dose.given_at for dose in doses)


def _visits(doses: Sequence[PastDose]) -> list[datetime]:
    """When each session was dosed, in order: a booster is no visit of its own."""
    last: dict[int, datetime] = {}
    for dose in doses:
        last[dose.session] = max(dose.given_at, last.get(dose.session, dose.given_at))
    return sorted(last.values())


def _minimum_hours(protocol: Protocol, phase: Phase | None) -> float:
    stretch = phase or protocol.schedule.first
    return max(protocol.schedule.min_interval_hours, stretch.min_interval_hours)


def _in_week_of(at: datetime, visits: Sequence[datetime], zone: ZoneInfo) -> int:
    """How many visits lie in the same calendar week, Monday to Sunday on the wall?"""
    week = local_date(at, zone).isocalendar()[:2]
    return sum(local_date(visit, zone).isocalendar()[:2] == week for visit in visits)


def _next_monday(at: datetime, zone: ZoneInfo) -> datetime:
    day = local_date(at, zone)
    monday = day + timedelta(days=7 - day.weekday())
    return in_utc(datetime.combine(monday, time(0), tzinfo=zone))


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


def _minimum(soon: bool, hours: float, limit: float, next_at: datetime) -> Reason:
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


def _calendar_week(count: int, protocol: Protocol, next_at: datetime) -> list[Reason]:
    limit = protocol.schedule.max_per_calendar_week
    if limit is None:
        return []
    full = count >= limit
    return [
        _reason(
            "INTERVAL-CALENDAR-WEEK",
            Verdict.REFUSE if full else Verdict.PASS,
            f"{count} doses in this calendar week",
            value=str(count),
            unit="{doses}/wk",
            limit=f"< {limit}",
            next_at=next_at if full else None,
        )
    ]


def _gap(days: float, phase: Phase, protocol: Protocol) -> Reason:
    """A gap is long beyond the protocol's days of re-entry, or beyond what the phase itself foresees."""
    longest = max(protocol.schedule.reentry_after_days, phase.max_interval_days)
    verdict, text, limit = Verdict.PASS, "the series is not interrupted", phase.max_interval_days
    if days > longest:
        verdict, text, limit = Verdict.REVIEW, "long gap: a prescriber reviews re-entry and dose", longest
    elif days > phase.max_interval_days:
        verdict, text = Verdict.CAUTION, "longer gap than the series foresees"
    return _reason("INTERVAL-GAP", verdict, text, value=f"{days:.1f}", unit="d", limit=f"<= {limit}")


def _weeks(week: int, phase: Phase) -> list[Reason]:
    """Does this week of the course belong to the phase? Earlier or later a prescriber reviews it."""
    if phase.from_week is None and phase.until_week is None:
        return []
    inside = (phase.from_week or 1) <= week and (phase.until_week is None or week <= phase.until_week)
    text = f"week {week} belongs to {phase.name}"
    return [
        _reason(
            "PHASE-WEEK",
            Verdict.PASS if inside else Verdict.REVIEW,
            text if inside else f"week {week} lies outside {phase.name}: a prescriber reviews it",
            value=str(week),
            unit="wk",
            limit=f"{phase.from_week or 1}-{phase.until_week or ''}",
        )
    ]


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
