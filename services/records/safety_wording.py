"""How do risk cases, adverse events and what follows a crisis read in the timeline?

The parts of a safety plan are read as a whole elsewhere: here stands only that there is one.
"""

from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from clinical import events
from clinical.adverse_events import AdverseEvent
from services.records.fact_groups import AfterCrisisFact, SafetyFact
from services.records.plain_words import words

_OUTCOMES = {"reached": "reached", "not-reached": "not reached", "closed-unreached": "given up unreached"}


def safety(fact: SafetyFact, at: Callable[[datetime], str]) -> str:
    match fact:
        case events.RiskOpened():
            by = at(fact.acknowledge_by)
            return f"Risk case opened ({fact.level}): {fact.trigger}; to be acknowledged by {by}"
        case events.RiskJoined():
            return f"Risk finding ({fact.level}) joined to an open case"
        case events.RiskPaged():
            return f"Risk case: {words(fact.role)} paged (step {fact.rung})"
        case events.RiskAcknowledged():
            return "Risk case acknowledged"
        case events.RiskResolved():
            without = f" Without a safety plan: {fact.without_plan}" if fact.without_plan else ""
            return f"Risk case resolved: {words(fact.disposition)}. {fact.note}{without}"
        case events.AdverseEventRecorded():
            link = f", probably the same as {fact.linked_to}" if fact.linked_to else ""
            changed = f" (version {fact.version})" if fact.version > 1 else ""
            return f"{_adverse_event(fact.event)}{changed}{link}"
        case events.SafetyCheckRecorded():
            note = f": {fact.check.note}" if fact.check.note else ""
            return f"Safety check, {words(fact.check.code)}: {words(fact.check.result)}{note}"
        case _:
            assert_never(fact)


def after_crisis(fact: AfterCrisisFact, at: Callable[[datetime], str]) -> str:
    """One sentence; `at` says an instant in the zone of the course."""
    match fact:
        case events.ConcernRaised():
            return f"Concern raised by staff ({fact.level}): {fact.text}"
        case events.CaringContactMade():
            worried = "; cause for worry" if fact.worried else ""
            return f"Caring contact {fact.number}: {_OUTCOMES[fact.outcome]}{worried}. {fact.note}"
        case events.CaringContactMissed():
            return f"Caring contact {fact.number} missed, was due {at(fact.due_at)}"
        case events.SafetyPlanRecorded():
            return f"Safety plan recorded, to be reviewed by {at(fact.review_by)}"
        case _:
            assert_never(fact)


def _adverse_event(event: AdverseEvent) -> str:
    grade = "not graded yet" if event.grade is None else f"grade {event.grade:d}"
    serious = f", serious ({', '.join(sorted(event.seriousness))})" if event.seriousness else ""
    return f"Adverse event: {words(event.term)}, {grade}{serious}, {words(event.outcome)}"
