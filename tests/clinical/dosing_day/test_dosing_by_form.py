"""The dose into the muscle, under the tongue and into the nose: its bounds with limit and source (H1, H2)."""

from decimal import Decimal
from typing import Any

import pytest

from clinical.decision import Decision, Reason, Verdict
from clinical.dosing import (
    DoseOrder,
    PlanDose,
    TodaysDoses,
    basis_fault,
    compute_dose,
    dose_allowed,
)
from clinical.protocol import Drug, Protocol, Route
from tests.clinical.dosing_day.builders import (
    NO_DOSE_YET,
    NOW,
    a_plan_dose,
    a_plan_in_units,
    a_weight,
    refusals,
    today,
)
from tests.clinical.dosing_day.forms import FORMS, changed, devices, injection, lozenges, of_form

IN_MUSCLE: dict[str, Any] = {"route": Route.IM, "infusion_minutes": None}
IN_NOSE: dict[str, Any] = {"route": Route.NASAL, "drug": Drug.ESKETAMINE, "max_mg": Decimal(84)}


def into_muscle(protocol: Protocol, per_kg: str = "0.5", kg: str = "70", **changes: Any) -> DoseOrder:
    order = compute_dose(Decimal(per_kg), a_weight(kg), 175, injection(protocol), NOW)
    return order.model_copy(update=changes)


def in_units(protocol: Protocol, mg: str, **changes: Any) -> DoseOrder:
    return compute_dose(Decimal(mg), None, None, protocol, NOW).model_copy(update=changes)


def answer(decision: Decision, rule: str) -> Reason:
    (reason,) = [reason for reason in decision.reasons if reason.rule == rule]
    return reason


# ── into the muscle ─────────────────────────────────────────────────────────────────────────────────────────


def test_into_the_muscle_all_at_once(protocol: Protocol) -> None:
    order = into_muscle(protocol)
    assert (order.dose_mg, order.volume_ml) == (Decimal(35), Decimal("0.7"))
    assert order.concentration_mg_per_ml == 50
    assert (order.rate_ml_per_h, order.infusion_minutes, order.units) == (None, None, None)
    plan = a_plan_dose(**IN_MUSCLE)
    assert dose_allowed(order, plan, NO_DOSE_YET, injection(protocol), NOW).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"rate_ml_per_h": Decimal("1.1")}, {"DOSE-RATE"}),
        ({"infusion_minutes": 40}, {"DOSE-RATE"}),
        ({"concentration_mg_per_ml": Decimal(100)}, {"DOSE-CONCENTRATION", "DOSE-ARITHMETIC"}),
        ({"concentration_mg_per_ml": None}, {"DOSE-CONCENTRATION", "DOSE-ARITHMETIC"}),
        ({"volume_ml": None}, {"DOSE-ARITHMETIC"}),
        ({"route": Route.IV}, {"DOSE-ROUTE"}),
        ({"salt": "hydrochloride"}, {"DOSE-SALT"}),
        ({"units": 1, "unit_mg": Decimal(35)}, {"DOSE-BASIS"}),
    ],
)
def test_what_does_not_belong_into_a_muscle(
    changes: dict[str, Any], refused: set[str], protocol: Protocol
) -> None:
    plan, roomy = a_plan_dose("1.0", **IN_MUSCLE), today(highest="1")
    decision = dose_allowed(into_muscle(protocol, **changes), plan, roomy, injection(protocol), NOW)
    assert refusals(decision) == refused
    assert all(reason.limit and reason.source for reason in decision.objections)


def test_an_infusion_written_for_a_muscle_is_refused(protocol: Protocol) -> None:
    infusion = compute_dose(Decimal("0.5"), a_weight(), 175, protocol, NOW)
    decision = dose_allowed(infusion, a_plan_dose(), NO_DOSE_YET, injection(protocol), NOW)
    assert refusals(decision) == {"DOSE-ROUTE", "DOSE-RATE"}
    back = dose_allowed(into_muscle(protocol), a_plan_dose(), NO_DOSE_YET, protocol, NOW)
    assert refusals(back) == {"DOSE-ROUTE", "DOSE-RATE", "DOSE-CONCENTRATION"}


def test_the_caps_into_the_muscle(protocol: Protocol) -> None:
    plan, roomy = a_plan_dose("1.0", max_mg=Decimal(200), **IN_MUSCLE), today(highest="1")
    decision = dose_allowed(into_muscle(protocol, "1.0", "110"), plan, roomy, injection(protocol), NOW)
    assert refusals(decision) == {"DOSE-CAP-MG"}
    assert (answer(decision, "DOSE-CAP-MG").value, answer(decision, "DOSE-CAP-MG").limit) == (
        "110.0000",
        "<= 100.0",
    )
    over = dose_allowed(into_muscle(protocol, "1.1"), plan, roomy, injection(protocol), NOW)
    assert refusals(over) == {"DOSE-PLAN-PER-KG", "DOSE-CAP-PER-KG"}
    assert answer(over, "DOSE-PLAN-PER-KG").source == "the approved plan"


def test_one_booster_into_the_muscle_and_not_two(protocol: Protocol) -> None:
    order, plan = into_muscle(protocol, "0.25"), a_plan_dose("1.0", boosters=2, **IN_MUSCLE)
    assert dose_allowed(order, plan, today("17.5", 1), injection(protocol), NOW).passes
    second = dose_allowed(order, plan, today("17.5", 2), injection(protocol), NOW)
    assert refusals(second) == {"DOSE-BOOSTER"}
    assert (answer(second, "DOSE-BOOSTER").value, answer(second, "DOSE-BOOSTER").limit) == ("2", "1 boosters")


# ── under the tongue ────────────────────────────────────────────────────────────────────────────────────────


def test_two_lozenges_to_start_with(protocol: Protocol) -> None:
    under_tongue = lozenges(protocol)
    order = in_units(under_tongue, "100")
    assert (order.units, order.unit_mg, order.drawn_mg) == (2, Decimal(50), Decimal(100))
    assert (order.weight, order.expected_mg, order.pump_minutes) == (None, None, None)
    assert order.inputs["ordered_mg"] == "100"
    decision = dose_allowed(order, a_plan_in_units("100"), NO_DOSE_YET, under_tongue, NOW)
    assert decision.verdict is Verdict.PASS
    assert all(reason.source for reason in decision.reasons)


@pytest.mark.parametrize(
    ("mg", "told", "plan", "refused", "limit"),
    [
        ("150", NO_DOSE_YET, "400", {"DOSE-STEP"}, "<= 100.0"),
        ("150", today(highest="100"), "400", set(), ""),
        ("200", today(highest="100"), "400", {"DOSE-STEP"}, "<= 150.0"),
        ("150", today("50", highest="150"), "400", set(), ""),
        ("150", today("100", highest="150"), "400", {"DOSE-STEP"}, "<= 200.0"),
        ("100", today("100"), "400", set(), ""),
        ("100", today("150"), "400", {"DOSE-FIRST-SESSION"}, "<= 200.0"),
        ("150", today(highest="300"), "100", {"DOSE-PLAN-DOSE"}, "<= 100"),
        ("350", today("100", highest="400"), "350", {"DOSE-PLAN-MG", "DOSE-CAP-MG"}, "<= 400"),
    ],
)
def test_the_bounds_of_lozenges(
    mg: str, told: TodaysDoses, plan: str, refused: set[str], limit: str, protocol: Protocol
) -> None:
    under_tongue = lozenges(protocol)
    allows = a_plan_in_units(plan, boosters=1)
    decision = dose_allowed(in_units(under_tongue, mg), allows, told, under_tongue, NOW)
    assert refusals(decision) == refused
    assert not refused or decision.objections[0].limit == limit
    assert all(reason.unit == "mg" and reason.source for reason in decision.objections)


def test_too_few_milligrams_under_the_tongue_wait_for_a_person(protocol: Protocol) -> None:
    fine = changed(lozenges(protocol), "dosing", unit_mg=25)
    decision = dose_allowed(in_units(fine, "25"), a_plan_in_units("100"), NO_DOSE_YET, fine, NOW)
    assert [reason.rule for reason in decision.objections] == ["DOSE-MINIMUM"]
    assert decision.verdict is Verdict.REVIEW


def test_a_plan_without_a_dose_in_milligrams_allows_none(protocol: Protocol) -> None:
    by_weight = a_plan_dose(route=Route.SL)
    decision = dose_allowed(
        in_units(lozenges(protocol), "100"), by_weight, NO_DOSE_YET, lozenges(protocol), NOW
    )
    assert refusals(decision) == {"DOSE-PLAN-DOSE"}
    assert decision.missing == ("DOSE-PLAN-DOSE",)


# ── into the nose ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("mg", "told", "passes", "limit"),
    [
        ("56", NO_DOSE_YET, True, "56.0"),
        ("84", NO_DOSE_YET, False, "56.0"),
        ("28", NO_DOSE_YET, False, "56.0"),
        ("56", today(highest="56"), True, "56.0 or 84.0"),
        ("84", today(highest="56"), True, "56.0 or 84.0"),
        ("28", today(highest="56"), False, "56.0 or 84.0"),
        ("112", today(highest="84"), False, "56.0 or 84.0"),
        ("56", today("56", highest="84"), False, "56.0 or 84.0"),
    ],
)
def test_the_doses_of_the_label(
    mg: str, told: TodaysDoses, passes: bool, limit: str, protocol: Protocol
) -> None:
    label = devices(protocol)
    decision = dose_allowed(in_units(label, mg), a_plan_in_units("84", **IN_NOSE), told, label, NOW)
    said = answer(decision, "DOSE-LABEL")
    assert ((said.verdict is Verdict.PASS), said.limit) == (passes, limit)
    assert "SPRAVATO" in said.source
    assert said.text.startswith("not ") != passes
    assert decision.passes == passes


def test_a_label_that_begins_with_the_larger_dose(protocol: Protocol) -> None:
    """Depression with acute suicidal ideation: 84 mg, which may be lowered to 56 mg (facts §2.3)."""
    acute = changed(devices(protocol), "dosing", first_session_mg=84)
    plan = a_plan_in_units("84", **IN_NOSE)
    assert dose_allowed(in_units(acute, "84"), plan, NO_DOSE_YET, acute, NOW).passes
    assert dose_allowed(in_units(acute, "56"), plan, today(highest="84"), acute, NOW).passes
    first = dose_allowed(in_units(acute, "56"), plan, NO_DOSE_YET, acute, NOW)
    assert refusals(first) == {"DOSE-LABEL"}


# ── all forms in units ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"units": 1}, {"DOSE-UNITS"}),
        ({"units": None}, {"DOSE-UNITS"}),
        ({"unit_mg": None}, {"DOSE-UNITS"}),
        ({"unit_mg": Decimal(100), "units": 1}, {"DOSE-UNITS"}),
        ({"dose_mg": Decimal(99)}, {"DOSE-UNITS"}),
        ({"units": 3}, {"DOSE-UNITS", "DOSE-STEP"}),
        ({"mg_per_kg": Decimal("0.5")}, {"DOSE-BASIS"}),
        ({"volume_ml": Decimal(1)}, {"DOSE-BASIS"}),
        ({"rate_ml_per_h": Decimal(1)}, {"DOSE-BASIS"}),
        ({"infusion_minutes": 40}, {"DOSE-BASIS"}),
        ({"basis": "actual-weight"}, {"DOSE-BASIS"}),
        ({"route": Route.IV}, {"DOSE-ROUTE"}),
        ({"drug": Drug.ESKETAMINE}, {"DOSE-DRUG"}),
    ],
)
def test_lozenges_that_do_not_make_the_dose(
    changes: dict[str, Any], refused: set[str], protocol: Protocol
) -> None:
    under_tongue = lozenges(protocol)
    order = in_units(under_tongue, "100").model_copy(update=changes)
    decision = dose_allowed(order, a_plan_in_units("200"), NO_DOSE_YET, under_tongue, NOW)
    assert refusals(decision) == refused


@pytest.mark.parametrize(("form", "mg"), [("lozenges", "120"), ("devices", "60"), ("lozenges", "49")])
def test_nobody_gets_another_dose_than_was_ordered(form: str, mg: str, protocol: Protocol) -> None:
    """Not a whole number of units: refused, never rounded to what there is (product F6)."""
    bent = of_form(protocol, form)
    order = in_units(bent, mg)
    assert order.dose_mg == Decimal(mg) != order.drawn_mg
    plan = a_plan_in_units("400", drug=bent.drug, route=bent.route)
    decision = dose_allowed(order, plan, today(highest="400"), bent, NOW)
    assert "DOSE-UNITS" in refusals(decision)
    assert "whole units of" in (answer(decision, "DOSE-UNITS").limit or "")


@pytest.mark.parametrize("ordered_for", FORMS)
@pytest.mark.parametrize("given_by", FORMS)
def test_an_order_of_one_form_is_refused_in_every_other(
    ordered_for: str, given_by: str, protocol: Protocol
) -> None:
    made, used = of_form(protocol, ordered_for), of_form(protocol, given_by)
    amount = {"infusion": "0.5", "injection": "0.5", "lozenges": "100", "devices": "56"}[ordered_for]
    order = compute_dose(Decimal(amount), a_weight(), 175, made, NOW)
    plan = PlanDose(
        mg_per_kg=Decimal(1),
        dose_mg=Decimal(400),
        max_mg=Decimal(400),
        route=used.route,
        drug=used.drug,
    )
    decision = dose_allowed(order, plan, NO_DOSE_YET, used, NOW)
    assert ("DOSE-ROUTE" in refusals(decision)) == (ordered_for != given_by)
    assert decision.passes == (ordered_for == given_by)


# ── how the amount is stated ────────────────────────────────────────────────────────────────────────────────

HALF, HUNDRED = Decimal("0.5"), Decimal(100)


@pytest.mark.parametrize(
    ("form", "mg_per_kg", "dose_mg", "fault"),
    [
        ("infusion", HALF, None, None),
        ("injection", HALF, None, None),
        ("lozenges", None, HUNDRED, None),
        ("devices", None, Decimal(56), None),
        ("infusion", None, HUNDRED, "state mg_per_kg, and no dose_mg"),
        ("infusion", HALF, HUNDRED, "state mg_per_kg, and no dose_mg"),
        ("infusion", None, None, "state mg_per_kg, and no dose_mg"),
        ("lozenges", HALF, None, "state dose_mg, and no mg_per_kg"),
        ("lozenges", HALF, HUNDRED, "state dose_mg, and no mg_per_kg"),
        ("devices", None, None, "state dose_mg, and no mg_per_kg"),
        ("infusion", Decimal(1000), None, None),
        ("infusion", Decimal(1001), None, "an amount above 0 and up to 1000 mg/kg"),
        ("lozenges", None, Decimal(0), "an amount above 0 and up to 1000000 mg"),
        ("lozenges", None, Decimal("1E+9"), "an amount above 0 and up to 1000000 mg"),
    ],
)
def test_the_amount_is_stated_as_the_protocol_doses(
    form: str, mg_per_kg: Decimal | None, dose_mg: Decimal | None, fault: str | None, protocol: Protocol
) -> None:
    assert basis_fault(mg_per_kg, dose_mg, of_form(protocol, form)) == fault


def test_without_a_weight_nothing_is_computed_by_weight(protocol: Protocol) -> None:
    with pytest.raises(ValueError, match="dosed by weight"):
        compute_dose(HALF, None, None, protocol, NOW)
