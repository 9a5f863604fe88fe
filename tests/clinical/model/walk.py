"""Does any path through the model do harm? Breadth first over everything that can be reached.

Each state keeps the record of the shortest way to it; each act that may harm is judged on that record by the
invariants. Breadth first: the first violation found lies at the end of a shortest trace to any. States that the
rules and the invariants cannot tell apart are one state, and one record stands for all ways to it: what a guard
taken away would blur (a consent taken again, a case closed by the wrong person) is a value of its own.
"""

from collections import deque
from typing import NamedTuple

from clinical.invariants import Violation, violations
from tests.clinical.model.acts import steps
from tests.clinical.model.guards import ALL_GUARDS, PROTOCOL, Guard, Without
from tests.clinical.model.state import State
from tests.clinical.model.telling import a_referral

BY_PEOPLE = frozenset({"INV6-LEFT"})
"""That a prescriber walks out is recorded, paged and cannot be prevented: it is no act of the engine's."""


class Found(NamedTuple):
    """What a walk saw. `trace` leads to the violations; both are empty when there are none."""

    states: int
    transitions: int
    judged: int
    trace: tuple[str, ...] = ()
    broken: tuple[Violation, ...] = ()

    def __str__(self) -> str:
        counted = f"{self.states} states, {self.transitions} transitions, {self.judged} of them judged"
        if not self.broken:
            return f"{counted}: nothing is broken"
        acts = [f"  {number:>2}. {act}" for number, act in enumerate(self.trace, start=1)]
        told = [f"  => {one.rule}: {one.text}" for one in self.broken]
        return "\n".join([counted, *acts, *told])


def walk(without: Without = ALL_GUARDS, *, at_most: int | None = None) -> Found:
    """Walk until something breaks, or everything was seen, or every trace of `at_most` acts was."""
    first = State()
    seen = {first: a_referral(silent=Guard.LADDER in without)}
    ahead = deque([(first, 0)])
    transitions = judged = 0
    while ahead:
        state, depth = ahead.popleft()
        if depth == at_most:
            break
        book = seen[state]
        for step in steps(state, without):
            transitions += 1
            new = step.after not in seen
            if not new and not step.judged:
                continue
            told = step.told(book.turn(step.act, minutes=step.minutes))
            if step.judged:
                judged += 1
                found = violations(told.entries(), PROTOCOL)
                broken = tuple(one for one in found if one.rule not in BY_PEOPLE)
                if broken:
                    return Found(len(seen), transitions, judged, told.trace(), broken)
            if new:
                seen[step.after] = told
                ahead.append((step.after, depth + 1))
    return Found(len(seen), transitions, judged)
