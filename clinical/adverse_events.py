"""How bad is an adverse event, and what must follow from it, by when?

Grades follow CTCAE v5.0 (1 mild to 5 death); seriousness follows 21 CFR 312.32(a). Raw values and duration
stay beside a grade: a short pressure peak is numerically grade 3, and a human judges it.
Source: clinical-facts §3.8 and §3.9, product F17. The wording of terms is our own, in
`adverse_event_terms`.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer

from clinical.adverse_event_terms import Grade, Term
from clinical.instants import Instant, later, next_local_midnight, zone_named
from clinical.people import Role
from clinical.protocol import Drug

__all__ = [
    "AdverseEvent",
    "Duty",
    "Grade",
    "Outcome",
    "Relatedness",
    "Required",
    "Seriousness",
    "Term",
    "alt_grade",
    "follow_through",
    "hypertension_grade",
]

_DRAFT_HOURS = 1
_REMS_FORM_DAYS = 7


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
    `time_zone` is the clinic's IANA zone, for "the same day".
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


class Duty(StrEnum):
    """What must follow. Freezing and suspending last until a medical director releases them."""

    COMPLETE_DRAFT = "complete-draft"
    NOTIFY_PRESCRIBER = "notify-prescriber"
    PAGE_NOW = "page-now"
    FREEZE_SESSION = "freeze-session"
    SUSPEND_PLAN = "suspend-plan"
    SUBMIT_REMS_FORM = "submit-rems-form"
    OFFER_VOLUNTARY_REPORT = "offer-voluntary-report"


class Required(BaseModel):
    """One duty, its owner and its deadline; without a deadline it is voluntary."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    duty: Duty
    owner: Role
    due_at: Instant | None


def follow_through(event: AdverseEvent) -> frozenset[Required]:
    """What must follow from this event, by whom and when? Source: facts §3.9 (D), product F17.

    Grade 3 reaches the prescriber before the local day ends. Grades 4 and 5 and serious events page at
    once, freeze the session and suspend the plan. What is not judged yet becomes a draft to complete within
    an hour, and is told to the prescriber the same day, since it may be grade 3. Esketamine: REMS form 7
    days after the administration. A serious event after racemic ketamine: a voluntary report (MedWatch
    3500) is offered.
    """
    known_at = event.known_at
    duties: set[Required] = set()
    if event.is_draft:
        duties.add(_duty(Duty.COMPLETE_DRAFT, Role.NURSE, later(known_at, hours=_DRAFT_HOURS)))
    if event.is_draft or event.is_serious or (event.grade is not None and event.grade >= Grade.SEVERE):
        duties.add(_duty(Duty.NOTIFY_PRESCRIBER, Role.PRESCRIBER, _end_of_day(known_at, event.time_zone)))
    if event.is_serious:
        duties.add(_duty(Duty.PAGE_NOW, Role.PRESCRIBER, known_at))
        duties.add(_duty(Duty.FREEZE_SESSION, Role.SYSTEM, known_at))
        duties.add(_duty(Duty.SUSPEND_PLAN, Role.MEDICAL_DIRECTOR, known_at))
        if event.drug is Drug.KETAMINE:
            duties.add(_duty(Duty.OFFER_VOLUNTARY_REPORT, Role.PRESCRIBER, None))
    if event.drug is Drug.ESKETAMINE and event.dose_at is not None:
        form_due = later(event.dose_at, days=_REMS_FORM_DAYS)
        duties.add(_duty(Duty.SUBMIT_REMS_FORM, Role.NURSE, form_due))
    return frozenset(duties)


def hypertension_grade(
    systolic_mmhg: int, diastolic_mmhg: int, *, drugs_started: int = 0, crisis: bool = False
) -> Grade | None:
    """Which grade do pressure and treatment come to? None below 120/80. Source: facts §3.8 (CTCAE, W)."""
    if crisis:
        return Grade.LIFE_THREATENING
    if systolic_mmhg >= 160 or diastolic_mmhg >= 100 or drugs_started > 1:
        return Grade.SEVERE
    if systolic_mmhg >= 140 or diastolic_mmhg >= 90 or drugs_started == 1:
        return Grade.MODERATE
    if systolic_mmhg >= 120 or diastolic_mmhg >= 80:
        return Grade.MILD
    return None


def alt_grade(alt_u_per_l: Decimal, upper_limit_u_per_l: Decimal) -> Grade | None:
    """Which grade is a rise of ALT from a normal baseline? None up to the limit. Facts §3.8 (CTCAE, W)."""
    for factor, grade in (
        (20, Grade.LIFE_THREATENING),
        (5, Grade.SEVERE),
        (3, Grade.MODERATE),
        (1, Grade.MILD),
    ):
        if alt_u_per_l > factor * upper_limit_u_per_l:
            return grade
    return None


def _end_of_day(at: datetime, time_zone: str) -> datetime:
    """The end of the local date; at once in a zone nobody knows."""
    zone = zone_named(time_zone)
    return next_local_midnight(at, zone) if zone else at


def _duty(duty: Duty, owner: Role, due_at: datetime | None) -> Required:
    return Required(duty=duty, owner=owner, due_at=due_at)
