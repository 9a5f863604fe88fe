"""A personal plan inside the clinic's protocol, in every form; and who has to approve it (F3, H17, H20)."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.dosing import PlanDose
from clinical.people import Role
from clinical.plan import PlanTerms, Standing, phase_of, plan_findings, required_approvers
from clinical.protocol import Protocol
from tests.clinical.dosing_day.forms import FORMS, changed, of_form

AT_THE_START = Standing()
AMOUNTS: dict[str, dict[str, Any]] = {
    "infusion": {"mg_per_kg": Decimal("0.5"), "max_mg": Decimal(60), "infusion_minutes": 40},
    "injection": {"mg_per_kg": Decimal("0.75"), "max_mg": Decimal(100), "boosters": 1},
    "lozenges": {"dose_mg": Decimal(150), "max_mg": Decimal(300), "boosters": 1},
    "devices": {"dose_mg": Decimal(84), "max_mg": Decimal(84)},
}


def terms(form: str, **changes: Any) -> PlanTerms:
    values: dict[str, Any] = {
        "sessions": 6,
        "mg_per_kg": None,
        "dose_mg": None,
        "boosters": 0,
        "infusion_minutes": None,
        "phase": None,
        "preparation_sessions": 2,
        **AMOUNTS[form],
    }
    return PlanTerms.model_validate({**values, **changes})


def faults(told: PlanTerms, protocol: Protocol, standing: Standing = AT_THE_START) -> set[str]:
    return {
        reason.rule.removeprefix("PLAN-") for reason in plan_findings(told, standing, protocol).objections
    }


@pytest.mark.parametrize("form", FORMS)
def test_a_plan_inside_its_protocol(form: str, protocol: Protocol) -> None:
    decision = plan_findings(terms(form), AT_THE_START, of_form(protocol, form))
    assert decision.verdict is Verdict.PASS
    assert all(reason.source and reason.limit for reason in decision.reasons)


@pytest.mark.parametrize(
    ("form", "changes", "fields"),
    [
        ("infusion", {"mg_per_kg": None}, {"mg_per_kg"}),
        ("infusion", {"mg_per_kg": Decimal("0.09")}, {"mg_per_kg"}),
        ("infusion", {"mg_per_kg": Decimal("1.01")}, {"mg_per_kg"}),
        ("infusion", {"dose_mg": Decimal(35)}, {"dose_mg"}),
        ("infusion", {"max_mg": Decimal("100.1")}, {"max_mg"}),
        ("infusion", {"max_mg": Decimal(-1)}, {"max_mg"}),
        ("infusion", {"infusion_minutes": None}, {"infusion_minutes"}),
        ("infusion", {"infusion_minutes": 39}, {"infusion_minutes"}),
        ("infusion", {"infusion_minutes": 1441}, {"infusion_minutes"}),
        ("infusion", {"boosters": 1}, {"boosters"}),
        ("infusion", {"boosters": -1}, {"boosters"}),
        ("infusion", {"sessions": 7}, {"sessions"}),
        ("infusion", {"sessions": 0}, {"sessions"}),
        ("infusion", {"preparation_sessions": 1}, {"preparation_sessions"}),
        ("infusion", {"phase": "no-such-phase"}, {"phase"}),
        ("injection", {"infusion_minutes": 40}, {"infusion_minutes"}),
        ("injection", {"mg_per_kg": Decimal("0.24")}, {"mg_per_kg"}),
        ("injection", {"boosters": 2}, {"boosters"}),
        ("lozenges", {"mg_per_kg": Decimal("0.5")}, {"mg_per_kg"}),
        ("lozenges", {"dose_mg": None}, {"dose_mg"}),
        ("lozenges", {"dose_mg": Decimal(49)}, {"dose_mg"}),
        ("lozenges", {"dose_mg": Decimal(125)}, {"dose_mg"}),
        ("lozenges", {"dose_mg": Decimal(450)}, {"dose_mg"}),
        ("lozenges", {"dose_mg": Decimal(350)}, {"max_mg"}),
        ("lozenges", {"max_mg": Decimal(401)}, {"max_mg"}),
        ("lozenges", {"infusion_minutes": 40}, {"infusion_minutes"}),
        ("devices", {"dose_mg": Decimal(28)}, {"dose_mg"}),
        ("devices", {"dose_mg": Decimal(70)}, {"dose_mg"}),
        ("devices", {"dose_mg": Decimal(112)}, {"dose_mg"}),
        ("devices", {"boosters": 1}, {"boosters"}),
        ("devices", {"phase": "weekly"}, {"phase", "sessions"}),
        ("devices", {"phase": "weekly", "sessions": 4}, {"phase"}),
        ("devices", {"dose_mg": None, "mg_per_kg": Decimal("0.5")}, {"dose_mg", "mg_per_kg"}),
    ],
)
def test_each_field_outside_its_bounds_is_named(
    form: str, changes: dict[str, Any], fields: set[str], protocol: Protocol
) -> None:
    bent = of_form(protocol, form)
    decision = plan_findings(terms(form, **changes), AT_THE_START, bent)
    assert faults(terms(form, **changes), bent) == fields
    assert all(reason.limit and reason.source and reason.text for reason in decision.objections)


def test_all_faults_at_once(protocol: Protocol) -> None:
    told = terms("infusion", sessions=9, mg_per_kg=Decimal(2), max_mg=Decimal(500), boosters=3, phase="x")
    assert faults(told, protocol) == {"mg_per_kg", "max_mg", "boosters", "phase"}
    by_weight = plan_findings(terms("infusion"), AT_THE_START, of_form(protocol, "lozenges"))
    assert set(by_weight.missing) == {"PLAN-dose_mg"}


def test_the_first_plan_by_the_label_names_the_dose_of_day_one(protocol: Protocol) -> None:
    acute = changed(of_form(protocol, "devices"), "dosing", first_session_mg=84)
    lowered = terms("devices", dose_mg=Decimal(56))
    assert faults(lowered, acute) == {"dose_mg"}, "day 1 could never be given"
    assert faults(lowered, acute, Standing(doses=1)) == set()


# ── phases ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_without_a_phase_is_of_the_first_one(protocol: Protocol) -> None:
    assert phase_of(None, protocol) == protocol.schedule.first
    assert phase_of("maintenance", protocol) == protocol.schedule.phases[1]
    assert phase_of("", protocol) is None


@pytest.mark.parametrize(
    ("standing", "fields"),
    [
        (Standing(), {"phase"}),
        (Standing(doses=8), {"phase"}),
        (Standing(doses=8, decided_after=(3, 4)), {"phase"}),
        (Standing(doses=8, decided_after=(3, 4, 8)), set()),
    ],
)
def test_a_further_phase_asks_whether_it_has_helped(
    standing: Standing, fields: set[str], protocol: Protocol
) -> None:
    told = terms("devices", phase="weekly", sessions=4)
    assert faults(told, of_form(protocol, "devices"), standing) == fields
    assert faults(terms("devices", sessions=8), of_form(protocol, "devices"), standing) == set()


# ── who approves ────────────────────────────────────────────────────────────────────────────────────────────

DIRECTOR = Role.MEDICAL_DIRECTOR


@pytest.mark.parametrize(
    ("form", "changes", "director"),
    [
        ("infusion", {"mg_per_kg": Decimal("0.75")}, False),
        ("infusion", {"mg_per_kg": Decimal("0.76")}, True),
        ("infusion", {"mg_per_kg": None}, False),
        ("injection", {"mg_per_kg": Decimal("0.76")}, True),
        ("lozenges", {"dose_mg": Decimal(150)}, False),
        ("lozenges", {"dose_mg": Decimal(350), "max_mg": Decimal(400), "boosters": 0}, True),
        ("lozenges", {"dose_mg": Decimal(300), "max_mg": Decimal(400), "boosters": 0}, False),
        ("lozenges", {"dose_mg": Decimal(200), "max_mg": Decimal(400), "boosters": 1}, True),
        ("lozenges", {"dose_mg": Decimal(200), "max_mg": Decimal(300), "boosters": 1}, False),
        ("lozenges", {"dose_mg": None, "max_mg": Decimal(400)}, True),
        ("devices", {}, False),
    ],
)
def test_above_its_limits_the_medical_director_approves_too(
    form: str, changes: dict[str, Any], director: bool, protocol: Protocol
) -> None:
    bent = of_form(protocol, form)
    roles = required_approvers(terms(form, **changes), bent)
    assert roles[:2] == tuple(protocol.plan.approver_roles)
    assert (DIRECTOR in roles) == director


def test_a_limit_in_milligrams_counts_by_weight_too(protocol: Protocol) -> None:
    strict = changed(protocol, "plan", director_above_mg=60)
    assert DIRECTOR not in required_approvers(terms("infusion"), strict)
    assert DIRECTOR in required_approvers(terms("infusion", max_mg=Decimal(61)), strict)


def test_nobody_approves_twice(protocol: Protocol) -> None:
    always = changed(protocol, "plan", approver_roles=(Role.PRESCRIBER, DIRECTOR))
    high = terms("infusion", mg_per_kg=Decimal(1))
    assert required_approvers(high, always) == (Role.PRESCRIBER, DIRECTOR)
    assert required_approvers(None, protocol) == tuple(protocol.plan.approver_roles)


# ── whatever somebody types ─────────────────────────────────────────────────────────────────────────────────

ANY = (
    st.none()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from([Decimal("9E+999999"), Decimal("1E-999999"), Decimal(56), Decimal(150), Decimal("0.5")])
)
PLANS = st.builds(
    PlanTerms,
    sessions=st.integers(),
    mg_per_kg=ANY,
    dose_mg=ANY,
    max_mg=ANY.map(lambda mg: Decimal(60) if mg is None else mg),
    boosters=st.integers(),
    infusion_minutes=st.none() | st.integers(),
    phase=st.none() | st.sampled_from(["induction", "maintenance", "weekly"]) | st.text(max_size=20),
    preparation_sessions=st.integers(),
)
STANDINGS = st.builds(
    Standing, doses=st.integers(), decided_after=st.lists(st.integers(0, 9), max_size=4).map(tuple)
)


@given(st.sampled_from(FORMS), PLANS, STANDINGS)
def test_every_plan_is_judged_and_what_passes_can_be_ordered_from(
    protocol: Protocol, form: str, told: PlanTerms, standing: Standing
) -> None:
    bent = of_form(protocol, form)
    decision = plan_findings(told, standing, bent)
    assert set(protocol.plan.approver_roles) <= set(required_approvers(told, bent))
    if decision.passes:
        PlanDose(
            mg_per_kg=told.mg_per_kg,
            dose_mg=told.dose_mg,
            max_mg=told.max_mg,
            boosters=told.boosters,
            route=bent.route,
            drug=bent.drug,
            infusion_minutes=told.infusion_minutes,
        )


@given(st.sampled_from(FORMS), PLANS, STANDINGS, st.sampled_from(["mg_per_kg", "dose_mg", "max_mg"]))
def test_a_larger_plan_needs_no_fewer_people(
    protocol: Protocol, form: str, told: PlanTerms, standing: Standing, field: str
) -> None:
    amount = getattr(told, field)
    if amount is None or not abs(amount) < 10**6:
        return
    larger = told.model_copy(update={field: amount + 1})
    bent = of_form(protocol, form)
    assert set(required_approvers(told, bent)) <= set(required_approvers(larger, bent))
