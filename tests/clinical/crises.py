"""Crises at random, and the one question about each: was it acknowledged or escalated, judged by what happened?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from clinical.people import CLINICIANS, Role
from clinical.protocol import Protocol
from clinical.risk import RiskFinding, RiskLevel, acknowledge_by, ladder

LEVELS = (RiskLevel.LOW, RiskLevel.MODERATE, RiskLevel.UNKNOWN, RiskLevel.HIGH)
STAFF = tuple(sorted(CLINICIANS))


@dataclass(frozen=True)
class Crisis:
    """One crisis and the people around it. `answers_after` None: nobody ever answers."""

    number: int
    level: RiskLevel
    on_site: bool
    answers_after: timedelta | None
    answered_by: Role
    utc_offset_hours: int
    deaf: frozenset[Role]
    """Whom no page reaches."""

    def finding(self, found_at: datetime) -> RiskFinding:
        return RiskFinding(level=self.level, trigger="RISK-CSSRS", on_site=self.on_site, found_at=found_at)


def a_crisis(
    number: int, dice: Random, protocol: Protocol, *, silent: float = 0.25, quick: float = 0.1
) -> Crisis:
    """`silent`: how often nobody ever answers; `quick`: how often who does answers in seconds, and not some time
    early, late or far too late."""
    level, on_site = dice.choice(LEVELS), dice.random() < 0.5
    start = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    finding = RiskFinding(level=level, trigger="x", on_site=on_site, found_at=start)
    allowed = acknowledge_by(finding, protocol) - start
    answers: timedelta | None = allowed * dice.random() ** 2 * 1.3
    if (chance := dice.random()) < silent + quick:
        answers = None if chance < silent else timedelta(seconds=dice.randrange(1, 20))
    return Crisis(
        number=number,
        level=level,
        on_site=on_site,
        answers_after=answers,
        answered_by=dice.choice(STAFF),
        utc_offset_hours=dice.randrange(-11, 13),
        deaf=frozenset(role for role in STAFF if dice.random() < 0.2),
    )


def flaws(
    finding: RiskFinding,
    protocol: Protocol,
    paged: Sequence[tuple[datetime, Role]],
    acknowledged: Iterable[datetime],
    until: datetime,
    allowance: timedelta = timedelta(),
) -> list[str]:
    """What went wrong with this crisis, as seen at `until`; empty when nothing did.

    Somebody took it over by the deadline; or every rung of the ladder had been paged by then, everyone was
    paged at the deadline, and paging went on for as long as nobody answered. `allowance`: how late the machine
    itself may be.
    """
    deadline = acknowledge_by(finding, protocol)
    answered = min(acknowledged, default=None)
    if until <= deadline or (answered is not None and answered <= deadline):
        return []
    every = {step.page for step in ladder(finding, protocol)}
    by_deadline = {role for at, role in paged if at <= deadline}
    at_deadline = {role for at, role in paged if deadline <= at <= deadline + allowance}
    found = [f"{role} was not paged by the deadline" for role in sorted(every - by_deadline)]
    quiet_since = answered if answered is not None else until
    if quiet_since > deadline + allowance:
        found += [f"{role} was not paged at the deadline" for role in sorted(every - at_deadline)]
    pause = timedelta(minutes=protocol.risk.repeat_page_minutes) + allowance
    calls = sorted({at for at, _ in paged if deadline <= at <= quiet_since})
    for one, following in zip([deadline, *calls], [*calls, quiet_since], strict=True):
        if following - one > pause:
            found.append(f"nobody was paged between {one:%H:%M} and {following:%H:%M}")
    return found
