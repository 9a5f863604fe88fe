"""How many lozenges or devices is a dose, and may exactly so many be given?

Whole units only. Source: clinical-facts §2.2 (lozenges), §2.3 (esketamine label), H2.
"""

from datetime import datetime
from decimal import Decimal

from clinical.decision import Confidence, Reason, Verdict
from clinical.dose_order import DoseOrder, Milligrams, PlanDose, TodaysDoses
from clinical.dose_reasons import CAP, FIRST, PLAN, at_least, bound, down_to, exact, step, upper
from clinical.instants import in_utc
from clinical.protocol import Devices, InUnits, Lozenges, Protocol


def compute_in_units(dose_mg: Milligrams, rules: InUnits, protocol: Protocol, now: datetime) -> DoseOrder:
    """How many units does so much come to? Rounded down to whole ones.

    The amount stays the one that was ordered: where it is no whole number of units, `dose_allowed` refuses it
    and nobody gets another dose than the prescriber wrote.
    """
    unit = exact(rules.unit_mg)
    units = int(down_to(dose_mg, unit) / unit)
    return DoseOrder(
        drug=protocol.drug,
        route=protocol.route,
        dose_mg=dose_mg,
        units=units,
        unit_mg=unit,
        basis="units",
        inputs={
            "computed_at": in_utc(now).isoformat(),
            "ordered_mg": f"{dose_mg:f}",
            "unit_mg": f"{unit:f}",
            "max_session_mg": f"{rules.max_session_mg:g}",
            "salt": "base",
            "basis": "units",
            "protocol": protocol.canonical,
        },
    )


def findings_in_units(
    order: DoseOrder, plan: PlanDose, today: TodaysDoses, rules: InUnits, now: datetime
) -> list[Reason]:
    """What speaks for and against this order where whole units are given? By weight it is refused."""
    common = [_basis(order), _whole(order, rules)]
    if isinstance(rules, Devices):
        return [*common, *_devices(order, plan, today, rules)]
    return [*common, *_lozenges(order, plan, today, rules)]


def _basis(order: DoseOrder) -> Reason:
    foreign = (order.mg_per_kg, order.volume_ml, order.rate_ml_per_h, order.infusion_minutes)
    by_units = order.basis == "units" and all(part is None for part in foreign)
    text = "ordered in whole units, without weight, volume or rate"
    return bound("DOSE-BASIS", by_units, text, order.basis, "facts H2", "units")


def _whole(order: DoseOrder, rules: InUnits) -> Reason:
    """Do so many units of this strength make exactly this dose?"""
    fits = order.unit_mg == exact(rules.unit_mg) and order.drawn_mg == order.dose_mg
    return Reason(
        rule="DOSE-UNITS",
        verdict=Verdict.PASS if fits else Verdict.REFUSE,
        text="whole units that make this dose" if fits else "no whole units make exactly this dose",
        source="facts §2.3, H2",
        confidence=Confidence.CONFIRMED,
        value=f"{order.units} x {order.unit_mg} mg for {order.dose_mg:f} mg",
        limit=f"whole units of {rules.unit_mg:g} mg",
        missing=order.units is None or order.unit_mg is None,
    )


def _lozenges(order: DoseOrder, plan: PlanDose, today: TodaysDoses, rules: Lozenges) -> list[Reason]:
    """The first session has a bound of its own; a later one rises by one step at most, boosters counted."""
    single = max(order.dose_mg, order.drawn_mg or Decimal(0))
    total = single + today.given_mg
    stepped = single if today.first_session else total
    reasons = [
        upper("DOSE-PLAN-DOSE", single, plan.dose_mg, "mg", PLAN, "a single dose"),
        step(stepped, exact(rules.start_mg), exact(rules.step_mg), today.highest_mg, "mg"),
        at_least("DOSE-MINIMUM", order.dose_mg, exact(rules.min_mg), "mg"),
    ]
    if today.first_session:
        first = exact(rules.first_session_max_mg)
        reasons.append(upper("DOSE-FIRST-SESSION", total, first, "mg", CAP, FIRST))
    return reasons


def _devices(order: DoseOrder, plan: PlanDose, today: TodaysDoses, rules: Devices) -> list[Reason]:
    """The label: day 1 exactly one dose, then one of the allowed ones; never more than that in a session."""
    single = max(order.dose_mg, order.drawn_mg or Decimal(0))
    first = exact(rules.first_session_mg)
    wanted = {first} if today.first_session else {exact(mg) for mg in rules.allowed_mg}
    allowed = order.dose_mg in wanted and single + today.given_mg <= max(wanted)
    text = "the dose of day 1" if today.first_session else "one of the doses of the label"
    return [
        upper("DOSE-PLAN-DOSE", single, plan.dose_mg, "mg", PLAN, "a single dose"),
        Reason(
            rule="DOSE-LABEL",
            verdict=Verdict.PASS if allowed else Verdict.REFUSE,
            text=text if allowed else f"not {text}",
            source="facts §2.3: SPRAVATO US prescribing information",
            confidence=Confidence.CONFIRMED,
            value=f"{single + today.given_mg:f}",
            unit="mg",
            limit=" or ".join(f"{mg:f}" for mg in sorted(wanted)),
        ),
    ]
