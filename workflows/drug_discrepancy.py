"""Is a difference in the drug books explained by a second person, or reported as a loss? It closes by nothing else.

It opens in the hour of the finding: the medical director is paged at once. Whoever explains it is not one of those
whose movement it was. What nobody explains in time is a loss: notice and Form 106, each with proof, each called out
for as long as it is late. Its facts stand in the drug books, beside the container.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta

from temporalio import workflow

from activities.notifications import NotificationActivities, Page
from activities.options import SEND, SEND_AT_ONCE, WRITE
from activities.records import CustodyBatch, RecordActivities
from clinical.custody_duties import (
    explain_by,
    given_up_at,
    loss_form_by,
    loss_notice_by,
    may_explain,
    may_report,
)
from clinical.custody_events import (
    CaseStarted,
    CustodyDuty,
    CustodyEntry,
    CustodyFact,
    DiscrepancyClosed,
    DiscrepancyExplained,
    DutyOverdue,
    LossDeclared,
    LossReported,
    StaffPaged,
)
from clinical.people import ENGINE, Actor, Role
from workflows.deadlines import Deadline
from workflows.failures import ACTIVITY_FAILED
from workflows.messages import (
    Accepted,
    Command,
    DeclareLoss,
    DiscrepancyOutcome,
    ExplainDiscrepancy,
    ReportLoss,
    StartDiscrepancy,
)
from workflows.names import DUE_AT, NEEDS_ATTENTION, SITE, STAGE, WAITS_FOR, WAITS_SINCE
from workflows.refusals import refusal, require
from workflows.ward_board import OpenTask, details

PAGE_VALID = timedelta(hours=24)


@workflow.defn(name="DrugDiscrepancy")
class DrugDiscrepancy:
    @workflow.init
    def __init__(self, start: StartDiscrepancy) -> None:
        self.start = start
        self.explained = False
        self.loss = False
        self.reported: set[CustodyDuty] = set()
        self._open: list[OpenTask] = []
        self._writing = asyncio.Lock()
        self._pages: set[asyncio.Task[None]] = set()

    @workflow.run
    async def run(self, start: StartDiscrepancy) -> DiscrepancyOutcome:
        self._show(CustodyDuty.EXPLAIN, start.owner, explain_by(start.opened_at, start.custody))
        await self._call("opened", Role.MEDICAL_DIRECTOR, CaseStarted())
        await self._wait_for_an_explanation()
        if self.loss:
            await asyncio.gather(
                self._wait_for_proof(CustodyDuty.NOTICE, self._notice_by()),
                self._wait_for_proof(CustodyDuty.FORM, self._form_by()),
            )
        closed = DiscrepancyClosed(outcome="loss-reported" if self.loss else "explained")
        await self._write("close", closed)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return DiscrepancyOutcome(outcome=closed.outcome, at=self._today())

    async def _wait_for_an_explanation(self) -> None:
        start = self.start
        if await self._passes(CustodyDuty.EXPLAIN, explain_by(start.opened_at, start.custody)):
            up = start.escalation.above(start.owner)
            overdue = DutyOverdue(duty=CustodyDuty.EXPLAIN, escalated_to=up)
            await self._call(f"overdue/{CustodyDuty.EXPLAIN}", up, overdue)
        if await self._passes(CustodyDuty.EXPLAIN, given_up_at(start.opened_at, start.custody)):
            self.loss = True
            declared = self._declared("nobody explained the difference in time")
            await self._call("given-up", Role.MEDICAL_DIRECTOR, declared)

    async def _passes(self, duty: CustodyDuty, at: datetime) -> bool:
        return await Deadline(duty, at).passes(unless=lambda: self.explained or self.loss)

    async def _wait_for_proof(self, duty: CustodyDuty, by: datetime) -> None:
        """Until the report is out; late ones are called out again and again."""
        self._show(duty, Role.MEDICAL_DIRECTOR, by)
        due, late = Deadline(duty, by), 0
        while await due.passes(unless=lambda: duty in self.reported):
            late += 1
            overdue = DutyOverdue(duty=duty, escalated_to=Role.MEDICAL_DIRECTOR)
            await self._call(f"overdue/{duty}/{late}", Role.MEDICAL_DIRECTOR, overdue)
            due.move(self._today() + timedelta(hours=self.start.custody.explain.give_up_hours))

    @workflow.update
    async def explain_discrepancy(self, command: ExplainDiscrepancy) -> Accepted:
        self.explained = True
        fact = DiscrepancyExplained(cause=command.cause, note=command.note)
        return await self._accept("explained", command, fact)

    @explain_discrepancy.validator
    def _may_explain(self, command: ExplainDiscrepancy) -> None:
        self._require_undecided(command)
        allowed = may_explain(command.actor.role, command.actor.id, frozenset(self.start.involved))
        own = any(reason.rule == "CUSTODY-SECOND-PERSON" for reason in allowed.objections)
        require(allowed, "separation-of-duties" if own else "wrong-role", "somebody else explains this")

    @workflow.update
    async def declare_loss(self, command: DeclareLoss) -> Accepted:
        self.loss = True
        return await self._accept("loss", command, self._declared(command.reason))

    @declare_loss.validator
    def _may_declare_loss(self, command: DeclareLoss) -> None:
        self._require_undecided(command)
        require(may_report(command.actor.role), "wrong-role", "another role declares a loss")

    @workflow.update
    async def report_loss(self, command: ReportLoss) -> Accepted:
        self.reported.add(command.duty)
        fact = LossReported(duty=command.duty, proof=command.proof)
        return await self._accept(command.duty, command, fact)

    @report_loss.validator
    def _may_report_loss(self, command: ReportLoss) -> None:
        if not self.loss:
            raise refusal("not-possible-now", "this is not a loss")
        if command.duty in self.reported:
            raise refusal("not-possible-now", "this report is out already")
        self._require_possible_time(command)
        require(may_report(command.actor.role), "wrong-role", "another role reports a loss")

    def _require_undecided(self, command: Command) -> None:
        if self.explained or self.loss:
            raise refusal("not-possible-now", "the difference is explained, or a loss")
        self._require_possible_time(command)

    def _require_possible_time(self, command: Command) -> None:
        if not self.start.opened_at <= self._when(command) <= self._today():
            raise refusal("invalid-time", "before the finding, or in the future")

    def _declared(self, reason: str) -> LossDeclared:
        return LossDeclared(reason=reason, notice_by=self._notice_by(), form_by=self._form_by())

    def _notice_by(self) -> datetime:
        return loss_notice_by(self.start.opened_at, self.start.custody)

    def _form_by(self) -> datetime:
        return loss_form_by(self.start.opened_at, self.start.custody)

    def _today(self) -> datetime:
        """The clinical now: never before the finding, whatever this workflow's own clock says."""
        return max(workflow.now(), self.start.opened_at)

    def _when(self, command: Command) -> datetime:
        return min(command.occurred_at or self._today(), self._today())

    async def _accept(self, state: str, command: Command, fact: CustodyFact) -> Accepted:
        at = self._when(command)
        await self._write(command.key, fact, actor=command.actor, at=at)
        return Accepted(state=state, at=at)

    async def _call(self, origin: str, role: Role, *facts: CustodyFact) -> None:
        """Page this role, and write that and why."""
        task = asyncio.create_task(self._deliver(origin, role))
        self._pages.add(task)
        task.add_done_callback(self._pages.discard)
        await self._write(origin, *facts, StaffPaged(role=role, about=origin))

    async def _deliver(self, origin: str, role: Role) -> None:
        at, reference = self._today(), workflow.info().workflow_id
        page = Page(
            key=f"{reference}/{origin}",
            site=self.start.site,
            role=role,
            reference=reference,
            occurred_at=at,
            not_after=at + PAGE_VALID,
        )
        send = NotificationActivities.page_staff
        try:
            await workflow.execute_local_activity_method(send, page, summary="staff page", **SEND_AT_ONCE)
        except ACTIVITY_FAILED:
            with contextlib.suppress(*ACTIVITY_FAILED):  # a day is over: what is due calls again
                await workflow.execute_activity_method(
                    send, page, summary="staff page", schedule_to_close_timeout=PAGE_VALID, **SEND
                )

    async def _write(
        self, origin: str, *facts: CustodyFact, actor: Actor = ENGINE, at: datetime | None = None
    ) -> None:
        """One transaction; the key names the cause, so that a second run finds its own facts."""
        entries = tuple(
            CustodyEntry(key=f"{origin}:{fact.kind}", occurred_at=at or self._today(), actor=actor, fact=fact)
            for fact in facts
        )
        batch = CustodyBatch(container_id=self.start.container_id, number=self.start.number, entries=entries)
        async with self._writing:
            try:
                await workflow.execute_local_activity_method(
                    RecordActivities.record_custody, batch, summary=facts[0].kind, **WRITE
                )
            except ACTIVITY_FAILED as error:
                raise RuntimeError("the drug books refused a fact") from error

    def _show(self, duty: CustodyDuty, owner: Role, due_at: datetime) -> None:
        """What it waits for, for operations: coded, nothing about a person."""
        stage, since = "loss" if self.loss else "discrepancy-open", self._today()
        self._open = [one for one in self._open if self.loss and one.code != CustodyDuty.EXPLAIN]
        self._open.append(OpenTask(code=duty, owner=owner, due_at=due_at, since=since))
        workflow.set_current_details(
            details(stage, self._open, [], self.start.escalation.above, on_hold=False)
        )
        if duty is not CustodyDuty.FORM:  # the notice is due first
            workflow.upsert_search_attributes(
                [
                    SITE.value_set(self.start.site),
                    STAGE.value_set(stage),
                    NEEDS_ATTENTION.value_set(True),
                    WAITS_FOR.value_set(owner.value),
                    WAITS_SINCE.value_set(since.replace(microsecond=0)),
                    DUE_AT.value_set(due_at.replace(microsecond=0)),
                ]
            )
