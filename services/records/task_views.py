"""What does the work list answer? Tasks, how many there are, and through whose hands one went."""

from datetime import date, datetime

from services.records.view import View

SITE_REASONS = {
    "explain-discrepancy": "the drug books and what was found differ: a second person explains it",
    "submit-loss-notice": "a loss of a controlled drug: the DEA field office needs written notice",
    "submit-loss-form": "a loss of a controlled drug: Form 106 has to be completed",
    "finish-booking": "a time that was held for this visit lapsed before it was booked",
    "answer-offer": "the patient is offered an earlier time: it goes to the next one when it is due",
    "ask-waiting": "an offer of an earlier time lapsed without an answer: does the patient still wait?",
    "reserve-visit": "the visit is booked, and neither room nor people are reserved for it",
}
"""Why a task that no course opened is there; what a course opens says so in the record."""


class TaskView(View):
    """A human step. An open one (`requested`) is what its course, or its site, waits for.

    `id` is its name in addresses, `task_id` its name in its course. `holder` has taken it on until `held_until`.
    """

    id: str
    journey_id: str | None
    task_id: str
    site: str
    code: str
    owner: str
    status: str
    priority: str
    opened_at: datetime
    due_at: datetime
    overdue_at: datetime | None
    escalated_to: str | None
    settled_at: datetime | None
    settled_by: str | None
    holder: str | None
    holder_role: str | None
    held_until: datetime | None
    delegated_by: str | None
    version: int
    reason: str


class TaskCount(View):
    """How many open tasks one role has, how many are past due, how many are more than routine."""

    owner: str
    open: int
    overdue: int
    urgent: int


class HoldingView(View):
    """One change of hands. `act`: claimed, renewed, released, delegated, ended (with the task)."""

    act: str
    actor_id: str
    actor_role: str
    holder: str | None
    held_until: datetime | None
    at: datetime


class ClosedDayView(View):
    """A day on which a site is closed, from `starts_at` until just before `ends_at`."""

    site: str
    day: date
    name: str
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    added_by: str
