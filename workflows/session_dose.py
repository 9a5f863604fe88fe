"""May this dose be given, and was it? Order, gate and dose: everything is read again at the moment of dosing.

Fail closed: what is unknown closes the gate. A dose is written only if nothing was added to the record since
the gate looked (a consent withdrawn in that very moment included), and never by a blind second try.
"""

from datetime import datetime
from decimal import Decimal

from temporalio import workflow

from activities.options import WRITE
from activities.records import Batch, DosingFacts, DosingQuestion, RecordActivities
from clinical.adverse_events import rems_form
from clinical.decision import Decision
from clinical.dosing import basis_fault, compute_dose, dose_allowed
from clinical.events import (
    ConsentReaffirmed,
    DoseGiven,
    DoseOrdered,
    Entry,
    GateEvaluated,
    PrescriberPresent,
    TaskOpened,
)
from clinical.instruments.answers import InstrumentId
from clinical.people import ENGINE, Role
from clinical.protocol import ByWeight
from clinical.schedule import PastDose
from clinical.therapy import separate_people
from workflows.deadlines import Deadline
from workflows.failures import ACTIVITY_FAILED, failure_code
from workflows.messages import Accepted, GiveDose, OrderDose, SubmitQuestionnaires
from workflows.messages import DoseOrdered as DoseOrderAnswer
from workflows.refusals import refusal, require, require_role
from workflows.session_sheet import Downtime
from workflows.visit import Given


class Dosing(Downtime):
    async def give_the_dose(self) -> None:
        """Wait at the chair: a dose is given, or the visit is called off."""
        started = self.visit.checked_in
        assert started is not None
        task = self.open_task(
            "give-dose", Role.PRESCRIBER, self.latest_dose_at(), "the patient is in the chair"
        )

        def over() -> bool:
            return self.visit.dose is not None or bool(self.visit.ending) or self.stopping

        if await Deadline("give dose", self.latest_dose_at()).passes(unless=over):
            self._overdue(task)
            await workflow.wait_condition(over)
        if self.visit.dose is not None:
            self.close_task(task)
        else:
            self.cancel_task(task, "no dose was given")

    def latest_dose_at(self) -> datetime:
        assert self.visit.booking is not None
        return self.visit.booking.ends_at

    def after_questionnaires(self, command: SubmitQuestionnaires) -> None:
        for answers in command.questionnaires:
            self.fresh.add(answers.instrument)
            if answers.instrument is InstrumentId.CSSRS:
                self.visit.screened_at = self.when(command)

    @workflow.update
    async def order_dose(self, command: OrderDose) -> DoseOrderAnswer:
        """Compute the dose from today's weight and print what it was computed from; refuse what exceeds a bound."""
        now = workflow.now()
        amount = command.mg_per_kg if command.mg_per_kg is not None else command.dose_mg
        assert amount is not None
        order = compute_dose(
            amount,
            self.weight(),
            self.start.baseline.height_cm,
            self.protocol,
            now,
            infusion_minutes=self.start.plan.content.infusion_minutes,
        )
        given = [*self.start.past_doses, *(one.dose for one in self.visit.given)]
        allowed = dose_allowed(order, self.plan_dose(), self.todays_doses(given), self.protocol, now)
        if not allowed.passes:
            raise refusal("dose-out-of-bounds", "this dose is outside the bounds", reasons=allowed.objections)
        at = self.when(command)
        self.visit.ordered, self.visit.order, self.visit.order_given = command, order, False
        sheet = self.sheet_for(command, order, at)
        self.visit.ordered_by.append(command.actor.id)
        self.visit.prescriber_present = True
        for fact in (
            PrescriberPresent(session=self.number, present=True),
            ConsentReaffirmed(session=self.number, capacity=command.capacity_today),
            DoseOrdered(
                session=self.number,
                order=order,
                plan_hash=self.start.plan.plan_hash,
                order_id=sheet.order_id,
            ),
            sheet,
        ):
            self.journal.note(command.key, fact, actor=command.actor, at=at)
        self.print_soon(sheet)
        await self.journal.written()
        return DoseOrderAnswer(state="ordered", at=at, order=order, reasons=allowed.reasons)

    @order_dose.validator
    def _may_order_dose(self, command: OrderDose) -> None:
        self._require_time_for_a_dose()
        require_role(command.actor, Role.PRESCRIBER)
        if self.visit.checked_in is None:
            raise refusal("not-possible-now", "the patient is not checked in")
        for therapist in self.visit.therapists:
            apart = separate_people(therapist, command.actor.id)
            require(apart, "separation-of-duties", "the therapist of this session orders no dose in it")
        if fault := basis_fault(command.mg_per_kg, command.dose_mg, self.protocol):
            errors = [{"pointer": "/mg_per_kg", "detail": fault, "code": "basis"}]
            raise refusal("dose-out-of-bounds", fault, errors=errors)
        if isinstance(self.protocol.dosing, ByWeight) and self.visit.checked_in.weight_kg is None:
            raise refusal("dose-out-of-bounds", "this route is dosed by weight: weigh the patient first")
        if not command.consent_reaffirmed or not command.capacity_today:
            raise refusal("consent-required", "consent and capacity have to be confirmed today")

    @workflow.update
    async def give_dose(self, command: GiveDose) -> Accepted:
        """The gate, then the dose. Green and written, or refused with every gate that is closed."""
        self.dosing = True
        try:
            while not await self._dose_written(command):
                pass  # the record went on between the look and the act: look again
        finally:
            self.dosing = False
        given = self.visit.given[-1]
        detail = {"dose_mg": f"{command.dose_mg:f}", "dose_id": given.dose_id}
        return Accepted(state="in-progress", at=given.dose.given_at, detail=detail)

    def _require_time_for_a_dose(self) -> None:
        """Before the first dose; or after one, when the plan has a booster and the patient is in the chair."""
        if self.visit.dose is None or self.dosing or not self.start.plan.content.boosters:
            return self.require_before_dose()
        self.require_in_chair()
        if self.stopping or self.visit.ending:
            raise refusal("not-possible-now", "this session is over")

    @give_dose.validator
    def _may_give_dose(self, command: GiveDose) -> None:
        # Only what can never have been recorded under this key is refused here; the rest asks the record.
        require_role(command.actor, Role.NURSE, Role.PRESCRIBER)
        if self.dosing:
            raise refusal("not-possible-now", "a dose is being recorded at this moment")
        if self.visit.order is None or self.visit.checked_in is None:
            raise refusal("gate-closed", "no dose is ordered")

    async def _dose_written(self, command: GiveDose) -> bool:
        facts = await self._read_facts(command.container_id)
        now = workflow.now()
        if self._adopted(command, facts):
            return True
        self.require_order_not_given()
        gate = self.gate(command, facts, now)
        await self._refuse_if_closed(command, gate, now)
        order = self.visit.order
        assert order is not None
        dose = DoseGiven(
            session=self.number,
            dose_id=f"{self.part}/dose/{len(self.visit.given) + 1}",
            dose_mg=command.dose_mg,
            mg_per_kg=order.mg_per_kg,
            weight_kg=None if order.weight_kg is None else float(order.weight_kg),
            given_at=now,
            plan_hash=command.plan_hash,
            lot=command.lot,
            checked_by=command.second_check_by,
            booster=bool(self.visit.given),
            container_id=command.container_id,
            units=order.units,
            drawn_mg=self.drawn_mg(command),
        )
        green = GateEvaluated(session=self.number, green=True, reasons=gate.reasons)
        entries = tuple(
            Entry(key=self._key(command, kind), occurred_at=now, actor=command.actor, fact=fact)
            for kind, fact in (("gate", green), ("dose", dose))
        )
        entries += self._form_entries(now)
        if not await self._write_if_unchanged(entries, facts.last_seq):
            return False
        self._take_up(entries[1].key, dose, self.drawn_mg(command))
        self._mind_form()
        return True

    def _form_entries(self, given_at: datetime) -> tuple[Entry, ...]:
        """The form that the first dose of a session asks for is owed from the same moment, in the same write."""
        owed = None if self.visit.given else rems_form(given_at, self.protocol)
        if owed is None or owed.due_at is None:
            return ()
        task_id = self.form_task()
        opened = TaskOpened(
            task_id=task_id,
            code=owed.duty,
            owner=owed.owner,
            due_at=owed.due_at,
            reason="the monitoring form of this dose has to be submitted",
        )
        return (Entry(key=f"{self.part}:task/{task_id}", occurred_at=given_at, actor=ENGINE, fact=opened),)

    def _mind_form(self) -> None:
        """Show who owes it while the patient is in the chair; its clock is the journey's."""
        for one in self.form_owed():
            self.adopt_task(one.task_id, one.duty.code, one.duty.owner, one.duty.due_at, one.duty.opened_at)

    def _take_up(self, key: str, dose: DoseGiven, drawn_mg: Decimal) -> None:
        self.visit.order_given = True
        self.visit.given.append(
            Given(
                dose_id=dose.dose_id,
                key=key,
                dose=PastDose(
                    session=self.number,
                    given_at=dose.given_at,
                    dose_mg=dose.dose_mg,
                    mg_per_kg=dose.mg_per_kg,
                ),
                drawn_mg=drawn_mg,
            )
        )

    def require_order_not_given(self) -> None:
        if self.stopping or self.visit.ending:
            raise refusal(
                "consent-required" if self._withdrawn() else "not-possible-now", "this session is over"
            )
        if self.visit.order_given:
            raise refusal("not-possible-now", "the dose has been given")

    def _withdrawn(self) -> bool:
        return self.stop_asked is not None and self.stop_asked.withdrawn

    def _key(self, command: GiveDose, kind: str) -> str:
        return f"{self.part}:{command.key}:{kind}"

    def _adopted(self, command: GiveDose, facts: DosingFacts) -> bool:
        """Is this dose in the record already, from an answer that was lost? Another one nobody here knows of is
        a second dose, and refused (H3).
        """
        known = {one.key for one in self.visit.given}
        for found in (dose for dose in facts.doses if dose.session == self.number and dose.key not in known):
            if found.key != self._key(command, "dose"):
                raise refusal("not-possible-now", "a dose of this session is in the record already")
            order = self.visit.order
            self.visit.order_given = True
            self.visit.given.append(
                Given(
                    dose_id=f"{self.part}/dose/{len(self.visit.given) + 1}",
                    key=found.key,
                    dose=PastDose(
                        session=self.number,
                        given_at=found.given_at,
                        dose_mg=found.dose_mg,
                        mg_per_kg=found.mg_per_kg,
                    ),
                    drawn_mg=(order.drawn_mg if order else None) or found.dose_mg,
                )
            )
            self._mind_form()
            return True
        return any(one.key == self._key(command, "dose") for one in self.visit.given)

    async def _read_facts(self, container_id: str | None) -> DosingFacts:
        await self.journal.written()
        return await workflow.execute_local_activity_method(
            RecordActivities.read_dosing_facts,
            DosingQuestion(journey_id=self.journey_id, container_id=container_id),
            summary="what the dose rests on",
            **WRITE,
        )

    async def _write_if_unchanged(self, entries: tuple[Entry, ...], seen: int) -> bool:
        batch = Batch(journey_id=self.journey_id, entries=entries, expected_seq=seen)
        try:
            await workflow.execute_local_activity_method(
                RecordActivities.record_facts, batch, summary="gate.evaluated, dose.given", **WRITE
            )
        except ACTIVITY_FAILED as error:
            if failure_code(error) == "record-moved":
                return False
            raise RuntimeError("the record refused a dose") from error
        return True

    async def _refuse_if_closed(self, command: GiveDose, gate: Decision, now: datetime) -> None:
        if gate.passes:
            return
        closed = GateEvaluated(session=self.number, green=False, reasons=gate.objections)
        self.journal.note(command.key, closed, actor=command.actor, at=now)
        await self.journal.written()
        code = "consent-required" if all(r.rule.startswith("G2") for r in gate.objections) else "gate-closed"
        raise refusal(code, "the gate is closed", reasons=gate.objections)
