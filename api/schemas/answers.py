"""What does the API answer? Shapes of our own around what the record holds.

Instants are UTC. A command's answer says in one word where things stand; when it arrives, the fact is in the
record.
"""

from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.values import Out
from clinical.decision import Reason
from clinical.dosing import DoseOrder
from clinical.journey import Move
from clinical.people import Role
from services.notifications.interface import CommunicationRecord
from services.records.views import JourneyCount, JourneyView, ScoreView, TimelineEntry


class AcceptedOut(Out):
    """It is in the record."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"state": "booked", "at": "2026-03-02T14:30:00Z", "detail": {}}]}
    )

    state: str
    at: datetime
    detail: dict[str, str] = Field(default_factory=dict)


class MigrationOut(Out):
    """What going over to another protocol would mean for this patient; nothing was done.

    `changes`: everything that differs, in words. `reasons` that refuse stand in the way; the others come with it.
    `keeps`: what has begun and goes on by the protocol it began with.
    """

    before: str
    after: str
    after_hash: str
    allowed: bool
    plan_anew: bool
    reasons: list[Reason]
    changes: list[str]
    keeps: list[str]


class StartedOut(AcceptedOut):
    """A course has begun; `href` is where it can be read."""

    journey_id: str
    href: str


class DoseOrderedOut(AcceptedOut):
    """The computed dose with everything it was computed from, and what the rules remarked."""

    order: DoseOrder
    reasons: list[Reason]


class JourneyLine(Out):
    """One course in a list. Operations see where it stands, not whom or what it is about."""

    journey_id: str
    href: str
    site: str
    stage: str
    status: str
    on_hold: bool
    started_at: datetime
    closed_at: datetime | None
    protocol: str
    version: int
    patient_id: str | None = None
    indication: str | None = None
    consultation_at: datetime | None = None
    doses: int | None = None
    sessions_completed: int | None = None


class Page(Out):
    """A part of a list; `next_cursor` leads to the next part, null at the end."""

    next_cursor: str | None


class CountedPage(Page):
    """`counts`: how many there are by status, over the whole list, whatever the filters."""

    counts: dict[str, int]


class JourneyPage(Page):
    """Courses; `counts` are over all of the site's, whatever the filters."""

    items: list[JourneyLine]
    counts: list[JourneyCount]


class TimelinePage(Page):
    """What happened; `total` is how many facts the whole record has."""

    items: list[TimelineEntry]
    total: int


class TotalPage(Page):
    """`total`: how many there are over the whole list, whatever the filters."""

    total: int


class ScoresOut(Page):
    """Scored questionnaires; `counts` by instrument, over all of the course's."""

    items: list[ScoreView]
    counts: dict[str, int]


class MessagesOut(CountedPage):
    items: list[CommunicationRecord]


class Step(Out):
    """One thing that a person owes: which act, who may do it, what to show, by when, and where to send it.

    `id` names the task on the work list; `holder` has taken it on.
    """

    id: str
    task_id: str
    code: str
    owner: str
    priority: str
    due_at: datetime
    overdue: bool
    holder: str | None
    reason: str
    act: str | None
    href: str | None
    evidence: str | None
    roles: list[Role]


class Waiting(Out):
    """One reason why the course has not gone on: what it waits for, by whom, until when.

    `kind`: task, hold, appointment, chair, date, over. A date is waited for and by nobody.
    """

    kind: str
    text: str
    by: list[str]
    until: datetime | None
    late: bool


class NextOut(Out):
    """What the course waits for, why, and where it could go."""

    stage: str
    status: str
    on_hold: bool
    waits_for: list[Step]
    why: list[Waiting]
    possible_moves: list[Move]


class JourneyOut(Out):
    """One course whole: where it stands, what can be done next and by whom, why it waits, until when."""

    href: str
    timeline: str
    journey: JourneyView
    waits_for: list[Step]
    why: list[Waiting]
    possible_moves: list[Move]


class HealthOut(Out):
    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "up", "build": "0.1.0"}]})

    status: str
    build: str


class ReadinessOut(Out):
    """Which of the systems behind the API answer, in words.

    `clock` compares this machine's with the database's, once a minute; `clock_offset_s`: how far that is ahead.
    """

    ready: bool
    database: str
    engine: str
    clock: str
    clock_offset_s: float | None


class PublishedOut(Out):
    """This version can be used from now on."""

    canonical: str
    content_hash: str
    site: str
