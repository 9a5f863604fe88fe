"""What closes the gate before a dose, and what opens it again?"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from clinical.journey import Move
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.risk import Disposition
from tests.workflows.shortcut import arrived, at_treating, over, shortened
from tests.workflows.walk import PEOPLE, Refused, Walk, a_key, a_reading
from workflows import messages as m

Begin = Callable[..., Walk]
HIGH = {"q1": 1, "q2": 1, "q3": 1, "q4": 1, "q5": 0, "q6": 0}


@pytest.fixture
async def patient(walk: Begin, protocol: Protocol) -> Walk:
    return await at_treating(walk(shortened(protocol)))


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
        ("G12", {"blocking_interactions": ("theophylline",)}),
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
        without_plan="has one with the own therapist",
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
