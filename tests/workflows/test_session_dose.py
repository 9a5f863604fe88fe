"""The dose: what may be ordered, why there is never a second one, and how it ends."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from clinical.journey import Move, Stage
from clinical.people import Actor, Role
from clinical.protocol import Protocol
from tests.workflows.shortcut import arrived, at_treating, over, shortened
from tests.workflows.walk import PEOPLE, Refused, Walk, a_key
from workflows import messages as m

Begin = Callable[..., Walk]


@pytest.fixture
async def patient(walk: Begin, protocol: Protocol) -> Walk:
    return await at_treating(walk(shortened(protocol)))


async def test_an_order_above_the_plan_or_on_a_weight_in_pounds_is_refused_with_the_limit(
    patient: Walk,
) -> None:
    await arrived(patient, weight_kg=Decimal(154))
    with pytest.raises(Refused) as pounds:
        await patient.order()
    assert pounds.value.code == "dose-out-of-bounds"
    found = {reason["rule"]: reason for reason in pounds.value.details}
    assert "69.9 kg" in found["WEIGHT-RANGE"]["text"]
    assert found["WEIGHT-RANGE"]["limit"] == "45-115"
    with pytest.raises(Refused) as above:
        await patient.order(mg_per_kg=Decimal("0.6"))
    found = {reason["rule"]: reason for reason in above.value.details}
    assert found["DOSE-PLAN-PER-KG"]["limit"] == "<= 0.5"
    assert "dose.ordered" not in await patient.kinds()
    await over(patient)


async def test_only_a_prescriber_orders_and_only_with_capacity_of_today(patient: Walk) -> None:
    await arrived(patient)
    with pytest.raises(Refused) as nurse:
        await patient.order(actor=PEOPLE[Role.NURSE])
    with pytest.raises(Refused) as capacity:
        await patient.order(capacity_today=False)
    assert (nurse.value.code, capacity.value.code) == ("wrong-role", "consent-required")
    await over(patient)


async def test_a_double_click_gives_one_dose(patient: Walk) -> None:
    order = await patient.to_chair()
    answers = await asyncio.gather(patient.give(order), patient.give(order), return_exceptions=True)
    [given] = [answer for answer in answers if isinstance(answer, m.Accepted)]
    [refused] = [answer for answer in answers if isinstance(answer, Refused)]
    assert refused.code == "not-possible-now"
    [dose] = await patient.facts("dose.given")
    assert dose.given_at == given.at
    await over(patient)


async def test_the_same_key_again_has_the_same_answer_and_gives_nothing(patient: Walk) -> None:
    order = await patient.to_chair()
    dose = patient.a_dose(order)
    first = await patient.say_twice("give_dose", dose, patient.part)
    again = await patient.handle(patient.part).execute_update(
        "give_dose", dose, id=a_key(), result_type=m.Accepted
    )
    assert again == first
    assert len(await patient.facts("dose.given")) == 1
    with pytest.raises(Refused) as later:
        await patient.give(order)
    assert later.value.code == "not-possible-now"
    await over(patient)


@pytest.mark.parametrize("first", ["dose", "withdrawal"])
async def test_a_withdrawal_racing_with_the_dose_is_never_followed_by_one(patient: Walk, first: str) -> None:
    order = await patient.to_chair()
    acts = [patient.give(order), patient.leave(Move.WITHDRAW)]
    answers = await asyncio.gather(*(acts if first == "dose" else acts[::-1]), return_exceptions=True)
    places = {fact.kind: place for place, fact in enumerate(e.fact for e in await patient.record())}
    withdrawn = places["consent.withdrawn"]
    if "dose.given" in places:
        assert places["dose.given"] < withdrawn
        [given] = await patient.facts("dose.given")
        await patient.in_the_chair(given.given_at, given.dose_mg)
        await patient.discharge()
    else:
        assert len([answer for answer in answers if isinstance(answer, Exception)]) == 1
    assert (await patient.outcome()).stage is Stage.WITHDRAWN
    await patient.assert_sound()


async def test_after_a_withdrawal_there_is_no_dose(patient: Walk) -> None:
    order = await patient.to_chair()
    await patient.leave(Move.WITHDRAW)
    with pytest.raises((Refused, RPCError)) as refused:
        await patient.give(order)
    no = refused.value
    closed = isinstance(no, RPCError) and no.status is RPCStatusCode.NOT_FOUND
    assert closed or (isinstance(no, Refused) and no.code == "consent-required")
    assert (await patient.outcome()).stage is Stage.WITHDRAWN
    assert "dose.given" not in await patient.kinds()
    await patient.assert_sound()


def the_end(now: Any, **changes: Any) -> m.EndDose:
    given = {
        "key": a_key(), "actor": PEOPLE[Role.NURSE], "occurred_at": now, "given_mg": "30", "wasted_mg": "0",
        "witness": None,
    }  # fmt: skip
    return m.EndDose.model_validate(given | changes)


async def test_the_end_of_a_dose_accounts_for_what_was_drawn_up_before_a_witness(patient: Walk) -> None:
    order = await patient.to_chair()
    unstarted = await patient.refused("end_dose", the_end(await patient.here()), patient.part)
    assert unstarted.code == "not-possible-now"
    given = await patient.give(order)
    now = await patient.forward(patient.part, minutes=10)
    for code, changes in (
        ("dose-out-of-bounds", {"given_mg": "30", "wasted_mg": "6.1", "witness": "staff-second"}),
        ("separation-of-duties", {"wasted_mg": "6"}),
        ("separation-of-duties", {"wasted_mg": "6", "witness": PEOPLE[Role.NURSE].id}),
        ("reason-required", {"stopped_early": True}),
        ("wrong-role", {"actor": Actor(id="staff-therapist", role=Role.THERAPIST)}),
        ("invalid-time", {"occurred_at": given.at - timedelta(minutes=1)}),
        ("invalid-time", {"occurred_at": now + timedelta(minutes=5)}),
    ):
        assert (await patient.refused("end_dose", the_end(now, **changes), patient.part)).code == code
    stopped = the_end(now, wasted_mg="6", witness="staff-second", stopped_early=True, reason="nausea")
    assert (await patient.say_twice("end_dose", stopped, patient.part)).state == "stopped"
    twice = await patient.refused("end_dose", the_end(now), patient.part)
    assert twice.code == "not-possible-now"
    await patient.leave(Move.END)
    for minutes in (10, 40, 80, 100):
        await patient.forward_to(given.at + timedelta(minutes=minutes), patient.part)
        await patient.observe(minutes)
    await patient.discharge()
    await patient.outcome()
    await patient.assert_sound()
