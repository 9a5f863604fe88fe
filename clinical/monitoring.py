"""When is the next reading due, is it late, and may this one be recorded?

All times are elapsed minutes from the first exposure to the drug. A reading belongs to the latest due time
that lies no more than the tolerance after it; earlier due times without a reading stay missed.
Source: clinical-facts §3.3 (cadence by route; tolerances are design defaults), product F12.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from clinical.decision import Decision, Reason, Verdict
from clinical.instants import elapsed, elapsed_minutes, in_utc, later
from clinical.protocol import Protocol
from clinical.vitals import Reading, Tier, implausible, is_at_least

PAGES_AT_FULL_PACE = 12
A_DAY_MINUTES = 24 * 60


class Lateness(StrEnum):
    """What a reading that is not there yet asks for."""

    ON_TIME = "on-time"
    LATE = "late"
    ALERT = "alert"
    PAGE = "page"


def schedule(started_at: datetime, protocol: Protocol) -> tuple[datetime, ...]:
    """When are the planned readings due? In order, each once. Source: facts §3.3."""
    minutes = sorted(set(protocol.monitoring.reading_minutes))
    return tuple(later(started_at, minutes=minute) for minute in minutes)


def next_due(
    started_at: datetime, taken: Sequence[datetime], protocol: Protocol, last_tier: Tier = Tier.NORMAL
) -> datetime:
    """When is the next reading due, until discharge ends them?

    After the planned readings one follows every `repeat_after_last_minutes`. While the last reading was C or
    worse (`last_tier`), the next is due after `intervene_pair_minutes`. Source: facts §3.2 C and §3.3.
    """
    planned = schedule(started_at, protocol)
    if not taken:
        return planned[0]
    latest = max(map(in_utc, taken))
    covered_until = later(latest, minutes=protocol.monitoring.tolerance_minutes)
    due = next((at for at in planned if at > covered_until), None)
    if due is None:
        every = protocol.monitoring.repeat_after_last_minutes
        rounds = math.floor(elapsed_minutes(planned[-1], covered_until) / every) + 1
        due = later(planned[-1], minutes=rounds * every)
    if is_at_least(last_tier, Tier.ALERT):
        return min(due, later(latest, minutes=protocol.vitals.intervene_pair_minutes))
    return due


def paged_again_after(rounds: int, protocol: Protocol) -> int:
    """How many minutes after the last time is everyone paged again about a reading that nobody takes?

    At the protocol's pace for `PAGES_AT_FULL_PACE` rounds, then each wait is twice the one before, a day at most. It
    never ends while the visit is open; but a visit that nobody closes must not page every ten minutes for weeks, until
    nobody listens and the history of its workflow is full. Source: product F12; the pace is a design default.
    """
    every = protocol.monitoring.late_page_minutes
    doublings = max(rounds - PAGES_AT_FULL_PACE, 0)
    return max(every, min(every << min(doublings, 16), A_DAY_MINUTES))


def missed(
    started_at: datetime, taken: Sequence[datetime], protocol: Protocol, now: datetime
) -> tuple[datetime, ...]:
    """Which planned readings have no reading of their own, now that the tolerance has passed?"""
    planned = schedule(started_at, protocol)
    tolerance = protocol.monitoring.tolerance_minutes
    covered = {
        max((due for due in planned if due <= later(at, minutes=tolerance)), default=None) for at in taken
    }
    return tuple(due for due in planned if due not in covered and elapsed_minutes(due, now) > tolerance)


def lateness(due: datetime, at: datetime, protocol: Protocol) -> Lateness:
    """How late is a reading that is taken, or still missing, at that instant? Source: facts §3.3."""
    minutes = elapsed_minutes(due, at)
    if minutes >= protocol.monitoring.late_page_minutes:
        return Lateness.PAGE
    if minutes >= protocol.monitoring.late_alert_minutes:
        return Lateness.ALERT
    if minutes > protocol.monitoring.tolerance_minutes:
        return Lateness.LATE
    return Lateness.ON_TIME


def reading_refused(
    reading: Reading, started_at: datetime | None, now: datetime, protocol: Protocol
) -> Decision:
    """May this reading be recorded? Without a start (`None`) it is one before the dose.

    Refused: in the future beyond the tolerance, before the dose, impossible values. Source: F12, H13, H14.
    """
    reasons = [
        _reason("READING-IMPOSSIBLE", Verdict.REFUSE, fault.text, reading, fault.limit)
        for fault in implausible(reading)
    ]
    tolerance = protocol.monitoring.future_tolerance_minutes
    if elapsed_minutes(now, reading.taken_at) > tolerance:
        limit = f"<= {tolerance} min ahead"
        reasons.append(_reason("READING-FUTURE", Verdict.REFUSE, "taken in the future", reading, limit))
    if started_at is not None and elapsed(started_at, reading.taken_at).total_seconds() < 0:
        limit = f">= {in_utc(started_at).isoformat()}"
        reasons.append(
            _reason("READING-BEFORE-DOSE", Verdict.REFUSE, "taken before the dose", reading, limit)
        )
    if not reasons:
        reasons.append(
            _reason("READING-POSSIBLE", Verdict.PASS, "possible values at a possible time", reading, None)
        )
    return Decision.of(reasons)


def _reason(rule: str, verdict: Verdict, text: str, reading: Reading, limit: str | None) -> Reason:
    return Reason(
        rule=rule,
        verdict=verdict,
        text=text,
        source="product F12; facts H13, H14",
        value=reading.taken_at.isoformat(),
        limit=limit,
        observed_at=reading.taken_at,
    )
