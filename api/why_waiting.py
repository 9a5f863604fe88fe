"""Why has this course not gone on? Every reason, in the order of time: people, dates, a hold, a chair.

Read from the record; a course that is open and waits for nothing would be stuck, and says so.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from api.next_steps import roles_for
from api.schemas.answers import Waiting
from clinical.instants import later
from clinical.journey import Stage
from clinical.protocol import Protocol
from services.records.views import JourneyView, SessionSummary


def why_waiting(journey: JourneyView, protocol: Protocol | None, now: datetime) -> list[Waiting]:
    """Empty never: a course that is over says so. `protocol` tells the dates of follow-up."""
    if journey.closed_at is not None:
        return [_waiting("over", f"the course is {journey.stage}", None, now)]
    found = [
        *_hold(journey, now),
        *_tasks(journey, now),
        *_visits(journey, now),
        *_dates(journey, protocol, now),
    ]
    found.sort(key=lambda one: (one.until is None, one.until))
    return found or [_waiting("stuck", "nothing is known that would let the course go on", None, now)]


def _hold(journey: JourneyView, now: datetime) -> Iterator[Waiting]:
    if journey.on_hold:
        yield _waiting("hold", "the course is on hold, to be looked at again", journey.review_at, now)


def _tasks(journey: JourneyView, now: datetime) -> Iterator[Waiting]:
    for task in journey.open_tasks:
        by = sorted(roles_for(task))
        yield _waiting("task", f"{task.code.replace('-', ' ')}: {task.reason}", task.due_at, now, by)


def _visits(journey: JourneyView, now: datetime) -> Iterator[Waiting]:
    if journey.consultation_at and journey.consultation_outcome is None:
        yield _waiting("appointment", "the consultation is booked", journey.consultation_at, now)
    for visit in journey.sessions:
        if visit.closed_at is None:
            yield from _visit(visit, now)


def _visit(visit: SessionSummary, now: datetime) -> Iterator[Waiting]:
    name = f"session {visit.session}"
    if visit.discharged_at is not None:
        return
    if visit.dosed_at is not None:
        by = ["nurse", "prescriber"]
        yield _waiting(
            "chair", f"the patient of {name} is in the chair until every criterion is met", None, now, by
        )
    elif visit.checked_in_at is None and visit.starts_at is not None:
        yield _waiting("appointment", f"{name} is booked", visit.starts_at, now)
    elif visit.starts_at is None and visit.earliest_at is not None and visit.earliest_at > now:
        yield _waiting("date", f"no dose of {name} may be given before", visit.earliest_at, now)


def _dates(journey: JourneyView, protocol: Protocol | None, now: datetime) -> Iterator[Waiting]:
    """The next week of follow-up, counted from the last dose."""
    if journey.stage != Stage.FOLLOW_UP or protocol is None or not journey.given_doses:
        return
    last = max(dose.given_at for dose in journey.given_doses)
    for week in sorted(protocol.follow_up.weeks):
        due_at = later(last, days=7 * week)
        if due_at > now:
            yield _waiting("date", f"the questionnaires of week {week} are due", due_at, now)
            return


def _waiting(kind: str, text: str, until: datetime | None, now: datetime, by: Sequence[str] = ()) -> Waiting:
    late = until is not None and until < now
    return Waiting(kind=kind, text=text, by=list(by), until=until, late=late)
