"""Do the right people agree on exactly this plan? One version: drafted, approved by hash, or returned."""

import hashlib
import json
from datetime import timedelta

from temporalio import workflow

from clinical.events import PlanApprovalGiven, PlanApproved, PlanLapsed, PlanProposed, PlanRejected
from clinical.people import Role
from clinical.plan import PlanTerms, approval_fault, plan_findings, required_approvers
from workflows.messages import (
    Accepted,
    ApprovePlan,
    PlanAgreed,
    PlanContent,
    PlanOutcome,
    ProposePlan,
    RejectPlan,
    StartPlanApproval,
)
from workflows.part import Answer, Part
from workflows.refusals import refusal, require_role

AUTHORS = (Role.PRESCRIBER, Role.THERAPIST, Role.MEDICAL_DIRECTOR)


def hash_of(content: PlanContent, protocol_hash: str, version: int) -> str:
    """What people approve: SHA-256 over the content, the protocol it rests on and the version."""
    body = {"content": content.model_dump(mode="json"), "protocol": protocol_hash, "version": version}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def terms_of(content: PlanContent) -> PlanTerms:
    """What of a plan can be compared with the protocol: all but the words."""
    return PlanTerms.model_validate(content.model_dump(exclude={"goals"}))


@workflow.defn(name="PlanApproval")
class PlanApproval(Part):
    @workflow.init
    def __init__(self, start: StartPlanApproval) -> None:
        super().__init__(start.journey_id, start.site, start.patient_id, f"plan/{start.version}")
        self.journal.closed = start.closed
        self.start = start
        self.opened_at = start.opened_at
        self.protocol = start.protocol
        self.proposal: ProposePlan | None = None
        self.plan_hash = ""
        self.approvals: dict[Role, str] = {}
        self.rounds = 0
        self.approval_open = False

    @workflow.run
    async def run(self, start: StartPlanApproval) -> PlanOutcome:
        rules = self.protocol.plan
        async with self.at_work():
            for round_ in range(1, rules.rounds_max + 1):
                drafted = await self.ask(
                    "draft-plan",
                    rules.draft,
                    "a personal plan has to be drafted",
                    done=lambda: self.proposal is not None,
                    occurrence=str(round_),
                )
                if drafted is not Answer.DONE:
                    return self._lapse(drafted, "no plan was drafted")
                approved = await self.ask(
                    "approve-plan",
                    rules.approve,
                    "the plan has to be approved by: " + ", ".join(self.required_roles()),
                    done=lambda: self.proposal is None or self._complete(),
                    occurrence=str(round_),
                )
                if approved is not Answer.DONE:
                    self.approval_open = False
                    return self._lapse(approved, "the plan was not approved in time")
                if self.proposal is not None:
                    return self._agreed()
            return self._lapse(Answer.GAVE_UP, "the plan was returned too often")

    def standing(self) -> str:
        return "plan-approval" if self.proposal else "plan-draft"

    @workflow.update
    async def propose_plan(self, command: ProposePlan) -> Accepted:
        """A new draft, or a changed one: a change voids every approval."""
        self.proposal = command
        self.approvals = {}
        self.approval_open = True
        self.plan_hash = hash_of(command.content, self.protocol.content_hash, self.start.version)
        self.journal.note(
            command.key,
            PlanProposed(
                version=self.start.version,
                plan_hash=self.plan_hash,
                content={k: str(v) for k, v in command.content.model_dump(mode="json").items()},
                required_roles=self.required_roles(),
                amends=self.start.amends,
            ),
            actor=command.actor,
            at=self.when(command),
        )
        return await self.accept("draft", self.when(command), plan_hash=self.plan_hash)

    @propose_plan.validator
    def _may_propose_plan(self, command: ProposePlan) -> None:
        require_role(command.actor, *AUTHORS)
        self._must_be_open()
        found = plan_findings(terms_of(command.content), self.start.standing, self.protocol)
        if not found.passes:
            errors = [
                {"pointer": f"/content/{r.rule.removeprefix('PLAN-')}", "detail": r.text, "code": "bounds"}
                for r in found.objections
            ]
            raise refusal(
                "invalid-plan", "the plan does not fit the protocol", reasons=found.objections, errors=errors
            )

    def required_roles(self) -> tuple[Role, ...]:
        """Prescriber and therapist; the medical director too when the dose asks for it."""
        terms = terms_of(self.proposal.content) if self.proposal is not None else None
        return required_approvers(terms, self.protocol)

    def _complete(self) -> bool:
        return all(role in self.approvals for role in self.required_roles())

    @workflow.update
    async def approve_plan(self, command: ApprovePlan) -> Accepted:
        self.approvals[command.actor.role] = command.actor.id
        self.journal.note(
            command.key,
            PlanApprovalGiven(
                version=self.start.version, plan_hash=command.plan_hash, role=command.actor.role
            ),
            actor=command.actor,
            at=self.when(command),
        )
        return await self.accept("active" if self._complete() else "draft", self.when(command))

    @approve_plan.validator
    def _may_approve_plan(self, command: ApprovePlan) -> None:
        self._must_be_open()
        if self.proposal is None:
            raise refusal("not-possible-now", "there is no plan to approve")
        author, required = self.proposal.actor.id, self.required_roles()
        if fault := approval_fault(command.actor, author, self.approvals, required):
            raise refusal("separation-of-duties", fault)
        self._must_be_this_plan(command.plan_hash)

    @workflow.update
    async def reject_plan(self, command: RejectPlan) -> Accepted:
        """Back to drafting, with the reason."""
        self.proposal = None
        self.approvals = {}
        self.approval_open = False
        self.journal.note(
            command.key,
            PlanRejected(version=self.start.version, plan_hash=command.plan_hash, reason=command.reason),
            actor=command.actor,
            at=self.when(command),
        )
        return await self.accept("revoked", self.when(command))

    @reject_plan.validator
    def _may_reject_plan(self, command: RejectPlan) -> None:
        self._must_be_open()
        if self.proposal is None:
            raise refusal("not-possible-now", "there is no plan to return")
        if command.actor.role not in self.required_roles():
            raise refusal("separation-of-duties", "only who may approve may return a plan")
        self._must_be_this_plan(command.plan_hash)

    def _must_be_this_plan(self, plan_hash: str) -> None:
        if plan_hash != self.plan_hash:
            raise refusal(
                "plan-changed",
                "the plan was changed after you read it",
                errors=[{"pointer": "/plan_hash", "detail": self.plan_hash, "code": "current"}],
            )

    def _must_be_open(self) -> None:
        if self.on_hold:
            raise refusal("on-hold", "the course is on hold")
        if self.stopping or (self.proposal is not None and self._complete()):
            raise refusal("not-possible-now", "this plan is closed")
        if self.proposal is not None and not self.approval_open:
            raise refusal("approval-expired", "the deadline for approval has passed")

    def _agreed(self) -> PlanOutcome:
        assert self.proposal is not None
        now = workflow.now()
        content = self.proposal.content
        expires_at = min(now + timedelta(days=self.protocol.plan.valid_days), self.start.screening_expires_at)
        self.journal.note(
            "approved",
            PlanApproved(
                version=self.start.version,
                plan_hash=self.plan_hash,
                sessions=content.sessions,
                mg_per_kg=content.mg_per_kg,
                dose_mg=content.dose_mg,
                max_mg=content.max_mg,
                boosters=content.boosters,
                phase=content.phase,
                expires_at=expires_at,
            ),
        )
        plan = PlanAgreed(
            version=self.start.version, plan_hash=self.plan_hash, content=content, expires_at=expires_at
        )
        return PlanOutcome(ended="approved", plan=plan, at=now)

    def _lapse(self, answer: Answer, reason: str) -> PlanOutcome:
        if answer is Answer.STOPPED:
            reason = "the course is being left"
        self.journal.note("lapse", PlanLapsed(version=self.start.version, reason=reason))
        ended = "stopped" if answer is Answer.STOPPED else "lapsed"
        return PlanOutcome(ended=ended, reason=reason, at=workflow.now())
