"""Is the dose in, and is the prescriber there? The end of each dose with what was wasted, and who is on site."""

from temporalio import workflow

from clinical.events import DoseEnded, PrescriberPresent
from clinical.people import Role
from workflows.messages import Accepted, EndDose, SetPresence
from workflows.refusals import refusal, require_role
from workflows.visit import Given, Session


class DoseEnd(Session):
    @workflow.update
    async def end_dose(self, command: EndDose) -> Accepted:
        """The drug is in, or was stopped: what was given, wasted, returned, who saw it.

        Less than was drawn up is accepted as fact: the drug books open a discrepancy in the same transaction.
        """
        at = self.when(command)
        dose = self._running()
        assert dose is not None
        dose.end, dose.ended_at = command, at
        self.journal.note(
            command.key,
            DoseEnded(
                session=self.number,
                dose_id=dose.dose_id,
                ended_at=at,
                given_mg=command.given_mg,
                wasted_mg=command.wasted_mg,
                witness=command.witness,
                stopped_early=command.stopped_early,
                reason=command.reason,
                returned_mg=command.returned_mg,
            ),
            actor=command.actor,
            at=at,
        )
        return await self.accept("stopped" if command.stopped_early else "completed", at)

    def _running(self) -> Given | None:
        """The dose that has not ended; there is never more than one."""
        return next((one for one in self.visit.given if one.end is None), None)

    @end_dose.validator
    def _may_end_dose(self, command: EndDose) -> None:
        self.require_in_chair()
        require_role(command.actor, Role.NURSE, Role.PRESCRIBER)
        running = self._running()
        if running is None:
            raise refusal("not-possible-now", "the end of the dose is recorded already")
        if not running.dose.given_at <= self.when(command) <= workflow.now():
            raise refusal("invalid-time", "the end lies before the dose or in the future")
        if command.given_mg + command.wasted_mg + command.returned_mg > running.drawn_mg:
            raise refusal("dose-out-of-bounds", f"more than the {running.drawn_mg:f} mg that were drawn up")
        if command.wasted_mg > 0 and command.witness in (None, command.actor.id):
            raise refusal("separation-of-duties", "waste needs another person as witness")
        if command.stopped_early and not command.reason:
            raise refusal("reason-required", "say why the dose was stopped")

    @workflow.update
    async def set_presence(self, command: SetPresence) -> Accepted:
        """The prescriber comes or goes; to go while somebody is in the chair is recorded and called out."""
        self.visit.prescriber_present = command.present
        if not command.present and self.visit.dose is not None and self.visit.discharged_at is None:
            self.visit.prescriber_left = True
            self.page(Role.MEDICAL_DIRECTOR, f"prescriber-left/{command.key}")
        fact = PrescriberPresent(session=self.number, present=command.present)
        self.journal.note(command.key, fact, actor=command.actor, at=self.when(command))
        return await self.accept("present" if command.present else "away", self.when(command))

    @set_presence.validator
    def _may_set_presence(self, command: SetPresence) -> None:
        require_role(command.actor, Role.PRESCRIBER)
