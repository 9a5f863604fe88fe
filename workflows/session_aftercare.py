"""Is the person looked after when they are home? A call the next day, and the integration in its window."""

import asyncio
from datetime import timedelta

from temporalio import workflow

from clinical.events import IntegrationHeld, IntegrationMissed, NextDayContact
from clinical.people import Role
from clinical.protocol import Ask
from workflows.messages import Accepted, RecordContact, RecordIntegration
from workflows.part import Answer
from workflows.refusals import refusal, require_role
from workflows.visit import Session


class Aftercare(Session):
    async def look_after(self) -> None:
        await asyncio.gather(self._call_next_day(), self._integrate())

    async def _call_next_day(self) -> None:
        discharged = self.visit.discharged_at
        assert discharged is not None
        called = await self.ask(
            "next-day-contact",
            self.protocol.therapy.next_day_contact,
            "the patient has to be called the day after",
            done=lambda: bool(self.visit.contact_reached),
            since=discharged,
        )
        if called is Answer.GAVE_UP:
            # Somebody who cannot be reached after a dose is a worry for a prescriber, not a closed task.
            await self.ask(
                "patient-not-reached",
                self.protocol.therapy.not_reached,
                "the patient was not reached after the dose",
                done=lambda: bool(self.visit.contact_reached),
            )

    async def _integrate(self) -> None:
        """Due in the protocol's window after the dose; missed is recorded and blocks the next dose, not forgotten."""
        dose, therapy = self.visit.dose, self.protocol.therapy
        assert dose is not None

        def held() -> bool:
            return self.visit.integration_held_at is not None

        blocks_after = therapy.integration_blocks_after_days * 24
        window = Ask(
            owner=Role.THERAPIST, due_hours=therapy.integration_due_hours, give_up_hours=blocks_after
        )
        done = await self.ask(
            "hold-integration", window, "the integration session is due", done=held, since=dose.given_at
        )
        if done is not Answer.GAVE_UP:
            return
        due_at = dose.given_at + timedelta(hours=therapy.integration_due_hours)
        self.journal.note("integration", IntegrationMissed(session=self.number, due_at=due_at))
        late = self.protocol.therapy.late_integration
        await self.ask("late-integration", late, "the integration session was missed", done=held)

    @workflow.update
    async def record_contact(self, command: RecordContact) -> Accepted:
        self.visit.contact_attempts += 1
        self.visit.contact_reached = command.reached
        fact = NextDayContact(session=self.number, reached=command.reached, concerns=command.concerns)
        self.journal.note(command.key, fact, actor=command.actor, at=self.when(command))
        return await self.accept("reached" if command.reached else "not-reached", self.when(command))

    @record_contact.validator
    def _may_record_contact(self, command: RecordContact) -> None:
        require_role(command.actor, Role.NURSE, Role.THERAPIST, Role.PRESCRIBER)
        if self.visit.discharged_at is None:
            raise refusal("not-possible-now", "the patient has not been discharged")
        if self.visit.contact_reached:
            raise refusal("not-possible-now", "the contact is recorded already")

    @workflow.update
    async def record_integration(self, command: RecordIntegration) -> Accepted:
        self.visit.integration_held_at = command.held_at
        fact = IntegrationHeld(session=self.number, held_at=command.held_at)
        self.journal.note(command.key, fact, actor=command.actor, at=command.held_at)
        return await self.accept("held", command.held_at)

    @record_integration.validator
    def _may_record_integration(self, command: RecordIntegration) -> None:
        require_role(command.actor, Role.THERAPIST)
        discharged = self.visit.discharged_at
        if discharged is None:
            raise refusal("not-possible-now", "the patient has not been discharged")
        if self.visit.integration_held_at is not None:
            raise refusal("not-possible-now", "the integration is recorded already")
        if not discharged <= command.held_at <= workflow.now():
            raise refusal("invalid-time", "the integration lies before the discharge or in the future")
