"""What must follow from an adverse event? It is recorded, what it asks for is owed, and a serious one stops doses."""

from datetime import datetime

from temporalio import workflow

from clinical.adverse_events import (
    KEPT_UNTIL_DONE,
    AdverseEvent,
    Duty,
    Required,
    duplicate_of,
    follow_through,
    suggested_grade,
)
from clinical.events import AdverseEventRecorded
from clinical.journey import FINAL, Stage
from clinical.people import CLINICIANS, ENGINE, Actor
from workflows import names
from workflows.duties import Duties
from workflows.messages import (
    Accepted,
    AdmissionOrAttempt,
    AmendAdverseEvent,
    Command,
    DutyOwed,
    KnownEvent,
    ReportAdverseEvent,
)
from workflows.refusals import refusal, require_role


class AdverseEvents(Duties):
    """Every version of an event stays; what an earlier telling brought with it is not owed twice."""

    @workflow.update
    async def report_adverse_event(self, command: ReportAdverseEvent) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        known = {name: one.event for name, one in self.state.adverse_events.items()}
        event_id = f"ae-{len(known) + 1}"
        entry = KnownEvent(
            event=command.event, session=command.session, linked_to=duplicate_of(command.event, known)
        )
        return await self._take_event(command, event_id, entry, "recorded")

    @report_adverse_event.validator
    def _may_report_adverse_event(self, command: ReportAdverseEvent) -> None:
        require_role(command.actor, *CLINICIANS)
        self.require_open(command)

    @workflow.update
    async def amend_adverse_event(self, command: AmendAdverseEvent) -> Accepted:
        """Complete a draft, or correct what is known: a further version, the earlier ones stay."""
        if earlier := self.answered(command):
            return earlier
        before = self.state.adverse_events[command.event_id]
        entry = before.model_copy(update={"event": command.event, "version": before.version + 1})
        if not command.event.is_draft:
            self._draft_completed(command.event_id, command.actor)
        return await self._take_event(command, command.event_id, entry, "amended")

    @amend_adverse_event.validator
    def _may_amend_adverse_event(self, command: AmendAdverseEvent) -> None:
        require_role(command.actor, *CLINICIANS)
        self.require_open(command)
        known = self.state.adverse_events.get(command.event_id)
        if known is None:
            raise refusal("not-found", "the course has no such adverse event")
        if command.event.is_draft and not known.event.is_draft:
            raise refusal("reason-required", "what was judged once is not left unjudged")

    async def _take_event(
        self, command: ReportAdverseEvent | AmendAdverseEvent, event_id: str, entry: KnownEvent, state: str
    ) -> Accepted:
        """Write this version down, and owe what it asks for beyond what the earlier ones did."""
        event = entry.event
        self.journal.note(
            command.key,
            AdverseEventRecorded(
                session=entry.session,
                event=event,
                event_id=event_id,
                version=entry.version,
                linked_to=entry.linked_to,
            ),
            actor=command.actor,
            at=self.when(command),
        )
        required = sorted(follow_through(event, self.protocol), key=lambda duty: duty.duty)
        linked = self.state.adverse_events.get(entry.linked_to or "")
        before = self.state.adverse_events.get(event_id)
        known_before = any(one and one.event.is_admission_or_attempt for one in (before, linked))
        owed = {*entry.owed, *(linked.owed if linked else ())}
        for duty in required:
            if duty.duty not in owed:
                self._owe(command, duty, event_id, entry)
        kept = tuple(sorted({*entry.owed, *(duty.duty for duty in required)}))
        self.state.adverse_events[event_id] = entry.model_copy(update={"owed": kept})
        if Duty.SUSPEND_PLAN in kept and Duty.SUSPEND_PLAN not in entry.owed:
            await self._suspend(command)
        if event.is_admission_or_attempt and not known_before:
            await self._tell_follow_up(event)
        detail = {"duties": ", ".join(duty.duty for duty in required), "event_id": event_id}
        if entry.linked_to:
            detail["linked_to"] = entry.linked_to
        if (suggested := suggested_grade(event)) is not None and suggested != event.grade:
            detail["suggested_grade"] = f"{suggested:d}"
        return await self.reply(command, state, **detail)

    async def _suspend(self, command: Command) -> None:
        if self.state.suspended or self.state.stage in FINAL:
            return
        self.state.suspended = True
        if not self.on_hold:
            await self.begin_hold(f"{command.key}/hold", "serious adverse event", ENGINE, workflow.now())

    async def _tell_follow_up(self, event: AdverseEvent) -> None:
        """After a response an admission or an attempt is a relapse, without waiting for two readings (§7.2)."""
        self.state.admissions.append(event.onset_at)
        if self.state.stage is Stage.FOLLOW_UP:
            part_id = names.follow_up_id(self.journey_id, self.state.follow_up_rounds)
            await self.tell_part(part_id, "admitted", AdmissionOrAttempt(at=event.onset_at))

    def _draft_completed(self, event_id: str, actor: Actor) -> None:
        for task_id, duty in list(self.state.duties.items()):
            if duty.code == Duty.COMPLETE_DRAFT and duty.event_id == event_id:
                self.settle_duty(task_id, actor, "judged")

    def _owe(
        self,
        command: ReportAdverseEvent | AmendAdverseEvent,
        required: Required,
        event_id: str,
        entry: KnownEvent,
    ) -> None:
        if required.duty is Duty.PAGE_NOW:
            self.page(required.owner, f"adverse-event/{command.key}")
        if required.duty not in KEPT_UNTIL_DONE or required.due_at is None:
            return
        session = entry.session or self._session_at(entry.event.dose_at)
        if required.duty is Duty.SUBMIT_REMS_FORM and self._form_is_owed(session):
            return
        owed = DutyOwed(
            code=required.duty,
            owner=required.owner,
            due_at=required.due_at,
            reason="an adverse event asks for it",
            event_id=event_id,
            session=session,
            opened_at=self.today(),
        )
        task_id = self.open_task(
            required.duty, owed.owner, owed.due_at, owed.reason, f"{event_id}.{entry.version}"
        )
        self.state.duties[task_id] = owed

    def _session_at(self, dose_at: datetime | None) -> int | None:
        """In which session was this dose given? The one that is going on, if none of those before."""
        if dose_at is None:
            return None
        past = [dose.session for dose in self.state.doses if dose.given_at >= dose_at]
        return min(past, default=self.state.visits)

    def _form_is_owed(self, session: int | None) -> bool:
        """Every session with a dose owes its form by itself, until it was sent; only then another one is due."""
        if session is None or session not in self.state.forms_owed:
            return True  # the session is still going on, and hands its own form over when the patient is home
        return any(
            duty.code == Duty.SUBMIT_REMS_FORM and duty.session == session
            for duty in self.state.duties.values()
        )
