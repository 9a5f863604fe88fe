"""Does anything harmful lie on any path of a course, and is every guard needed?

The walk sees all of some 60,000 states that two doses can lead through. With a guard taken away on purpose it
must find what that guard was for, at the end of a shortest trace: a walk that finds nothing then is blind.
"""

import pytest

from tests.clinical.model.guards import Guard
from tests.clinical.model.walk import Found, walk

G = Guard


@pytest.mark.timeout(900)  # half a minute on a core of its own
def test_no_dose_discharge_or_ending_on_any_path_breaks_an_invariant() -> None:
    found = walk()
    print(found)  # noqa: T201  # the size of what was walked belongs to the answer; pytest -s shows it
    assert found.broken == (), str(found)
    assert (found.states, found.transitions, found.judged) > (50_000, 300_000, 40_000)


WHAT_EACH_GUARD_IS_FOR = {
    (G.CONSENT,): ("INV1-CONSENT-WITHDRAWN", "the patient withdraws"),
    (G.REAFFIRMED,): ("INV1-CONSENT-REAFFIRMED", "the dose is given"),
    (G.NEVER_AGAIN,): ("INV7-DOSE", "the patient withdraws"),
    (G.PLAN_HASH,): ("INV1-SESSION-PLAN", "the course moves: amend-plan"),
    (G.PLAN_TERM,): ("INV1-PLAN-EXPIRED", "half a year passes"),
    (G.SERIES,): ("INV4-SERIES", "the author drafts a plan of one session"),
    (G.INTERVAL,): ("INV3-INTERVAL", "the author drafts a plan of two sessions"),
    (G.ONE_DOSE,): ("INV3-SECOND-DOSE", "another command gives a dose"),
    (G.BOUNDS,): ("INV4-MG", "a command of 150 mg is taken"),
    (G.RISK,): ("INV2-RISK-OPEN", "somebody worries about suicide"),
    (G.PRESENCE,): ("INV6-ABSENT-AT-DOSE", "the prescriber leaves"),
    (G.ORDERED, G.PRESENCE): ("INV1-SESSION-NO-ORDER", "a dose is given that nobody ordered"),
    (G.COMPARE_AND_APPEND,): ("INV1-CONSENT-WITHDRAWN", "the patient withdraws"),
    (G.MINIMUM,): ("INV5-MINIMUM-TIME", "the nurse discharges"),
    (G.ESCORT,): ("INV5-CHECKLIST-INCOMPLETE", "the nurse discharges"),
    (G.STEADY,): ("INV5-CHECKLIST-INCOMPLETE", "the nurse discharges"),
    (G.OVERRIDE,): ("INV5-OVERRIDE-ROLE", "the nurse discharges, overridden"),
    (G.HOME_FIRST,): ("INV5-CLOSED-WITHOUT", "the session is finished"),
    (G.SESSIONS_FIRST,): ("INV12-SESSION-OPEN", "the course is closed"),
    (G.TASKS_FIRST,): ("INV12-TASK-OPEN", "the course is closed"),
    (G.AUTHOR,): ("INV11-AUTHOR", "the author approves"),
    (G.DISTINCT,): ("INV11-SAME-PERSON", "the prescriber as therapist approves"),
    (G.ALL_ROLES,): ("INV11-MISSING", "the plan comes into force"),
    (G.LICENCE,): ("INV8-CLOSED-BY", "the nurse closes the risk case"),
    (G.LADDER,): ("INV8-UNANSWERED", "somebody worries about suicide"),
}
"""Which guards are taken away, which rule the shortest trace breaks, and an act that must lie on it."""


@pytest.mark.parametrize("without", WHAT_EACH_GUARD_IS_FOR, ids=lambda guards: " and ".join(guards))
def test_without_a_guard_the_walk_finds_what_it_was_for(without: tuple[Guard, ...]) -> None:
    rule, act = WHAT_EACH_GUARD_IS_FOR[without]
    found = walk(frozenset(without))
    print(found)  # noqa: T201  # the shortest trace, to be read; pytest -s shows it
    assert rule in {one.rule for one in found.broken}, str(found)
    assert act in found.trace, str(found)
    if (
        found.states < 5_000
    ):  # asked again of the small walks only, for time: breadth first is the same for all
        assert walk(frozenset(without), at_most=len(found.trace) - 1).broken == ()


def test_every_guard_is_taken_away_once() -> None:
    assert {guard for guards in WHAT_EACH_GUARD_IS_FOR for guard in guards} == set(Guard)


def test_a_trace_reads_as_what_happened() -> None:
    found: Found = walk(frozenset({G.COMPARE_AND_APPEND}))
    *_, looked, withdrew, given, consent, dose = str(found).splitlines()
    assert looked == "  13. the gate looks and is green"
    assert withdrew == "  14. the patient withdraws"
    assert given == "  15. the dose is given"
    assert consent == "  => INV1-CONSENT-WITHDRAWN: dose of session 1: the consent had been withdrawn"
    assert dose == "  => INV7-DOSE: dose of session 1 after the consent was withdrawn"
