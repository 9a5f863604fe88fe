"""What do prescribers and nurses read before a dose: of a plan, of an order, of the interval and at the gate?"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from clinical.consent import consent_live
from clinical.decision import Decision, Verdict
from clinical.dosing import DoseOrder, PlanDose, TodaysDoses, basis_fault, compute_dose, dose_allowed
from clinical.gate_facts import EscortFacts, GateFacts, PlanFacts, RemsFacts, ScannedDrug, SecondCheck
from clinical.instruments.answers import RiskLevel
from clinical.people import Role
from clinical.plan import PlanTerms, Standing, approval_fault, phase_of, plan_findings, required_approvers
from clinical.pre_dose_gate import evaluate
from clinical.pre_dose_hold import after_hold
from clinical.protocol import Drug, Protocol, Route
from clinical.schedule import earliest_next, interval_allowed, more_doses_allowed
from tests.clinical.dosing_day.builders import (
    NEW_YORK,
    NO_DOSE_YET,
    NOW,
    a_booster,
    a_dose,
    a_plan_dose,
    a_plan_in_units,
    a_reading,
    a_weight,
    ago,
    consent_in_force,
    open_gate,
    today,
)
from tests.clinical.dosing_day.forms import FORMS, devices, injection, lozenges, of_form
from tests.clinical.model.book import AUTHOR, COORDINATOR, PRESCRIBER, THERAPIST
from tests.clinical.said.words import decision

Told = Iterator[str]
IN_MUSCLE: dict[str, Any] = {"route": Route.IM, "infusion_minutes": None}
IN_NOSE: dict[str, Any] = {"route": Route.NASAL, "drug": Drug.ESKETAMINE, "max_mg": Decimal(84)}


def doses(protocol: Protocol) -> Told:
    """Orders of each form: as they are computed, and what is said for and against them."""
    by_vein, roomy = a_plan_dose("1.0", max_mg=Decimal(90)), today(highest="1")
    tried: list[tuple[str, Protocol, DoseOrder, PlanDose, TodaysDoses]] = []

    def add(
        name: str, rules: Protocol, order: DoseOrder, plan: PlanDose, given: TodaysDoses = NO_DOSE_YET
    ) -> None:
        tried.append((name, rules, order, plan, given))

    first = compute_dose(Decimal("0.5"), a_weight(), 175, protocol, NOW)
    add("by vein", protocol, first, a_plan_dose())
    slow = compute_dose(Decimal("0.53"), a_weight("71.3"), None, protocol, NOW, infusion_minutes=50)
    add("by vein, slower, height unknown", protocol, slow, a_plan_dose("0.53", infusion_minutes=60))
    heavy = compute_dose(Decimal("1.1"), a_weight("114", previous_kg=Decimal(100)), 160, protocol, NOW)
    add("by vein, too much", protocol, heavy, by_vein, roomy)
    round_ = compute_dose(Decimal("0.5"), a_weight("76.8"), 160, protocol, NOW)
    add("by vein, body-mass index 30", protocol, round_, a_plan_dose())
    add("by vein, a second dose", protocol, first, a_plan_dose(), today("35", highest="0.3"))
    add("by vein, something given that nobody counted", protocol, first, a_plan_dose(), today("1", given=0))
    small = compute_dose(Decimal("0.05"), a_weight(verified=True), 175, protocol, NOW)
    add("by vein, too little", protocol, small, a_plan_dose())
    written: Mapping[str, dict[str, Any]] = {
        "more drawn up": {"volume_ml": Decimal(40)},
        "less drawn up": {"volume_ml": Decimal(20)},
        "too fast": {"rate_ml_per_h": Decimal(80)},
        "the pump stands": {"rate_ml_per_h": Decimal(0)},
        "no rate": {"rate_ml_per_h": None},
        "too strong": {"concentration_mg_per_ml": Decimal(50)},
        "no concentration": {"concentration_mg_per_ml": None},
        "no weight": {"weight_kg": None},
        "next to nothing, not known how strong": {
            "mg_per_kg": Decimal("0.001"),
            "dose_mg": Decimal("0.5"),
            "concentration_mg_per_ml": None,
        },
        "on an ideal weight that nobody can tell": {"basis": "ideal-weight", "height_cm": None},
        "another salt": {"salt": "hydrochloride"},
        "another way and drug": {"route": Route.IM, "drug": Drug.ESKETAMINE},
        "on ideal weight": {"basis": "ideal-weight"},
    }
    for name, changes in written.items():
        add(f"by vein, {name}", protocol, first.model_copy(update=changes), a_plan_dose())
    im = injection(protocol)
    shot = compute_dose(Decimal("0.5"), a_weight(), 175, im, NOW)
    add("into the muscle", im, shot, a_plan_dose(boosters=1, **IN_MUSCLE))
    add(
        "into the muscle, a booster", im, shot, a_plan_dose(boosters=1, **IN_MUSCLE), today("35", highest="1")
    )
    add("into the muscle, with a rate", im, shot.model_copy(update={"rate_ml_per_h": Decimal(5)}), by_vein)
    sl = lozenges(protocol)
    for name, mg, given in (
        ("under the tongue", "100", NO_DOSE_YET),
        ("under the tongue, not whole", "120", NO_DOSE_YET),
        ("under the tongue, a booster", "100", today("150")),
        ("under the tongue, much", "450", today(highest="300")),
        ("under the tongue, none", "20", NO_DOSE_YET),
    ):
        add(
            name,
            sl,
            compute_dose(Decimal(mg), None, None, sl, NOW),
            a_plan_in_units("150", boosters=1),
            given,
        )
    tablet = compute_dose(Decimal(100), None, None, sl, NOW)
    for name, missing in (("not counted", {"units": None}), ("of no strength", {"unit_mg": None})):
        less: dict[str, Any] = {"dose_mg": Decimal("0.5")} | missing
        add(f"under the tongue, {name}", sl, tablet.model_copy(update=less), a_plan_in_units("150"))
    nose = devices(protocol)
    one = compute_dose(Decimal(56), None, None, nose, NOW)
    drawn: dict[str, Any] = {"dose_mg": Decimal("0.5"), "unit_mg": None}
    add("into the nose, of no strength", nose, one.model_copy(update=drawn), a_plan_in_units("84", **IN_NOSE))
    add("into the nose, again today", nose, one, a_plan_in_units("84", **IN_NOSE), today("28"))
    for name, mg, given in (
        ("into the nose", "56", NO_DOSE_YET),
        ("into the nose, 84 on day 1", "84", NO_DOSE_YET),
        ("into the nose, 84 later", "84", today(highest="56")),
        ("into the nose, 28", "28", today(highest="56")),
    ):
        plan = a_plan_in_units("84", **IN_NOSE)
        add(name, nose, compute_dose(Decimal(mg), None, None, nose, NOW), plan, given)
    add("into the nose, by weight", nose, first, a_plan_dose())
    for name, rules, order, plan, given in tried:
        yield from (f"{field}={value}" for field, value in order.model_dump(mode="json").items())
        yield from decision(name, dose_allowed(order, plan, given, rules, NOW))
    for form in FORMS:
        half, whole = Decimal("0.5"), Decimal(56)
        for per_kg, dose_mg in ((None, None), (half, None), (None, whole), (half, whole)):
            fault = basis_fault(per_kg, dose_mg, of_form(protocol, form))
            yield f"{form}, {per_kg} mg/kg, {dose_mg} mg: {fault}"


def intervals(protocol: Protocol) -> Told:
    """When the next dose may be given, and why not now."""
    nose, weekly = devices(protocol), devices(protocol).schedule.phase("weekly")
    given = {
        "none": (),
        "too soon": (a_dose(1, hours=30),),
        "the same date": (a_dose(1, hours=2),),
        "in time": (a_dose(1, hours=41),),
        "a full week": (a_dose(1, hours=166), a_dose(2, hours=120), a_dose(3, hours=60)),
        "a booster among them": (a_dose(1, hours=72), a_dose(1, hours=71), a_dose(2, hours=41)),
        "a longer gap": (a_dose(1, days=20),),
        "a long gap": (a_dose(1, days=29),),
        "five weeks": (a_dose(1, days=36), a_dose(2, days=8)),
        "in the future": (a_dose(1, hours=-2),),
    }
    for name, doses_before in given.items():
        for rules, phase in ((protocol, None), (nose, None), (nose, weekly)):
            after = earliest_next(doses_before, rules, NEW_YORK, phase)
            allowed = interval_allowed(NOW, doses_before, rules, NEW_YORK, phase)
            yield from decision(f"{name}, {rules.route}, {phase and phase.name}, from {after}", allowed)
    nowhere = given["in time"]
    yield from decision("unknown zone", interval_allowed(NOW, nowhere, protocol, "Nowhere/" + "x" * 80))
    yield f"unknown zone: from {earliest_next(nowhere, protocol, 'Nowhere')}"
    for doses_given, approved in ((0, 6), (5, 6), (6, 6), (-1, 6), (0, 0)):
        yield from decision(f"{doses_given} of {approved}", more_doses_allowed(doses_given, approved))


def plans(protocol: Protocol) -> Told:
    """Where a plan leaves its protocol, who has to approve it, and who may."""
    good: Mapping[str, dict[str, Any]] = {
        "infusion": {"mg_per_kg": Decimal("0.5"), "max_mg": Decimal(60), "infusion_minutes": 40},
        "injection": {"mg_per_kg": Decimal("0.75"), "max_mg": Decimal(100), "boosters": 1},
        "lozenges": {"dose_mg": Decimal(150), "max_mg": Decimal(300), "boosters": 1},
        "devices": {"dose_mg": Decimal(84), "max_mg": Decimal(84)},
    }
    wrong: Mapping[str, dict[str, Any]] = {
        "as it should be": {},
        "too much": {"max_mg": Decimal(500), "boosters": 3, "sessions": 20, "preparation_sessions": 1},
        "nothing said": {"mg_per_kg": None, "dose_mg": None, "infusion_minutes": None},
        "both": {"mg_per_kg": Decimal("1.5"), "dose_mg": Decimal(125), "infusion_minutes": 20},
        "little": {"mg_per_kg": Decimal("0.01"), "dose_mg": Decimal(20), "max_mg": Decimal(0)},
        "maintenance": {"phase": "maintenance", "sessions": 4},
        "no such phase": {"phase": "no-such-phase"},
    }
    for form in FORMS:
        rules = of_form(protocol, form)
        for name, changes in wrong.items():
            values = {
                "sessions": 6,
                "mg_per_kg": None,
                "dose_mg": None,
                "boosters": 0,
                "infusion_minutes": None,
            }
            values |= {"phase": None, "preparation_sessions": 2} | good[form] | changes
            terms = PlanTerms.model_validate(values)
            for standing in (Standing(), Standing(doses=6, decided_after=(3, 6))):
                found = plan_findings(terms, standing, rules)
                yield from decision(f"{form}, {name}, after {standing.doses} doses", found)
            phase = phase_of(terms.phase, rules)
            yield f"approved by {', '.join(required_approvers(terms, rules))}; phase {phase and phase.name}"
    yield f"without terms: {', '.join(required_approvers(None, protocol))}"
    required = (Role.PRESCRIBER, Role.THERAPIST)
    for who in (
        AUTHOR,
        PRESCRIBER,
        THERAPIST,
        COORDINATOR,
        PRESCRIBER.model_copy(update={"role": Role.THERAPIST}),
    ):
        for so_far in ({}, {Role.PRESCRIBER: PRESCRIBER.id}, {Role.THERAPIST: "staff-other"}):
            fault = approval_fault(who, AUTHOR.id, so_far, required)
            yield f"{who.id} as {who.role}, after {[role.value for role in so_far]}: {fault}"


def gates(protocol: Protocol) -> Told:
    """Everything known, nothing known, everything wrong; holds; boosters."""
    later = NOW + timedelta(days=1)
    wrong = open_gate(
        identity_confirmed=False,
        plan=PlanFacts(plan_hash="p1", approved=False, expires_at=ago(days=1), superseded=True),
        order_plan_hash="p0" * 20,
        dose_no=7,
        on_hold=True,
        preparation_complete=False,
        integration_blocked=True,
        consent=consent_in_force(Verdict.REFUSE),
        capacity_today=False,
        last_doses=(a_dose(1, hours=30), a_dose(2, hours=1)),
        other_clinic_dose_denied=False,
        food_at=ago(hours=5),
        fluids_at=ago(hours=1),
        escort=EscortFacts(name_present=False, phone_present=False, confirmed=False),
        pregnancy_test_negative_at=ago(hours=73),
        substance_free=False,
        suicide_level=RiskLevel.HIGH,
        screened_at=later,
        open_risk_cases=2,
        baseline=a_reading(165, 101, spo2_percent=300, taken_at=ago(minutes=75)),
        weight=a_weight("154"),
        medication_reconciled_at=None,
        blocking_interactions=("theophylline",),
        nasal_spray_free=False,
        new_psychosis_or_mania=True,
        monitor_present=False,
        prescriber_on_site=False,
        equipment_checked=False,
        downtime_sheet=False,
        rems=RemsFacts(setting_certified=False, patient_enrolled=False),
        drug=ScannedDrug(drug=Drug.ESKETAMINE, lot=" ", expires_at=NOW),
        second_check=SecondCheck(prepared_by="n1", checked_by="n1", agrees=False),
    )
    people: Mapping[str, GateFacts] = {
        "all is well": open_gate(),
        "nothing is known": GateFacts(),
        "everything is wrong": wrong,
        "tier A": open_gate(baseline=a_reading(145, 80)),
        "tier A, attested; moderate risk": open_gate(
            baseline=a_reading(145, 80), prescriber_attested_caution=True, suicide_level=RiskLevel.MODERATE
        ),
        "a long gap": open_gate(last_doses=(a_dose(1, days=29),)),
        "a long gap, reviewed": open_gate(last_doses=(a_dose(1, days=29),), reentry_approved=True),
        "no such phase": open_gate(phase="no-such-phase"),
        "no phase": open_gate(phase=None),
        "an old weight, no consent": open_gate(
            weight=a_weight(measured_at=ago(hours=30)), consent=consent_live(None, protocol, NOW)
        ),
        "held before": open_gate(earlier_readings=(a_reading(165, 80, taken_at=ago(minutes=25)),)),
        "an empty check": open_gate(
            second_check=SecondCheck(prepared_by=" ", checked_by="n2", agrees=True), consent=Decision()
        ),
        "another pair of hands": open_gate(pregnancy_applicable=False, rems=None, weight=None),
    }
    for name, facts in people.items():
        yield from decision(name, evaluate(facts, protocol, NOW))
        yield from decision(f"{name}, into the nose", evaluate(facts, devices(protocol), NOW))
    here = (a_dose(1, days=4), a_dose(2, minutes=25))
    for name, booster in {
        "as planned": a_booster(),
        "too soon": a_booster(first_given_at=ago(minutes=10)),
        "too late": a_booster(first_given_at=ago(minutes=31)),
        "one too many": a_booster(given=2),
        "read just in time": a_booster(read_at=ago(minutes=15)),
        "read just too late": a_booster(read_at=ago(minutes=15, seconds=1)),
        "unknown": a_booster(ended=None, moaas=None, read_at=None),
        "asleep": a_booster(ended=False, moaas=3, read_at=ago(minutes=26)),
    }.items():
        yield from decision(
            f"booster, {name}",
            evaluate(open_gate(booster=booster, last_doses=here), injection(protocol), NOW),
        )
    at_once = (a_dose(1, days=4), a_dose(2, minutes=15))
    read_then = a_booster(first_given_at=ago(minutes=15), read_at=ago(minutes=15))
    facts = open_gate(booster=read_then, last_doses=at_once)
    yield from decision("booster, read in the moment of the dose", evaluate(facts, injection(protocol), NOW))
    high = [a_reading(165, 80, taken_at=ago(minutes=m)) for m in (45, 30, 15)]
    for name, readings in {
        "no reading": [],
        "never held": [a_reading()],
        "held once": high[2:],
        "held three times": high,
        "repeated too soon": [*high[2:], a_reading(taken_at=ago(minutes=6))],
        "held twice, repeated after rest": [*high[:2], a_reading(taken_at=ago(minutes=15))],
        "repeated after rest": [*high[2:], a_reading(taken_at=ago(minutes=5))],
    }.items():
        yield from decision(name, after_hold(readings, protocol))
