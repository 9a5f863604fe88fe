"""What does a session know of itself? One serializable value, and how a session begins."""

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import BaseModel, ConfigDict
from temporalio import workflow

from clinical.adverse_events import Duty, rems_form
from clinical.dosing import DoseOrder
from clinical.instruments.answers import InstrumentResult
from clinical.monitoring import reading_refused
from clinical.plan import phase_of
from clinical.recovery_scores import PadssItems
from clinical.schedule import PastDose
from clinical.vitals import Reading, Tier
from workflows.long_term import task_code
from workflows.messages import (
    AnswerReadiness,
    BookSession,
    CheckIn,
    DutyArose,
    DutyOwed,
    EndDose,
    OrderDose,
    StartSession,
    TakeProtocol,
)
from workflows.questionnaires import Questioned
from workflows.refusals import refusal


class Observed(BaseModel):
    """One reading after the dose, with what was scored beside it."""

    model_config = ConfigDict(extra="forbid")

    observation_id: str
    reading: Reading
    tier: Tier
    padss: PadssItems | None
    cadss6: int | None
    oriented: bool | None


class Given(BaseModel):
    """One dose of this session: what was drawn up for it, and how it ended."""

    model_config = ConfigDict(extra="forbid")

    dose_id: str
    key: str
    dose: PastDose
    drawn_mg: Decimal
    end: EndDose | None = None
    ended_at: datetime | None = None


class Visit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    booking: BookSession | None = None
    moves: int = 0
    lapsed: int = 0
    moves_asked: int = 0
    readiness: AnswerReadiness | None = None
    readiness_asked: int = 0
    checked_in: CheckIn | None = None
    baselines: list[Reading] = []
    screened_at: datetime | None = None
    ordered: OrderDose | None = None
    order: DoseOrder | None = None
    orders: int = 0
    ordered_by: list[str] = []
    therapists: list[str] = []
    order_given: bool = False
    sheet_hash: str | None = None
    prescriber_present: bool = False
    prescriber_left: bool = False
    given: list[Given] = []
    observed: list[Observed] = []
    therapy_minutes: int = 0
    discharged_at: datetime | None = None
    contact_reached: bool | None = None
    contact_attempts: int = 0
    integration_held_at: datetime | None = None
    integration_waived_at: datetime | None = None
    concerns_at: datetime | None = None
    concerns_reviewed: bool = False
    concerns_asked: int = 0
    ending: str = ""
    ending_reason: str = ""

    @property
    def turn(self) -> int:
        """Which booking this is: moved by somebody, or lapsed while the course was on hold."""
        return self.moves + self.lapsed

    @property
    def dose(self) -> PastDose | None:
        """The first dose: from here the clock of the observation runs."""
        return self.given[0].dose if self.given else None

    @property
    def whole_dose(self) -> PastDose | None:
        """All doses of this session as one: their sums, from the instant of the last one."""
        if not self.given:
            return None
        last = self.given[-1].dose
        per_kg = [one.dose.mg_per_kg for one in self.given if one.dose.mg_per_kg is not None]
        total = sum((one.dose.dose_mg for one in self.given), Decimal(0))
        summed = sum(per_kg, Decimal(0)) if per_kg else None
        return last.model_copy(update={"dose_mg": total, "mg_per_kg": summed})

    @property
    def doses_ended_at(self) -> datetime | None:
        """When the last dose was in; None while one of them has not ended."""
        ends = [one.ended_at for one in self.given]
        return None if not ends or None in ends else max(at for at in ends if at is not None)


class Session(Questioned):
    """The ground on which all phases of a session stand."""

    def __init__(self, start: StartSession) -> None:
        super().__init__(start.journey_id, start.site, start.patient_id, f"session/{start.session}")
        self.journal.closed = start.closed
        self.start = start
        self.protocol = start.protocol
        self.sex = start.baseline.sex
        self.visit = Visit()
        self.results: dict[str, InstrumentResult] = dict(start.baseline.results)
        self.fresh: set[str] = set()
        self.dosing = False
        self.resumed_at: datetime | None = None
        if start.on_hold:
            self.held_since = start.opened_at

    @workflow.signal
    def take_protocol(self, message: TakeProtocol) -> None:
        """The course went over to another one. A visit to which somebody has come ends by that it began with."""
        if (
            self.visit.checked_in is not None
            or phase_of(self.start.plan.content.phase, message.protocol) is None
        ):
            return
        self.protocol = message.protocol
        self.went_over_to = message.protocol.content_hash

    @property
    def number(self) -> int:
        return self.start.session

    def standing(self) -> str:
        visit = self.visit
        if visit.discharged_at is not None:
            return "after-care"
        if visit.dose is not None:
            return "in-the-chair"
        if visit.checked_in is not None:
            return "checked-in"
        return "booked" if visit.booking is not None else "to-book"

    def form_task(self) -> str:
        return f"{self.part}/{Duty.SUBMIT_REMS_FORM}/1"

    def form_owed(self) -> tuple[DutyArose, ...]:
        """The REMS form that this session's first dose asks for, where a REMS applies."""
        first = self.visit.dose
        owed = None if first is None else rems_form(first.given_at, self.protocol)
        if owed is None or owed.due_at is None:
            return ()
        duty = DutyOwed(
            code=owed.duty,
            owner=owed.owner,
            due_at=owed.due_at,
            reason="the monitoring form of this dose has to be submitted",
            session=self.number,
            opened_at=first.given_at if first else None,
        )
        return (DutyArose(task_id=self.form_task(), duty=duty),)

    def ask_checks(self) -> None:
        """What is due of the long-term checks is asked for at the door."""
        for due in self.start.checks:
            by = self.today() + timedelta(hours=due.within_hours)
            self.open_task(task_code(due.code), due.owner, by, due.reason.text)

    def leave_to_journey(self) -> tuple[DutyArose, ...]:
        """What is owed beyond this session: its form, and the checks that were not made at the door."""
        reasons = {task_code(due.code): due.reason.text for due in self.start.checks}
        left = [
            DutyArose(
                task_id=task_id,
                duty=DutyOwed(
                    code=task.code,
                    owner=task.owner,
                    due_at=task.due_at,
                    reason=reasons[task.code],
                    opened_at=task.since,
                ),
            )
            for task_id, task in self.tasks.items()
            if task.code in reasons
        ]
        duties = (*self.form_owed(), *left)
        for one in duties:  # from here on it is the journey's
            self.tasks.pop(one.task_id, None)
        return duties

    def require_before_dose(self) -> None:
        """Refuse what makes sense only before the drug is in."""
        if self.stopping or self.visit.ending:
            raise refusal("not-possible-now", "this session is over")
        if self.visit.dose is not None or self.dosing:
            raise refusal("not-possible-now", "the dose has been given")

    def require_in_chair(self) -> PastDose:
        """Refuse what makes sense only between dose and discharge; monitoring goes on whatever else is stopped."""
        if self.visit.dose is None:
            raise refusal("not-possible-now", "no dose has been given")
        if self.visit.discharged_at is not None:
            raise refusal("not-possible-now", "the patient has been discharged")
        return self.visit.dose

    def require_possible(self, reading: Reading, started_at: datetime | None) -> None:
        decision = reading_refused(reading, started_at, workflow.now(), self.protocol)
        if not decision.passes:
            raise refusal(
                "invalid-observation",
                "this reading cannot be right",
                reasons=decision.objections,
                errors=[
                    {"pointer": "/reading", "detail": r.text, "code": r.rule} for r in decision.objections
                ],
            )
