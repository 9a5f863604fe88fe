"""Has a named clinician taken this over, has one closed it, and has somebody stayed in touch afterwards?

The ladder climbs until somebody has taken over. It outlives the journey that started it: a crisis does not end
because a course of treatment does, and neither does what is owed after it.
"""

import contextlib
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from clinical.caring_contacts import contacts_owed
from clinical.events import RiskAcknowledged, RiskPaged, RiskResolved
from clinical.people import Role
from clinical.risk import (
    RiskFinding,
    acknowledge_by,
    may_acknowledge,
    may_resolve,
    next_page,
    page_at_last,
)
from clinical.risk_actions import in_words
from clinical.safety_plan import plan_in_hand
from workflows.deadlines import Deadline
from workflows.messages import Accepted, AcknowledgeRisk, ResolveRisk, RiskClosed, StartRisk
from workflows.refusals import refusal, require
from workflows.risk_case import RiskCase


@workflow.defn(name="RiskEscalation")
class RiskEscalation(RiskCase):
    @workflow.init
    def __init__(self, start: StartRisk) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: StartRisk) -> RiskClosed:
        async with self.at_work():
            self.write_down()
            while self.resolved is None and not self._full():
                await self._page_until_acknowledged()
                await self._remind_until_resolved()
            looked_after = self.resolved is not None
            if self.resolved is not None and self.resolved_at is not None:
                owed = contacts_owed(
                    self.finding.level, self.resolved.disposition, self.resolved_at, self.protocol
                )
                await self.stay_in_touch(owed, self.resolved_at)
        if not looked_after:  # closed in the last moment of this run, the case is looked after in the next
            workflow.continue_as_new(
                self._carried(),
                initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
            )
        return RiskClosed(case_id=self.case_id, at=workflow.now())

    def standing(self) -> str:
        if self.resolved is not None:
            return "risk-resolved" if self.next_contact() is None else "risk-contacts"
        return "risk-open" if self.acknowledged_at is None else "risk-acknowledged"

    def _is_closed(self) -> bool:
        return self.resolved is not None

    def _taken_over(self) -> bool:
        return self.acknowledged_at is not None or self.resolved is not None

    def _full(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    async def _page_until_acknowledged(self) -> None:
        """Page, wait, page the next: without end, at any hour, on hold or not."""
        if self._taken_over():
            return
        task = self.open_task(
            "acknowledge-risk",
            Role.THERAPIST,
            acknowledge_by(self.finding, self.protocol),
            "a risk case is open: " + in_words(self.finding.level, self.finding.on_site),
            self.finding.level,
        )
        while not (self._taken_over() or self._full()):
            after = self.last_page_at or self.finding.found_at - timedelta(seconds=1)
            page = next_page(self.finding, self.protocol, after)
            before = self.finding
            due = Deadline("page " + "/".join(page.roles), page.at)
            if await due.passes(unless=partial(self._acknowledged_or_worse_than, before)):
                page, rounds = page_at_last(self.finding, self.protocol, after, workflow.now())
                self._page_all(page.roles, page.at, rounds)
        if self._taken_over():
            self.close_task(task)

    def _acknowledged_or_worse_than(self, before: RiskFinding) -> bool:
        return self._taken_over() or self.worse_than(before)

    def _page_all(self, roles: tuple[Role, ...], at: datetime, rounds: int) -> None:
        self.last_page_at = at
        self.paged += rounds
        for role in roles:
            fact = RiskPaged(case_id=self.case_id, role=role, rung=self.paged)
            self.journal.note(f"page/{self.paged}", fact, nth=role)
            self.page(role, f"page/{self.paged}/{role}")

    async def _remind_until_resolved(self) -> None:
        """An acknowledged case stays open, and blocks every dose, until a licensed clinician closes it."""
        if self._is_closed() or not self._taken_over():
            return
        started = self.acknowledged_at or workflow.now()
        every = timedelta(hours=self.protocol.risk.resolve_hours)
        due = Deadline("resolve risk", started + every)
        while due.passed:
            due.postpone(every)
        task = self.open_task(
            "resolve-risk",
            Role.PRESCRIBER,
            due.at,
            "the risk case needs a disposition",
            self.finding.level,
        )
        while not self._is_closed() and self._taken_over() and not self._full():
            if await due.passes(unless=lambda: self._is_closed() or not self._taken_over()):
                self.paged += 1
                self._overdue(task)
                due.postpone(every)
        if self._is_closed():
            self.close_task(task)
        elif not self._taken_over():
            self.cancel_task(task, "a worse finding joined")

    @workflow.update
    async def acknowledge_risk(self, command: AcknowledgeRisk) -> Accepted:
        if self.acknowledged_at is None:
            self._acknowledge(command)
        return await self.accept("acknowledged", self.when(command))

    def _acknowledge(self, command: AcknowledgeRisk | ResolveRisk) -> None:
        self.acknowledged_at = workflow.now()
        self.worsened = False
        fact = RiskAcknowledged(case_id=self.case_id)
        self.journal.note(command.key, fact, actor=command.actor, at=self.when(command))

    @acknowledge_risk.validator
    def _may_acknowledge_risk(self, command: AcknowledgeRisk) -> None:
        require(may_acknowledge(command.actor.role), "wrong-role", "a clinician takes a risk case over")

    @workflow.update
    async def resolve_risk(self, command: ResolveRisk) -> Accepted:
        at = self.when(command)
        if self.acknowledged_at is None:
            self._acknowledge(command)
        fact = RiskResolved(
            case_id=self.case_id,
            disposition=command.disposition,
            note=command.note,
            without_plan=command.without_plan,
        )
        self.journal.note(command.key, fact, actor=command.actor, at=at)
        self.resolved, self.resolved_at = command, at  # what joins from here on is passed on
        for task_id in list(self.tasks):
            self.close_task(task_id, command.actor)
        answer = await self.accept("resolved", at)
        closed = RiskClosed(case_id=self.case_id, at=workflow.now())
        with contextlib.suppress(ApplicationError):  # the journey may be over; the case has outlived it
            await workflow.get_external_workflow_handle(self.journey_id).signal("risk_closed", closed)
        self.journey_told = True
        return answer

    @resolve_risk.validator
    def _may_resolve_risk(self, command: ResolveRisk) -> None:
        if self.resolved is not None:
            raise refusal("not-possible-now", "this case is closed")
        require(
            may_resolve(command.actor.role, command.disposition),
            "wrong-role",
            "only a licensed clinician closes a risk case",
        )
        if self.worsened:
            raise refusal("not-possible-now", "a worse finding has joined the case: take that over first")
        found_at = self.finding.found_at
        plan = plan_in_hand(
            self.finding.level, command.disposition, found_at, self.planned_at, command.without_plan
        )
        require(plan, "safety-plan-required", "this case cannot be closed so without a safety plan")

    def _carried(self) -> StartRisk:
        finding = self.start.finding.model_copy(
            update={
                "level": self.finding.level,
                "trigger": self.finding.trigger,
                "on_site": self.finding.on_site,
                "found_at": self.finding.found_at,
            }
        )
        return self.start.model_copy(
            update={
                "finding": finding,
                "paged": self.paged,
                "last_page_at": self.last_page_at,
                "acknowledged_at": self.acknowledged_at,
                "worsened": self.worsened,
                "planned_at": self.planned_at,
                "concern": None,
                "resolution": self.resolved,
                "resolved_at": self.resolved_at,
            }
        )
