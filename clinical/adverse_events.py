"""How bad is an adverse event, and what must follow from it, by when?

Grades follow CTCAE v5.0 (1 mild to 5 death); seriousness follows 21 CFR 312.32(a). Raw values and duration
stay beside a grade: a short pressure peak is numerically grade 3, and a human judges it.
Source: clinical-facts §3.8 and §3.9, product F17. The wording of terms is our own, in
`adverse_event_terms`, the grades that numbers come to in `adverse_event_grades`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer

from clinical.adverse_event_grades import Measured, measured_grade
from clinical.adverse_event_terms import Grade, Term
from clinical.instants import Instant, later, local_date, next_local_midnight, zone_named
from clinical.people import Role
from clinical.protocol import Drug, Protocol

__all__ = [
    "KEPT_UNTIL_DONE",
    "AdverseEvent",
    "Duty",
    "Grade",
    "Measured",
    "Outcome",
    "Relatedness",
    "Required",
    "Seriousness",
    "Term",
    "duplicate_of",
    "follow_through",
    "rems_form",
    "suggested_grade",
]


class Seriousness(StrEnum):
    """Any one of these makes an event serious. Source: 21 CFR 312.32(a)."""

    DEATH = "death"
    LIFE_THREATENING = "life-threatening"
    HOSPITALISATION = "hospitalisation"
    INCAPACITY = "incapacity"
    CONGENITAL_ANOMALY = "congenital-anomaly"
    IMPORTANT_MEDICAL_EVENT = "important-medical-event"


Criteria = Annotated[
    frozenset[Seriousness], PlainSerializer(sorted, return_type=list[Seriousness], when_used="json")
]
"""Always written in the same order: records are hashed."""


class Relatedness(StrEnum):
    UNRELATED = "unrelated"
    UNLIKELY = "unlikely"
    POSSIBLE = "possible"
    PROBABLE = "probable"
    DEFINITE = "definite"


class Outcome(StrEnum):
    RECOVERED = "recovered"
    RECOVERING = "recovering"
    NOT_RECOVERED = "not-recovered"
    SEQUELAE = "recovered-with-sequelae"
    FATAL = "fatal"
    UNKNOWN = "unknown"


class AdverseEvent(BaseModel):
    """One event. `seriousness` empty: judged not serious; None: not judged yet (a draft).

    `dose_at` is the administration before it, None when there was none yet: allowed, and told apart.
    `time_zone` is the clinic's IANA zone, for "the same day". `measured` are the raw values behind a grade.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    term: Term
    grade: Grade | None
    seriousness: Criteria | None
    relatedness: Relatedness | None = None
    outcome: Outcome = Outcome.UNKNOWN
    onset_at: Instant
    known_at: Instant
    dose_at: Instant | None
    drug: Drug
    time_zone: str
    measured: Measured = Measured()

    @property
    def is_draft(self) -> bool:
        """Grade or seriousness is not judged yet."""
        return self.grade is None or self.seriousness is None

    @property
    def is_serious(self) -> bool:
        """Serious by a criterion or by a grade that implies one (4 life-threatening, 5 death)."""
        return bool(self.seriousness) or (self.grade is not None and self.grade >= Grade.LIFE_THREATENING)

    @property
    def before_first_dose(self) -> bool:
        """No dose had been given when it began."""
        return self.dose_at is None or self.onset_at < self.dose_at

    @property
    def is_admission_or_attempt(self) -> bool:
        """An admission to hospital or a suicide attempt: after a response that alone is a relapse (§7.2)."""
        admitted = self.seriousness is not None and Seriousness.HOSPITALISATION in self.seriousness
        return admitted or self.term is Term.SUICIDE_ATTEMPT


class Duty(StrEnum):
    """What must follow. Freezing and suspending last until a medical director releases them."""

    COMPLETE_DRAFT = "complete-draft"
    NOTIFY_PRESCRIBER = "notify-prescriber"
    PAGE_NOW = "page-now"
    FREEZE_SESSION = "freeze-session"
    SUSPEND_PLAN = "suspend-plan"
    SUBMIT_REMS_FORM = "submit-rems-form"
    OFFER_VOLUNTARY_REPORT = "offer-voluntary-report"
    REVIEW_SAFETY_CHECK = "review-safety-check"


KEPT_UNTIL_DONE = frozenset(
    {Duty.COMPLETE_DRAFT, Duty.NOTIFY_PRESCRIBER, Duty.SUBMIT_REMS_FORM, Duty.REVIEW_SAFETY_CHECK}
)
"""What somebody still owes after the course is over: done, or released by the medical director (H18)."""


class Required(BaseModel):
    """One duty, its owner and its deadline; without a deadline it is voluntary."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    duty: Duty
    owner: Role
    due_at: Instant | None


def follow_through(event: AdverseEvent, protocol: Protocol) -> frozenset[Required]:
    """What must follow from this event, by whom and when? Source: facts §3.9 (D), product F17.

    Grade 3 reaches the prescriber before the local day ends. Grades 4 and 5 and serious events page at
    once, freeze the session and suspend the plan. What is not judged yet becomes a draft to complete within
    the protocol's hours, and is told to the prescriber the same day, since it may be grade 3. Where a REMS
    applies, its form counts from the administration. A serious event after racemic ketamine: a voluntary
    report (MedWatch 3500) is offered.
    """
    known_at = event.known_at
    duties: set[Required] = set()
    if event.is_draft:
        draft_due = later(known_at, hours=protocol.reports.draft_hours)
        duties.add(_duty(Duty.COMPLETE_DRAFT, Role.NURSE, draft_due))
    if event.is_draft or event.is_serious or (event.grade is not None and event.grade >= Grade.SEVERE):
        duties.add(_duty(Duty.NOTIFY_PRESCRIBER, Role.PRESCRIBER, _end_of_day(known_at, event.time_zone)))
    if event.is_serious:
        duties.add(_duty(Duty.PAGE_NOW, Role.PRESCRIBER, known_at))
        duties.add(_duty(Duty.FREEZE_SESSION, Role.SYSTEM, known_at))
        duties.add(_duty(Duty.SUSPEND_PLAN, Role.MEDICAL_DIRECTOR, known_at))
        if event.drug is Drug.KETAMINE:
            duties.add(_duty(Duty.OFFER_VOLUNTARY_REPORT, Role.PRESCRIBER, None))
    form = None if event.dose_at is None else rems_form(event.dose_at, protocol)
    return frozenset(duties | ({form} if form else set()))


def rems_form(given_at: datetime, protocol: Protocol) -> Required | None:
    """By when is the REMS form of a session owed, counted from its administration? None without a REMS.

    Source: facts §3.9, §8: within 7 days of every session, whether anything happened in it or not.
    """
    rules = protocol.reports
    if rules.rems_form_days is None:
        return None
    due_at = later(given_at, days=rules.rems_form_days)
    return _duty(Duty.SUBMIT_REMS_FORM, rules.rems_form_owner, due_at)


def duplicate_of(event: AdverseEvent, known: Mapping[str, AdverseEvent]) -> str | None:
    """Which event reported before is probably the same: one term, one local day of onset? Product F17.

    The two are linked and both stay; "other" may be anything and is never taken for the same.
    """
    if event.term is Term.OTHER:
        return None
    day = _day_of(event)
    return next((name for name, one in known.items() if one.term is event.term and _day_of(one) == day), None)


def suggested_grade(event: AdverseEvent) -> Grade | None:
    """Which grade do the raw values come to? A suggestion: a person grades, whatever the numbers say."""
    return measured_grade(event.term, event.measured)


def _day_of(event: AdverseEvent) -> object:
    """The local date of onset; in a zone nobody knows, the instant itself."""
    zone = zone_named(event.time_zone)
    return local_date(event.onset_at, zone) if zone else event.onset_at


def _end_of_day(at: datetime, time_zone: str) -> datetime:
    """The end of the local date; at once in a zone nobody knows."""
    zone = zone_named(time_zone)
    return next_local_midnight(at, zone) if zone else at


def _duty(duty: Duty, owner: Role, due_at: datetime | None) -> Required:
    return Required(duty=duty, owner=owner, due_at=due_at)
