"""When may somebody go home, and what does the course hear of it? The rules decide; a prescriber may say why not."""

from datetime import datetime

from temporalio import workflow

from clinical.discharge import DischargeFacts, RecoveryCheck, override_allowed, ready_for_discharge
from clinical.events import SessionDischarged
from clinical.instruments.answers import InstrumentId
from clinical.people import Role
from workflows.messages import (
    Accepted,
    Discharge,
    SessionDischargedSignal,
)
from workflows.refusals import refusal, require_role
from workflows.visit import Session


class GoingHome(Session):
    def home(self) -> bool:
        return self.visit.discharged_at is not None

    @workflow.update
    async def discharge(self, command: Discharge) -> Accepted:
        """Home only when every criterion is met, or a prescriber says why one need not be."""
        now = workflow.now()
        decision = ready_for_discharge(self._discharge_facts(command), self.protocol, now)
        overridden = not decision.passes
        if overridden:
            decision = override_allowed(
                command.actor.role, command.override_reason or "", decision, self.protocol
            )
        self.visit.discharged_at = now
        self.journal.note(
            command.key,
            SessionDischarged(
                session=self.number,
                discharged_at=now,
                checklist=decision.reasons,
                overridden=overridden,
                override_reason=command.override_reason if overridden else None,
            ),
            actor=command.actor,
            at=now,
        )
        if overridden:
            self.page(Role.MEDICAL_DIRECTOR, "discharge-override")
        return await self.accept("finished", now, overridden=str(overridden).lower())

    async def tell_journey(self, at: datetime) -> None:
        dose = self.visit.whole_dose
        assert dose is not None
        instrument = InstrumentId(self.protocol.baseline_instruments[self.start.indication][0])
        signal = SessionDischargedSignal(
            session=self.number,
            at=at,
            dose=dose,
            primary=self.results.get(instrument) if instrument in self.fresh else None,
            weight_kg=self.visit.checked_in.weight_kg if self.visit.checked_in else None,
            checks=self.visit.checked_in.checks if self.visit.checked_in else (),
            duties=self.leave_to_journey(),
        )
        await workflow.get_external_workflow_handle(self.journey_id).signal("session_discharged", signal)

    @discharge.validator
    def _may_discharge(self, command: Discharge) -> None:
        self.require_in_chair()
        require_role(command.actor, Role.NURSE, Role.PRESCRIBER)
        decision = ready_for_discharge(self._discharge_facts(command), self.protocol, workflow.now())
        if decision.passes:
            return
        if command.override_reason:
            overridden = override_allowed(
                command.actor.role, command.override_reason, decision, self.protocol
            )
            if overridden.passes:
                return
            decision = overridden
        raise refusal("discharge-criteria-unmet", "not every criterion is met", reasons=decision.objections)

    def _discharge_facts(self, command: Discharge) -> DischargeFacts:
        visit, dose = self.visit, self.visit.dose
        assert dose is not None
        ordered = sorted(visit.observed, key=lambda seen: seen.reading.taken_at)
        last = ordered[-1] if ordered else None
        scored = [seen for seen in ordered if seen.cadss6 is not None]
        asked = [seen for seen in ordered if seen.oriented is not None]
        screen = self.results.get(InstrumentId.CSSRS) if InstrumentId.CSSRS in self.fresh else None
        return DischargeFacts(
            started_at=dose.given_at,
            ended_at=visit.doses_ended_at,
            extended=self.start.baseline.extended_observation or len(visit.given) > 1,
            recovery_checks=tuple(
                RecoveryCheck(at=seen.reading.taken_at, padss=seen.padss)
                for seen in ordered
                if seen.padss is not None
            ),
            moaas=last.reading.moaas if last else None,
            oriented=asked[-1].oriented if asked else None,
            cadss6=scored[-1].cadss6 if scored else None,
            baseline_cadss6=visit.checked_in.cadss6_baseline if visit.checked_in else None,
            clinician_attests_dissociation=command.dissociation_attested or None,
            last_reading=last.reading if last else None,
            spo2_on_room_air=last.reading.spo2_percent if last else None,
            suicide_level=screen.risk_level if screen else None,
            escort_present=command.escort_present,
            instructions_given=command.instructions_given,
            prescriber_on_site_throughout=visit.prescriber_present and not visit.prescriber_left,
            signed_off_by=command.actor.role,
        )
