"""Has a named clinician taken this over, and has one closed it? The ladder climbs until somebody has.

It outlives the journey that started it: a crisis does not end because a course of treatment does.
"""

import contextlib
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from clinical.events import RiskAcknowledged, RiskPaged, RiskResolved
from clinical.people import Role
from clinical.risk import RiskFinding, acknowledge_by, joined, may_acknowledge, may_resolve, next_page
from workflows.deadlines import Deadline
from workflows.messages import Accepted, AcknowledgeRisk, ResolveRisk, RiskClosed, RiskSignal, StartRisk
from workflows.part import Part
from workflows.refusals import refusal, require


def finding_of(signal: RiskSignal) -> RiskFinding:
    return RiskFinding(
        level=signal.level, trigger=signal.trigger, on_site=signal.on_site, found_at=signal.found_at
    )


@workflow.defn(name="RiskEscalation")
class RiskEscalation(Part):
    @workflow.init
    def __init__(self, start: StartRisk) -> None:
        super().__init__(
            start.journey_id, start.site, start.finding.patient_id, f"risk/{start.finding.case_id}"
        )
        self.start = start
        self.protocol = start.protocol
        self.case_id = start.finding.case_id
        self.finding = finding_of(start.finding)
        self.paged = start.paged
        self.last_page_at = start.last_page_at
        self.acknowledged_at = start.acknowledged_at
        self.resolved: ResolveRisk | None = None

    @workflow.run
    async def run(self, start: StartRisk) -> RiskClosed:
        async with self.at_work():
            while self.resolved is None and not self._full():
                await self._page_until_acknowledged()
                await self._remind_until_resolved()
        if self.resolved is None:
            workflow.continue_as_new(self._carried())
        return RiskClosed(case_id=self.case_id, at=workflow.now())

    def standing(self) -> str:
        if self.resolved is not None:
            return "risk-resolved"
        return "risk-open" if self.acknowledged_at is None else "risk-acknowledged"

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
            "a risk case is open",
            self.finding.level,
        )
        while not (self._taken_over() or self._full()):
            after = self.last_page_at or self.finding.found_at - timedelta(seconds=1)
            page = next_page(self.finding, self.protocol, after)
            before = self.finding
            due = Deadline("page " + "/".join(page.roles), page.at)
            if await due.passes(unless=partial(self._acknowledged_or_worse_than, before)):
                self._page_all(page.roles, page.at)
        if self._taken_over():
            self.close_task(task)

    def _worse_than(self, before: RiskFinding) -> bool:
        return self.finding.level is not before.level

    def _acknowledged_or_worse_than(self, before: RiskFinding) -> bool:
        return self._taken_over() or self._worse_than(before)

    def _page_all(self, roles: tuple[Role, ...], at: datetime) -> None:
        self.last_page_at = at
        self.paged += 1
        for role in roles:
            fact = RiskPaged(case_id=self.case_id, role=role, rung=self.paged)
            self.journal.note(f"page/{self.paged}", fact, nth=role)
            self.page(role, f"page/{self.paged}/{role}")

    async def _remind_until_resolved(self) -> None:
        """An acknowledged case stays open, and blocks every dose, until a licensed clinician closes it."""
        if not self._taken_over():
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
        while self.resolved is None and self._taken_over() and not self._full():
            if await due.passes(unless=lambda: self.resolved is not None or not self._taken_over()):
                self.paged += 1
                self._overdue(task)
                due.postpone(every)
        if self.resolved is not None:
            self.close_task(task)
        elif not self._taken_over():
            self.cancel_task(task, "a worse finding joined")

    @workflow.signal(name="joined")
    def another_finding(self, signal: RiskSignal) -> None:
        """A further positive screen of the same person joins this case; it can only raise the level.

        Who took over a lesser case has not seen the worse: it is paged again, from the first rung.
        """
        before, self.finding = self.finding, joined(self.finding, finding_of(signal))
        if self._worse_than(before) and self.resolved is None:
            self.acknowledged_at = self.last_page_at = None

    @workflow.update
    async def acknowledge_risk(self, command: AcknowledgeRisk) -> Accepted:
        if self.acknowledged_at is None:
            self.acknowledged_at = workflow.now()
            self.journal.note(
                command.key,
                RiskAcknowledged(case_id=self.case_id),
                actor=command.actor,
                at=self.when(command),
            )
        return await self.accept("acknowledged", self.when(command))

    @acknowledge_risk.validator
    def _may_acknowledge_risk(self, command: AcknowledgeRisk) -> None:
        require(may_acknowledge(command.actor.role), "wrong-role", "a clinician takes a risk case over")

    @workflow.update
    async def resolve_risk(self, command: ResolveRisk) -> Accepted:
        at = self.when(command)
        if self.acknowledged_at is None:
            self.acknowledged_at = workflow.now()
            self.journal.note(command.key, RiskAcknowledged(case_id=self.case_id), actor=command.actor, at=at)
        self.journal.note(
            command.key,
            RiskResolved(case_id=self.case_id, disposition=command.disposition, note=command.note),
            actor=command.actor,
            at=at,
        )
        self.resolved = command
        answer = await self.accept("resolved", at)
        closed = RiskClosed(case_id=self.case_id, at=workflow.now())
        with contextlib.suppress(ApplicationError):  # the journey may be over; the case has outlived it
            await workflow.get_external_workflow_handle(self.journey_id).signal("risk_closed", closed)
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
            }
        )
