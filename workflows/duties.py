"""What must follow from an adverse event? It is recorded, what it asks for is owed, and a serious one stops doses."""

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from temporalio import workflow

from clinical.adverse_events import Duty, Required, follow_through
from clinical.events import AdverseEventRecorded
from clinical.journey import FINAL
from clinical.people import CLINICIANS, ENGINE
from workflows.course import Course
from workflows.deadlines import Deadline
from workflows.messages import Accepted, CompleteDuty, DutyOwed, ReportAdverseEvent
from workflows.refusals import refusal, require_role


class Duties(Course):
    """Duties have an owner and a deadline; when it passes, the next above hears of it."""

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        for task_id, duty in self.state.duties.items():
            # A new run takes the open duties over; the record has their tasks already.
            self.adopt_task(task_id, duty.code, duty.owner, duty.due_at)
        async with super().at_work():
            yield

    def minders(self) -> list[Coroutine[Any, Any, None]]:
        return [*super().minders(), self._mind_duties()]

    @workflow.update
    async def report_adverse_event(self, command: ReportAdverseEvent) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        self.journal.note(
            command.key,
            AdverseEventRecorded(session=command.session, event=command.event),
            actor=command.actor,
            at=self.when(command),
        )
        required = sorted(follow_through(command.event), key=lambda duty: duty.duty)
        for duty in required:
            self._owe(command, duty)
        if any(duty.duty is Duty.SUSPEND_PLAN for duty in required) and not self.state.suspended:
            self.state.suspended = True
            if not self.on_hold:
                await self.begin_hold(f"{command.key}/hold", "serious adverse event", ENGINE, workflow.now())
        return await self.reply(command, "recorded", duties=", ".join(duty.duty for duty in required))

    @report_adverse_event.validator
    def _may_report_adverse_event(self, command: ReportAdverseEvent) -> None:
        require_role(command.actor, *CLINICIANS)
        if self.state.stage in FINAL:
            raise refusal("not-possible-now", "the course is over")

    def _owe(self, command: ReportAdverseEvent, required: Required) -> None:
        if required.duty is Duty.PAGE_NOW:
            self.page(required.owner, f"adverse-event/{command.key}")
        if required.due_at is None or required.duty in (
            Duty.PAGE_NOW,
            Duty.FREEZE_SESSION,
            Duty.SUSPEND_PLAN,
        ):
            return
        owed = DutyOwed(
            code=required.duty,
            owner=required.owner,
            due_at=required.due_at,
            reason="an adverse event asks for it",
        )
        task_id = self.open_task(required.duty, owed.owner, owed.due_at, owed.reason, command.key)
        self.state.duties[task_id] = owed

    async def _mind_duties(self) -> None:
        while True:
            await workflow.wait_condition(lambda: self._next_duty() is not None)
            following = self._next_duty()
            assert following is not None
            task_id, duty = following
            if await Deadline(duty.code, duty.due_at).passes(unless=partial(self._moved_on_from, following)):
                self._overdue(task_id)
                self.state.duties[task_id] = duty.model_copy(update={"overdue": True})

    def _moved_on_from(self, following: tuple[str, DutyOwed]) -> bool:
        return self._next_duty() != following

    def _next_duty(self) -> tuple[str, DutyOwed] | None:
        waiting = [(task, duty) for task, duty in self.state.duties.items() if not duty.overdue]
        return min(waiting, key=lambda pair: (pair[1].due_at, pair[0]), default=None)

    @workflow.update
    async def complete_duty(self, command: CompleteDuty) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        self.state.duties.pop(command.task_id)
        self.close_task(command.task_id, command.actor)
        return await self.reply(command, "completed")

    @complete_duty.validator
    def _may_complete_duty(self, command: CompleteDuty) -> None:
        if self.answered(command):
            return
        duty = self.state.duties.get(command.task_id)
        if duty is None:
            raise refusal("not-possible-now", "no such duty is open")
        require_role(command.actor, duty.owner)
