"""The engine never goes on and never stops by itself: after the doses of the protocol a prescriber decides."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from clinical.journey import Move, Stage
from clinical.people import Role
from clinical.protocol import Protocol
from tests.workflows.shortcut import at_treating, shortened
from tests.workflows.walk import PEOPLE, Walk, a_key
from workflows import messages as m

Begin = Callable[..., Walk]


@pytest.fixture
async def patient(walk: Begin, protocol: Protocol) -> Walk:
    """At home and looked after, after the first of two doses, each of which asks for a decision."""
    reviewed = {"review_after_doses": (1, 2), "final_after_dose": 2}
    patient = await at_treating(walk(shortened(protocol, decisions=reviewed)))
    await dosed(patient)
    await patient.until_written("course.decision-asked")
    return patient


async def dosed(patient: Walk, **forms: int) -> None:
    order = await patient.to_chair(**forms)
    given = await patient.give(order)
    await patient.in_the_chair(given.at, order.order.dose_mg)
    await patient.discharge()
    await patient.aftercare()


def deciding(choice: str, role: Role = Role.PRESCRIBER) -> m.DecideCourse:
    return m.DecideCourse.model_validate(
        {"key": a_key(), "actor": PEOPLE[role], "choice": choice, "reason": "as discussed"}
    )


async def over(patient: Walk, doses: int) -> None:
    await patient.leave(Move.END)
    assert (await patient.outcome()).doses == doses
    await patient.assert_sound()


async def test_going_on_opens_the_next_session_and_the_last_dose_asks_again(patient: Walk) -> None:
    assert (await patient.refused("decide_course", deciding("go-on", Role.NURSE))).code == "wrong-role"
    decision = deciding("go-on")
    await patient.say_twice("decide_course", decision)
    assert (await patient.refused("decide_course", deciding("stop"))).code == "not-possible-now"
    patient.session = 2
    await patient.until_there("session/2")
    await dosed(patient, phq9=0)
    await patient.decide("go-on")
    await patient.until_there("follow-up/1")
    asked = await patient.facts("course.decision-asked")
    assert [(fact.after_dose, fact.default) for fact in asked] == [(1, "review"), (2, "go-on")]
    made = await patient.facts("course.decision-made")
    assert [(fact.after_dose, fact.choice) for fact in made] == [(1, "go-on"), (2, "go-on")]
    await over(patient, doses=2)


async def test_stopping_leads_to_the_follow_up(patient: Walk) -> None:
    await patient.say("decide_course", deciding("stop"))
    await patient.until_there("follow-up/1")
    assert await patient.stage() is Stage.FOLLOW_UP
    [stopped] = [f for f in await patient.facts("journey.stage-changed") if f.move is Move.STOP_COURSE]
    assert stopped.reason == "as discussed"
    await over(patient, doses=1)


async def test_a_change_is_planned_and_approved_anew_and_not_asked_about_twice(patient: Walk) -> None:
    await patient.say("decide_course", deciding("change"))
    await patient.until_there("plan/2")
    patient.plan_hash = await patient.propose(2, sessions=1, preparation_sessions=0)
    await patient.approve(patient.plan_hash, 2)
    patient.session = 2
    await patient.until_there("session/2")
    [first, second] = await patient.facts("plan.proposed")
    assert (first.version, second.version, second.amends) == (1, 2, 1)
    assert len(await patient.facts("course.decision-asked")) == 1
    await dosed(patient, phq9=0)
    await patient.decide("go-on")
    await patient.until_there("follow-up/1")
    await over(patient, doses=2)


async def test_a_change_after_the_last_dose_of_a_plan_leads_to_a_new_plan(
    walk: Begin, protocol: Protocol
) -> None:
    last = {"review_after_doses": (), "default_stop_after_dose": 1, "final_after_dose": 1}
    patient = await at_treating(walk(shortened(protocol, schedule={"sessions": 1}, decisions=last)))
    await dosed(patient)
    await patient.decide("change")
    await patient.until_there("plan/2")
    patient.plan_hash = await patient.propose(2, sessions=1, preparation_sessions=0)
    await patient.approve(patient.plan_hash, 2)
    patient.session = 2
    await patient.until_there("session/2")
    await dosed(patient, phq9=0)
    await patient.until_written("course.decision-asked", times=2)  # beyond the series every dose asks again
    asked = (await patient.facts("course.decision-asked"))[-1]
    assert (asked.after_dose, asked.default) == (2, "go-on")
    assert "DECIDE-OVERLAP" in [reason.rule for reason in asked.reasons]
    [*_, task] = [t for t in await patient.facts("task.opened") if t.code == "decide-course"]
    assert "overlap" in task.reason
    assert await patient.stage() is Stage.TREATING  # neither on nor off by itself
    await patient.decide("stop")
    await patient.until_there("follow-up/1")
    await over(patient, doses=2)


async def test_without_a_decision_the_doses_stop(patient: Walk) -> None:
    ask = patient.protocol.decisions.ask
    [asked] = [entry for entry in await patient.record() if entry.fact.kind == "course.decision-asked"]
    await patient.forward_to(asked.occurred_at + timedelta(hours=ask.due_hours, minutes=1))
    await patient.until_written("task.overdue")
    [overdue] = await patient.facts("task.overdue")
    assert overdue.escalated_to is Role.MEDICAL_DIRECTOR
    assert await patient.stage() is Stage.TREATING
    await patient.forward_to(asked.occurred_at + timedelta(hours=ask.give_up_hours))
    await patient.until_there("follow-up/1")
    [stopped] = [f for f in await patient.facts("journey.stage-changed") if f.move is Move.STOP_COURSE]
    assert stopped.reason.startswith("nobody decided")
    await over(patient, doses=1)
