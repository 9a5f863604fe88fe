"""How does the demo dose by a given protocol? As the protocol itself starts a course, whatever the form."""

from typing import Any

from clinical.protocol import ByWeight, Devices, Infusion, Protocol

LOT, LOT_EXPIRES_ON = "LOT-2291", "2099-08-31"


def planned_dose(protocol: Protocol) -> dict[str, Any]:
    """The dose part of a personal plan: so much per kilogram, or the largest dose that may be ordered."""
    rules, first = protocol.dosing, protocol.schedule.first
    content: dict[str, Any] = {
        "sessions": first.sessions,
        "max_mg": rules.max_session_mg,
        "phase": first.name,
        "preparation_sessions": protocol.therapy.preparation_sessions,
    }
    if isinstance(rules, ByWeight):
        content["mg_per_kg"] = rules.start_mg_per_kg
    elif isinstance(rules, Devices):
        content["dose_mg"] = max(rules.allowed_mg)
    else:
        content["dose_mg"] = rules.start_mg
    if isinstance(rules, Infusion):
        content["infusion_minutes"] = rules.infusion_minutes
    return content


def ordered_dose(protocol: Protocol, session: int) -> dict[str, float]:
    """What the prescriber orders in that session: the dose of the first day, then the plan's."""
    rules = protocol.dosing
    if isinstance(rules, ByWeight):
        return {"mg_per_kg": rules.start_mg_per_kg}
    if isinstance(rules, Devices):
        return {"dose_mg": rules.first_session_mg if session == 1 else max(rules.allowed_mg)}
    return {"dose_mg": rules.start_mg}


def minutes_of_dose(protocol: Protocol) -> int:
    """How long the drug goes in: the infusion's minutes, the rests between devices, else at once."""
    rules = protocol.dosing
    if isinstance(rules, Infusion):
        return rules.infusion_minutes
    if isinstance(rules, Devices):
        rests = round(max(rules.allowed_mg) / rules.unit_mg) - 1
        return rests * rules.minutes_between_units
    return 0


def product(protocol: Protocol) -> str:
    """What stands on the container that the nurse scans."""
    rules = protocol.dosing
    if isinstance(rules, ByWeight):
        return f"ketamine {rules.concentration_mg_per_ml:g} mg/mL"
    return f"{protocol.drug} {rules.unit_mg:g} mg, {rules.form}"


def container_label(protocol: Protocol) -> dict[str, Any]:
    """A container that holds enough for the course, as the drug books of the site take it in."""
    return {
        "drug": protocol.drug,
        "product": product(protocol),
        "strength": "as labelled",
        "lot": LOT,
        "expires_on": LOT_EXPIRES_ON,
        "amount_mg": protocol.dosing.max_session_mg * protocol.schedule.first.sessions,
    }


def scanned(protocol: Protocol) -> dict[str, str]:
    """What the scanner reads from that container."""
    return {"lot": LOT, "lot_expires_on": LOT_EXPIRES_ON, "product": product(protocol)}
