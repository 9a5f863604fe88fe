"""What holds for every dose of every form, whatever somebody types?"""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Decision
from clinical.dosing import (
    DoseOrder,
    PlanDose,
    TodaysDoses,
    WeightMeasurement,
    basis_fault,
    compute_dose,
    dose_allowed,
)
from clinical.instants import EARLIEST, LATEST
from clinical.protocol import ByWeight, Drug, Protocol, Route
from tests.clinical.dosing_day.builders import NOW, a_plan_dose, a_weight, ago, refusals
from tests.clinical.dosing_day.forms import FORMS, of_form

FORM = st.sampled_from(FORMS)
MG = st.decimals("0", "1000000000", places=3) | st.sampled_from(
    [Decimal(0), Decimal(28), Decimal(56), Decimal(84), Decimal(100), Decimal("1E-9")]
)
SMALL_MG = st.decimals("0", "500", places=1) | st.integers(0, 18).map(lambda units: Decimal(28 * units))
PER_KG = st.decimals("0.0001", "1000", places=4) | st.decimals("0.01", "2", places=2)
KILOGRAMS = st.decimals("0.001", "1000", places=3) | st.decimals("40", "120", places=1)
HEIGHTS = st.none() | st.floats(0.01, 100_000) | st.just(175.0)
INSTANTS = st.sampled_from([EARLIEST, LATEST]) | st.integers(-5000, 10_000).map(
    lambda minutes: ago(minutes=minutes)
)
PLANS = st.builds(
    PlanDose,
    mg_per_kg=st.none() | PER_KG,
    dose_mg=st.none() | MG | SMALL_MG,
    max_mg=MG | SMALL_MG,
    boosters=st.integers(0, 3),
    route=st.sampled_from(Route),
    drug=st.sampled_from(Drug),
    infusion_minutes=st.none() | st.integers(1, 1440),
)
TODAY = st.builds(
    TodaysDoses,
    given=st.integers(0, 3),
    given_mg=MG | SMALL_MG,
    highest_mg=st.none() | SMALL_MG,
    highest_mg_per_kg=st.none() | PER_KG,
)
WEIGHTS = st.builds(
    WeightMeasurement,
    kg=KILOGRAMS,
    measured_at=INSTANTS,
    previous_kg=st.none() | KILOGRAMS,
    verified=st.booleans(),
)
TINY = Decimal("1E-400")
ORDERS = st.builds(
    DoseOrder,
    drug=st.sampled_from(Drug),
    route=st.sampled_from(Route),
    salt=st.sampled_from(["base", "hydrochloride"]),
    dose_mg=MG | SMALL_MG,
    mg_per_kg=st.none() | PER_KG | st.just(TINY),
    weight_kg=st.none() | KILOGRAMS,
    weight_measured_at=st.none() | INSTANTS,
    previous_weight_kg=st.none() | KILOGRAMS,
    volume_ml=st.none() | MG | SMALL_MG,
    concentration_mg_per_ml=st.none() | st.decimals("0.1", "100", places=1) | st.just(TINY),
    rate_ml_per_h=st.none() | MG | SMALL_MG | st.just(TINY),
    infusion_minutes=st.none() | st.integers(1, 1440),
    units=st.none() | st.integers(0, 5) | st.just(10**12),
    unit_mg=st.none() | st.sampled_from([Decimal(28), Decimal(50), Decimal(10_000), TINY]),
    basis=st.sampled_from(["actual-weight", "ideal-weight", "units"]),
    height_cm=HEIGHTS,
    inputs=st.just({}),
)


def amounts_of(form: str) -> st.SearchStrategy[Decimal]:
    """What anybody may order there: so much per kilogram, or milligrams."""
    return PER_KG if form in ("infusion", "injection") else MG.filter(bool) | SMALL_MG.filter(bool)


@given(FORM, ORDERS, PLANS, TODAY, INSTANTS)
def test_no_order_makes_the_rules_fail(
    protocol: Protocol, form: str, order: DoseOrder, plan: PlanDose, told: TodaysDoses, now: datetime
) -> None:
    bent = of_form(protocol, form)
    decision = dose_allowed(order, plan, told, bent, now)
    rules = [reason.rule for reason in decision.reasons]
    assert len(rules) == len(set(rules)), "each rule answers once"
    assert {"DOSE-DRUG", "DOSE-ROUTE", "DOSE-CAP-MG", "DOSE-PLAN-MG", "DOSE-BOOSTER"} <= set(rules)
    assert all(reason.source and reason.text for reason in decision.reasons)


@given(FORM, WEIGHTS, HEIGHTS, st.none() | st.integers(1, 1440), st.data())
def test_what_is_computed_is_never_more_than_was_ordered(
    protocol: Protocol,
    form: str,
    weight: WeightMeasurement,
    height_cm: float | None,
    minutes: int | None,
    data: st.DataObject,
) -> None:
    bent = of_form(protocol, form)
    amount = data.draw(amounts_of(form))
    by_weight = isinstance(bent.dosing, ByWeight)
    if basis_fault(amount if by_weight else None, None if by_weight else amount, bent):
        return
    order = compute_dose(amount, weight, height_cm, bent, NOW, infusion_minutes=minutes)
    ordered = amount * weight.kg if by_weight else amount
    assert order.drawn_mg is not None
    assert order.drawn_mg <= order.dose_mg <= ordered
    assert (order.drug, order.route, order.salt) == (bent.drug, bent.route, "base")
    assert order.pump_minutes is None or order.pump_minutes >= (minutes or 40)


def bounds_from_above(decision: Decision) -> set[str]:
    """The refusals that are about too much; a label's dose and whole units are refused from both sides."""
    return refusals(decision) - {"DOSE-LABEL", "DOSE-UNITS"}


@given(FORM, ORDERS, PLANS, TODAY, SMALL_MG)
def test_writing_more_removes_no_refusal(
    protocol: Protocol, form: str, order: DoseOrder, plan: PlanDose, told: TodaysDoses, more: Decimal
) -> None:
    bent = of_form(protocol, form)
    larger = order.model_copy(update={"dose_mg": order.dose_mg + more})
    before = bounds_from_above(dose_allowed(order, plan, told, bent, NOW))
    assert before <= refusals(dose_allowed(larger, plan, told, bent, NOW))


@given(FORM, ORDERS, PLANS, TODAY, SMALL_MG, st.integers(0, 2))
def test_having_given_more_today_removes_no_refusal(
    protocol: Protocol,
    form: str,
    order: DoseOrder,
    plan: PlanDose,
    told: TodaysDoses,
    more: Decimal,
    doses: int,
) -> None:
    bent = of_form(protocol, form)
    update = {"given_mg": told.given_mg + more, "given": told.given + doses}
    before = refusals(dose_allowed(order, plan, told, bent, NOW))
    assert before <= refusals(dose_allowed(order, plan, told.model_copy(update=update), bent, NOW))


@given(FORM, WEIGHTS, PLANS, TODAY, st.data())
def test_ordering_more_removes_no_refusal(
    protocol: Protocol,
    form: str,
    weight: WeightMeasurement,
    plan: PlanDose,
    told: TodaysDoses,
    data: st.DataObject,
) -> None:
    bent = of_form(protocol, form)
    amounts = data.draw(st.lists(amounts_of(form), min_size=2, max_size=2).map(sorted))
    small, large = (compute_dose(min(one, Decimal(10**6)), weight, 170, bent, NOW) for one in amounts)
    before = bounds_from_above(dose_allowed(small, plan, told, bent, NOW))
    assert before <= refusals(dose_allowed(large, plan, told, bent, NOW))


@given(FORM, st.integers(1, 40), TODAY)
def test_above_the_largest_dose_every_amount_is_refused(
    protocol: Protocol, form: str, over: int, told: TodaysDoses
) -> None:
    """In whole units too, where between two allowed doses there are others."""
    bent = of_form(protocol, form)
    if isinstance(bent.dosing, ByWeight):
        amount = Decimal(str(bent.dosing.max_mg_per_kg)) + Decimal(over) / 100
    else:
        amount = Decimal(str(bent.dosing.max_session_mg)) + over * Decimal(str(bent.dosing.unit_mg))
    order = compute_dose(amount, a_weight(), 175, bent, NOW)
    plan = a_plan_dose("9").model_copy(
        update={"dose_mg": Decimal(9999), "max_mg": Decimal(9999), "route": bent.route, "drug": bent.drug}
    )
    assert refusals(dose_allowed(order, plan, told, bent, NOW)) & {"DOSE-CAP-MG", "DOSE-CAP-PER-KG"}


PARTS = (
    "mg_per_kg",
    "weight_kg",
    "weight_measured_at",
    "volume_ml",
    "concentration_mg_per_ml",
    "rate_ml_per_h",
    "infusion_minutes",
    "units",
    "unit_mg",
)


@pytest.mark.parametrize("form", FORMS)
def test_an_order_that_passes_leaves_nothing_out(protocol: Protocol, form: str) -> None:
    """What a form has is needed there; what it has not got is None already."""
    bent = of_form(protocol, form)
    amount = (
        Decimal("0.5") if isinstance(bent.dosing, ByWeight) else Decimal(56 if form == "devices" else 100)
    )
    good = compute_dose(amount, a_weight(), 175, bent, NOW)
    plan = PlanDose(
        mg_per_kg=Decimal("0.5"), dose_mg=Decimal(100), max_mg=Decimal(100), route=bent.route, drug=bent.drug
    )
    assert dose_allowed(good, plan, TodaysDoses(), bent, NOW).passes
    for part in PARTS:
        without = good.model_copy(update={part: None})
        assert dose_allowed(without, plan, TodaysDoses(), bent, NOW).passes == (good == without), part
