"""Does each route go its own way through a session: injection with a booster, lozenges, devices by the label?"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from clinical.journey import Move, Stage
from clinical.people import Role
from services.protocols import load_protocol
from tests.workflows.shortcut import over, shortened
from tests.workflows.walk import PEOPLE, Refused, Walk, a_key
from workflows import messages as m

Begin = Callable[..., Walk]
ROOM = {"monitoring": {"reading_minutes": (20, 40, 90, 120)}}


async def at_the_chair(walk: Begin, shipped: str, **plan: object) -> Walk:
    """A patient of this protocol, booked, ready, weighed and asked, with such a plan."""
    patient = walk(shortened(load_protocol(shipped), **ROOM))
    await patient.to_preparation(preparation_sessions=0, **plan)
    await patient.until_there("session/1")
    patient.session = 1
    starts = await patient.book_session()
    await patient.ready(rems_enrolled=True)
    await patient.forward_to(starts, patient.part)
    await patient.check_in()
    await patient.answer(patient.part)
    return patient


async def test_a_booster_is_a_dose_of_its_own_inside_the_same_caps(walk: Begin) -> None:
    patient = await at_the_chair(
        walk, "im-racemic", boosters=1, mg_per_kg=Decimal("0.75"), max_mg=Decimal(54)
    )
    order = await patient.order()
    given = await patient.give(order)
    with pytest.raises(Refused) as at_once:
        await patient.give(order)
    assert at_once.value.code == "not-possible-now"
    await patient.end_dose(order.order.dose_mg)
    await patient.forward_to(given.at + timedelta(minutes=20), patient.part)
    await patient.observe(20)
    with pytest.raises(Refused) as too_much:
        await patient.order(mg_per_kg=Decimal("0.3"))
    assert {"DOSE-PLAN-PER-KG", "DOSE-PLAN-MG"} <= set(too_much.value.reasons)
    again = await patient.order(mg_per_kg=Decimal("0.25"))
    booster = await patient.give(again, dose_mg=again.order.dose_mg)
    with pytest.raises(Refused) as third:
        await patient.give(await patient.order(mg_per_kg=Decimal("0.25")))
    assert third.value.code in {"dose-out-of-bounds", "gate-closed"}
    await patient.end_dose(again.order.dose_mg)
    for minutes in (40, 90, 120, 140, 160, 180, 190):
        await patient.forward_to(given.at + timedelta(minutes=minutes), patient.part)
        await patient.observe(minutes)
    with pytest.raises(Refused) as early:
        await patient.discharge()
    assert early.value.reasons == ["DISCHARGE-MINIMUM-TIME"]
    await patient.forward_to(booster.at + timedelta(minutes=181), patient.part)
    await patient.discharge()
    doses = [e.fact for e in await patient.record() if e.fact.kind == "dose.given"]
    assert [(dose.dose_id, dose.booster) for dose in doses] == [
        ("session/1/dose/1", False),
        ("session/1/dose/2", True),
    ]
    await go_home(patient)


async def test_a_booster_that_no_plan_foresees_is_a_second_dose(walk: Begin) -> None:
    patient = await at_the_chair(walk, "im-racemic")
    order = await patient.order()
    await patient.give(order)
    await patient.end_dose(order.order.dose_mg)
    with pytest.raises(Refused) as refused:
        await patient.order(mg_per_kg=Decimal("0.25"))
    assert refused.value.code == "not-possible-now"
    await finish(patient)


async def test_lozenges_are_counted_out_and_the_first_session_has_a_bound_of_its_own(walk: Begin) -> None:
    patient = await at_the_chair(walk, "sl-racemic", dose_mg=Decimal(300), max_mg=Decimal(300))
    with pytest.raises(Refused) as by_weight:
        await patient.order(mg_per_kg=Decimal("0.5"), dose_mg=None)
    assert by_weight.value.code == "dose-out-of-bounds"
    with pytest.raises(Refused) as too_many:
        await patient.order(dose_mg=Decimal(250))
    assert {"DOSE-STEP", "DOSE-FIRST-SESSION"} <= set(too_many.value.reasons)
    order = await patient.order(dose_mg=Decimal(100))
    assert (order.order.units, order.order.weight_kg, order.order.rate_ml_per_h) == (2, None, None)
    with pytest.raises(Refused) as half:
        await patient.give(order, dose_mg=Decimal(75))
    assert "DOSE-UNITS" in half.value.reasons
    await patient.give(order)
    await patient.end_dose(Decimal(100))
    await finish(patient)


async def test_esketamine_goes_by_its_label(walk: Begin) -> None:
    patient = await at_the_chair(walk, "esketamine-rems")
    with pytest.raises(Refused) as day_one:
        await patient.order(dose_mg=Decimal(84))
    assert "DOSE-LABEL" in day_one.value.reasons
    order = await patient.order()
    assert (order.order.dose_mg, order.order.units) == (Decimal(56), 2)
    given = await patient.give(order)
    await patient.end_dose(Decimal(56))
    for minutes in (20, 40, 90, 119):
        await patient.forward_to(given.at + timedelta(minutes=minutes), patient.part)
        await patient.observe(minutes)
    with pytest.raises(Refused) as early:
        await patient.say(
            "discharge",
            m.Discharge(
                key=a_key(),
                actor=PEOPLE[Role.PRESCRIBER],
                escort_present=True,
                instructions_given=True,
                override_reason="feels well and wants to go",
            ),
            patient.part,
        )
    assert early.value.code == "discharge-criteria-unmet"
    await patient.discharge()
    await patient.aftercare()
    await over(patient)


async def test_esketamine_is_not_given_where_the_rems_is_not_met(walk: Begin) -> None:
    patient = walk(shortened(load_protocol("esketamine-rems"), **ROOM))
    await patient.to_preparation(preparation_sessions=0)
    await patient.until_there("session/1")
    patient.session = 1
    starts = await patient.book_session()
    await patient.ready(rems_enrolled=True)
    await patient.forward_to(starts, patient.part)
    await patient.check_in(rems_patient_enrolled=False, nasal_spray_free=None)
    await patient.answer(patient.part)
    with pytest.raises(Refused) as refused:
        await patient.give(await patient.order())
    assert set(refused.value.reasons) == {"G12", "G15"}
    await over(patient)


async def finish(patient: Walk) -> None:
    """Watched until home, and looked after."""
    record = await patient.record()
    given_at = next(e.fact.given_at for e in record if e.fact.kind == "dose.given")
    for minutes in (20, 40, 90, 120):
        await patient.forward_to(given_at + timedelta(minutes=minutes), patient.part)
        await patient.observe(minutes)
    await patient.discharge()
    await go_home(patient)


async def go_home(patient: Walk) -> None:
    """Looked after, and then the course is ended: the record must be sound."""
    await patient.aftercare()
    await patient.leave(Move.END)
    assert (await patient.outcome()).stage is Stage.ENDED
    await patient.assert_sound()
