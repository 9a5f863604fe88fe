"""The dose: what closes the gate, what is out of bounds, and why there is never a second one."""

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
from clinical.risk import Disposition
from tests.workflows.shortcut import at_treating, shortened
from tests.workflows.walk import PEOPLE, Refused, Walk, a_key, a_reading
from workflows import messages as m

Begin = Callable[..., Walk]
HIGH = {"q1": 1, "q2": 1, "q3": 1, "q4": 1, "q5": 0, "q6": 0}


@pytest.fixture
async def patient(walk: Begin, protocol: Protocol) -> Walk:
    return await at_treating(walk(shortened(protocol)))


async def arrived(patient: Walk, **checked_in: Any) -> Walk:
    """Booked, ready and checked in; nobody has asked or ordered anything yet."""
    starts = await patient.book_session()
    await patient.ready()
    await patient.forward_to(starts, patient.part)
    given = {name: value(starts) if callable(value) else value for name, value in checked_in.items()}
    await patient.check_in(**given)
    return patient


async def over(patient: Walk) -> None:
    """Whoever has a dose is watched until they may go home; then the course ends."""
    if await patient.facts("dose.given") and not await patient.facts("session.discharged"):
        [given] = await patient.facts("dose.given")
        await patient.in_the_chair(given.given_at, given.dose_mg)
        await patient.discharge()
    if await patient.stage() is Stage.TREATING:
        await patient.leave(Move.END)
    await patient.outcome()
    await patient.assert_sound()


async def gates_closed(patient: Walk, order: m.DoseOrdered, **dose: Any) -> list[str]:
    """Which gates close before this dose? The refusal and the record must say the same."""
    with pytest.raises(Refused) as refused:
        await patient.give(order, **dose)
    assert refused.value.code == "gate-closed"
    gate = (await patient.facts("gate.evaluated"))[-1]
    assert not gate.green
    assert [reason.rule for reason in gate.reasons] == refused.value.reasons
    return sorted(set(refused.value.reasons))


@pytest.mark.parametrize(
    ("gate", "checked_in"),
    [
        ("G1", {"identifiers_confirmed": 1}),
        ("G5", {"food_at": lambda now: now - timedelta(hours=3)}),
        ("G6", {"escort_confirmed": False}),
        ("G12", {"medications_reconciled_at": None}),
    ],
)
async def test_what_is_amiss_at_check_in_closes_its_gate(
    patient: Walk, gate: str, checked_in: dict[str, Any]
) -> None:
    await arrived(patient, **checked_in)
    await patient.answer(patient.part)
    assert await gates_closed(patient, await patient.order()) == [gate]
    assert await patient.facts("dose.given") == []
    await over(patient)


async def test_what_is_amiss_at_the_syringe_closes_its_gate_until_it_is_put_right(patient: Walk) -> None:
    order = await patient.to_chair()
    for gate, dose in (
        ("G1", {"plan_hash": "0" * 64}),
        ("G14", {"monitor_present": False}),
        ("G16", {"second_check_by": PEOPLE[Role.NURSE].id}),
        ("G16", {"lot_expires_on": "2020-01-31"}),
    ):
        assert await gates_closed(patient, order, **dose) == [gate]
    await patient.give(order)
    assert [gate.green for gate in await patient.facts("gate.evaluated")] == [False] * 4 + [True]
    await over(patient)


async def test_without_a_suicide_screen_of_today_there_is_no_dose(patient: Walk) -> None:
    await arrived(patient)
    order = await patient.order()
    assert await gates_closed(patient, order) == ["G9"]
    await patient.answer(patient.part)
    await patient.give(order)
    await over(patient)


async def test_a_high_screen_blocks_the_dose_until_it_is_resolved_and_asked_again(patient: Walk) -> None:
    await arrived(patient)
    await patient.answer(patient.part, cssrs=HIGH)
    order = await patient.order()
    assert await gates_closed(patient, order) == ["G9"]
    [case] = await patient.facts("risk.opened")
    risk = f"risk/{case.case_id}"
    await patient.until_there(risk)
    await patient.answer(patient.part)
    assert await gates_closed(patient, order) == ["G9"], "a later no does not close a case"
    resolution = m.ResolveRisk(
        key=a_key(),
        actor=PEOPLE[Role.PRESCRIBER],
        disposition=Disposition.CONTINUED_WITH_MONITORING,
        note="spoke at length",
    )
    await patient.say("resolve_risk", resolution, risk)
    await patient.give(order)
    await over(patient)


async def test_a_consent_that_ran_out_closes_the_gate(walk: Begin, protocol: Protocol) -> None:
    patient = await at_treating(walk(shortened(protocol, consent={"valid_days": 1})))
    order = await patient.to_chair()
    with pytest.raises(Refused) as refused:
        await patient.give(order)
    assert (refused.value.code, set(refused.value.reasons)) == ("consent-required", {"G2"})
    assert [gate.green for gate in await patient.facts("gate.evaluated")] == [False]
    await over(patient)


async def test_a_high_pressure_holds_the_dose_until_it_is_repeated_after_rest(patient: Walk) -> None:
    await arrived(patient, baseline=lambda now: a_reading(now, systolic_mmhg=168))
    await patient.answer(patient.part)
    order = await patient.order()
    for minutes, closed in ((0, True), (4, True), (11, False)):
        if minutes:
            now = await patient.forward(patient.part, minutes=minutes)
            again = m.RecordBaseline(key=a_key(), actor=PEOPLE[Role.NURSE], baseline=a_reading(now))
            await patient.say("record_baseline", again, patient.part)
        if closed:
            assert await gates_closed(patient, order) == ["G10"]
    await patient.give(order)
    assert [fact.tier for fact in await patient.facts("session.checked-in")] == ["B", "normal", "normal"]
    await over(patient)


async def test_a_raised_pressure_needs_the_prescribers_attestation(patient: Walk) -> None:
    await arrived(patient, baseline=lambda now: a_reading(now, systolic_mmhg=146))
    await patient.answer(patient.part)
    assert await gates_closed(patient, await patient.order()) == ["G10"]
    await patient.give(await patient.order(caution_attested="known and stable"))
    await over(patient)


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


async def test_what_is_drawn_up_must_be_what_was_ordered(patient: Walk) -> None:
    order = await patient.to_chair()
    for more, rule in ((2, "DOSE-PLAN-PER-KG"), (-20, "DOSE-ARITHMETIC")):
        closed = await gates_closed(patient, order, dose_mg=order.order.dose_mg + more)
        assert rule in closed
        assert not [gate for gate in closed if gate.startswith("G")]
    await over(patient)


async def test_visits_that_came_to_nothing_are_no_doses(patient: Walk) -> None:
    cancel = m.CancelSession(key=a_key(), actor=PEOPLE[Role.COORDINATOR], reason="storm")
    await patient.say("cancel_session", cancel, patient.part)
    for session in (2, 3):
        patient.session = session
        await patient.until_there(patient.part)
        order = await patient.to_chair()
        given = await patient.give(order)
        await patient.in_the_chair(given.at, order.order.dose_mg)
        await patient.discharge()
        await patient.aftercare()
    await patient.until_there("follow-up/1")
    await patient.leave(Move.END)
    outcome = await patient.outcome()
    assert (outcome.doses, outcome.sessions_completed) == (2, 2)
    await patient.assert_sound()


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
