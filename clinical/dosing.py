"""How large is the dose, and may exactly this order be given?

Masses in mg of base (50 mg of base are 57.67 mg of hydrochloride: never converted here), weight in kg, volume
in mL, rate in mL/h. A dose outside its bounds is refused with the limit, never clamped to it. Doses are never
converted between routes. Boosters count towards every cap of the day. What is particular to a form stands in
`dose_by_weight` and `dose_in_units`.
Source: clinical-facts §2.1, §2.2, §2.4, H1, H2; product F6.
"""

from datetime import datetime
from decimal import Decimal

from clinical.decision import Decision, Reason
from clinical.dose_by_weight import compute_by_weight, findings_by_weight
from clinical.dose_in_units import compute_in_units, findings_in_units
from clinical.dose_order import DoseOrder, PlanDose, TodaysDoses
from clinical.dose_reasons import CAP, PLAN, bound, exact, upper
from clinical.protocol import ByWeight, InUnits, Protocol
from clinical.weight import WeightMeasurement

__all__ = [
    "DoseOrder",
    "PlanDose",
    "TodaysDoses",
    "WeightMeasurement",
    "basis_fault",
    "compute_dose",
    "dose_allowed",
]

_MOST_MG_PER_KG = Decimal(1000)
_MOST_MG = Decimal(1_000_000)
"""What nobody can have meant. Beyond it there is nothing to compute; the bounds of a dose are the protocol's."""


def compute_dose(
    amount: Decimal,
    weight: WeightMeasurement | None,
    height_cm: float | None,
    protocol: Protocol,
    now: datetime,
    *,
    infusion_minutes: int | None = None,
) -> DoseOrder:
    """What does this amount come to for this person, in what can be measured or counted out?

    `amount` is mg/kg where the protocol doses by weight and mg where it doses in whole units. By weight
    without one raises ValueError: ask `basis_fault` first. Never above what was ordered.
    """
    rules = protocol.dosing
    if isinstance(rules, InUnits):
        return compute_in_units(amount, rules, protocol, now)
    if weight is None:
        raise ValueError("this route is dosed by weight")
    return compute_by_weight(
        amount, weight, height_cm, rules, protocol, now, infusion_minutes=infusion_minutes
    )


def basis_fault(mg_per_kg: Decimal | None, dose_mg: Decimal | None, protocol: Protocol) -> str | None:
    """Is the amount stated the way this protocol doses, and can it be computed with?

    None when it is, else what is wanted, in words.
    """
    by_weight = isinstance(protocol.dosing, ByWeight)
    wanted, other = (mg_per_kg, dose_mg) if by_weight else (dose_mg, mg_per_kg)
    if wanted is None or other is not None:
        return "state mg_per_kg, and no dose_mg" if by_weight else "state dose_mg, and no mg_per_kg"
    most = _MOST_MG_PER_KG if by_weight else _MOST_MG
    unit = "mg/kg" if by_weight else "mg"
    return None if 0 < wanted <= most else f"an amount above 0 and up to {most} {unit}"


def dose_allowed(
    order: DoseOrder, plan: PlanDose, today: TodaysDoses, protocol: Protocol, now: datetime
) -> Decision:
    """May exactly this order be given now? Every bound with its limit and source; nothing is clamped.

    What counts as the dose is the larger of the amount written and the amount drawn up.
    """
    rules = protocol.dosing
    total_mg = max(order.dose_mg, order.drawn_mg or Decimal(0)) + today.given_mg
    of_form = (
        findings_by_weight(order, plan, today, rules, protocol, now)
        if isinstance(rules, ByWeight)
        else findings_in_units(order, plan, today, rules, now)
    )
    return Decision.of(
        [
            *_same_drug_and_route(order, plan, protocol),
            upper("DOSE-PLAN-MG", total_mg, plan.max_mg, "mg", PLAN),
            upper("DOSE-CAP-MG", total_mg, exact(rules.max_session_mg), "mg", CAP),
            _boosters(today, plan, protocol),
            *of_form,
        ]
    )


def _same_drug_and_route(order: DoseOrder, plan: PlanDose, protocol: Protocol) -> list[Reason]:
    drugs, routes = {order.drug, plan.drug, protocol.drug}, {order.route, plan.route, protocol.route}
    return [
        bound("DOSE-DRUG", len(drugs) == 1, "drug", order.drug, "facts H2", protocol.drug),
        bound("DOSE-ROUTE", len(routes) == 1, "route", order.route, "facts H2", protocol.route),
        bound("DOSE-SALT", order.salt == "base", "salt", order.salt, "facts §2.1", "base"),
    ]


def _boosters(today: TodaysDoses, plan: PlanDose, protocol: Protocol) -> Reason:
    """A further dose in the session is a booster: the plan and the protocol say how many it may have."""
    most = min(plan.boosters, protocol.dosing.boosters_max)
    given = max(today.given, 1 if today.given_mg > 0 else 0)
    text = "no dose given today" if given == 0 else "a further dose in this session"
    return bound(
        "DOSE-BOOSTER", given <= most, text, str(given), "facts §2.4, H3", f"{most} boosters", "{doses}"
    )
