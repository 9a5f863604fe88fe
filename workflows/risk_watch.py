"""Is somebody of this course at risk, and who has been told? The journey hands every finding to one open case.

A concern or a safety plan is taken at every stage, on hold and while the course is being left. When the course
is over, its open case takes them (`risk_escalation.py`).
"""

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.workflow import ParentClosePolicy

from clinical.events import SafetyPlanRecorded
from clinical.people import CLINICIANS, Role
from clinical.safety_plan import review_by
from workflows import names
from workflows.course import Course
from workflows.deadlines import Deadline
from workflows.findings import note_concern
from workflows.messages import (
    Accepted,
    JourneyInput,
    RaiseConcern,
    RecordSafetyPlan,
    ReviewOwed,
    RiskClosed,
    RiskSignal,
    SafetyPlanMade,
    StartRisk,
)
from workflows.refusals import refusal, require_role
from workflows.risk_escalation import RiskEscalation

REVIEW = "review-safety-plan"
REVIEWER = Role.THERAPIST


class RiskWatch(Course):
    """One open case for each person: a new finding joins it, or opens the next."""

    def __init__(self, given: JourneyInput) -> None:
        super().__init__(given)
        self._findings: list[RiskSignal] = []

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        if (owed := self.state.safety_plan_review) is not None:
            # A new run takes the open task over; the record has it already.
            self.adopt_task(owed.task_id, REVIEW, REVIEWER, owed.due_at, owed.opened_at)
        async with super().at_work():
            yield

    def minders(self) -> list[Coroutine[Any, Any, None]]:
        return [*super().minders(), self._mind_risk(), self._mind_safety_plan()]

    def settled(self) -> bool:
        """A finding that nobody has taken over yet must not be lost with this run."""
        return super().settled() and not self._findings

    @workflow.signal
    def risk_found(self, finding: RiskSignal) -> None:
        """A part of the journey found a positive screen; the case is in the record already."""
        self.reported(finding.found_at)
        self._findings.append(finding)

    @workflow.signal
    def risk_closed(self, closed: RiskClosed) -> None:
        if self.state.risk_open == closed.case_id:
            self.state.risk_open = None

    async def _mind_risk(self) -> None:
        while True:
            await workflow.wait_condition(lambda: bool(self._findings))
            finding = self._findings[0]
            if self.state.risk_open is None or not await self._tell_open_case("joined", finding):
                await self._open_case(finding)
            self._findings.pop(0)

    async def _open_case(self, finding: RiskSignal) -> None:
        self.state.risk_open = finding.case_id
        start = StartRisk(
            journey_id=self.journey_id,
            site=self.site,
            protocol=self.protocol,
            finding=finding,
            planned_at=self.state.safety_plan_at,
        )
        await workflow.start_child_workflow(
            RiskEscalation.run,
            start,
            id=names.risk_id(self.journey_id, finding.case_id),
            parent_close_policy=ParentClosePolicy.ABANDON,
            static_summary="risk case",
            search_attributes=self.attributes("risk-open"),
        )

    async def _tell_open_case(self, signal: str, message: RiskSignal | SafetyPlanMade) -> bool:
        """False when the case is over: it has been closed, and all that it owed is done."""
        case = self.state.risk_open
        assert case is not None
        try:
            handle = workflow.get_external_workflow_handle(names.risk_id(self.journey_id, case))
            await handle.signal(signal, message)
        except ApplicationError:
            return False
        return True

    @workflow.update
    async def raise_concern(self, command: RaiseConcern) -> Accepted:
        """A member of staff is worried: a case is opened with the very words, or the open one is joined."""
        if earlier := self.answered(command):
            return earlier
        signal = note_concern(self, command, self.protocol)
        self._findings.append(signal)
        return await self.reply(command, "raised", case_id=signal.case_id, level=signal.level)

    @raise_concern.validator
    def _may_raise_concern(self, command: RaiseConcern) -> None:
        if self.answered(command):
            return
        # A patient by a link; the engine for what it read in a reply.
        require_role(command.actor, *CLINICIANS, Role.COORDINATOR, Role.PATIENT, Role.SYSTEM)
        if self.when(command) > self.today():
            raise refusal("invalid-time", "the concern lies in the future")

    @workflow.update
    async def record_safety_plan(self, command: RecordSafetyPlan) -> Accepted:
        """A safety plan was made or reviewed; the next review is owed from here on."""
        if earlier := self.answered(command):
            return earlier
        at = self.when(command)
        due_at = review_by(at, self.protocol)
        fact = SafetyPlanRecorded(plan=command.plan, review_by=due_at)
        self.journal.note(command.key, fact, actor=command.actor, at=at)
        if (owed := self.state.safety_plan_review) is not None:
            self.close_task(owed.task_id, command.actor)
        task_id = self.open_task(REVIEW, REVIEWER, due_at, "the safety plan has to be reviewed", command.key)
        self.state.safety_plan_at = max(at, self.state.safety_plan_at or at)
        self.state.safety_plan_review = ReviewOwed(task_id=task_id, due_at=due_at, opened_at=self.today())
        if self.state.risk_open is not None:
            await self._tell_open_case("safety_plan_made", SafetyPlanMade(at=command.occurred_at))
        return await self.reply(command, "recorded", review_by=due_at.isoformat())

    @record_safety_plan.validator
    def _may_record_safety_plan(self, command: RecordSafetyPlan) -> None:
        if self.answered(command):
            return
        require_role(command.actor, *CLINICIANS)
        if self.when(command) > self.today():
            raise refusal("invalid-time", "the safety plan lies in the future")

    async def _mind_safety_plan(self) -> None:
        """A review that is not held is called overdue once; the task stays until a plan is recorded."""
        while True:
            await workflow.wait_condition(lambda: self._review_ahead() is not None)
            owed = self._review_ahead()
            if owed is None:  # settled in the same breath
                continue
            if await Deadline(REVIEW, owed.due_at).passes(unless=lambda: self._review_ahead() != owed):  # noqa: B023
                self._overdue(owed.task_id)
                self.state.safety_plan_review = owed.model_copy(update={"overdue": True})

    def _review_ahead(self) -> ReviewOwed | None:
        owed = self.state.safety_plan_review
        return None if owed is None or owed.overdue or owed.task_id not in self.tasks else owed
