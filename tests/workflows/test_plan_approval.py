"""A plan on the real engine: who may agree to it, what a change undoes, and what a new run of the journey keeps."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from clinical.journey import Stage
from clinical.people import Actor, Role
from tests.workflows.walk import CLINICIAN, PEOPLE, Refused, Walk, a_key
from workflows import messages as m

PART = "plan/1"
PRESCRIBER, THERAPIST = PEOPLE[Role.PRESCRIBER], PEOPLE[Role.THERAPIST]
DIRECTOR = PEOPLE[Role.MEDICAL_DIRECTOR]


def an_approval(plan_hash: str, actor: Actor = THERAPIST) -> m.ApprovePlan:
    return m.ApprovePlan(key=a_key(), actor=actor, plan_hash=plan_hash)


def a_rejection(plan_hash: str, actor: Actor = THERAPIST) -> m.RejectPlan:
    return m.RejectPlan(key=a_key(), actor=actor, plan_hash=plan_hash, reason="fewer sessions")


async def refused(patient: Walk, command: m.ApprovePlan | m.RejectPlan) -> str:
    update = "approve_plan" if isinstance(command, m.ApprovePlan) else "reject_plan"
    return (await patient.refused(update, command, PART)).code


async def end(patient: Walk, stage: Stage) -> str:
    outcome = await patient.outcome()
    assert outcome.stage is stage
    await patient.assert_sound()
    return outcome.reason


async def leave(patient: Walk) -> None:
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


async def approvals(patient: Walk) -> list[Role]:
    return [fact.role for fact in await patient.facts("plan.approval-given")]


async def in_preparation(patient: Walk) -> None:
    async def there() -> bool:
        return await patient.stage() is Stage.PREPARATION

    await patient.eventually(there)


async def test_a_plan_needs_two_people_of_the_right_roles_none_of_them_its_author(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_planning()
    early = await refused(patient, an_approval("0" * 64))
    assert (early, await refused(patient, a_rejection("0" * 64))) == ("not-possible-now",) * 2
    plan_hash = await patient.propose()  # by another prescriber
    wrong = {
        "the author": CLINICIAN,
        "a nurse": PEOPLE[Role.NURSE],
        "a director whom the dose does not ask for": DIRECTOR,
    }
    for actor in wrong.values():
        assert await refused(patient, an_approval(plan_hash, actor)) == "separation-of-duties"
    first = an_approval(plan_hash, PRESCRIBER)
    assert (await patient.say_twice("approve_plan", first, PART)).state == "draft"
    for again in (
        PRESCRIBER,
        Actor(id=PRESCRIBER.id, role=Role.THERAPIST),
        Actor(id="x", role=PRESCRIBER.role),
    ):
        assert await refused(patient, an_approval(plan_hash, again)) == "separation-of-duties"
    assert await approvals(patient) == [Role.PRESCRIBER]
    last = an_approval(plan_hash)
    answer = await patient.say("approve_plan", last, PART)
    assert answer.state == "active"
    await in_preparation(patient)
    assert await patient.say("approve_plan", last, PART) == answer
    with pytest.raises(RPCError) as late:
        await patient.say("approve_plan", an_approval(plan_hash, DIRECTOR), PART)
    assert late.value.status is RPCStatusCode.NOT_FOUND
    assert await approvals(patient) == [Role.PRESCRIBER, Role.THERAPIST]
    await leave(patient)


async def test_a_plan_outside_the_protocol_is_refused_with_every_fault_and_only_authors_may_draft(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_planning()
    content = patient.a_plan(
        sessions=9, mg_per_kg=Decimal(2), max_mg=Decimal(500), infusion_minutes=5, preparation_sessions=0
    )
    no = await patient.refused(
        "propose_plan", m.ProposePlan(key=a_key(), actor=CLINICIAN, content=content), PART
    )
    assert no.code == "invalid-plan"
    faulty = {error["pointer"].rpartition("/")[2] for error in no.errors}
    assert faulty == {"sessions", "mg_per_kg", "max_mg", "infusion_minutes", "preparation_sessions"}
    by_desk = m.ProposePlan(key=a_key(), actor=PEOPLE[Role.COORDINATOR], content=patient.a_plan())
    assert (await patient.refused("propose_plan", by_desk, PART)).code == "wrong-role"
    await leave(patient)


async def test_a_change_voids_the_approvals_and_whoever_read_the_old_plan_must_read_again(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_planning()
    old = await patient.propose()
    await patient.say("approve_plan", an_approval(old, PRESCRIBER), PART)
    new = await patient.propose(goals="something else")
    assert new != old
    stale = await patient.refused("approve_plan", an_approval(old), PART)
    assert (stale.code, stale.errors[0]["detail"]) == ("plan-changed", new)
    assert await refused(patient, a_rejection(old)) == "plan-changed"
    assert (
        await patient.say("approve_plan", an_approval(new), PART)
    ).state == "draft"  # not the second: the first
    await patient.say("approve_plan", an_approval(new, PRESCRIBER), PART)
    await in_preparation(patient)
    (approved,) = await patient.facts("plan.approved")
    assert approved.plan_hash == new
    await leave(patient)


async def test_a_rejected_plan_returns_to_drafting_until_it_was_returned_too_often(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_planning()
    for round_ in range(patient.protocol.plan.rounds_max):
        plan_hash = await patient.propose(goals=f"draft {round_}")
        assert await refused(patient, a_rejection(plan_hash, PEOPLE[Role.NURSE])) == "separation-of-duties"
        await patient.say("approve_plan", an_approval(plan_hash, PRESCRIBER), PART)
        assert (await patient.say_twice("reject_plan", a_rejection(plan_hash), PART)).state == "revoked"
    assert "returned too often" in await end(patient, Stage.ENDED)
    assert len(await patient.facts("plan.rejected")) == patient.protocol.plan.rounds_max
    assert await patient.facts("plan.approved") == []


async def test_above_its_limit_a_dose_needs_the_medical_director_too(walk: Callable[..., Walk]) -> None:
    patient = walk()
    await patient.to_planning()
    limit = Decimal(str(patient.protocol.plan.director_above_mg_per_kg))
    plan_hash = await patient.propose(mg_per_kg=limit + Decimal("0.01"))
    for actor in (PRESCRIBER, THERAPIST):
        assert (await patient.say("approve_plan", an_approval(plan_hash, actor), PART)).state == "draft"
    assert (await patient.say("approve_plan", an_approval(plan_hash, DIRECTOR), PART)).state == "active"
    await in_preparation(patient)
    await leave(patient)


async def test_a_plan_that_nobody_drafts_ends_the_course(walk: Callable[..., Walk]) -> None:
    patient = walk()
    await patient.to_planning()
    await patient.wait_out(patient.protocol.plan.draft, "draft-plan", PART)
    assert "no plan was drafted" in await end(patient, Stage.ENDED)


async def test_a_plan_that_is_not_approved_in_time_lapses_and_cannot_be_approved_any_more(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_planning()
    plan_hash = await patient.propose()
    await patient.say("approve_plan", an_approval(plan_hash, PRESCRIBER), PART)
    await patient.wait_out(patient.protocol.plan.approve, "approve-plan", PART)
    with pytest.raises((RPCError, Refused)) as late:
        await patient.say("approve_plan", an_approval(plan_hash), PART)
    no = late.value  # a refusal while the part writes its end, nobody to ask a moment later
    assert no.code == "approval-expired" if isinstance(no, Refused) else isinstance(no, RPCError)
    assert "not approved in time" in await end(patient, Stage.ENDED)
    assert await patient.facts("plan.approved") == []


async def test_preparation_is_asked_for_recorded_by_the_therapist_and_not_in_advance(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_preparation()
    await in_preparation(patient)

    def held(actor: Actor = THERAPIST, **later: float) -> m.RecordPreparation:
        return m.RecordPreparation(key=a_key(), actor=actor, held_at=now + timedelta(**later))

    now = await patient.now()
    assert (await patient.refused("record_preparation", held(PRESCRIBER))).code == "wrong-role"
    assert (await patient.refused("record_preparation", held(hours=1))).code == "invalid-time"
    assert (await patient.say_twice("record_preparation", held(hours=-2))).detail == {"number": "1"}
    await patient.wait_out(patient.protocol.therapy.prepare, "hold-preparation")
    assert await end(patient, Stage.ENDED) == "preparation was not held"


async def insist(patient: Walk, update: str, message: m.Command) -> m.Accepted:
    """Send the same key until the engine takes it, as the API's callers do."""
    while True:
        try:
            return await patient.say(update, message)
        except Refused as no:
            if no.code != "not-possible-now":
                raise
        except RPCError as lost:  # it came as one run ended and the next began
            if lost.status is not RPCStatusCode.NOT_FOUND:
                raise


async def race(patient: Walk) -> None:
    await patient.to_planning()
    plan_hash = await patient.propose()
    await patient.say("approve_plan", an_approval(plan_hash, PRESCRIBER), PART)
    at = await patient.now()
    prepared = [m.RecordPreparation(key=a_key(), actor=THERAPIST, held_at=at) for _ in range(4)]
    runs_before = (await patient.handle().describe()).run_id
    sent: list[Any] = [insist(patient, "record_preparation", one) for one in prepared]
    _, *answers = await asyncio.gather(patient.say("approve_plan", an_approval(plan_hash), PART), *sent)
    assert (await patient.handle().describe()).run_id != runs_before
    for command, answer in zip(prepared, answers, strict=True):
        assert await patient.say("record_preparation", command) == answer  # asked again of the new run
        assert (await patient.caused_by(command)).count("preparation.held") == 1
    assert sorted(answer.detail["number"] for answer in answers) == ["1", "2", "3", "4"]
    await leave(patient)


async def test_commands_that_race_with_a_new_run_of_the_journey_act_exactly_once(
    walk: Callable[..., Walk],
) -> None:
    await asyncio.gather(*(race(walk()) for _ in range(3)))
