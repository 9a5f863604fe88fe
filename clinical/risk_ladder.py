"""Who is paged about a risk finding, when, and by when must somebody have taken it over?

Minutes come from the protocol (D: no source sets them; clinical facts §6.2, hazard H7). Pure and
reproducible: the same finding and protocol always give the same plan. It never ends by itself;
acknowledging ends it.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple

from clinical.instants import in_utc, later
from clinical.instruments.answers import RiskLevel
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.risk_findings import SEVERITY, RiskFinding


class RungAt(NamedTuple):
    """One step of the ladder: whom to page, and when, unless somebody has acknowledged before."""

    page: Role
    at: datetime


class Page(NamedTuple):
    """One round of pages that goes out unless somebody has acknowledged before."""

    at: datetime
    roles: tuple[Role, ...]


def _minutes(finding: RiskFinding, protocol: Protocol) -> int:
    risk = protocol.risk
    high = risk.high_on_site_minutes if finding.on_site else risk.high_remote_minutes
    return {
        RiskLevel.HIGH: high,
        RiskLevel.MODERATE: risk.moderate_minutes,
        RiskLevel.UNKNOWN: risk.moderate_minutes,
        RiskLevel.LOW: risk.low_minutes,
        RiskLevel.NONE: risk.low_minutes,
    }[finding.level]


def acknowledge_by(finding: RiskFinding, protocol: Protocol) -> datetime:
    """By when must a named clinician have acknowledged it (UTC)? Unknown has the clock of moderate (§6.2)."""
    return later(finding.found_at, minutes=_minutes(finding, protocol))


def ladder(finding: RiskFinding, protocol: Protocol) -> tuple[RungAt, ...]:
    """Who is paged when, each unless the one before acknowledged?

    The first rung at once, the next after the protocol's wait; when the waits add up to more than the level
    allows they are shortened in proportion, so that every rung is paged before the deadline.
    """
    rungs = protocol.risk.ladder
    scale = min(1.0, _minutes(finding, protocol) / sum(rung.wait_minutes for rung in rungs))
    waited, steps = 0, []
    for rung in rungs:
        steps.append(RungAt(rung.page, later(finding.found_at, minutes=waited * scale)))
        waited += rung.wait_minutes
    return tuple(steps)


def _rounds(finding: RiskFinding, protocol: Protocol) -> Iterator[Page]:
    """All rounds of pages, without end: the ladder, then everyone, again and again.

    Everyone is paged when the ladder is spent and every `repeat_page_minutes` from then on, and at the
    deadline in any case. A low finding is no emergency: after the ladder it rests until its deadline
    (against alarm fatigue, H8).
    """
    steps = ladder(finding, protocol)
    for step in steps:
        yield Page(step.at, (step.page,))
    everyone = tuple(dict.fromkeys(step.page for step in steps))
    deadline = acknowledge_by(finding, protocol)
    spent = later(finding.found_at, minutes=sum(rung.wait_minutes for rung in protocol.risk.ladder))
    at = deadline if SEVERITY[finding.level] <= SEVERITY[RiskLevel.LOW] else min(spent, deadline)
    while at < deadline:
        yield Page(at, everyone)
        at = min(deadline, later(at, minutes=protocol.risk.repeat_page_minutes))
    while True:
        yield Page(at, everyone)
        at = later(at, minutes=protocol.risk.repeat_page_minutes)


def pages(finding: RiskFinding, protocol: Protocol, until: datetime) -> tuple[Page, ...]:
    """Every round of pages up to and including `until`, in order, if nobody acknowledges."""
    return tuple(takewhile(lambda page: page.at <= in_utc(until), _rounds(finding, protocol)))


def next_page(finding: RiskFinding, protocol: Protocol, after: datetime) -> Page:
    """Which round of pages comes next after this instant, if nobody acknowledges? There is always one."""
    return next(page for page in _rounds(finding, protocol) if page.at > in_utc(after))


def page_at_last(
    finding: RiskFinding, protocol: Protocol, after: datetime, now: datetime
) -> tuple[Page, int]:
    """Everyone whom a round after `after` up to `now` should have called, and how many rounds those were.

    Whoever could not page for hours pages each role once, and not once for each round that was missed (H8).
    """
    missed = [page for page in pages(finding, protocol, now) if page.at > in_utc(after)]
    roles = tuple(dict.fromkeys(role for page in missed for role in page.roles))
    return Page(missed[-1].at, roles), len(missed)
