"""Does a protocol with esketamine keep what its label and the REMS fix, and does no other one claim them?

Also the elements of consent that belong to a drug or its form.
Source: clinical-facts §1.5 (elements 2 and 15), §2.3, §3.1 (G5), §3.6, §8 (SPRAVATO REMS).
"""

from collections.abc import Iterator

from clinical.protocol import Devices, Drug, Indication, Lozenges, Protocol
from clinical.protocol_fault import Fault

MINIMUM_STAY_MINUTES = 120
FORM_DAYS = 7
DEVICE_MG = 28
HIGHEST_MG = 84
REST_MINUTES = 5
OTHER_SPRAY_HOURS = 1
FOOD_HOURS = 2
FLUIDS_HOURS = 0.5

OFF_LABEL, COMPOUNDED, ENROLMENT = "off-label-status", "compounded-product", "rems-enrolment"

_DRUG = ("/drug",)


def rems(protocol: Protocol) -> Iterator[Fault]:
    """Every departure from the label and the REMS; for racemic ketamine, what is left of them."""
    yield from _elements(protocol)
    if protocol.drug is Drug.ESKETAMINE:
        yield from _label(protocol)
        yield from _programme(protocol)
    elif protocol.reports.rems_form_days is not None:
        yield Fault("/reports/rems_form_days", "null: racemic ketamine has no REMS", _DRUG)


def _elements(protocol: Protocol) -> Iterator[Fault]:
    elements = protocol.consent.required_elements
    pointer = "/consent/required_elements"
    wanted = [ENROLMENT if protocol.drug is Drug.ESKETAMINE else OFF_LABEL]
    if isinstance(protocol.dosing, Lozenges):
        wanted.append(COMPOUNDED)
    for name in wanted:
        if name not in elements:
            yield Fault(pointer, f"missing: {name}", ("/drug", "/dosing/form"))
    for index, name in enumerate(elements):
        if name in elements[:index]:
            yield Fault(f"{pointer}/{index}", f"{name} stands twice")


def _label(protocol: Protocol) -> Iterator[Fault]:
    """What the label says of doses, fasting and whom to treat."""
    rules, ready = protocol.dosing, protocol.readiness
    if isinstance(rules, Devices):
        if rules.unit_mg != DEVICE_MG:
            yield Fault("/dosing/unit_mg", f"a device of the label has {DEVICE_MG} mg", _DRUG)
        if rules.max_session_mg > HIGHEST_MG:
            yield Fault("/dosing/max_session_mg", f"above the label's {HIGHEST_MG} mg", _DRUG)
        if rules.minutes_between_units < REST_MINUTES:
            detail = f"the label asks for {REST_MINUTES} min between two devices"
            yield Fault("/dosing/minutes_between_units", detail, _DRUG)
        if rules.boosters_max:
            yield Fault("/dosing/boosters_max", "the label knows no booster", _DRUG)
    for pointer, hours, least in (
        ("/readiness/nasal_spray_hours", ready.nasal_spray_hours, OTHER_SPRAY_HOURS),
        ("/readiness/fasting_food_hours", ready.fasting_food_hours, FOOD_HOURS),
        ("/readiness/fasting_clear_fluids_hours", ready.fasting_clear_fluids_hours, FLUIDS_HOURS),
    ):
        if hours is None or hours < least:
            yield Fault(pointer, f"the label asks for at least {least:g} h before esketamine", _DRUG)
    for index, indication in enumerate(protocol.indications):
        if indication is not Indication.DEPRESSION:
            yield Fault(f"/indications/{index}", "esketamine's label treats depression only", _DRUG)


def _programme(protocol: Protocol) -> Iterator[Fault]:
    """What the REMS says of the stay, the people and the form."""
    if protocol.discharge.min_after_start_minutes < MINIMUM_STAY_MINUTES:
        detail = f"the REMS asks for at least {MINIMUM_STAY_MINUTES} min after esketamine"
        yield Fault("/discharge/min_after_start_minutes", detail, _DRUG)
    if not protocol.discharge.minimum_is_absolute:
        detail = f"no override of {MINIMUM_STAY_MINUTES} min after esketamine"
        yield Fault("/discharge/minimum_is_absolute", detail, _DRUG)
    if not protocol.monitoring.prescriber_on_site:
        yield Fault("/monitoring/prescriber_on_site", "the REMS asks for a prescriber on site", _DRUG)
    days = protocol.reports.rems_form_days
    if days is None or days > FORM_DAYS:
        yield Fault("/reports/rems_form_days", f"the REMS form is due within {FORM_DAYS} d", _DRUG)
    elif protocol.reports.remind_hours_before >= days * 24:
        detail = f"{protocol.reports.remind_hours_before:g} h before the form is due lies before the dose"
        yield Fault("/reports/remind_hours_before", detail, ("/reports/rems_form_days",))
