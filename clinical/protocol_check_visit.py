"""Can one visit go as the protocol says: values young enough at the dose, readings as long as the stay?

Source: clinical-facts §3.1, §3.3, §3.6, §4.
"""

from collections.abc import Iterator
from itertools import pairwise

from clinical.protocol import ByWeight, Infusion, Protocol
from clinical.protocol_fault import Fault

_STAY = (
    "/discharge/min_after_start_minutes",
    "/discharge/min_after_end_minutes",
    "/dosing/infusion_minutes",
)


def shortest_stay_minutes(protocol: Protocol) -> int:
    """For how long, from the first exposure, is nobody sent home? Source: facts §3.6."""
    infusion = protocol.dosing.infusion_minutes if isinstance(protocol.dosing, Infusion) else 0
    return max(
        protocol.discharge.min_after_start_minutes, infusion + protocol.discharge.min_after_end_minutes
    )


def same_day(protocol: Protocol) -> Iterator[Fault]:
    """What is asked on the day must still be valid at the dose, and what comes first must not expire before it."""
    last_check = protocol.readiness.checks_hours_before[-1]
    validity, rules = protocol.screening.validity, protocol.dosing
    valid = [
        ("/screening/validity/pregnancy_test_hours", validity.pregnancy_test_hours),
        ("/screening/validity/reconciliation_hours", validity.reconciliation_hours),
        ("/risk/screen_valid_hours", protocol.risk.screen_valid_hours),
    ]
    if isinstance(rules, ByWeight):
        valid.append(("/dosing/weight_valid_hours", rules.weight_valid_hours))
    for pointer, hours in valid:
        if hours < last_check:
            detail = f"{hours:g} h are over before the dose: the last check is {last_check:g} h before it"
            yield Fault(pointer, detail, ("/readiness/checks_hours_before",))
    yield from _until_the_first_dose(protocol)


def _until_the_first_dose(protocol: Protocol) -> Iterator[Fault]:
    """Nobody is late, and still it would have expired: then the gate of the first dose could never be relied on."""
    therapy, book = protocol.therapy, protocol.schedule.book.due_hours
    prepare = therapy.preparation_sessions * therapy.prepare.due_hours
    after_plan = prepare + book
    after_screening = after_plan + protocol.plan.draft.due_hours + protocol.plan.approve.due_hours
    after_consent = after_screening + protocol.screening.collect.due_hours + protocol.screening.sign.due_hours
    chain = ["/schedule/book/due_hours"]
    if therapy.preparation_sessions and therapy.preparation_valid_days * 24 < book:
        detail = f"{therapy.preparation_valid_days} d are over before the first visit is booked ({book:g} h)"
        yield Fault("/therapy/preparation_valid_days", detail, tuple(chain))
    chain += ["/therapy/prepare/due_hours", "/therapy/preparation_sessions"]
    plan, screening = ("/plan/draft/due_hours", "/plan/approve/due_hours"), protocol.screening
    collected = ("/screening/collect/due_hours", "/screening/sign/due_hours")
    outlast: tuple[tuple[str, int, float, tuple[str, ...]], ...] = (
        ("/plan/valid_days", protocol.plan.valid_days, after_plan, ()),
        ("/screening/valid_days", screening.valid_days, after_screening, plan),
        ("/consent/valid_days", protocol.consent.valid_days, after_consent, (*plan, *collected)),
    )
    for pointer, days, hours, more in outlast:
        if days * 24 < hours:
            detail = f"{days} d are over before the first dose: until then {hours / 24:.1f} d are allowed"
            yield Fault(pointer, detail, (*chain, *more))
    if therapy.integration_blocks_after_days * 24 < therapy.integration_due_hours:
        detail = f"blocks after {therapy.integration_blocks_after_days} d, before it is overdue"
        yield Fault("/therapy/integration_blocks_after_days", detail, ("/therapy/integration_due_hours",))


def stay(protocol: Protocol) -> Iterator[Fault]:
    """Do the readings cover the shortest stay, and does the stay cover the infusion?"""
    readings, discharge = protocol.monitoring.reading_minutes, protocol.discharge
    infusion = protocol.dosing.infusion_minutes if isinstance(protocol.dosing, Infusion) else 0
    shortest = shortest_stay_minutes(protocol)
    # Readings go on every so many minutes after the last planned one, until discharge.
    covered = readings[-1] + protocol.monitoring.repeat_after_last_minutes
    if covered < shortest:
        detail = f"the last reading is at {readings[-1]} min, the shortest stay is {shortest} min"
        yield Fault("/monitoring/reading_minutes", detail, (*_STAY, "/monitoring/repeat_after_last_minutes"))
    tolerance = protocol.monitoring.tolerance_minutes
    for index, (one, following) in enumerate(pairwise(readings), start=1):
        if 0 < following - one <= tolerance:
            detail = f"within {tolerance} min of the one before: one reading would count for both"
            involved = ("/monitoring/tolerance_minutes", "/monitoring/reading_minutes")
            yield Fault(f"/monitoring/reading_minutes/{index}", detail, involved)
    if discharge.min_after_start_minutes < infusion:
        detail = f"{discharge.min_after_start_minutes} min is shorter than the infusion of {infusion} min"
        yield Fault("/discharge/min_after_start_minutes", detail, ("/dosing/infusion_minutes",))
    scores = (discharge.padss_consecutive - 1) * discharge.padss_apart_minutes
    longest = max(shortest, scores)
    if discharge.long_stay_page_minutes <= longest:
        detail = f"{discharge.long_stay_page_minutes} min would call every stay long: the shortest is {longest} min"
        scored = ("/discharge/padss_consecutive", "/discharge/padss_apart_minutes")
        yield Fault("/discharge/long_stay_page_minutes", detail, (*_STAY, *scored))
