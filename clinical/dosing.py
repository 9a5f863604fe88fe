"""How large is the dose, and may exactly this order be given?

Masses in mg of base (50 mg of base are 57.67 mg of hydrochloride: never converted here), weight in kg, volume
in mL, rate in mL/h. A dose outside its bounds is refused with the limit, never clamped to it. Doses are never
converted between routes. Boosters count towards every cap of the day.
Source: clinical-facts §2.1, §2.2, §2.4, H1, H2; product F6.
"""

from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from clinical.decision import Confidence, Decision, Reason, Verdict
from clinical.dose_order import DoseOrder, Milligrams, MilligramsPerKilogram, PlanDose
from clinical.instants import in_utc
from clinical.protocol import Dosing, Protocol, Route
from clinical.weight import WeightMeasurement, ideal_weight_kg, weight_findings

__all__ = ["DoseOrder", "PlanDose", "WeightMeasurement", "compute_dose", "dose_allowed"]


def compute_dose(
    mg_per_kg: MilligramsPerKilogram,
    weight: WeightMeasurement,
    height_cm: float | None,
    protocol: Protocol,
    now: datetime,
    *,
    infusion_minutes: int | None = None,
) -> DoseOrder:
    """What does so much per kilogram come to for this person, in what can be measured?

    The volume is rounded down to the syringe's step and the rate down to the same step per hour, so that the
    dose is never above the ordered one and never faster than the protocol. The dose follows the actual weight
    as ordered; a high body-mass index is a caution in `dose_allowed`, never a silent change of the basis.
    `infusion_minutes` is the plan's, where it asks for a slower infusion than the protocol.
    """
    rules = protocol.dosing
    minutes = (infusion_minutes or rules.infusion_minutes) if protocol.route is Route.IV else None
    concentration, step = _decimal(rules.concentration_mg_per_ml), _decimal(rules.volume_step_ml)
    ordered_mg = mg_per_kg * weight.kg
    volume = _down_to(ordered_mg / concentration, step)
    rate = _down_to(volume * 60 / minutes, step) if minutes else None
    dose_mg = volume * concentration
    return DoseOrder(
        drug=protocol.drug,
        route=protocol.route,
        dose_mg=dose_mg,
        mg_per_kg=mg_per_kg,
        weight_kg=weight.kg,
        weight_measured_at=weight.measured_at,
        previous_weight_kg=weight.previous_kg,
        weight_verified=weight.verified,
        volume_ml=volume,
        concentration_mg_per_ml=concentration,
        rate_ml_per_h=rate,
        infusion_minutes=minutes,
        height_cm=height_cm,
        inputs={
            "computed_at": in_utc(now).isoformat(),
            "weight_kg": f"{weight.kg:f}",
            "weight_measured_at": weight.measured_at.isoformat(),
            "mg_per_kg": f"{mg_per_kg:f}",
            "ordered_mg": f"{ordered_mg:f}",
            "concentration_mg_per_ml": f"{concentration:f}",
            "volume_step_ml": f"{step:f}",
            "max_session_mg": f"{rules.max_session_mg:g}",
            "max_mg_per_kg": f"{rules.max_mg_per_kg:g}",
            "salt": "base",
            "basis": "actual-weight",
            "protocol": protocol.canonical,
        },
    )


def dose_allowed(
    order: DoseOrder, plan_limit: PlanDose, given_today_mg: Milligrams, protocol: Protocol, now: datetime
) -> Decision:
    """May exactly this order be given now? Every bound with its limit and source; nothing is clamped.

    What counts as the dose is the larger of the amount written and the amount drawn up.
    """
    total_mg = max(order.dose_mg, order.drawn_mg or Decimal(0)) + given_today_mg
    return Decision.of(
        [
            *_same_drug_and_route(order, plan_limit, protocol),
            *_amount(order, total_mg, plan_limit, protocol.dosing),
            _booster(given_today_mg, protocol.dosing),
            _arithmetic(order, protocol.dosing),
            *weight_findings(order.weight, protocol, now),
            _body_mass(order, protocol.dosing),
            *(_infusion(order, plan_limit, protocol.dosing) if order.route is Route.IV else ()),
        ]
    )


def _same_drug_and_route(order: DoseOrder, plan: PlanDose, protocol: Protocol) -> list[Reason]:
    drugs, routes = {order.drug, plan.drug, protocol.drug}, {order.route, plan.route, protocol.route}
    return [
        _bound("DOSE-DRUG", len(drugs) == 1, "drug", order.drug, "facts H2", protocol.drug),
        _bound("DOSE-ROUTE", len(routes) == 1, "route", order.route, "facts H2", protocol.route),
        _bound("DOSE-SALT", order.salt == "base", "salt", order.salt, "facts §2.1", "base"),
    ]


def _amount(order: DoseOrder, total_mg: Decimal, plan: PlanDose, rules: Dosing) -> list[Reason]:
    per_kg = max(order.mg_per_kg, total_mg / order.weight_kg)
    highest, most = _decimal(rules.max_mg_per_kg), _decimal(rules.max_session_mg)
    return [
        _upper("DOSE-PLAN-PER-KG", per_kg, plan.mg_per_kg, "mg/kg", "the approved plan"),
        _upper("DOSE-PLAN-MG", total_mg, plan.max_mg, "mg", "the approved plan"),
        _upper("DOSE-CAP-PER-KG", per_kg, highest, "mg/kg", "facts §2.2 (D), the protocol"),
        _upper("DOSE-CAP-MG", total_mg, most, "mg", "facts §2.2 (D), the protocol"),
        _lower_bound(order, rules),
    ]


def _lower_bound(order: DoseOrder, rules: Dosing) -> Reason:
    """Too small waits for a person: it harms less than too much, so it is not a refusal."""
    least = _decimal(rules.min_mg_per_kg)
    enough = order.dose_mg > 0 and order.mg_per_kg >= least
    return Reason(
        rule="DOSE-MINIMUM",
        verdict=Verdict.PASS if enough else Verdict.REVIEW,
        text="not below the lowest dose" if enough else "below the lowest dose: the prescriber confirms",
        source="facts §2.2, the protocol",
        value=f"{order.mg_per_kg:f}",
        unit="mg/kg",
        limit=f">= {least:f}",
    )


def _booster(given_today_mg: Decimal, rules: Dosing) -> Reason:
    allowed = given_today_mg <= 0 or rules.boosters_max > 0
    limit = f"{rules.boosters_max} boosters"
    text = "a further dose on the same day" if given_today_mg > 0 else "no dose given today"
    return _bound("DOSE-BOOSTER", allowed, text, f"{given_today_mg:f}", "facts §2.4, H3", limit, "mg")


def _arithmetic(order: DoseOrder, rules: Dosing) -> Reason:
    """Do amount and volume follow from weight and dose per kilogram? Above is refused, below is reviewed."""
    ordered, drawn_mg = order.expected_mg, order.drawn_mg
    slack = ordered * _decimal(rules.tolerance_percent) / 100
    step_mg = _decimal(rules.volume_step_ml) * (order.concentration_mg_per_ml or 0)
    amounts = [order.dose_mg, order.dose_mg if drawn_mg is None else drawn_mg]
    verdict, text = Verdict.PASS, "the amounts follow from weight and dose per kilogram"
    if max(amounts) > ordered + slack:
        verdict, text = Verdict.REFUSE, "more than weight and dose per kilogram come to"
    elif min(amounts) < ordered - slack - step_mg:
        verdict, text = Verdict.REVIEW, "less than weight and dose per kilogram come to: confirm"
    return Reason(
        rule="DOSE-ARITHMETIC",
        verdict=verdict,
        text=text,
        source="facts H1, H2",
        value=" and ".join(f"{amount:f}" for amount in amounts),
        unit="mg",
        limit=f"{ordered:f}",
    )


def _body_mass(order: DoseOrder, rules: Dosing) -> Reason:
    limit = rules.ideal_weight_above_bmi_kg_m2
    verdict, value = Verdict.PASS, None
    if order.height_cm is None:
        verdict, text = Verdict.CAUTION, "height unknown: the body-mass index cannot be told"
    else:
        metres = _decimal(order.height_cm) / 100
        index = order.weight_kg / (metres * metres)
        value, text = f"{index:.1f}", "dose on actual weight"
        if index >= _decimal(limit):
            ideal = ideal_weight_kg(order.height_cm)
            verdict = Verdict.CAUTION
            text = f"consider ideal weight ({ideal:.1f} kg, {ideal * order.mg_per_kg:.1f} mg)"
    return Reason(
        rule="DOSE-BODY-MASS",
        verdict=verdict,
        text=text,
        source="facts §2.2: Sanacora 2017",
        confidence=Confidence.WELL_KNOWN,
        value=value,
        unit="kg/m2",
        limit=f"< {limit:g}",
        missing=order.height_cm is None,
    )


def _infusion(order: DoseOrder, plan: PlanDose, rules: Dosing) -> list[Reason]:
    """By vein, rate and concentration are as critical as the amount (facts §2.2, safety anchor)."""
    shortest = max(rules.infusion_minutes_min, plan.infusion_minutes or 0)
    takes = order.pump_minutes
    strongest = _decimal(rules.concentration_mg_per_ml)
    strength = order.concentration_mg_per_ml
    verdict, text = Verdict.REFUSE, "infusion too fast, or its time, volume or rate unknown"
    if takes is not None and takes >= shortest:
        stands = order.rate_ml_per_h == 0
        verdict = Verdict.REVIEW if stands else Verdict.PASS
        text = "the pump would stand still" if stands else "infusion slow enough"
    return [
        Reason(
            rule="DOSE-RATE",
            verdict=verdict,
            text=text,
            source="facts §2.2: Andrade 2017; KETALAR label",
            confidence=Confidence.CONFIRMED,
            value=None if takes is None else f"{takes:.2f}",
            unit="min",
            limit=f">= {shortest}",
            missing=takes is None,
        ),
        Reason(
            rule="DOSE-CONCENTRATION",
            verdict=Verdict.PASS if strength is not None and strength <= strongest else Verdict.REFUSE,
            text="concentration" if strength is not None else "concentration unknown",
            source="facts §2.2: KETALAR label (never undiluted by vein)",
            confidence=Confidence.CONFIRMED,
            value=None if strength is None else f"{strength:f}",
            unit="mg/mL",
            limit=f"<= {strongest:f}",
            missing=strength is None,
        ),
    ]


def _upper(rule: str, value: Decimal, limit: Decimal, unit: str, source: str) -> Reason:
    return _bound(
        rule, value <= limit, "today's doses together", f"{value:.4f}", source, f"<= {limit:f}", unit
    )


def _bound(
    rule: str, holds: bool, text: str, value: str, source: str, limit: str, unit: str | None = None
) -> Reason:
    return Reason(
        rule=rule,
        verdict=Verdict.PASS if holds else Verdict.REFUSE,
        text=text if holds else f"{text}: outside the limit",
        source=source,
        value=value,
        unit=unit,
        limit=limit,
    )


def _down_to(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(rounding=ROUND_DOWN) * step


def _decimal(number: float) -> Decimal:
    """Exactly the number as it is written in the protocol."""
    return Decimal(str(number))
