"""Does the form of the drug fit its route, and is there a dose that the protocol's own bounds allow?

A bound that refuses everybody is a gate that could never open. Masses in mg of base, weights in kg.
Source: clinical-facts §2.1-§2.4, H1, H2.
"""

from collections.abc import Iterator
from decimal import Decimal

from clinical.protocol import ByWeight, Devices, Drug, Infusion, Injection, Lozenges, Protocol, Route
from clinical.protocol_fault import Fault

_FORMS: dict[Route, type] = {
    Route.IV: Infusion,
    Route.IM: Injection,
    Route.SL: Lozenges,
    Route.NASAL: Devices,
}


def form(protocol: Protocol) -> Iterator[Fault]:
    """Drug, route and form belong together, and so do the numbers that only one of them has."""
    rules, plan = protocol.dosing, protocol.plan
    if (protocol.drug is Drug.ESKETAMINE) != (protocol.route is Route.NASAL):
        yield Fault("/route", f"{protocol.drug.value} is not given by this route", ("/drug",))
    if not isinstance(rules, _FORMS[protocol.route]):
        yield Fault("/dosing/form", f"{rules.form} is no {protocol.route.value} form", ("/route",))
    by_weight = isinstance(rules, ByWeight)
    limits = (
        ("/plan/director_above_mg_per_kg", plan.director_above_mg_per_kg, by_weight, "mg/kg"),
        ("/plan/director_above_mg", plan.director_above_mg, not by_weight, "mg"),
    )
    for pointer, limit, belongs, unit in limits:
        if belongs and limit is None:
            detail = f"missing: from which dose on has the medical director to approve (in {unit})?"
            yield Fault(pointer, detail, ("/dosing/form",))
        elif not belongs and limit is not None:
            detail = f"null: a dose by {rules.form} has no {unit} of its own"
            yield Fault(pointer, detail, ("/dosing/form",))
    spray = protocol.readiness.nasal_spray_hours
    if spray is not None and protocol.route is not Route.NASAL:
        detail = "null: other nasal sprays matter to a nasal drug only"
        yield Fault("/readiness/nasal_spray_hours", detail, ("/route",))


def amounts(protocol: Protocol) -> Iterator[Fault]:
    """Is there a dose for everybody whose weight is plausible, and is it one that can be measured or counted?"""
    rules = protocol.dosing
    if isinstance(rules, ByWeight):
        yield from _by_weight(rules, protocol)
    elif isinstance(rules, Lozenges):
        for name in ("start_mg", "step_mg", "min_mg"):
            yield from _whole(f"/dosing/{name}", getattr(rules, name), rules.unit_mg)
    else:
        for index, dose in enumerate(rules.allowed_mg):
            yield from _whole(f"/dosing/allowed_mg/{index}", dose, rules.unit_mg)
            if dose > rules.max_session_mg:
                detail = f"{dose:g} mg is above the most a session may have, {rules.max_session_mg:g} mg"
                yield Fault(f"/dosing/allowed_mg/{index}", detail, ("/dosing/max_session_mg",))
        yield from _whole("/dosing/first_session_mg", rules.first_session_mg, rules.unit_mg)
        if rules.first_session_mg not in rules.allowed_mg:
            detail = (
                f"{rules.first_session_mg:g} mg is none of the allowed doses: the first gate could never open"
            )
            yield Fault("/dosing/first_session_mg", detail, ("/dosing/allowed_mg",))


def _by_weight(rules: ByWeight, protocol: Protocol) -> Iterator[Fault]:
    lightest, heaviest = (Decimal(str(kg)) for kg in protocol.screening.weight_plausible_kg)
    lowest, start = Decimal(str(rules.min_mg_per_kg)), Decimal(str(rules.start_mg_per_kg))
    weights = "/screening/weight_plausible_kg"
    cap = Decimal(str(rules.max_session_mg))
    if start * lightest > cap:
        detail = f"the first dose of a person of {lightest} kg is {start * lightest:g} mg: nobody could begin"
        yield Fault("/dosing/max_session_mg", detail, ("/dosing/start_mg_per_kg", weights))
    elif lowest * heaviest > cap:
        detail = (
            f"the lowest dose of a person of {heaviest} kg is {lowest * heaviest:g} mg: no dose fits them"
        )
        yield Fault("/dosing/max_session_mg", detail, ("/dosing/min_mg_per_kg", weights))
    smallest = Decimal(str(rules.volume_step_ml)) * Decimal(str(rules.concentration_mg_per_ml))
    if lowest * lightest < smallest:
        detail = (
            f"the smallest step is {smallest:g} mg, the lowest dose {lowest * lightest:g} mg: not measurable"
        )
        involved = ("/dosing/concentration_mg_per_ml", "/dosing/min_mg_per_kg", weights)
        yield Fault("/dosing/volume_step_ml", detail, involved)


def boosters(protocol: Protocol) -> Iterator[Fault]:
    """A booster that is foreseen must have a time at which it could be given, and room under the cap."""
    rules = protocol.dosing
    window = "/dosing/booster_until_minutes"
    until = rules.booster_until_minutes
    if rules.boosters_max == 0:
        if until or rules.booster_from_minutes:
            depends = ("/dosing/boosters_max", "/dosing/booster_from_minutes")
            yield Fault(window, "a window for boosters, and none is foreseen", depends)
        return
    if until == 0:
        detail = f"{rules.boosters_max} boosters and no time for them: the gate could never open"
        yield Fault(window, detail, ("/dosing/boosters_max",))
    elif isinstance(rules, Infusion) and until < rules.infusion_minutes_min:
        detail = f"over after {until} min, before the infusion ends: the gate could never open"
        yield Fault(window, detail, ("/dosing/boosters_max", "/dosing/infusion_minutes_min"))
    least, most, unit, compared = _two_doses(protocol)
    if least > most:
        detail = f"the first dose and one booster come to {least:g} {unit}, above {most:g} {unit}"
        yield Fault("/dosing/boosters_max", detail, compared)


def _two_doses(protocol: Protocol) -> tuple[Decimal, Decimal, str, tuple[str, ...]]:
    """The least that a dose and a booster come to, and the most that a session may have."""
    rules = protocol.dosing
    if isinstance(rules, ByWeight):
        least, most, unit = 2 * rules.min_mg_per_kg, rules.max_mg_per_kg, "mg/kg"
        involved = ("/dosing/min_mg_per_kg", "/dosing/max_mg_per_kg")
    elif isinstance(rules, Lozenges):
        least, most, unit = 2 * rules.min_mg, rules.max_session_mg, "mg"
        involved = ("/dosing/min_mg", "/dosing/max_session_mg")
    else:
        least, most, unit = 2 * min(rules.allowed_mg), rules.max_session_mg, "mg"
        involved = ("/dosing/allowed_mg", "/dosing/max_session_mg")
    return Decimal(str(least)), Decimal(str(most)), unit, involved


def _whole(pointer: str, amount_mg: float, unit_mg: float) -> Iterator[Fault]:
    if Decimal(str(amount_mg)) % Decimal(str(unit_mg)):
        detail = f"{amount_mg:g} mg is not a whole number of units of {unit_mg:g} mg"
        yield Fault(pointer, detail, ("/dosing/unit_mg",))
