"""What belongs to this risk case? Findings that join it, concerns, safety plans; and what comes too late for it.

There is no moment in which a finding pages nobody: before the case is closed it joins, afterwards it is handed on
to a case of its own. Which of the two is decided in one step, without anything awaited in between.
"""

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.workflow import ParentClosePolicy

from clinical.events import RiskJoined, SafetyPlanRecorded
from clinical.people import CLINICIANS, Role
from clinical.risk import RiskFinding, joined
from clinical.safety_plan import review_by
from workflows import names
from workflows.caring_contacts import CaringContacts
from workflows.findings import note_concern, note_opening
from workflows.messages import (
    Accepted,
    RaiseConcern,
    RecordSafetyPlan,
    RiskSignal,
    SafetyPlanMade,
    StartRisk,
)
from workflows.refusals import refusal, require_role


def finding_of(signal: RiskSignal) -> RiskFinding:
    return RiskFinding(
        level=signal.level, trigger=signal.trigger, on_site=signal.on_site, found_at=signal.found_at
    )


class RiskCase(CaringContacts):
    def __init__(self, start: StartRisk) -> None:
        super().__init__(
            start.journey_id, start.site, start.finding.patient_id, f"risk/{start.finding.case_id}"
        )
        self.start = start
        self.protocol = start.protocol
        self.case_id = start.finding.case_id
        self.finding = finding_of(start.finding)
        self.opened_at = start.finding.found_at
        self.paged = start.paged
        self.last_page_at = start.last_page_at
        self.acknowledged_at = start.acknowledged_at
        self.worsened = start.worsened
        self.planned_at = start.planned_at
        self.resolved = start.resolution
        self.resolved_at = start.resolved_at
        self.written_down = start.concern is None
        self.journey_told = start.resolution is not None

    def write_down(self) -> None:
        """A concern that opens a case on its own, after the course: nobody else has put it into the record."""
        if self.start.concern is not None:
            note_opening(self, self.start.concern, self.start.finding, self.finding, self.protocol)
        self.written_down = True

    def worse_than(self, before: RiskFinding) -> bool:
        return self.finding.level is not before.level

    @workflow.signal(name="joined")
    async def another_finding(self, signal: RiskSignal) -> None:
        """A further positive screen of the same person joins this case; it can only raise the level.

        Who took over a lesser case has not seen the worse: it is paged again, from the first rung. What comes
        after the case was closed is not this case's any more: it needs one that pages somebody.
        """
        if self.resolved is not None:
            return await self._pass_on(signal)
        self._join(signal)

    def _join(self, signal: RiskSignal) -> None:
        fact = RiskJoined(case_id=signal.case_id, joined_to=self.case_id, level=signal.level)
        self.journal.note(f"risk/{signal.case_id}", fact)
        before, self.finding = self.finding, joined(self.finding, finding_of(signal))
        if self.worse_than(before):
            self.worsened = self.worsened or self.acknowledged_at is not None
            self.acknowledged_at = self.last_page_at = None

    async def _pass_on(self, signal: RiskSignal) -> None:
        """Back to the journey, which opens the next case; if the course is over, this one opens it."""
        await workflow.wait_condition(lambda: self.journey_told)
        try:
            await workflow.get_external_workflow_handle(self.journey_id).signal("risk_found", signal)
        except ApplicationError:
            await workflow.start_child_workflow(
                "RiskEscalation",
                StartRisk(journey_id=self.journey_id, site=self.site, protocol=self.protocol, finding=signal),
                id=names.risk_id(self.journey_id, signal.case_id),
                parent_close_policy=ParentClosePolicy.ABANDON,
                static_summary="risk case",
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(names.SITE, self.site),
                        SearchAttributePair(names.PROTOCOL, self.protocol.content_hash[:12]),
                        SearchAttributePair(names.STAGE, "risk-open"),
                    ]
                ),
            )

    @workflow.update
    async def raise_concern(self, command: RaiseConcern) -> Accepted:
        """A concern about somebody whose course is over: it opens this case, joins it, or opens the next."""
        await workflow.wait_condition(lambda: self.written_down)
        opening = self.start.concern
        if opening is not None and opening.key == command.key:
            case_id, level = self.case_id, self.start.finding.level
        else:
            signal = note_concern(self, command, self.protocol)
            case_id, level = signal.case_id, signal.level
            await self.another_finding(signal)
        return await self.accept("raised", self.when(command), case_id=case_id, level=level)

    @raise_concern.validator
    def _may_raise_concern(self, command: RaiseConcern) -> None:
        # A patient by a link; the engine for what it read in a reply.
        require_role(command.actor, *CLINICIANS, Role.COORDINATOR, Role.PATIENT, Role.SYSTEM)
        if self.when(command) > self.today():
            raise refusal("invalid-time", "the concern lies in the future")

    async def raise_from_contact(self, concern: RaiseConcern) -> None:
        await self.another_finding(note_concern(self, concern, self.protocol))

    @workflow.signal
    def safety_plan_made(self, made: SafetyPlanMade) -> None:
        """The journey has put a safety plan into the record."""
        at = made.at or self.today()
        self.planned_at = max(at, self.planned_at or at)

    @workflow.update
    async def record_safety_plan(self, command: RecordSafetyPlan) -> Accepted:
        """A safety plan for somebody whose course is over; nobody is left here to review it later."""
        at = self.when(command)
        due_at = review_by(at, self.protocol)
        fact = SafetyPlanRecorded(plan=command.plan, review_by=due_at)
        self.journal.note(command.key, fact, actor=command.actor, at=at)
        self.planned_at = max(at, self.planned_at or at)
        return await self.accept("recorded", at, review_by=due_at.isoformat())

    @record_safety_plan.validator
    def _may_record_safety_plan(self, command: RecordSafetyPlan) -> None:
        require_role(command.actor, *CLINICIANS)
        if self.when(command) > self.today():
            raise refusal("invalid-time", "the safety plan lies in the future")
