"""The dose, its bounds, and the ways a wrong one was nearly given (H1, H2, H3)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.dosing import DoseOrder, PlanDose, WeightMeasurement, compute_dose, dose_allowed
from clinical.protocol import Drug, Protocol, Route
from clinical.weight import ideal_weight_kg
from tests.clinical.dosing_day.builders import NOW, a_plan_dose, a_weight, ago, refusals, verdicts

PER_KG = st.decimals("0.0001", "20", places=4)
KILOGRAMS = st.decimals("0.5", "400", places=1)
AMOUNTS = st.decimals("0", "5000", places=2)
PLANS = st.builds(
    PlanDose,
    mg_per_kg=st.decimals("0.1", "3", places=2),
    max_mg=AMOUNTS,
    route=st.sampled_from(Route),
    drug=st.sampled_from(Drug),
    infusion_minutes=st.none() | st.integers(1, 1440),
)
WEIGHTS = st.builds(
    WeightMeasurement,
    kg=KILOGRAMS,
    measured_at=st.integers(-100, 10_000).map(lambda minutes: ago(minutes=minutes)),
    previous_kg=st.none() | KILOGRAMS,
    verified=st.booleans(),
)
ORDERS = st.builds(
    DoseOrder,
    drug=st.sampled_from(Drug),
    route=st.sampled_from(Route),
    salt=st.sampled_from(["base", "hydrochloride"]),
    dose_mg=AMOUNTS,
    mg_per_kg=PER_KG,
    weight_kg=KILOGRAMS,
    weight_measured_at=st.just(ago(hours=1)),
    previous_weight_kg=st.none() | KILOGRAMS,
    volume_ml=st.none() | AMOUNTS,
    concentration_mg_per_ml=st.none() | st.decimals("0.1", "100", places=1),
    rate_ml_per_h=st.none() | AMOUNTS,
    infusion_minutes=st.none() | st.integers(1, 1440),
    basis=st.sampled_from(["actual-weight", "ideal-weight"]),
    height_cm=st.none() | st.floats(0.01, 100_000),
    inputs=st.just({}),
)


def an_order(protocol: Protocol, mg_per_kg: str = "0.5", kg: str = "70", **changes: Any) -> DoseOrder:
    order = compute_dose(Decimal(mg_per_kg), a_weight(kg), 175, protocol, NOW)
    return order.model_copy(update=changes)


def test_half_a_milligram_per_kilogram_over_forty_minutes(protocol: Protocol) -> None:
    order = an_order(protocol)
    assert (order.dose_mg, order.volume_ml, order.rate_ml_per_h) == (
        Decimal(35),
        Decimal(35),
        Decimal("52.5"),
    )
    assert order.infusion_minutes == 40
    decision = dose_allowed(order, a_plan_dose(), Decimal(0), protocol, NOW)
    assert decision.verdict is Verdict.PASS
    assert order.inputs["weight_kg"] == "70"
    assert order.inputs["ordered_mg"] == "35.0"


@given(PER_KG, KILOGRAMS)
def test_rounding_never_gives_more_and_never_faster(
    protocol: Protocol, mg_per_kg: Decimal, kg: Decimal
) -> None:
    order = compute_dose(mg_per_kg, a_weight(str(kg)), None, protocol, NOW)
    assert order.rate_ml_per_h is not None
    assert order.drawn_mg == order.dose_mg <= mg_per_kg * kg < order.dose_mg + Decimal("0.1")
    assert order.pump_minutes is not None
    assert order.pump_minutes >= protocol.dosing.infusion_minutes_min


def test_a_plan_may_ask_for_a_slower_infusion(protocol: Protocol) -> None:
    slow = a_plan_dose(infusion_minutes=60)
    assert refusals(dose_allowed(an_order(protocol), slow, Decimal(0), protocol, NOW)) == {"DOSE-RATE"}
    order = compute_dose(Decimal("0.5"), a_weight(), 175, protocol, NOW, infusion_minutes=60)
    assert dose_allowed(order, slow, Decimal(0), protocol, NOW).passes


def test_pounds_typed_as_kilograms_are_refused(protocol: Protocol) -> None:
    decision = dose_allowed(an_order(protocol, kg="154"), a_plan_dose(), Decimal(0), protocol, NOW)
    assert refusals(decision) == {"WEIGHT-RANGE"}
    (reason,) = decision.objections
    assert "69.9 kg" in reason.text
    assert (reason.value, reason.unit, reason.limit) == ("154", "kg", "45-115")


@pytest.mark.parametrize(
    ("weight", "refused"),
    [
        (a_weight("44.9"), "WEIGHT-RANGE"),
        (a_weight(measured_at=ago(hours=24.5)), "WEIGHT-AGE"),
        (a_weight(measured_at=NOW + timedelta(minutes=5)), "WEIGHT-AGE"),
        (a_weight("75", previous_kg=Decimal(70)), "WEIGHT-CHANGE"),
        (a_weight("45", previous_kg=Decimal(50)), "WEIGHT-CHANGE"),
        (a_weight(previous_kg=None), "WEIGHT-CHANGE"),
    ],
    ids=["low", "stale", "future", "5-kg", "10-percent", "nothing-to-compare"],
)
def test_a_weight_that_is_not_good_enough(
    weight: WeightMeasurement, refused: str, protocol: Protocol
) -> None:
    order = compute_dose(Decimal("0.5"), weight, 175, protocol, NOW)
    assert refusals(dose_allowed(order, a_plan_dose(), Decimal(0), protocol, NOW)) == {refused}


@pytest.mark.parametrize("previous", [None, Decimal(60)])
def test_a_weight_verified_on_the_scale_may_be_new(previous: Decimal | None, protocol: Protocol) -> None:
    order = compute_dose(Decimal("0.5"), a_weight(previous_kg=previous, verified=True), 175, protocol, NOW)
    assert dose_allowed(order, a_plan_dose(), Decimal(0), protocol, NOW).passes


def test_two_hundred_milligrams_into_a_muscle_are_refused(protocol: Protocol) -> None:
    order = an_order(protocol, dose_mg=Decimal(200), route=Route.IM)
    refused = refusals(dose_allowed(order, a_plan_dose(), Decimal(0), protocol, NOW))
    assert refused >= {"DOSE-ROUTE", "DOSE-CAP-MG", "DOSE-CAP-PER-KG", "DOSE-ARITHMETIC"}


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"drug": Drug.ESKETAMINE}, {"DOSE-DRUG"}),
        ({"salt": "hydrochloride"}, {"DOSE-SALT"}),
        ({"dose_mg": Decimal("35.36")}, {"DOSE-ARITHMETIC", "DOSE-PLAN-PER-KG"}),
        ({"volume_ml": Decimal(70)}, {"DOSE-ARITHMETIC", "DOSE-PLAN-PER-KG"}),
        ({"rate_ml_per_h": Decimal(2000)}, {"DOSE-RATE"}),
        ({"infusion_minutes": 1}, {"DOSE-RATE"}),
        ({"infusion_minutes": None}, {"DOSE-RATE"}),
        ({"rate_ml_per_h": None}, {"DOSE-RATE"}),
        ({"volume_ml": None}, {"DOSE-RATE"}),
        (
            {"concentration_mg_per_ml": Decimal("1.1")},
            {"DOSE-ARITHMETIC", "DOSE-PLAN-PER-KG", "DOSE-CONCENTRATION"},
        ),
        ({"concentration_mg_per_ml": None}, {"DOSE-CONCENTRATION"}),
    ],
)
def test_an_order_that_contradicts_itself_or_the_plan(
    changes: dict[str, Any], refused: set[str], protocol: Protocol
) -> None:
    order = an_order(protocol, **changes)
    assert refusals(dose_allowed(order, a_plan_dose(), Decimal(0), protocol, NOW)) == refused


@pytest.mark.parametrize(
    ("mg_per_kg", "kg", "plan", "refused"),
    [
        ("0.6", "70", a_plan_dose("0.5"), {"DOSE-PLAN-PER-KG"}),
        ("0.5", "70", a_plan_dose(max_mg=Decimal(34)), {"DOSE-PLAN-MG"}),
        ("1.1", "70", a_plan_dose("1.1"), {"DOSE-CAP-PER-KG"}),
        ("1.0", "101", a_plan_dose("1.0", max_mg=Decimal(200)), {"DOSE-CAP-MG"}),
        ("1.0", "100", a_plan_dose("1.0"), set()),
    ],
)
def test_the_caps(mg_per_kg: str, kg: str, plan: PlanDose, refused: set[str], protocol: Protocol) -> None:
    order = an_order(protocol, mg_per_kg, kg)
    decision = dose_allowed(order, plan, Decimal(0), protocol, NOW)
    assert refusals(decision) == refused
    assert all(reason.limit and reason.source for reason in decision.objections)
    assert order.dose_mg == Decimal(mg_per_kg) * Decimal(kg), "refused, never clamped"


def test_a_booster_counts_towards_the_same_caps(protocol: Protocol) -> None:
    boosted = protocol.model_copy(update={"dosing": protocol.dosing.model_copy(update={"boosters_max": 1})})
    order, plan = an_order(protocol, "0.5"), a_plan_dose("1.0")
    assert refusals(dose_allowed(order, plan, Decimal(35), protocol, NOW)) == {"DOSE-BOOSTER"}
    assert dose_allowed(order, plan, Decimal(35), boosted, NOW).passes
    assert refusals(dose_allowed(order, plan, Decimal(36), boosted, NOW)) == {
        "DOSE-PLAN-PER-KG",
        "DOSE-CAP-PER-KG",
    }


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"dose_mg": Decimal(30)}, "DOSE-ARITHMETIC"),
        ({"dose_mg": Decimal(0)}, "DOSE-MINIMUM"),
        ({"rate_ml_per_h": Decimal(0)}, "DOSE-RATE"),
    ],
)
def test_too_little_waits_for_a_person(changes: dict[str, Any], rule: str, protocol: Protocol) -> None:
    decision = dose_allowed(an_order(protocol, **changes), a_plan_dose(), Decimal(0), protocol, NOW)
    assert refusals(decision) == set()
    assert verdicts(decision)[rule] is Verdict.REVIEW


def test_below_the_lowest_dose_waits_for_a_person(protocol: Protocol) -> None:
    decision = dose_allowed(an_order(protocol, "0.09"), a_plan_dose(), Decimal(0), protocol, NOW)
    assert [reason.rule for reason in decision.objections] == ["DOSE-MINIMUM"]


def test_a_high_body_mass_index_is_a_caution_not_another_dose(protocol: Protocol) -> None:
    order = compute_dose(Decimal("0.5"), a_weight("92"), 175, protocol, NOW)
    decision = dose_allowed(order, a_plan_dose(), Decimal(0), protocol, NOW)
    assert verdicts(decision)["DOSE-BODY-MASS"] is Verdict.CAUTION
    assert order.dose_mg == 46
    assert decision.passes


def test_an_unknown_height_is_said(protocol: Protocol) -> None:
    order = compute_dose(Decimal("0.5"), a_weight(), None, protocol, NOW)
    assert dose_allowed(order, a_plan_dose(), Decimal(0), protocol, NOW).missing == ("DOSE-BODY-MASS",)


def test_ideal_weight_is_a_smaller_basis_where_the_prescriber_orders_it(protocol: Protocol) -> None:
    assert ideal_weight_kg(170) == Decimal("63.80")
    assert ideal_weight_kg(20) == 0
    order = an_order(protocol, "0.5", "100", basis="ideal-weight", height_cm=170.0, dose_mg=Decimal("31.9"))
    drawn = order.model_copy(update={"volume_ml": Decimal("31.9"), "rate_ml_per_h": Decimal("47.8")})
    assert dose_allowed(drawn, a_plan_dose(), Decimal(0), protocol, NOW).passes
    assert "DOSE-ARITHMETIC" in refusals(dose_allowed(order, a_plan_dose(), Decimal(0), protocol, NOW))
    unknown = drawn.model_copy(update={"height_cm": None})
    assert unknown.expected_mg == 50


def test_a_route_without_a_pump_has_no_rate(protocol: Protocol) -> None:
    muscle = protocol.model_copy(update={"route": Route.IM})
    order = compute_dose(Decimal("0.5"), a_weight(), 175, muscle, NOW)
    assert (order.rate_ml_per_h, order.infusion_minutes) == (None, None)
    plan = a_plan_dose(route=Route.IM, infusion_minutes=None)
    assert dose_allowed(order, plan, Decimal(0), muscle, NOW).verdict is Verdict.PASS


@given(WEIGHTS, PLANS, AMOUNTS, PER_KG, PER_KG)
def test_a_larger_dose_removes_no_refusal(
    protocol: Protocol,
    weight: WeightMeasurement,
    plan: PlanDose,
    given: Decimal,
    one: Decimal,
    other: Decimal,
) -> None:
    small, large = (compute_dose(amount, weight, 170, protocol, NOW) for amount in sorted((one, other)))
    before = refusals(dose_allowed(small, plan, given, protocol, NOW))
    assert before <= refusals(dose_allowed(large, plan, given, protocol, NOW))


@given(ORDERS, PLANS, AMOUNTS, AMOUNTS)
def test_writing_or_giving_more_removes_no_refusal(
    protocol: Protocol, order: DoseOrder, plan: PlanDose, given: Decimal, more: Decimal
) -> None:
    before = refusals(dose_allowed(order, plan, given, protocol, NOW))
    larger = order.model_copy(update={"dose_mg": order.dose_mg + more})
    assert before <= refusals(dose_allowed(larger, plan, given, protocol, NOW))
    assert before <= refusals(dose_allowed(order, plan, given + more, protocol, NOW))


@pytest.mark.parametrize(
    ("dose_mg", "verdict"),
    [("34.55", Verdict.PASS), ("34.54", Verdict.REVIEW), ("35.35", Verdict.PASS), ("35.36", Verdict.REFUSE)],
)
def test_the_arithmetic_allows_one_percent_and_one_step(
    dose_mg: str, verdict: Verdict, protocol: Protocol
) -> None:
    order = an_order(protocol, dose_mg=Decimal(dose_mg))
    decision = dose_allowed(order, a_plan_dose("1.0"), Decimal(0), protocol, NOW)
    assert verdicts(decision)["DOSE-ARITHMETIC"] is verdict


@pytest.mark.parametrize(
    "weight",
    [
        a_weight(measured_at=ago(hours=24)),
        a_weight(measured_at=NOW + timedelta(minutes=2)),
        a_weight("45", previous_kg=Decimal("49.9")),
        a_weight("115", previous_kg=Decimal("110.1")),
    ],
    ids=["24-h", "within-the-clock", "lowest", "highest"],
)
def test_a_weight_just_good_enough(weight: WeightMeasurement, protocol: Protocol) -> None:
    order = compute_dose(Decimal("0.1"), weight, 175, protocol, NOW)
    decision = dose_allowed(order, a_plan_dose(), Decimal(0), protocol, NOW)
    assert decision.passes
    assert decision.missing == ()


def test_ten_percent_counts_below_five_kilograms(protocol: Protocol) -> None:
    order = compute_dose(Decimal("0.5"), a_weight("45.18", previous_kg=Decimal("50.2")), 175, protocol, NOW)
    lighter = compute_dose(Decimal("0.5"), a_weight("49.5", previous_kg=Decimal(45)), 175, protocol, NOW)
    for changed in (order, lighter):
        decision = dose_allowed(changed, a_plan_dose(), Decimal(0), protocol, NOW)
        assert refusals(decision) == {"WEIGHT-CHANGE"}
        assert decision.missing == ()


def test_what_is_missing_is_named(protocol: Protocol) -> None:
    stale = compute_dose(
        Decimal("0.5"), a_weight(previous_kg=None, measured_at=ago(hours=30)), 175, protocol, NOW
    )
    decision = dose_allowed(stale, a_plan_dose(), Decimal(0), protocol, NOW)
    assert decision.missing == ("WEIGHT-AGE", "WEIGHT-CHANGE")
