"""The dose by vein, its bounds, and the ways a wrong one was nearly given (H1, H2, H3).

The other forms are in `test_dosing_by_form`, the properties of all forms in `test_dosing_properties`.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.dosing import (
    DoseOrder,
    PlanDose,
    TodaysDoses,
    WeightMeasurement,
    compute_dose,
    dose_allowed,
)
from clinical.protocol import Drug, Infusion, Protocol, Route
from clinical.weight import ideal_weight_kg
from tests.clinical.dosing_day.builders import (
    NO_DOSE_YET,
    NOW,
    a_dose,
    a_plan_dose,
    a_weight,
    ago,
    refusals,
    today,
    verdicts,
)
from tests.clinical.dosing_day.forms import changed

PER_KG = st.decimals("0.0001", "20", places=4)
KILOGRAMS = st.decimals("0.5", "400", places=1)
LATER = today(highest="1")
"""A later session, after one with 1 mg/kg: no step is in the way."""


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
    decision = dose_allowed(order, a_plan_dose(), NO_DOSE_YET, protocol, NOW)
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
    assert isinstance(protocol.dosing, Infusion)
    assert order.pump_minutes >= protocol.dosing.infusion_minutes_min


def test_a_plan_may_ask_for_a_slower_infusion(protocol: Protocol) -> None:
    slow = a_plan_dose(infusion_minutes=60)
    assert refusals(dose_allowed(an_order(protocol), slow, NO_DOSE_YET, protocol, NOW)) == {"DOSE-RATE"}
    order = compute_dose(Decimal("0.5"), a_weight(), 175, protocol, NOW, infusion_minutes=60)
    assert dose_allowed(order, slow, NO_DOSE_YET, protocol, NOW).passes


def test_pounds_typed_as_kilograms_are_refused(protocol: Protocol) -> None:
    decision = dose_allowed(an_order(protocol, kg="154"), a_plan_dose(), NO_DOSE_YET, protocol, NOW)
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
    assert refusals(dose_allowed(order, a_plan_dose(), NO_DOSE_YET, protocol, NOW)) == {refused}


@pytest.mark.parametrize("previous", [None, Decimal(60)])
def test_a_weight_verified_on_the_scale_may_be_new(previous: Decimal | None, protocol: Protocol) -> None:
    order = compute_dose(Decimal("0.5"), a_weight(previous_kg=previous, verified=True), 175, protocol, NOW)
    assert dose_allowed(order, a_plan_dose(), NO_DOSE_YET, protocol, NOW).passes


def test_two_hundred_milligrams_into_a_muscle_are_refused(protocol: Protocol) -> None:
    order = an_order(protocol, dose_mg=Decimal(200), route=Route.IM)
    refused = refusals(dose_allowed(order, a_plan_dose(), NO_DOSE_YET, protocol, NOW))
    assert refused >= {"DOSE-ROUTE", "DOSE-CAP-MG", "DOSE-CAP-PER-KG", "DOSE-ARITHMETIC"}


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"drug": Drug.ESKETAMINE}, {"DOSE-DRUG"}),
        ({"salt": "hydrochloride"}, {"DOSE-SALT"}),
        ({"dose_mg": Decimal("35.36")}, {"DOSE-ARITHMETIC", "DOSE-PLAN-PER-KG"}),
        ({"volume_ml": Decimal(70)}, {"DOSE-ARITHMETIC", "DOSE-PLAN-PER-KG"}),
        ({"mg_per_kg": None}, {"DOSE-BASIS"}),
        ({"weight_kg": None}, {"DOSE-BASIS"}),
        ({"weight_measured_at": None}, {"DOSE-BASIS"}),
        ({"units": 35}, {"DOSE-BASIS"}),
        ({"unit_mg": Decimal(1)}, {"DOSE-BASIS"}),
        ({"basis": "units"}, {"DOSE-BASIS", "DOSE-ARITHMETIC"}),
        ({"rate_ml_per_h": Decimal(2000)}, {"DOSE-RATE"}),
        ({"infusion_minutes": 1}, {"DOSE-RATE"}),
        ({"infusion_minutes": None}, {"DOSE-RATE"}),
        ({"rate_ml_per_h": None}, {"DOSE-RATE"}),
        ({"volume_ml": None}, {"DOSE-RATE", "DOSE-ARITHMETIC"}),
        (
            {"concentration_mg_per_ml": Decimal("1.1")},
            {"DOSE-ARITHMETIC", "DOSE-PLAN-PER-KG", "DOSE-CONCENTRATION"},
        ),
        ({"concentration_mg_per_ml": None}, {"DOSE-CONCENTRATION", "DOSE-ARITHMETIC"}),
    ],
)
def test_an_order_that_contradicts_itself_or_the_plan(
    changes: dict[str, Any], refused: set[str], protocol: Protocol
) -> None:
    order = an_order(protocol).model_copy(update=changes)
    decision = dose_allowed(order, a_plan_dose(), LATER, protocol, NOW)
    assert refusals(decision) == refused
    assert all(reason.source and reason.limit for reason in decision.objections)


@pytest.mark.parametrize(
    ("mg_per_kg", "kg", "plan", "refused"),
    [
        ("0.6", "70", a_plan_dose("0.5"), {"DOSE-PLAN-PER-KG"}),
        ("0.5", "70", a_plan_dose(max_mg=Decimal(34)), {"DOSE-PLAN-MG"}),
        ("1.1", "70", a_plan_dose("1.1"), {"DOSE-CAP-PER-KG"}),
        ("1.0", "101", a_plan_dose("1.0", max_mg=Decimal(200)), {"DOSE-CAP-MG"}),
        ("1.0", "100", a_plan_dose("1.0"), set()),
        ("0.5", "70", a_plan_dose().model_copy(update={"mg_per_kg": None}), {"DOSE-PLAN-PER-KG"}),
    ],
)
def test_the_caps(mg_per_kg: str, kg: str, plan: PlanDose, refused: set[str], protocol: Protocol) -> None:
    order = an_order(protocol, mg_per_kg, kg)
    decision = dose_allowed(order, plan, LATER, protocol, NOW)
    assert refusals(decision) == refused
    assert all((reason.limit or reason.missing) and reason.source for reason in decision.objections)
    assert order.dose_mg == Decimal(mg_per_kg) * Decimal(kg), "refused, never clamped"


@pytest.mark.parametrize(
    ("highest", "mg_per_kg", "limit"),
    [
        (None, "0.5", None),
        (None, "0.51", "<= 0.5"),
        ("0.5", "0.6", None),
        ("0.5", "0.61", "<= 0.6"),
        ("0.3", "0.5", None),
        ("0.3", "0.51", "<= 0.5"),
        ("0.9", "1.0", None),
    ],
)
def test_a_course_begins_low_and_rises_step_by_step(
    highest: str | None, mg_per_kg: str, limit: str | None, protocol: Protocol
) -> None:
    order = an_order(protocol, mg_per_kg)
    decision = dose_allowed(order, a_plan_dose("1.0"), today(highest=highest), protocol, NOW)
    (answer,) = [reason for reason in decision.reasons if reason.rule == "DOSE-STEP"]
    assert (answer.limit if answer.verdict is Verdict.REFUSE else None) == limit
    assert (answer.unit, answer.source) == ("mg/kg", "facts §2.2")


def test_a_booster_counts_towards_the_same_caps(protocol: Protocol) -> None:
    boosted = changed(protocol, "dosing", boosters_max=1)
    order, plan, once = an_order(protocol, "0.5"), a_plan_dose("1.0", boosters=1), today("35", highest="1")
    assert refusals(dose_allowed(order, plan, once, protocol, NOW)) == {"DOSE-BOOSTER"}
    assert dose_allowed(order, plan, once, boosted, NOW).passes
    unplanned = plan.model_copy(update={"boosters": 0})
    assert refusals(dose_allowed(order, unplanned, once, boosted, NOW)) == {"DOSE-BOOSTER"}
    assert refusals(dose_allowed(order, plan, today("36", highest="1"), boosted, NOW)) == {
        "DOSE-PLAN-PER-KG",
        "DOSE-CAP-PER-KG",
    }
    assert refusals(dose_allowed(order, plan, today("35", given=0, highest="1"), protocol, NOW)) == {
        "DOSE-BOOSTER"
    }, "milligrams that nobody counted as a dose are one"


def test_a_booster_counts_towards_the_step(protocol: Protocol) -> None:
    boosted = changed(protocol, "dosing", boosters_max=1)
    plan = a_plan_dose("1.0", boosters=1)
    split, tenth = an_order(protocol, "0.25"), an_order(protocol, "0.1")
    assert dose_allowed(split, plan, today("17.5"), boosted, NOW).passes
    assert dose_allowed(tenth, plan, today("35"), boosted, NOW).passes, "the first session: one step at most"
    first = dose_allowed(split, plan, today("35"), boosted, NOW)
    assert refusals(first) == {"DOSE-FIRST-SESSION"}
    assert first.objections[0].limit == "<= 0.6"
    later = dose_allowed(split, plan, today("35", highest="0.6"), boosted, NOW)
    assert refusals(later) == {"DOSE-STEP"}
    assert later.objections[0].limit == "<= 0.7"


def test_the_sums_of_earlier_sessions_decide_the_step() -> None:
    """Told dose by dose or a session at a time, it comes to the same."""
    singly = [a_dose(1, days=9), a_dose(1, days=9), a_dose(2, "40", "0.6", days=5), a_dose(3, hours=1)]
    whole = [a_dose(1, "70", "1.0", days=9), *singly[2:]]
    for doses in (singly, whole):
        told = TodaysDoses.of(3, doses)
        assert (told.given, told.given_mg) == (1, Decimal(35))
        assert (told.highest_mg, told.highest_mg_per_kg) == (Decimal(70), Decimal("1.0"))
        assert not told.first_session
    first = TodaysDoses.of(1, singly[:2])
    assert first == TodaysDoses(given=2, given_mg=Decimal(70))
    assert first.first_session
    unknown = TodaysDoses.of(2, [a_dose(1, per_kg=None, days=3)])
    assert (unknown.highest_mg, unknown.highest_mg_per_kg) == (Decimal(35), None)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"dose_mg": Decimal(30)}, "DOSE-ARITHMETIC"),
        ({"dose_mg": Decimal(0)}, "DOSE-ARITHMETIC"),
        ({"rate_ml_per_h": Decimal(0)}, "DOSE-RATE"),
    ],
)
def test_too_little_waits_for_a_person(changes: dict[str, Any], rule: str, protocol: Protocol) -> None:
    decision = dose_allowed(an_order(protocol, **changes), a_plan_dose(), NO_DOSE_YET, protocol, NOW)
    assert refusals(decision) == set()
    assert verdicts(decision)[rule] is Verdict.REVIEW


def test_below_the_lowest_dose_waits_for_a_person(protocol: Protocol) -> None:
    decision = dose_allowed(an_order(protocol, "0.09"), a_plan_dose(), NO_DOSE_YET, protocol, NOW)
    assert [reason.rule for reason in decision.objections] == ["DOSE-MINIMUM"]


def test_a_high_body_mass_index_is_a_caution_not_another_dose(protocol: Protocol) -> None:
    order = compute_dose(Decimal("0.5"), a_weight("92"), 175, protocol, NOW)
    decision = dose_allowed(order, a_plan_dose(), NO_DOSE_YET, protocol, NOW)
    assert verdicts(decision)["DOSE-BODY-MASS"] is Verdict.CAUTION
    assert order.dose_mg == 46
    assert decision.passes


def test_an_unknown_height_is_said(protocol: Protocol) -> None:
    order = compute_dose(Decimal("0.5"), a_weight(), None, protocol, NOW)
    assert dose_allowed(order, a_plan_dose(), NO_DOSE_YET, protocol, NOW).missing == ("DOSE-BODY-MASS",)


def test_ideal_weight_is_a_smaller_basis_where_the_prescriber_orders_it(protocol: Protocol) -> None:
    assert ideal_weight_kg(170) == Decimal("63.80")
    assert ideal_weight_kg(20) == 0
    order = an_order(protocol, "0.5", "100", basis="ideal-weight", height_cm=170.0, dose_mg=Decimal("31.9"))
    drawn = order.model_copy(update={"volume_ml": Decimal("31.9"), "rate_ml_per_h": Decimal("47.8")})
    assert dose_allowed(drawn, a_plan_dose(), NO_DOSE_YET, protocol, NOW).passes
    assert "DOSE-ARITHMETIC" in refusals(dose_allowed(order, a_plan_dose(), NO_DOSE_YET, protocol, NOW))
    unknown = drawn.model_copy(update={"height_cm": None})
    assert unknown.expected_mg is None
    assert refusals(dose_allowed(unknown, a_plan_dose(), NO_DOSE_YET, protocol, NOW)) == {"DOSE-ARITHMETIC"}


@pytest.mark.parametrize(
    ("dose_mg", "verdict"),
    [("34.55", Verdict.PASS), ("34.54", Verdict.REVIEW), ("35.35", Verdict.PASS), ("35.36", Verdict.REFUSE)],
)
def test_the_arithmetic_allows_one_percent_and_one_step(
    dose_mg: str, verdict: Verdict, protocol: Protocol
) -> None:
    order = an_order(protocol, dose_mg=Decimal(dose_mg))
    decision = dose_allowed(order, a_plan_dose("1.0"), LATER, protocol, NOW)
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
    decision = dose_allowed(order, a_plan_dose(), NO_DOSE_YET, protocol, NOW)
    assert decision.passes
    assert decision.missing == ()


def test_ten_percent_counts_below_five_kilograms(protocol: Protocol) -> None:
    order = compute_dose(Decimal("0.5"), a_weight("45.18", previous_kg=Decimal("50.2")), 175, protocol, NOW)
    lighter = compute_dose(Decimal("0.5"), a_weight("49.5", previous_kg=Decimal(45)), 175, protocol, NOW)
    for one in (order, lighter):
        decision = dose_allowed(one, a_plan_dose(), NO_DOSE_YET, protocol, NOW)
        assert refusals(decision) == {"WEIGHT-CHANGE"}
        assert decision.missing == ()


def test_what_is_missing_is_named(protocol: Protocol) -> None:
    stale = compute_dose(
        Decimal("0.5"), a_weight(previous_kg=None, measured_at=ago(hours=30)), 175, protocol, NOW
    )
    decision = dose_allowed(stale, a_plan_dose(), NO_DOSE_YET, protocol, NOW)
    assert decision.missing == ("WEIGHT-AGE", "WEIGHT-CHANGE")
