"""What is owed whatever becomes of the course, by whom, until when, and what ends it?

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
    Duty,
)
from clinical.events import TaskCancelled, TaskDone, TaskOverdue
from clinical.people import Actor, Role
from workflows.course import Course
from workflows.deadlines import Deadline
from workflows.messages import (
    Accepted,
    Command,
    CompleteDuty,
    DutyArose,
    DutyOwed,
    ReleaseDuty,
)
from workflows.refusals import refusal, require_role


class Duties(Course):
    """Duties have an owner and a deadline; when it passes, one after another above hears of it."""

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        for task_id, duty in self.state.duties.items():
            # A new run takes the open duties over; the record has their tasks already.
            self.adopt_task(task_id, duty.code, duty.owner, duty.due_at, duty.opened_at)
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

    def require_open(self, command: Command) -> None:
        if not self.answered(command) and self.closed:
            raise refusal("not-possible-now", "the course is closed")

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
                self.adopt_task(one.task_id, duty.code, duty.owner, duty.due_at, duty.opened_at)

    async def _mind_duties(self) -> None:
        while True:
            await workflow.wait_condition(lambda: self._next_duty() is not None)
            following = self._next_duty()
            if following is None:  # what arose was settled in the same breath
                continue
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
            count, role = count + 1, self.above(role)
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
        up = self.above(duty.escalated_to or duty.owner)
        again = up.value if duty.overdue else ""
        fact = TaskOverdue(task_id=task_id, escalated_to=up)
        self.journal.note(f"task/{task_id}", fact, at=self.today(), nth=again)
        self.page(up, f"overdue/{task_id}" + (f"/{again}" if again else ""))
        self.show(attention=True)
        self.state.duties[task_id] = duty.model_copy(update={"overdue": True, "escalated_to": up})

    def settle_duty(self, task_id: str, actor: Actor, evidence: str) -> None:
        self.state.duties.pop(task_id)
        self.tasks.pop(task_id, None)
        self.note_done(task_id, actor, evidence)
        self.show()

    def note_done(self, task_id: str, actor: Actor, evidence: str) -> None:
        fact = TaskDone(task_id=task_id, evidence=evidence)
        self.journal.note(f"task/{task_id}", fact, actor=actor, at=self.today())

    @workflow.update
    async def complete_duty(self, command: CompleteDuty) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        self.settle_duty(command.task_id, command.actor, command.evidence.strip())
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
