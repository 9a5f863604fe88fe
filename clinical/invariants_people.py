"""Were the wishes of the patient and the duties of the staff respected? Invariants 7, 10 and 11.

7: after a withdrawal no dose and no message to the patient but what brings them home safely. 10: no message
too late, none twice. 11: a plan is approved by the people it needs, none of them its author.
Source: product §4, F3, F7, F10; clinical-facts H10, H20.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, localcontext

from clinical.events import (
    ConsentWithdrawn,
    MessageSettled,
    PlanApprovalGiven,
    PlanApproved,
    PlanProposed,
    PlanRejected,
)
from clinical.invariants_record import (
    UNTRAPPED,
    Record,
    Violation,
    Written,
    breach,
    last_before,
    part_of,
    utc,
)
from clinical.people import Role

SENT = "completed"

LEAVES_AFTER_WITHDRAWAL = frozenset({"staff_page", "session_cancelled", "after_visit", "journey_ended"})
"""Staff are still paged, a cancelled visit is said, the way home stays safe."""


def withdrawal_stops_doses_and_messages(record: Record) -> Iterator[Violation]:
    """Invariant 7. Doses by their place in the record; messages also by the instant at which they left."""
    withdrawn = next(iter(record.every(ConsentWithdrawn)), None)
    if withdrawn is None:
        return
    for dose in record.doses:
        if dose.place > withdrawn.place:
            text = f"dose of session {dose.fact.session} after the consent was withdrawn"
            yield breach(7, "DOSE", dose.seq, text)
    for mail in record.every(MessageSettled):
        if mail.fact.status != SENT or mail.fact.template in LEAVES_AFTER_WITHDRAWAL:
            continue
        left_at = utc(mail.fact.sent_at or mail.entry.occurred_at)
        if mail.place > withdrawn.place and left_at > _silent_from(record, withdrawn, mail):
            yield breach(7, "MESSAGE", mail.seq, f"{mail.fact.template} sent after the consent was withdrawn")


def _silent_from(
    record: Record, withdrawn: Written[ConsentWithdrawn], mail: Written[MessageSettled]
) -> datetime:
    """The withdrawal by the clock of the part that sent the message: never before what it had written."""
    before = record.entries[: withdrawn.place]
    told = [utc(e.occurred_at) for e in before if part_of(e) == part_of(mail.entry)]
    return max([utc(withdrawn.entry.occurred_at), *told])


def messages_leave_in_time_and_once(record: Record) -> Iterator[Violation]:
    """Invariant 10."""
    seen: set[str] = set()
    for mail in record.every(MessageSettled):
        if mail.fact.status != SENT:
            continue
        if mail.fact.sent_at is None:
            yield breach(10, "UNKNOWN", mail.seq, f"{mail.fact.template} sent, but not known when")
        elif utc(mail.fact.sent_at) > utc(mail.fact.not_after):
            yield breach(10, "LATE", mail.seq, f"{mail.fact.template} sent after its time")
        if mail.fact.key in seen:
            yield breach(10, "TWICE", mail.seq, f"message {mail.fact.key} sent twice")
        seen.add(mail.fact.key)


def plans_are_approved_by_whom_they_need(record: Record) -> Iterator[Violation]:
    """Invariant 11, for each plan that came into force. Approvals count from the last draft on."""
    for plan in record.every(PlanApproved):
        for rule, text in _approval(record, plan):
            yield breach(11, rule, plan.seq, f"plan version {plan.fact.version}: {text}")


def _approval(record: Record, plan: Written[PlanApproved]) -> Iterator[tuple[str, str]]:
    proposals = [p for p in record.every(PlanProposed) if p.fact.version == plan.fact.version]
    draft = last_before(plan.place, proposals)
    if draft is None or draft.fact.plan_hash != plan.fact.plan_hash:
        yield "PROPOSAL", "what came into force was not what was proposed last"
        return
    rejections = [r for r in record.every(PlanRejected) if r.fact.version == plan.fact.version]
    rejected = last_before(plan.place, rejections)
    if rejected is not None and rejected.place > draft.place:
        yield "REJECTED", "it had been returned to drafting"
    given = [a for a in record.every(PlanApprovalGiven) if _counts(a, draft, plan)]
    people = [approval.entry.actor.id for approval in given]
    if draft.entry.actor.id in people:
        yield "AUTHOR", "its author was among those who approved it"
    if len(set(people)) < len(people):
        yield "SAME-PERSON", "one person approved it twice"
    if any(approval.entry.actor.role is not approval.fact.role for approval in given):
        yield "ROLE", "somebody approved it in a role that was not theirs"
    absent = sorted(_required(record, draft, plan) - {approval.entry.actor.role for approval in given})
    if absent:
        yield "MISSING", f"not approved by: {', '.join(absent)}"


def _counts(
    approval: Written[PlanApprovalGiven], draft: Written[PlanProposed], plan: Written[PlanApproved]
) -> bool:
    of_this_plan = (approval.fact.version, approval.fact.plan_hash) == (
        plan.fact.version,
        plan.fact.plan_hash,
    )
    return of_this_plan and draft.place < approval.place < plan.place


def _required(record: Record, draft: Written[PlanProposed], plan: Written[PlanApproved]) -> set[Role]:
    """Whom the protocol names, whom the draft asked for, and the medical director above a dose."""
    rules = record.protocol_at(plan.place).plan
    with localcontext(UNTRAPPED):
        above = any(
            limit is not None and amount is not None and not amount <= Decimal(str(limit))
            for amount, limit in (
                (plan.fact.mg_per_kg, rules.director_above_mg_per_kg),
                (_session_mg(plan.fact), rules.director_above_mg),
            )
        )
    return {
        *rules.approver_roles,
        *draft.fact.required_roles,
        *((Role.MEDICAL_DIRECTOR,) if above else ()),
    }


def _session_mg(plan: PlanApproved) -> Decimal:
    """What the plan lets one session come to: of whole units so many doses, and never above `max_mg`."""
    if plan.dose_mg is None:
        return plan.max_mg
    return min(plan.max_mg, plan.dose_mg * (1 + plan.boosters))
