"""How does a patient come to the chair? Readiness, reminder, arrival, check-in; who does not come has not come."""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from temporalio import workflow

from activities.notifications import TemplateName
from clinical.events import CheckedIn, ReadinessAnswered
from clinical.people import ENGINE, Actor, Role
from clinical.readiness import Light, Readiness, answers_refused, readiness, with_earlier
from clinical.vitals import pre_dose_tier
from workflows.deadlines import Deadline
from workflows.long_term import close_asked, hand_over, note_checks, refuse_impossible
from workflows.messages import (
    Accepted,
    AnswerReadiness,
    CheckIn,
    RecordBaseline,
)
from workflows.refusals import refusal, require_role
from workflows.session_booking import Booking

REMINDER_HOURS = 24
"""The check at which the patient is reminded as well."""


def _kg(weight_kg: Decimal | None) -> float | None:
    return None if weight_kg is None else float(weight_kg)


class Arrival(Booking):
    async def get_ready(self) -> None:
        """Look at the checklist at each of the protocol's hours; what is not green becomes somebody's task."""
        while not self._arrived_or_over():
            if self.visit.booking is None:
                await self.book()
                continue
            planned = self.starts_at
            task = self.open_task(
                "check-in", Role.NURSE, planned, "the patient is expected", f"{self.visit.turn}"
            )
            for hours in sorted(self.protocol.readiness.checks_hours_before, reverse=True):
                at = planned - timedelta(hours=hours)
                if at <= workflow.now() or (hours != REMINDER_HOURS and self._ready()):
                    continue  # an answer that changes the light is looked at when it comes
                due = Deadline(f"readiness {hours:g} h before", at)
                if await due.passes(unless=partial(self._changed_from, planned)):
                    await self._after_a_hold(planned)
                    if not self._changed_from(planned) and workflow.now() < planned:
                        self._check_readiness(self._hours_reached(planned))
            await self._wait_for_arrival(planned)
            if self.visit.checked_in is not None:
                self.close_task(task)
            else:
                self.cancel_task(task, "moved, cancelled or not come")

    async def _after_a_hold(self, planned: datetime) -> None:
        """Nobody is reminded of a visit, or missed at one, while the course is on hold."""
        await workflow.wait_condition(lambda: not self.on_hold or self._changed_from(planned))

    def _hours_reached(self, planned: datetime) -> float:
        """The last of the checks whose time has come; a hold may have passed over earlier ones."""
        reached = [
            hours
            for hours in self.protocol.readiness.checks_hours_before
            if planned - timedelta(hours=hours) <= workflow.now()
        ]
        return min(reached)

    def _ready(self) -> bool:
        return self.visit.readiness is not None and self._light(0.0).decision.passes

    def _light(self, hours_before: float) -> Readiness:
        answers = self.visit.readiness.answers if self.visit.readiness else None
        return readiness(answers, hours_before, self.protocol)

    def _changed_from(self, planned: datetime) -> bool:
        booking = self.visit.booking
        return self._arrived_or_over() or booking is None or booking.starts_at != planned

    def _arrived_or_over(self) -> bool:
        return self.visit.checked_in is not None or bool(self.visit.ending) or self.stopping

    async def _wait_for_arrival(self, planned: datetime) -> None:
        """Who does not come within the protocol's minutes has not come; on hold nobody could, so book again."""
        late = planned + timedelta(minutes=self.protocol.readiness.no_show_after_minutes)
        if not await Deadline("no-show", late).passes(unless=partial(self._changed_from, planned)):
            return
        if not self.on_hold and (self.resumed_at is None or self.resumed_at <= planned):
            return self.call_off("noshow", "the patient did not come")
        await self._after_a_hold(planned)
        if not self._changed_from(planned):
            self._take_back_messages()
            self.visit.booking = None
            self.visit.lapsed += 1

    def _check_readiness(self, hours_before: float) -> None:
        found = self._light(hours_before)
        if found.light is Light.GREEN:
            self._close_readiness()
        elif hours_before <= REMINDER_HOURS:
            self._ask_for_readiness(found)
        if hours_before == REMINDER_HOURS:
            self.tell_patient(
                TemplateName.SESSION_REMINDER,
                f"reminder/{self.visit.turn}",
                self.starts_at - timedelta(hours=2),
                starts_at=self.starts_at.isoformat(),
            )

    def _ask_for_readiness(self, found: Readiness) -> None:
        """One task at a time; a light that turns again after it was green is a task of its own."""
        if self._readiness_task() is None:
            self.visit.readiness_asked += 1
            reason = "; ".join(r.text for r in found.decision.objections) or "readiness is not answered"
            nth = f"{self.visit.readiness_asked}"
            self.open_task("readiness", Role.COORDINATOR, self.starts_at, reason[:500], nth)

    def _close_readiness(self, actor: Actor = ENGINE) -> None:
        if task := self._readiness_task():
            self.close_task(task, actor)

    def _readiness_task(self) -> str | None:
        return next((task_id for task_id, task in self.tasks.items() if task.code == "readiness"), None)

    @workflow.update
    async def answer_readiness(self, command: AnswerReadiness) -> Accepted:
        before = self.visit.readiness
        if command.actor.role is Role.PATIENT and before is not None:
            # What a patient is not asked stays as the clinic has it.
            command = command.model_copy(update={"answers": with_earlier(command.answers, before.answers)})
        self.visit.readiness = command
        hours = max((self.starts_at - workflow.now()).total_seconds() / 3600, 0.0)
        found = readiness(command.answers, hours, self.protocol)
        self.journal.note(
            command.key,
            ReadinessAnswered(session=self.number, light=found.light, reasons=found.decision.reasons),
            actor=command.actor,
            at=self.when(command),
        )
        if found.light is Light.GREEN:
            self._close_readiness(command.actor)
        elif found.light is Light.RED:
            self._ask_for_readiness(found)
        return await self.accept(found.light, self.when(command))

    @answer_readiness.validator
    def _may_answer_readiness(self, command: AnswerReadiness) -> None:
        self.require_before_dose()
        if self.visit.booking is None:
            raise refusal("not-possible-now", "the session is not booked")
        if faults := answers_refused(command.answers):
            errors = [{"pointer": f"/answers/{f.field}", "detail": f.text, "code": "refused"} for f in faults]
            raise refusal("invalid-answers", "some answers cannot be taken", errors=errors)

    @workflow.update
    async def check_in(self, command: CheckIn) -> Accepted:
        self.visit.checked_in = command
        self.visit.baselines.append(command.baseline)
        tier = pre_dose_tier(command.baseline, self.protocol).tier
        self.cancel_tasks_of("readiness", "the patient is here")
        self.cancel_tasks_of("move-session", "the patient is here")
        self.journal.note(
            command.key,
            CheckedIn(
                session=self.number,
                weight_kg=_kg(command.weight_kg),
                baseline=command.baseline,
                tier=tier,
                adverse_events_reviewed=command.adverse_events_reviewed,
            ),
            actor=command.actor,
            at=self.when(command),
        )
        arose = note_checks(self, command, command.checks, self.protocol, self.number)
        close_asked(self, command.checks, command.actor)
        answer = await self.accept("arrived", self.when(command), tier=tier)
        await hand_over(self, arose)
        return answer

    @check_in.validator
    def _may_check_in(self, command: CheckIn) -> None:
        self.require_before_dose()
        if self.on_hold:
            raise refusal("on-hold", "the course is on hold")
        require_role(command.actor, Role.NURSE, Role.PRESCRIBER)
        if self.visit.booking is None:
            raise refusal("not-possible-now", "the session is not booked")
        if self.visit.checked_in is not None:
            raise refusal("not-possible-now", "the patient is checked in already")
        refuse_impossible(command.checks, self.today())
        self._readiness_must_not_be_red()
        self.require_possible(command.baseline, None)

    def _readiness_must_not_be_red(self) -> None:
        found = self._light(0.0)
        if found.light is Light.RED:
            raise refusal(
                "gate-closed", "readiness is red: offer a new slot", reasons=found.decision.objections
            )

    @workflow.update
    async def record_baseline(self, command: RecordBaseline) -> Accepted:
        """Another reading before the dose, after rest."""
        self.visit.baselines.append(command.baseline)
        checked_in = self.visit.checked_in
        assert checked_in is not None
        tier = pre_dose_tier(command.baseline, self.protocol).tier
        self.journal.note(
            command.key,
            CheckedIn(
                session=self.number,
                weight_kg=_kg(checked_in.weight_kg),
                baseline=command.baseline,
                tier=tier,
            ),
            actor=command.actor,
            at=self.when(command),
        )
        return await self.accept("arrived", self.when(command), tier=tier)

    @record_baseline.validator
    def _may_record_baseline(self, command: RecordBaseline) -> None:
        self.require_before_dose()
        require_role(command.actor, Role.NURSE, Role.PRESCRIBER)
        if self.visit.checked_in is None:
            raise refusal("not-possible-now", "the patient is not checked in")
        self.require_possible(command.baseline, None)
