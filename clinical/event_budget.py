"""How many events of history would a course of this protocol leave, and does that fit?

An estimate for the first phase, with everybody on time and all follow-up weeks answered: the counts of a whole
course on the real engine (workflows/README.md, "What a course costs"), taken apart by what the protocol sets.
It is off by a few percent. Not counted, because a course may go without them: boosters (but in the largest
session), risk cases, adverse events, later phases, changed appointments, long-term checks.
"""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from clinical.protocol import Protocol
from clinical.protocol_check_visit import shortest_stay_minutes
from clinical.protocol_fault import Fault

READING = 8
"""A command (6), and the timer that watches over the next reading, moved."""
READINESS_CHECK = 8
"""A timer (2), the workflow task that it sets off (3), a write, the message, the search attributes."""
BOOSTER = 18
"""Three commands: ordered, given, ended."""
SESSION = 90
"""Booking, check-in, questionnaires, gate, dose, discharge, therapy, the call next day, integration."""
SESSION_IN_JOURNEY = 14
"""The part started and ended, the signal at discharge, and the tasks that these set off."""
WAIT = 10
"""A wait that is answered in time: its timer set and taken back, its task opened and closed, the command."""
JOURNEY = 86
"""Intake, consultation, consent, two new runs, the closing summary."""
SCREENING, PLAN = 38, 27
FOLLOW_UP, MEASUREMENT = 2, 18

COURSE_SESSIONS = 6
COURSE_EVENTS = 1_500
"""What a course of up to six sessions and 52 weeks may leave; each further session adds its sixth."""
ENGINE_EVENTS = 51_200
"""Where the engine ends a workflow by force."""
SHARE_PERCENT = 10
"""No workflow may be planned to use more than this of what the engine allows it."""


class EventEstimate(NamedTuple):
    """Events of the first phase: the largest session, the longest run of the journey, and the whole course."""

    session: int
    journey: int
    follow_up: int
    total: int
    budget: int


def readings_of_a_visit(protocol: Protocol) -> int:
    """How many readings does the shortest visit have: the planned ones, and those until it may end?"""
    planned = [at for at in protocol.monitoring.reading_minutes if at > 0]
    beyond = shortest_stay_minutes(protocol) - protocol.monitoring.reading_minutes[-1]
    return len(planned) + max(0, ceil(beyond / protocol.monitoring.repeat_after_last_minutes))


def estimate(protocol: Protocol) -> EventEstimate:
    """How many events would the first phase of this protocol leave, follow-up included?"""
    sessions = protocol.schedule.first.sessions
    session = (
        SESSION
        + READING * readings_of_a_visit(protocol)
        + READINESS_CHECK * len(protocol.readiness.checks_hours_before)
    )
    treating = (
        WAIT * protocol.therapy.preparation_sessions
        + SESSION_IN_JOURNEY * sessions
        + WAIT * len(protocol.decisions.review_after_doses)
    )
    follow_up = FOLLOW_UP + MEASUREMENT * len(protocol.follow_up.weeks)
    total = SCREENING + PLAN + JOURNEY + treating + sessions * session + follow_up
    budget = COURSE_EVENTS + max(0, sessions - COURSE_SESSIONS) * COURSE_EVENTS // COURSE_SESSIONS
    largest_session = session + BOOSTER * protocol.dosing.boosters_max
    return EventEstimate(largest_session, treating, follow_up, total, budget)


def over_budget(protocol: Protocol) -> Iterator[Fault]:
    """Which part of the protocol makes a course too large for the engine's history?"""
    found = estimate(protocol)
    sessions = ("/schedule/phases/0/sessions", "/discharge", "/readiness/checks_hours_before", "/dosing")
    if found.total > found.budget:
        pointer = _largest(protocol)
        detail = (
            f"a course of {protocol.schedule.first.sessions} sessions would leave about {found.total} events, "
            f"its budget is {found.budget}"
        )
        yield Fault(pointer, detail, (*sessions, "/monitoring", "/follow_up/weeks", "/therapy", "/decisions"))
    most = ENGINE_EVENTS * SHARE_PERCENT // 100
    for pointer, what, events in (
        ("/monitoring/reading_minutes", "one session", found.session),
        ("/schedule/phases/0/sessions", "one run of the journey", found.journey),
        ("/follow_up/weeks", "one follow-up", found.follow_up),
    ):
        if events > most:
            detail = f"{what} would leave about {events} events, a workflow may have {most}"
            yield Fault(pointer, detail, (*sessions, "/monitoring", "/therapy", "/decisions"))


def _largest(protocol: Protocol) -> str:
    """Of what the protocol sets, what costs most?"""
    sessions = protocol.schedule.first.sessions
    costs = {
        "/monitoring/reading_minutes": READING * readings_of_a_visit(protocol) * sessions,
        "/follow_up/weeks": MEASUREMENT * len(protocol.follow_up.weeks),
        "/readiness/checks_hours_before": READINESS_CHECK
        * len(protocol.readiness.checks_hours_before)
        * sessions,
        "/therapy/preparation_sessions": WAIT * protocol.therapy.preparation_sessions,
    }
    return max(costs, key=costs.__getitem__)
