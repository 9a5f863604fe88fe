"""Is the person looked after when they are home? A call the next day, and the integration in its window."""

import asyncio
from datetime import timedelta

from temporalio import workflow

from clinical.events import (
    ConcernsReviewed,
    IntegrationHeld,
    IntegrationMissed,
    IntegrationWaived,
    NextDayContact,
)
from clinical.people import LICENSED_TO_CLOSE_RISK, Role
from clinical.protocol import Ask
from clinical.therapy import integration_record_refused
from workflows.messages import (
    Accepted,
    RecordContact,
    RecordIntegration,
    ReviewConcerns,
    WaiveIntegration,
)
from workflows.part import Answer
from workflows.refusals import refusal, require_role
from workflows.visit import Session

CONCERNS = "review-concerns"


class Aftercare(Session):
    async def look_after(self) -> None:
        await asyncio.gather(self._hear_from_the_patient(), self._integrate())

    async def _hear_from_the_patient(self) -> None:
        """The call, and at once somebody licensed to look at whatever worry it brought."""
        call = asyncio.create_task(self._call_next_day())
        await workflow.wait_condition(lambda: call.done() or self._concerned())
        while self._concerned():
            await self._review_concerns()
            await workflow.wait_condition(lambda: call.done() or self._concerned())
        await call

    def _concerned(self) -> bool:
        return self.visit.concerns_at is not None and not self.visit.concerns_reviewed and not self.stopping

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

    async def _review_concerns(self) -> None:
        """What worried the patient stays somebody's task until a licensed clinician has looked at it."""
        self.visit.concerns_asked += 1
        await self.ask(
            CONCERNS,
            self.protocol.therapy.not_reached,
            "concerns were told on the day after the dose: read them in the timeline",
            done=lambda: self.visit.concerns_reviewed,
            occurrence=f"{self.visit.concerns_asked}",
        )

    async def _integrate(self) -> None:
        """Due in the protocol's window after the dose; missed is recorded and blocks the next dose, not forgotten."""
        dose, therapy = self.visit.dose, self.protocol.therapy
        assert dose is not None

        def held() -> bool:
            return self.visit.integration_held_at is not None or self.visit.integration_waived_at is not None

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
        if (command.concerns or "").strip() and command.actor.role is not Role.PRESCRIBER:
            # A prescriber who hears them needs no task to do so.
            self.visit.concerns_at, self.visit.concerns_reviewed = self.when(command), False
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
        fact = IntegrationHeld(
            session=self.number,
            held_at=command.held_at,
            note_id=command.note_id,
            note_hash=command.note_hash,
        )
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
        if faults := integration_record_refused(command.actor.id, command.note_id or command.note):
            errors = [{"pointer": f"/{f.field}", "detail": f.text, "code": "missing"} for f in faults]
            raise refusal(
                "note-required", "an integration is held by a therapist who writes a note", errors=errors
            )

    @workflow.update
    async def waive_integration(self, command: WaiveIntegration) -> Accepted:
        """The therapist lets the next dose go on without this integration, and says why."""
        at = self.when(command)
        self.visit.integration_waived_at = at
        fact = IntegrationWaived(session=self.number, reason=command.reason)
        self.journal.note(command.key, fact, actor=command.actor, at=at)
        return await self.accept("waived", at)

    @waive_integration.validator
    def _may_waive_integration(self, command: WaiveIntegration) -> None:
        require_role(command.actor, Role.THERAPIST)
        if self.visit.discharged_at is None:
            raise refusal("not-possible-now", "the patient has not been discharged")
        if self.visit.integration_held_at is not None or self.visit.integration_waived_at is not None:
            raise refusal("not-possible-now", "the integration is held or waived already")
        if not command.reason.strip():
            raise refusal("reason-required", "say why the integration is waived")

    @workflow.update
    async def review_concerns(self, command: ReviewConcerns) -> Accepted:
        """A licensed clinician has read the concerns of the day after and says what follows."""
        at = self.when(command)
        self.visit.concerns_reviewed = True
        fact = ConcernsReviewed(session=self.number, assessment=command.assessment)
        self.journal.note(command.key, fact, actor=command.actor, at=at)
        return await self.accept("reviewed", at)

    @review_concerns.validator
    def _may_review_concerns(self, command: ReviewConcerns) -> None:
        require_role(command.actor, *sorted(LICENSED_TO_CLOSE_RISK))
        if self.visit.concerns_at is None or self.visit.concerns_reviewed:
            raise refusal("not-possible-now", "no concerns of this session wait for a review")
        if not command.assessment.strip():
            raise refusal("reason-required", "say what follows from the concerns")
