"""Who is paged about a risk finding, when, and by when must somebody have taken it over?

Minutes come from the protocol (D: no source sets them; clinical facts §6.2, hazard H7). Pure and
reproducible: the same finding and protocol always give the same plan. It never ends by itself;
acknowledging ends it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
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


def acknowledge_by(finding: RiskFinding, protocol: Protocol, told_at: datetime | None = None) -> datetime:
    """By when must a named clinician have acknowledged it (UTC)? Unknown has the clock of moderate (§6.2).

    What was seen this morning and is told now can only be taken over from now on: `told_at`, if it is later than the
    finding. The pages do not wait for that: they count from the finding, and who hears late calls everyone at once.
    """
    since = finding.found_at if told_at is None else max(in_utc(finding.found_at), in_utc(told_at))
    return later(since, minutes=_minutes(finding, protocol))


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


def _until_deadline(finding: RiskFinding, protocol: Protocol) -> Iterator[Page]:
    """The rounds before the deadline: the ladder, then everyone every `repeat_page_minutes` once it is spent.

    A low finding is no emergency: after the ladder it rests until its deadline (against alarm fatigue, H8).
    """
    steps = ladder(finding, protocol)
    for step in steps:
        yield Page(step.at, (step.page,))
    deadline = acknowledge_by(finding, protocol)
    if SEVERITY[finding.level] <= SEVERITY[RiskLevel.LOW]:
        return
    at = later(finding.found_at, minutes=sum(rung.wait_minutes for rung in protocol.risk.ladder))
    while at < deadline:
        yield Page(at, _everyone(protocol))
        at = later(at, minutes=protocol.risk.repeat_page_minutes)


def _everyone(protocol: Protocol) -> tuple[Role, ...]:
    return tuple(dict.fromkeys(rung.page for rung in protocol.risk.ladder))


def _repeats(finding: RiskFinding, protocol: Protocol, until: datetime) -> int:
    """How many rounds have begun up to and including `until`, of those at the deadline and after it, without end?

    Reckoned and not counted: what is told with the wrong year must call somebody as fast as anything else.
    """
    over = in_utc(until) - acknowledge_by(finding, protocol)
    every = timedelta(minutes=protocol.risk.repeat_page_minutes)
    return max(over // every + 1, 0)


def _repeat(finding: RiskFinding, protocol: Protocol, number: int) -> Page:
    """That round, counted from 0, of those at the deadline and after it."""
    minutes = number * protocol.risk.repeat_page_minutes
    return Page(later(acknowledge_by(finding, protocol), minutes=minutes), _everyone(protocol))


def pages(finding: RiskFinding, protocol: Protocol, until: datetime) -> tuple[Page, ...]:
    """Every round of pages up to and including `until`, in order, if nobody acknowledges.

    The ladder; everyone when it is spent, every `repeat_page_minutes` from then on, at the deadline in any case, and
    on from there without end.
    """
    first = [page for page in _until_deadline(finding, protocol) if page.at <= in_utc(until)]
    numbers = range(_repeats(finding, protocol, until))
    return (*first, *(_repeat(finding, protocol, number) for number in numbers))


def next_page(finding: RiskFinding, protocol: Protocol, after: datetime) -> Page:
    """Which round of pages comes next after this instant, if nobody acknowledges? There is always one."""
    first = (page for page in _until_deadline(finding, protocol) if page.at > in_utc(after))
    return next(first, None) or _repeat(finding, protocol, _repeats(finding, protocol, after))


def page_at_last(
    finding: RiskFinding, protocol: Protocol, after: datetime, now: datetime
) -> tuple[Page, int]:
    """Everyone whom a round after `after` up to `now` should have called, and how many rounds those were.

    Whoever could not page for hours pages each role once, and not once for each round that was missed (H8).
    """
    start, end = in_utc(after), in_utc(now)
    missed = [page for page in _until_deadline(finding, protocol) if start < page.at <= end]
    before, begun = _repeats(finding, protocol, start), _repeats(finding, protocol, end)
    if begun > before:
        missed.append(_repeat(finding, protocol, begun - 1))
    roles = tuple(dict.fromkeys(role for page in missed for role in page.roles))
    return Page(missed[-1].at, roles), len(missed) + max(begun - before - 1, 0)
