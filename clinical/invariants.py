"""What must never be true of a course of treatment, and is it true of this one?

Reads one journey's record and nothing else. Every test that runs a journey, the simulation and a job in
production ask it. It never raises: a record that cannot be read as a course is itself a breach.

| invariant of product §4 | where |
| --- | --- |
| 1 a dose rests on consent, plan, session, gate · 2 no dose beside an open risk case | `invariants_dosing` |
| 3 gaps between doses · 4 bounds, boosters counted | `invariants_amounts` |
| 5 discharge · 6 presence of the prescriber | `invariants_chair` |
| 7 withdrawal · 10 messages · 11 approvals | `invariants_people` |
| 8 risk cases taken up and closed | `invariants_risk` |
| 9 every wait ends · 12 nothing outlives the journey | `invariants_waiting` |
| 13 the record is whole | `invariants_completeness` |
"""

from collections.abc import Callable, Iterator, Sequence

from clinical.events import RecordedEntry
from clinical.invariants_amounts import doses_are_far_enough_apart, doses_stay_within_their_bounds
from clinical.invariants_chair import (
    nobody_goes_home_too_early,
    the_prescriber_is_there_from_dose_to_discharge,
)
from clinical.invariants_completeness import the_record_is_whole
from clinical.invariants_dosing import doses_rest_on_what_they_must, no_dose_beside_an_open_risk_case
from clinical.invariants_people import (
    messages_leave_in_time_and_once,
    plans_are_approved_by_whom_they_need,
    withdrawal_stops_doses_and_messages,
)
from clinical.invariants_record import Record, Violation
from clinical.invariants_risk import risk_is_taken_up_and_closed_by_who_may
from clinical.invariants_waiting import every_wait_ends, nothing_outlives_the_journey
from clinical.protocol import Protocol

__all__ = ["INVARIANTS", "Violation", "violations"]

INVARIANTS: dict[int, Callable[[Record], Iterator[Violation]]] = {
    1: doses_rest_on_what_they_must,
    2: no_dose_beside_an_open_risk_case,
    3: doses_are_far_enough_apart,
    4: doses_stay_within_their_bounds,
    5: nobody_goes_home_too_early,
    6: the_prescriber_is_there_from_dose_to_discharge,
    7: withdrawal_stops_doses_and_messages,
    8: risk_is_taken_up_and_closed_by_who_may,
    9: every_wait_ends,
    10: messages_leave_in_time_and_once,
    11: plans_are_approved_by_whom_they_need,
    12: nothing_outlives_the_journey,
    13: the_record_is_whole,
}
"""The invariants by their numbers in product §4."""


def violations(
    entries: Sequence[RecordedEntry],
    protocol: Protocol,
    time_zone: str | None = None,
    earlier: Sequence[Protocol] = (),
) -> tuple[Violation, ...]:
    """Which invariants does this record break, and at which entries? Empty when none.

    `entries`: one journey's whole record, in order. `protocol`: the snapshot that the journey runs on.
    `time_zone`: the zone of its local dates, where it is not the one that the journey was started with. `earlier`:
    the snapshots that it ran on before it went over to this one.
    """
    record = Record(entries, protocol, time_zone, earlier)
    return tuple(found for invariant in INVARIANTS.values() for found in invariant(record))
