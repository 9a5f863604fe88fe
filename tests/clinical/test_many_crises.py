"""20,000 crises at random over the rules of the ladder alone: none is neither acknowledged nor escalated."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from clinical.people import Role
from clinical.protocol import Protocol
from clinical.risk import RiskFinding, RiskLevel, acknowledge_by, joined, next_page, page_at_last, pages
from tests.clinical.crises import Crisis, a_crisis, flaws

MANY = 20_000
START = datetime(2026, 3, 2, tzinfo=UTC)
Called = list[tuple[datetime, Role]]


def seed() -> int:
    """The one that a failure printed (`KAP_SEED`), else a new one."""
    return int(os.environ.get("KAP_SEED") or secrets.randbelow(10**9))


def a_protocol(protocol: Protocol, dice: Random) -> Protocol:
    """Other waits and pauses; every fifth clinic keeps the shipped ones."""
    if dice.random() < 0.2:
        return protocol
    rungs = tuple(
        rung.model_copy(update={"wait_minutes": dice.randrange(1, 60)}) for rung in protocol.risk.ladder
    )
    changes = {"ladder": rungs, "repeat_page_minutes": dice.randrange(5, 120)}
    return protocol.model_copy(update={"risk": protocol.risk.model_copy(update=changes)})


def lived_through(
    crisis: Crisis, finding: RiskFinding, protocol: Protocol, until: datetime, dice: Random
) -> tuple[Called, list[datetime]]:
    """What a machine does that asks the ladder for the next page, and may itself be dead for a while."""
    answer = None if crisis.answers_after is None else finding.found_at + crisis.answers_after
    deadline = acknowledge_by(finding, protocol)
    called: Called = []
    after = finding.found_at - timedelta(seconds=1)
    while True:
        page = next_page(finding, protocol, after)
        if page.at > until or (answer is not None and answer <= page.at):
            break
        now, merged = page.at, page
        if dice.random() < 0.1:  # the workers were dead, but not over the deadline
            now += timedelta(seconds=dice.randrange(60))
            now = min(now, deadline) if page.at < deadline else now
            merged, rounds = page_at_last(finding, protocol, after, now)
            assert rounds == len([p for p in pages(finding, protocol, now) if p.at > after])
        called += [(now, role) for role in merged.roles]
        after = merged.at
    return called, [] if answer is None or answer > until else [answer]


def test_twenty_thousand_crises_end_acknowledged_or_escalated(protocol: Protocol) -> None:
    number = seed()
    dice = Random(number)
    judged = silent = 0
    for one in range(MANY):
        rules = a_protocol(protocol, dice)
        crisis = a_crisis(one, dice, rules)
        finding = crisis.finding(START + timedelta(minutes=dice.randrange(365 * 24 * 60)))
        until = acknowledge_by(finding, rules) + timedelta(minutes=3 * rules.risk.repeat_page_minutes)
        called, answers = lived_through(crisis, finding, rules, until, dice)
        found = flaws(finding, rules, called, answers, until, timedelta(minutes=2))
        assert found == [], (number, crisis, found)
        judged += 1
        silent += not answers
    assert judged == MANY and silent > MANY / 10, number


@pytest.mark.parametrize("level", [RiskLevel.LOW, RiskLevel.HIGH])
def test_the_judge_sees_what_is_missing(protocol: Protocol, level: RiskLevel) -> None:
    crisis = Crisis(1, level, True, None, Role.NURSE, 0, frozenset())
    finding = crisis.finding(START)
    deadline = acknowledge_by(finding, protocol)
    until = deadline + timedelta(hours=3)
    whole = [(page.at, role) for page in pages(finding, protocol, until) for role in page.roles]
    late = timedelta(minutes=1)
    assert flaws(finding, protocol, whole, [], until, late) == []
    assert flaws(finding, protocol, [], [deadline], until, late) == []
    assert flaws(finding, protocol, [], [deadline + late], until, late) != []
    for at, _ in whole:
        if at < deadline or at == whole[-1][0]:
            continue
        assert flaws(finding, protocol, [one for one in whole if one[0] != at], [], until, late) != []
    for role in {role for _, role in whole}:
        assert flaws(finding, protocol, [one for one in whole if one[1] is not role], [], until, late) != []


def test_hours_without_a_machine_are_made_up_for_with_one_page_for_each_role(protocol: Protocol) -> None:
    finding = RiskFinding(level=RiskLevel.MODERATE, trigger="x", on_site=False, found_at=START)
    page, rounds = page_at_last(finding, protocol, START, START + timedelta(hours=5))
    assert page.roles == (Role.PRESCRIBER, Role.MEDICAL_DIRECTOR, Role.THERAPIST)
    assert rounds == len(pages(finding, protocol, START + timedelta(hours=5))) - 1
    assert START + timedelta(hours=4) < page.at <= START + timedelta(hours=5)


def test_a_worse_finding_starts_the_clock_that_is_judged(protocol: Protocol) -> None:
    low = RiskFinding(level=RiskLevel.LOW, trigger="x", on_site=False, found_at=START)
    high = RiskFinding(level=RiskLevel.HIGH, trigger="y", on_site=True, found_at=START + timedelta(hours=1))
    both = joined(low, high)
    assert acknowledge_by(both, protocol) == acknowledge_by(high, protocol) < acknowledge_by(low, protocol)
