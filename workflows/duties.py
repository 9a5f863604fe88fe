"""What is owed whatever becomes of the course? Adverse events, reports with a clock, and what they ask for.

A duty has an owner, a deadline, a reminder before it and a ladder of people above it. It is done with proof, or
the medical director lets go of it with a reason when everybody was called: nothing else ends it (H18). A course
that is left or finished stays in the record's hands until its last duty is settled.
"""

from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

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
from clinical.events import AdverseEventRecorded, TaskCancelled, TaskDone, TaskOverdue
from clinical.journey import FINAL, Stage
from clinical.long_term import CheckResult, SafetyCheck, checks_due
from clinical.people import CLINICIANS, ENGINE, Actor, Role
from workflows import names
from workflows.course import Course
from workflows.deadlines import Deadline
from workflows.long_term import is_check, may_record_checks, note_checks, task_code
from workflows.messages import (
    Accepted,
    AdmissionOrAttempt,
    AmendAdverseEvent,
    Command,
    CompleteDuty,
    DutyArose,
    DutyOwed,
    KnownEvent,
    RecordSafetyChecks,
    ReleaseDuty,
    ReportAdverseEvent,
)
from workflows.part import ESCALATES_TO
from workflows.refusals import refusal, require_role


class Duties(Course):
    """Duties have an owner and a deadline; when it passes, one after another above hears of it."""

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        for task_id, duty in self.state.duties.items():
            # A new run takes the open duties over; the record has their tasks already.
            self.adopt_task(task_id, duty.code, duty.owner, duty.due_at)
        async with super().at_work():
            yield

    def minders(self) -> list[Coroutine[Any, Any, None]]:
        return [*super().minders(), self._mind_duties()]

    def cancel_all_tasks(self, reason: str) -> None:
        """What is owed whatever becomes of the course is not cancelled with the rest."""
        kept = {task for task, duty in self.state.duties.items() if duty.code in KEPT_UNTIL_DONE}
        for task_id in [task_id for task_id in self.tasks if task_id not in kept]:
            self.state.duties.pop(task_id, None)
            self.cancel_task(task_id, reason)

    async def settle_duties(self) -> None:
        """Wait until nothing is owed any more. Nothing else goes on by now, and nothing is sent to the patient.

        Until then the record calls the course open, and no other one can be started for the patient: nobody is
        dosed again before what is owed about the last time is settled.
        """
        if self.state.duties:
            self.mute = True
            await workflow.wait_condition(lambda: not self.state.duties)
        self.closed = True

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
        self._must_be_open(command)

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
        self._must_be_open(command)
        known = self.state.adverse_events.get(command.event_id)
        if known is None:
            raise refusal("not-found", "the course has no such adverse event")
        if command.event.is_draft and not known.event.is_draft:
            raise refusal("reason-required", "what was judged once is not left unjudged")

    def _must_be_open(self, command: Command) -> None:
        if not self.answered(command) and self.closed:
            raise refusal("not-possible-now", "the course is closed")

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
                self._settle(task_id, actor, "judged")

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

    @workflow.signal
    def duty_arose(self, arose: DutyArose) -> None:
        """A part of the journey found something that has to outlive it; the task is in the record already."""
        self.take_over([arose])

    def take_over(self, duties: Iterable[DutyArose]) -> None:
        for one in duties:
            duty = one.duty
            if duty.code == Duty.SUBMIT_REMS_FORM and duty.session is not None:
                if duty.session in self.state.forms_owed:
                    continue
                self.state.forms_owed.append(duty.session)
            if one.task_id not in self.state.duties:
                self.state.duties[one.task_id] = duty
                self.adopt_task(one.task_id, duty.code, duty.owner, duty.due_at)

    def ask_checks(self) -> None:
        """Ask for the long-term checks that are due, each once."""
        doses = [dose.given_at for dose in self.state.doses]
        asked = {duty.code for duty in self.state.duties.values()}
        for due in checks_due(doses, self.state.checks, self.protocol, self.today()):
            code = task_code(due.code)
            if code in asked:
                continue
            self.state.checks_asked += 1
            by = self.today() + timedelta(hours=due.within_hours)
            duty = DutyOwed(code=code, owner=due.owner, due_at=by, reason=due.reason.text)
            task_id = self.open_task(code, duty.owner, by, duty.reason, str(self.state.checks_asked))
            self.state.duties[task_id] = duty

    def drop_checks(self, reason: str) -> None:
        """The follow-up asks for what is due by itself."""
        for task_id in [task for task, duty in self.state.duties.items() if is_check(duty.code)]:
            self.state.duties.pop(task_id)
            self.cancel_task(task_id, reason)

    def keep_checks(self, checks: Iterable[SafetyCheck]) -> None:
        """Remember when each was done last; who was asked for it is not asked any more."""
        for check in checks:
            if check.result is CheckResult.NOT_DONE:
                continue
            later = [one for one in self.state.checks if one.code is check.code and one.at > check.at]
            others = [one for one in self.state.checks if one.code is not check.code]
            self.state.checks = [*others, *(later or [check])]
            for task_id in [t for t, d in self.state.duties.items() if d.code == task_code(check.code)]:
                self._settle(task_id, ENGINE, check.result)

    @workflow.update
    async def record_safety_checks(self, command: RecordSafetyChecks) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        self.take_over(note_checks(self, command, command.checks, self.protocol, None))
        self.keep_checks(command.checks)
        return await self.reply(command, "recorded")

    @record_safety_checks.validator
    def _may_record_safety_checks(self, command: RecordSafetyChecks) -> None:
        if self.answered(command):
            return
        may_record_checks(command, self.today())
        self._must_be_open(command)
        if self.state.stage is Stage.FOLLOW_UP:
            raise refusal("not-possible-now", f"follow-up {self.state.follow_up_rounds} takes it")

    async def _mind_duties(self) -> None:
        while True:
            await workflow.wait_condition(lambda: self._next_duty() is not None)
            following = self._next_duty()
            assert following is not None
            at, task_id = following
            code = self.state.duties[task_id].code
            if await Deadline(code, at).passes(unless=partial(self._moved_on_from, following)):
                self._remind_or_go_up(task_id)

    def _moved_on_from(self, following: tuple[datetime, str]) -> bool:
        return self._next_duty() != following

    def _next_duty(self) -> tuple[datetime, str] | None:
        """Which duty has something to be said about it next, and when?"""
        waiting = [(at, task) for task, duty in self.state.duties.items() if (at := self._speaks_at(duty))]
        return min(waiting, default=None)

    def _speaks_at(self, duty: DutyOwed) -> datetime | None:
        """Before it is due to its owner, then step by step to those above; None when everybody was called."""
        step = timedelta(hours=self.protocol.reports.remind_hours_before)
        if duty.overdue:
            return None if self._exhausted(duty) else duty.due_at + step * self._steps(duty)
        if not duty.reminded and duty.code == Duty.SUBMIT_REMS_FORM:
            return duty.due_at - step
        return duty.due_at

    def _steps(self, duty: DutyOwed) -> int:
        """How many people above the owner were called so far?"""
        count, role = 0, duty.owner
        while duty.escalated_to is not None and role is not duty.escalated_to:
            count, role = count + 1, ESCALATES_TO.get(role, Role.MEDICAL_DIRECTOR)
        return max(count, 1)

    @staticmethod
    def _exhausted(duty: DutyOwed) -> bool:
        return duty.overdue and duty.escalated_to is Role.MEDICAL_DIRECTOR

    def _remind_or_go_up(self, task_id: str) -> None:
        duty = self.state.duties[task_id]
        if not duty.overdue and not duty.reminded and duty.code == Duty.SUBMIT_REMS_FORM:
            self.page(duty.owner, f"reminder/{task_id}")
            self.state.duties[task_id] = duty.model_copy(update={"reminded": True})
            return
        up = ESCALATES_TO.get(duty.escalated_to or duty.owner, Role.MEDICAL_DIRECTOR)
        again = up.value if duty.overdue else ""
        fact = TaskOverdue(task_id=task_id, escalated_to=up)
        self.journal.note(f"task/{task_id}", fact, at=self.today(), nth=again)
        self.page(up, f"overdue/{task_id}" + (f"/{again}" if again else ""))
        self.show(attention=True)
        self.state.duties[task_id] = duty.model_copy(update={"overdue": True, "escalated_to": up})

    def _settle(self, task_id: str, actor: Actor, evidence: str) -> None:
        self.state.duties.pop(task_id)
        self.tasks.pop(task_id, None)
        fact = TaskDone(task_id=task_id, evidence=evidence)
        self.journal.note(f"task/{task_id}", fact, actor=actor, at=self.today())
        self.show()

    @workflow.update
    async def complete_duty(self, command: CompleteDuty) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        self._settle(command.task_id, command.actor, command.evidence.strip())
        return await self.reply(command, "completed")

    @complete_duty.validator
    def _may_complete_duty(self, command: CompleteDuty) -> None:
        if self.answered(command):
            return
        duty = self._open_duty(command.task_id)
        require_role(command.actor, duty.owner, duty.escalated_to or duty.owner)
        if duty.code == Duty.COMPLETE_DRAFT:
            raise refusal("not-possible-now", "a draft is completed by amending the adverse event")
        if not command.evidence.strip():
            errors = [{"pointer": "/evidence", "detail": "a reference or a sentence", "code": "missing"}]
            raise refusal("reason-required", "say how it was done", errors=errors)

    @workflow.update
    async def release_duty(self, command: ReleaseDuty) -> Accepted:
        """The medical director lets go of what nobody did: with a reason, and after everybody was called."""
        if earlier := self.answered(command):
            return earlier
        self.state.duties.pop(command.task_id)
        self.tasks.pop(command.task_id, None)
        fact = TaskCancelled(task_id=command.task_id, reason=command.reason)
        self.journal.note(f"task/{command.task_id}", fact, actor=command.actor, at=self.today())
        self.show()
        return await self.reply(command, "cancelled")

    @release_duty.validator
    def _may_release_duty(self, command: ReleaseDuty) -> None:
        if self.answered(command):
            return
        require_role(command.actor, Role.MEDICAL_DIRECTOR)
        if not self._exhausted(self._open_duty(command.task_id)):
            raise refusal("not-possible-now", "not everybody who could do it was called yet")

    def _open_duty(self, task_id: str) -> DutyOwed:
        duty = self.state.duties.get(task_id)
        if duty is None:
            raise refusal("not-possible-now", "no such duty is open")
        return duty
