"""What can happen in a state of the model, who may do it, and what is written when it does?

People, timers and faults act at any moment; the gate's look and the dose are two acts, and anything may come
between. "Judged" are the acts that may harm: a plan that comes into force, a dose, a discharge, an ending.
Where a guard is a decision of a workflow and no rule of `clinical/`, it stands here with the place that it was
taken from. Trimmed, because nothing that is asked depends on it: transfers (like any other ending), risk before
treatment, a pause when no dose is ahead, days in the chair, more than two doses, boosters (the shipped protocol
has none).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from clinical.decision import Decision
from clinical.journey import FINAL, Move, Refusal, Stage, next_stage, possible_moves
from clinical.people import Actor, Role
from clinical.plan import PlanTerms, approval_fault, required_approvers
from clinical.risk import Disposition, may_acknowledge, may_resolve
from clinical.schedule import more_doses_allowed
from tests.clinical.model import telling
from tests.clinical.model.book import AUTHOR, NURSE, PRESCRIBER, THERAPIST
from tests.clinical.model.guards import (
    MG_PER_KG,
    PROTOCOL,
    TOO_MUCH_MG,
    Guard,
    Without,
    consent,
    discharge,
    gate,
)
from tests.clinical.model.state import BEFORE_DOSE, IN_CHAIR, Consent, Look, Plan, Risk, Since, State, Visit

MOST_DOSES = 2
HALF_A_YEAR_DAYS = 183
HOUR_AND_THREE_QUARTERS = 105

APPROVERS = {
    "prescriber": PRESCRIBER,
    "therapist": THERAPIST,
    "author": AUTHOR,
    "prescriber as therapist": Actor(id=PRESCRIBER.id, role=Role.THERAPIST),
}
TERMS = PlanTerms(
    sessions=1,
    mg_per_kg=MG_PER_KG,
    dose_mg=None,
    max_mg=Decimal(50),
    boosters=0,
    infusion_minutes=40,
    phase=None,
    preparation_sessions=2,
)
REQUIRED = required_approvers(TERMS, PROTOCOL)
TAKES_CONSENT = frozenset(
    {Stage.CONSULTATION, Stage.SCREENING, Stage.PLANNING, Stage.PREPARATION, Stage.TREATING}
)
NEW_PLAN = frozenset({Move.AMEND_PLAN, Move.APPROVE_PLAN, Move.COMPLETE_PREPARATION})
NOT_WALKED = frozenset({Move.TRANSFER, Move.DECLINE})


class Step(NamedTuple):
    """One act, the state it leads to and how it is told. `minutes`: how long it takes."""

    act: str
    after: State
    told: telling.Telling = telling.nothing
    judged: bool = False
    minutes: int = 1


def steps(state: State, without: Without) -> Iterator[Step]:
    """Everything that can happen now. What is written moves the record on under a gate that has looked."""
    if state.closed:
        return
    for group in (_course, _consent, _plan, _session, _dose, _chair, _risk, _time):
        for step in group(state, without):
            if step.after.look is Look.GREEN and state.look is Look.GREEN:
                yield step._replace(after=step.after.but(look=Look.MOVED))
            else:
                yield step


def _course(state: State, without: Without) -> Iterator[Step]:
    over = state.visit is Visit.NONE or Guard.SESSIONS_FIRST in without
    for made in possible_moves(state.stage, on_hold=state.on_hold):
        entered = next_stage(state.stage, made, on_hold=state.on_hold)
        assert not isinstance(entered, Refusal)
        # treating.py waits for a session before any move. A new plan is walked as if it did not (H11).
        may = over or made in NEW_PLAN
        if made not in NOT_WALKED and may and _ready_to(state, made, without):
            yield _move(state, made, entered)
    if state.stage in FINAL and over:
        told = telling.closes(state.stage, Guard.TASKS_FIRST not in without)
        yield Step("the course is closed", state.but(closed=True), told, judged=True)
    if state.stage is Stage.TREATING:
        if state.on_hold:
            yield Step("the course is resumed", state.but(on_hold=False), telling.resumes)
        elif state.visit in BEFORE_DOSE:
            yield Step("the course is put on hold", state.but(on_hold=True), telling.pauses)


def _ready_to(state: State, made: Move, without: Without) -> bool:
    if state.consent is Consent.WITHDRAWN and Guard.NEVER_AGAIN not in without:
        return made is Move.WITHDRAW  # course.py: who has withdrawn is being led out
    if made is Move.WITHDRAW:
        return False
    if made is Move.PROCEED:
        return consent(state.consent).passes
    if made is Move.COMPLETE_COURSE:
        return not more_doses_allowed(state.under_plan, state.approved).passes
    if made is Move.APPROVE_PLAN:
        if state.approvals is None:
            return False
        roles = {APPROVERS[name].role for name in state.approvals}
        return set(REQUIRED) <= roles or (Guard.ALL_ROLES in without and bool(roles))
    return True


def _move(state: State, made: Move, entered: Stage) -> Step:
    after = state.but(
        stage=entered, approvals=None, drafted=0, on_hold=state.on_hold and entered not in FINAL
    )
    told = telling.move(state.stage, made, entered)
    if made is not Move.APPROVE_PLAN:
        return Step(f"the course moves: {made}", after)._replace(told=told)
    visiting = state.visit is not Visit.NONE
    after = after.but(plan=Plan.IN_FORCE, approved=state.drafted, under_plan=0, old_plan=visiting)
    return Step(
        "the plan comes into force", after, lambda book: told(telling.comes_into_force(book)), judged=True
    )


def _consent(state: State, without: Without) -> Iterator[Step]:
    again = state.consent is not Consent.WITHDRAWN or Guard.NEVER_AGAIN in without
    if state.stage in TAKES_CONSENT and not state.on_hold and state.consent is not Consent.LIVE and again:
        given = Consent.AGAIN if state.consent in (Consent.WITHDRAWN, Consent.AGAIN) else Consent.LIVE
        yield Step("the patient consents", state.but(consent=given), telling.consents)
    if state.stage not in FINAL and state.consent not in (Consent.NONE, Consent.WITHDRAWN):
        yield Step("the patient withdraws", state.but(consent=Consent.WITHDRAWN), telling.withdraws)


def _plan(state: State, without: Without) -> Iterator[Step]:
    if state.stage is not Stage.PLANNING or state.on_hold or state.consent is Consent.WITHDRAWN:
        return
    if state.approvals is None:
        for sessions, words in ((1, "one session"), (2, "two sessions")):
            after = state.but(approvals=(), drafted=sessions)
            told = telling.proposes(sessions, REQUIRED)
            yield Step(f"the author drafts a plan of {words}", after, told)
        return
    author = "nobody" if Guard.AUTHOR in without else AUTHOR.id
    given = {APPROVERS[name].role: APPROVERS[name].id for name in state.approvals}
    if Guard.DISTINCT in without:
        given = {role: f"somebody else, {role}" for role in given}
    for name, actor in APPROVERS.items():
        if approval_fault(actor, author, given, REQUIRED) is None:
            after = state.but(approvals=tuple(sorted((*state.approvals, name))))
            yield Step(f"the {name} approves", after, telling.approves(actor))


def _session(state: State, without: Without) -> Iterator[Step]:
    goes_on = state.stage is Stage.TREATING and state.consent is not Consent.WITHDRAWN
    if state.visit is Visit.NONE:
        if goes_on and state.plan is not Plan.NONE and state.doses < MOST_DOSES:
            yield Step("a session is opened", state.but(visit=Visit.OPEN), telling.opens)
        return
    if state.visit is Visit.OPEN:
        after = state.but(visit=Visit.CHECKED_IN, fresh=True)
        yield Step("the patient checks in", after, telling.checks_in)
    if state.visit in (Visit.CHECKED_IN, Visit.ORDERED) and not state.fresh:
        yield Step("the patient is seen anew", state.but(fresh=True), telling.checks_in)
    if state.visit is Visit.CHECKED_IN:
        after = state.but(visit=Visit.ORDERED, present=True)
        yield Step("the dose is ordered", after, telling.orders(Guard.REAFFIRMED not in without))
    if state.visit in (Visit.ORDERED, *IN_CHAIR):
        left = state.left or (state.present and state.visit in IN_CHAIR)
        word = "leaves" if state.present else "comes back"
        after = state.but(present=not state.present, left=left)
        yield Step(f"the prescriber {word}", after, telling.presence(not state.present))
    yield from _closing(state, without)


def _closing(state: State, without: Without) -> Iterator[Step]:
    """treatment_session.py: nothing ends a session with somebody in the chair."""
    if state.visit in IN_CHAIR and Guard.HOME_FIRST not in without:
        return
    dosed = state.visit not in BEFORE_DOSE
    after = State(
        stage=state.stage,
        on_hold=state.on_hold,
        consent=state.consent,
        approvals=state.approvals,
        drafted=state.drafted,
        plan=state.plan,
        approved=state.approved,
        under_plan=state.under_plan,
        doses=state.doses,
        since=state.since,
        risk=state.risk,
    )
    word = "finished" if dosed else "called off"
    yield Step(f"the session is {word}", after, telling.closes_session(dosed), judged=True)


def _dose(state: State, without: Without) -> Iterator[Step]:
    if state.visit not in (Visit.CHECKED_IN, Visit.ORDERED, *IN_CHAIR) or state.doses >= MOST_DOSES:
        return
    decision = gate(state, without)
    if state.visit is Visit.ORDERED:
        if state.look is not Look.GREEN and decision.passes:
            yield Step("the gate looks and is green", state.but(look=Look.GREEN))
        if state.look is Look.GREEN:
            yield Step("the worker dies before it writes", state.but(look=Look.NONE))
        if state.look is Look.GREEN or (state.look is Look.MOVED and Guard.COMPARE_AND_APPEND in without):
            seen = Decision.of(r for r in decision.reasons if r not in decision.objections)
            yield _given(state, "the dose is given", telling.dose(seen))
    if state.visit in IN_CHAIR and decision.passes:
        yield _given(state, "another command gives a dose", telling.dose(decision))
    if state.visit is Visit.CHECKED_IN and decision.passes and Guard.ORDERED in without:
        yield _given(state, "a dose is given that nobody ordered", telling.dose(decision))
    yield from _wrong_commands(state, without)


def _wrong_commands(state: State, without: Without) -> Iterator[Step]:
    if state.visit is not Visit.ORDERED:
        return
    too_much = gate(state, without, dose_mg=TOO_MUCH_MG)
    if too_much.passes:
        act = f"a command of {TOO_MUCH_MG} mg is taken"
        yield _given(state, act, telling.dose(too_much, TOO_MUCH_MG))
    if state.old_plan and (decision := gate(state, without, newest_plan=True)).passes:
        act = "a command names the newest plan for an order of the old one"
        yield _given(state, act, telling.dose(decision, newest_plan=True))


def _given(state: State, act: str, told: telling.Telling) -> Step:
    after = state.but(
        visit=Visit.DOSED,
        doses=state.doses + 1,
        under_plan=state.under_plan + (not state.old_plan),
        since=Since.TODAY,
        look=Look.NONE,
        start_over=False,
        end_over=False,
        recovered=False,
    )
    return Step(act, after, told, judged=True)


def _chair(state: State, without: Without) -> Iterator[Step]:
    if state.visit not in IN_CHAIR:
        return
    if state.visit is Visit.DOSED:
        yield Step("the dose ends", state.but(visit=Visit.ENDED), telling.ends_dose)
    elif not state.recovered:
        yield Step("two good readings are taken", state.but(recovered=True), minutes=16)
    for who, escort, reason in (
        (NURSE, True, ""),
        (NURSE, False, ""),
        (NURSE, True, "in a hurry"),
        (PRESCRIBER, True, "lives next door"),
        (PRESCRIBER, False, "lives next door"),
    ):
        decision, overridden = discharge(state, without, escort=escort, by=who.role, reason=reason)
        if decision.passes:
            how = ("" if escort else ", alone") + (", overridden" if overridden else "")
            told = telling.goes_home(decision, who, overridden, reason)
            after = state.but(visit=Visit.HOME, recovered=False, start_over=False, end_over=False)
            after = after.but(fresh=False, present=False, left=False)
            yield Step(f"the {who.role} discharges{how}", after, told, judged=True)


def _risk(state: State, without: Without) -> Iterator[Step]:
    if state.stage not in (Stage.TREATING, Stage.PLANNING, Stage.PREPARATION) or state.plan is Plan.NONE:
        return
    if state.risk in (Risk.NONE, Risk.CLOSED_BY_NOBODY):
        yield Step("somebody worries about suicide", state.but(risk=Risk.OPEN), telling.finds_risk)
        return
    if state.risk is Risk.OPEN and may_acknowledge(THERAPIST.role).passes:
        after = state.but(risk=Risk.ACKNOWLEDGED)
        yield Step("the therapist acknowledges", after, telling.acknowledges)
    for who in (THERAPIST, NURSE):
        ending = Disposition.SAFETY_PLAN
        if may_resolve(who.role, ending).passes or Guard.LICENCE in without:
            told = telling.resolves(who, ending)
            risk = Risk.NONE if may_resolve(who.role, ending).passes else Risk.CLOSED_BY_NOBODY
            yield Step(f"the {who.role} closes the risk case", state.but(risk=risk), told)


def _time(state: State, without: Without) -> Iterator[Step]:
    if state.visit in (Visit.CHECKED_IN, Visit.ORDERED, *IN_CHAIR):
        in_chair = state.visit in IN_CHAIR
        after = state.but(
            fresh=False,
            look=Look.NONE,
            recovered=False,
            start_over=in_chair,
            end_over=state.visit is Visit.ENDED,
        )
        if after != state:
            yield Step("an hour and three quarters pass", after, minutes=HOUR_AND_THREE_QUARTERS)
    if state.visit in IN_CHAIR or state.visit is Visit.HOME:
        return
    if state.since is Since.TODAY:
        after = state.but(since=Since.LONG, fresh=False, look=Look.NONE)
        yield Step("two days pass", after, minutes=2 * 24 * 60)
    if state.plan is not Plan.NONE and state.approvals is None:
        older = {Consent.LIVE: Consent.HALF_OVER, Consent.HALF_OVER: Consent.EXPIRED}
        after = state.but(
            consent=older.get(state.consent, state.consent),
            plan=Plan.EXPIRED,
            since=Since.LONG if state.doses else Since.NEVER,
            fresh=False,
            look=Look.NONE,
        )
        if after != state:
            yield Step("half a year passes", after, minutes=HALF_A_YEAR_DAYS * 24 * 60)
