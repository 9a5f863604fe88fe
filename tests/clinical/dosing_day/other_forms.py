"""The shipped protocol bent to each form of dosing, with the readings that the facts name for it (§3.3)."""

from typing import Any

from clinical.protocol import Devices, Dosing, Drug, Injection, Lozenges, Protocol, Route

IM_MINUTES = (10, 20, 30, 45, 60, 90, 120)
SL_MINUTES = (15, 30, 45, 60, 90, 120)
NASAL_MINUTES = (20, 40, 60, 80, 100, 120)
FORMS = ("infusion", "injection", "lozenges", "devices")

_BOOSTER = {"boosters_max": 1, "booster_from_minutes": 20, "booster_until_minutes": 60}


def in_form(form: str, protocol: Protocol) -> Protocol:
    """The same clinic's protocol, as it would be for this form."""
    by_weight = protocol.dosing.model_dump()
    if form == "infusion":
        return protocol
    if form == "injection":
        given = {
            name: value for name, value in by_weight.items() if not name.startswith(("infusion", "form"))
        }
        dosing: Dosing = Injection.model_validate({**given, "form": form, **_BOOSTER})
        return _bent(protocol, dosing, Route.IM, IM_MINUTES)
    amounts: dict[str, Any] = {"form": form, "tolerance_percent": 1}
    if form == "lozenges":
        lozenges = {"start_mg": 100, "step_mg": 50, "min_mg": 50, "first_session_max_mg": 200, "unit_mg": 50}
        dosing = Lozenges.model_validate({**amounts, **lozenges, "max_session_mg": 400, **_BOOSTER})
        return _bent(protocol, dosing, Route.SL, SL_MINUTES)
    devices = {"unit_mg": 28, "allowed_mg": [56, 84], "first_session_mg": 56, "minutes_between_units": 5}
    none = dict.fromkeys(_BOOSTER, 0)
    dosing = Devices.model_validate({**amounts, **devices, "max_session_mg": 84, **none})
    bent = _bent(protocol, dosing, Route.NASAL, NASAL_MINUTES)
    return bent.model_copy(update={"drug": Drug.ESKETAMINE})


def _bent(protocol: Protocol, dosing: Dosing, route: Route, minutes: tuple[int, ...]) -> Protocol:
    discharge = {
        "min_after_start_minutes": 120,
        "min_after_end_minutes": 0 if route is Route.NASAL else 120,
        "minimum_is_absolute": route is Route.NASAL,
    }
    return protocol.model_copy(
        update={
            "dosing": dosing,
            "route": route,
            "monitoring": protocol.monitoring.model_copy(update={"reading_minutes": minutes}),
            "discharge": protocol.discharge.model_copy(update=discharge),
        }
    )
