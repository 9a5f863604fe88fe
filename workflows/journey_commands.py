"""What may people say to a journey as a whole? Its updates, each with a validator that refuses before history."""

from datetime import timedelta

from temporalio import workflow

from activities.notifications import TemplateName
from clinical.consent import ConsentRecord, consent_live
from clinical.events import (
    ConsentGiven,
    ConsentWithdrawn,
    ConsultationBooked,
    ConsultationHeld,
    DecisionMade,
    JourneyResumed,
    PreparationHeld,
)
from clinical.follow_up import decision_allowed
from clinical.journey import FINAL, Move, Stage
from clinical.people import Role
from workflows.adverse_events import AdverseEvents
from workflows.messages import (
    Accepted,
    BookConsultation,
    ConsentTaken,
    DecideCourse,
    GiveConsent,
    Hold,
    Leave,
    Pause,
    RecordConsultation,
    RecordPreparation,
    Resume,
    StartJourney,
)
from workflows.refusals import refusal, require, require_role
from workflows.risk_watch import RiskWatch


class JourneyCommands(AdverseEvents, RiskWatch):
    """The doors of a journey. A command that was answered before gets the same answer again."""

    @workflow.update(name="start")
    async def start_journey(self, command: StartJourney) -> Accepted:
        """Learn whether the course was accepted: the first fact is in the record."""
        if earlier := self.answered(command):
            return earlier
        await workflow.wait_condition(lambda: self.entered or bool(self.refused))
        if self.refused:
            raise refusal(self.refused, "the course cannot be started")
        await self.journal.written()
        return await self.reply(command, self.state.stage, journey_id=self.journey_id)

    @workflow.update
    async def book_consultation(self, command: BookConsultation) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        moved = self.state.consultation is not None
        self.state.consultation = command
        self.cancel_tasks_of("record-consultation", "the consultation was moved")
        self.journal.note(
            command.key,
            ConsultationBooked(starts_at=command.starts_at, ends_at=command.ends_at),
            actor=command.actor,
            at=self.when(command),
        )
        self.tell_patient(
            TemplateName.CONSULTATION_BOOKED,
            f"consultation/{command.key}",
            command.starts_at,
            starts_at=command.starts_at.isoformat(),
        )
        return await self.reply(command, "moved" if moved else "booked")

    @book_consultation.validator
    def _may_book_consultation(self, command: BookConsultation) -> None:
        if self.answered(command):
            return
        self.require_stage(Stage.REFERRED, Stage.CONSULTATION)
        if self.state.consultation_held is not None:
            raise refusal("not-possible-now", "the consultation has been held")
        if command.ends_at <= command.starts_at:
            raise refusal("invalid-time", "the end must come after the start")
        if command.starts_at <= workflow.now():
            raise refusal("invalid-time", "the start lies in the past")

    @workflow.update
    async def record_consultation(self, command: RecordConsultation) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        self.state.consultation_held = command
        self.journal.note(
            command.key,
            ConsultationHeld(outcome=command.outcome, reason=command.reason),
            actor=command.actor,
            at=self.when(command),
        )
        return await self.reply(command, command.outcome)

    @record_consultation.validator
    def _may_record_consultation(self, command: RecordConsultation) -> None:
        if self.answered(command):
            return
        self.require_stage(Stage.CONSULTATION)
        require_role(command.actor, Role.PRESCRIBER, Role.THERAPIST, Role.MEDICAL_DIRECTOR)
        if self.state.consultation_held is not None:
            raise refusal("not-possible-now", "the outcome of the consultation is recorded already")
        booked = self.state.consultation
        if booked is not None and self.when(command) < booked.starts_at:
            raise refusal("invalid-time", "the consultation has not begun")

    @workflow.update
    async def give_consent(self, command: GiveConsent) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        self.state.consent = taken = self._consent_from(command)
        self.journal.note(
            command.key,
            ConsentGiven(
                document_version=taken.document_version,
                elements=taken.elements,
                capacity_attested_by=taken.capacity_attested_by,
                expires_at=taken.expires_at,
            ),
            actor=command.actor,
            at=taken.given_at,
        )
        return await self.reply(command, "active")

    @give_consent.validator
    def _may_give_consent(self, command: GiveConsent) -> None:
        if self.answered(command):
            return
        self.require_stage(
            Stage.CONSULTATION, Stage.SCREENING, Stage.PLANNING, Stage.PREPARATION, Stage.TREATING
        )
        require_role(command.actor, Role.PRESCRIBER, Role.THERAPIST, Role.MEDICAL_DIRECTOR)
        if command.document_version != self.protocol.consent.document_version:
            raise refusal(
                "consent-superseded",
                f"the current document is version {self.protocol.consent.document_version}",
            )
        if not command.capacity_attested:
            raise refusal("consent-required", "capacity to consent must be attested by who takes the consent")
        taken = self._consent_from(command)
        record = ConsentRecord(
            document_version=taken.document_version,
            elements=taken.elements,
            given_at=taken.given_at,
            withdrawn_at=None,
            capacity_attested_by=taken.capacity_attested_by,
        )
        require(
            consent_live(record, self.protocol, workflow.now()), "consent-required", "consent is incomplete"
        )

    def _consent_from(self, command: GiveConsent) -> ConsentTaken:
        given_at = self.when(command)
        return ConsentTaken(
            document_version=command.document_version,
            elements=command.elements,
            given_at=given_at,
            expires_at=given_at + timedelta(days=self.protocol.consent.valid_days),
            capacity_attested_by=command.actor.id,
        )

    @workflow.update
    async def record_preparation(self, command: RecordPreparation) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        self.state.preparations.append(command.held_at)
        number = len(self.state.preparations)
        self.journal.note(
            command.key,
            PreparationHeld(number=number, held_at=command.held_at),
            actor=command.actor,
            at=command.held_at,
        )
        return await self.reply(command, "held", number=str(number))

    @record_preparation.validator
    def _may_record_preparation(self, command: RecordPreparation) -> None:
        if self.answered(command):
            return
        self.require_stage(Stage.PREPARATION, Stage.TREATING)
        require_role(command.actor, Role.THERAPIST)
        if command.held_at > workflow.now():
            raise refusal("invalid-time", "the preparation lies in the future")

    @workflow.update
    async def decide_course(self, command: DecideCourse) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        self.state.decision = command
        self.journal.note(
            command.key,
            DecisionMade(after_dose=len(self.state.doses), choice=command.choice, reason=command.reason),
            actor=command.actor,
            at=self.when(command),
        )
        return await self.reply(command, command.choice)

    @decide_course.validator
    def _may_decide_course(self, command: DecideCourse) -> None:
        if self.answered(command):
            return
        self.require_stage(Stage.TREATING)
        require_role(command.actor, Role.PRESCRIBER)
        if not any(task.code == "decide-course" for task in self.tasks.values()) or self.state.decision:
            raise refusal("not-possible-now", "no decision is asked for now")
        needed = self.state.decision_needed
        choice = "go-on" if command.choice == "change" else command.choice
        if needed is not None:
            allowed = decision_allowed(choice, command.actor.role, command.reason, needed)
            require(allowed, "reason-required", "this decision cannot be taken so")

    @workflow.update
    async def pause(self, command: Pause) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        await self.begin_hold(command.key, command.reason, command.actor, self.when(command))
        at = workflow.now()
        self.tell_patient(TemplateName.JOURNEY_PAUSED, f"paused/{self.state.pauses}", at + timedelta(days=2))
        return await self.reply(command, "onhold")

    @pause.validator
    def _may_pause(self, command: Pause) -> None:
        if self.answered(command):
            return
        if self.stopping or self.state.stage in FINAL:
            raise refusal("not-possible-now", "the course is over")
        if self.on_hold:
            raise refusal("on-hold", "the course is on hold already")

    @workflow.update
    async def resume(self, command: Resume) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        at = workflow.now()
        assert self.held_since is not None
        self.held_for += at - self.held_since
        self.held_since = None
        self.state.suspended = False
        self.journal.note(
            command.key, JourneyResumed(reason=command.reason), actor=command.actor, at=self.when(command)
        )
        await self.journal.written()
        await self.tell_parts("hold", Hold(on_hold=False, at=at))
        return await self.reply(command, "active")

    @resume.validator
    def _may_resume(self, command: Resume) -> None:
        if self.answered(command):
            return
        if self.stopping or not self.on_hold:
            raise refusal("not-possible-now", "the course is not on hold")
        if self.state.suspended:  # after a serious adverse event only the medical director releases
            require_role(command.actor, Role.MEDICAL_DIRECTOR)

    @workflow.update
    async def leave(self, command: Leave) -> Accepted:
        """Withdraw, transfer or end. Doses are blocked the moment this is answered."""
        if earlier := self.answered(command):
            return earlier
        if self.state.leaving is not None:  # withdrawing twice changes nothing and is no error
            return await self.reply(command, self.state.leaving.move)
        if command.move is Move.WITHDRAW:
            self.journal.note(
                command.key,
                ConsentWithdrawn(channel=command.channel, reason=command.reason),
                actor=command.actor,
                at=self.when(command),
            )
        await self.begin_to_leave(command)
        return await self.reply(command, command.move)

    @leave.validator
    def _may_leave(self, command: Leave) -> None:
        if self.answered(command):
            return
        leaving = self.state.leaving
        if leaving is not None and leaving.move is not command.move:
            raise refusal("not-possible-now", f"the course is being left already ({leaving.move})")
        if leaving is None and self.state.stage in FINAL:
            raise refusal("not-possible-now", "the course is over")
