"""How large is a dose by weight, and does exactly this order follow from it?

Source: clinical-facts §2.1, §2.2, H1, H2. By vein, rate and concentration are as critical as the amount.
"""

from datetime import datetime
from decimal import Decimal

from clinical.decision import Confidence, Reason, Verdict
from clinical.dose_order import DoseOrder, MilligramsPerKilogram, PlanDose, TodaysDoses
from clinical.dose_reasons import CAP, FIRST, PLAN, at_least, bound, down_to, exact, step, upper
from clinical.instants import in_utc
from clinical.protocol import ByWeight, Infusion, Protocol
from clinical.weight import WeightMeasurement, ideal_weight_kg, weight_findings


def compute_by_weight(
    mg_per_kg: MilligramsPerKilogram,
    weight: WeightMeasurement,
    height_cm: float | None,
    rules: ByWeight,
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
    minutes = (infusion_minutes or rules.infusion_minutes) if isinstance(rules, Infusion) else None
    concentration, smallest = exact(rules.concentration_mg_per_ml), exact(rules.volume_step_ml)
    ordered_mg = mg_per_kg * weight.kg
    volume = down_to(ordered_mg / concentration, smallest)
    rate = down_to(volume * 60 / minutes, smallest) if minutes else None
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
            "volume_step_ml": f"{smallest:f}",
            "max_session_mg": f"{rules.max_session_mg:g}",
            "max_mg_per_kg": f"{rules.max_mg_per_kg:g}",
            "salt": "base",
            "basis": "actual-weight",
            "protocol": protocol.canonical,
        },
    )


def findings_by_weight(
    order: DoseOrder,
    plan: PlanDose,
    today: TodaysDoses,
    rules: ByWeight,
    protocol: Protocol,
    now: datetime,
) -> list[Reason]:
    """What speaks for and against this order where weight decides? An order without a weight is refused.

    Per kilogram the doses of a session count together: towards the plan, the cap, and the step from the
    highest session before. In the first session no dose is above where a course starts, and with its boosters
    it is not more than one step above that.
    """
    weight = order.weight
    if weight is None or order.mg_per_kg is None:
        return [
            Reason(
                rule="DOSE-BASIS",
                verdict=Verdict.REFUSE,
                text="this route is dosed by weight: weight or dose per kilogram is missing",
                source="facts H1",
                limit="weight and dose per kilogram",
                missing=True,
            )
        ]
    single_mg = max(order.dose_mg, order.drawn_mg or Decimal(0))
    single = max(order.mg_per_kg, single_mg / weight.kg)
    per_kg = max(order.mg_per_kg, (single_mg + today.given_mg) / weight.kg)
    first = today.highest_mg_per_kg is None
    start, rise = exact(rules.start_mg_per_kg), exact(rules.step_mg_per_kg)
    in_units = order.units is not None or order.unit_mg is not None or order.basis == "units"
    return [
        bound("DOSE-BASIS", not in_units, "dosed by weight", order.basis, "facts H2", "no units"),
        upper("DOSE-PLAN-PER-KG", per_kg, plan.mg_per_kg, "mg/kg", PLAN),
        upper("DOSE-CAP-PER-KG", per_kg, exact(rules.max_mg_per_kg), "mg/kg", CAP),
        step(single if first else per_kg, start, rise, today.highest_mg_per_kg, "mg/kg"),
        *([upper("DOSE-FIRST-SESSION", per_kg, start + rise, "mg/kg", CAP, FIRST)] if first else ()),
        at_least("DOSE-MINIMUM", order.mg_per_kg, exact(rules.min_mg_per_kg), "mg/kg"),
        _arithmetic(order, rules),
        *weight_findings(weight, rules, protocol, now),
        _body_mass(order, weight, order.mg_per_kg, rules),
        _concentration(order, rules),
        _rate(order, plan, rules) if isinstance(rules, Infusion) else _no_rate(order),
    ]


def _arithmetic(order: DoseOrder, rules: ByWeight) -> Reason:
    """Do amount and volume follow from weight and dose per kilogram? Above is refused, below is reviewed.

    What nobody can reckon is refused too: a syringe of unknown content, an ideal weight without a height.
    """
    ordered, drawn_mg = order.expected_mg or Decimal(0), order.drawn_mg
    unknown = order.expected_mg is None or drawn_mg is None
    slack = ordered * exact(rules.tolerance_percent) / 100
    step_mg = exact(rules.volume_step_ml) * (order.concentration_mg_per_ml or 0)
    amounts = [order.dose_mg, order.dose_mg if drawn_mg is None else drawn_mg]
    verdict, text = Verdict.PASS, "the amounts follow from weight and dose per kilogram"
    if unknown:
        verdict, text = Verdict.REFUSE, "it cannot be told what the dose comes to"
    elif max(amounts) > ordered + slack:
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
        missing=unknown,
    )


def _body_mass(order: DoseOrder, weight: WeightMeasurement, mg_per_kg: Decimal, rules: ByWeight) -> Reason:
    limit = rules.ideal_weight_above_bmi_kg_m2
    verdict, value = Verdict.PASS, None
    if order.height_cm is None:
        verdict, text = Verdict.CAUTION, "height unknown: the body-mass index cannot be told"
    else:
        metres = exact(order.height_cm) / 100
        index = weight.kg / (metres * metres)
        value, text = f"{index:.1f}", "dose on actual weight"
        if index >= exact(limit):
            ideal = ideal_weight_kg(order.height_cm)
            verdict = Verdict.CAUTION
            text = f"consider ideal weight ({ideal:.1f} kg, {ideal * mg_per_kg:.1f} mg)"
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


def _rate(order: DoseOrder, plan: PlanDose, rules: Infusion) -> Reason:
    """By vein, rate and concentration are as critical as the amount (facts §2.2, safety anchor)."""
    shortest = max(rules.infusion_minutes_min, plan.infusion_minutes or 0)
    takes = order.pump_minutes
    verdict, text = Verdict.REFUSE, "infusion too fast, or its time, volume or rate unknown"
    if takes is not None and takes >= shortest:
        stands = order.rate_ml_per_h == 0
        verdict = Verdict.REVIEW if stands else Verdict.PASS
        text = "the pump would stand still" if stands else "infusion slow enough"
    return Reason(
        rule="DOSE-RATE",
        verdict=verdict,
        text=text,
        source="facts §2.2: Andrade 2017; KETALAR label",
        confidence=Confidence.CONFIRMED,
        value=None if takes is None else f"{takes:.2f}",
        unit="min",
        limit=f">= {shortest}",
        missing=takes is None,
    )


def _no_rate(order: DoseOrder) -> Reason:
    """Into a muscle all of it goes at once: an order with a rate was meant for another route."""
    infused = order.rate_ml_per_h is not None or order.infusion_minutes is not None
    return bound(
        "DOSE-RATE", not infused, "injected at once", f"{order.rate_ml_per_h}", "facts H2", "no rate"
    )


def _concentration(order: DoseOrder, rules: ByWeight) -> Reason:
    strongest, strength = exact(rules.concentration_mg_per_ml), order.concentration_mg_per_ml
    return Reason(
        rule="DOSE-CONCENTRATION",
        verdict=Verdict.PASS if strength is not None and strength <= strongest else Verdict.REFUSE,
        text="concentration" if strength is not None else "concentration unknown",
        source="facts §2.2: KETALAR label (never undiluted by vein), H2",
        confidence=Confidence.CONFIRMED,
        value=None if strength is None else f"{strength:f}",
        unit="mg/mL",
        limit=f"<= {strongest:f}",
        missing=strength is None,
    )
