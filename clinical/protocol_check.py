"""What is wrong with a protocol that each of its fields alone cannot show?

Bounds out of order, waits that end before they are due, phases that no course reaches, gates that could never
open, a form that does not fit the route, readings that do not cover the stay, numbers without a label, a
course too large for the engine, a signature over other content. Every fault has a JSON Pointer; `involves`
names the other fields that it depends on.
Source: product F2; clinical-facts §2 to §8.
"""

from clinical.event_budget import over_budget
from clinical.protocol import Protocol
from clinical.protocol_check_bounds import bounds, sequences
from clinical.protocol_check_course import calendar, decisions, follow_up, phases
from clinical.protocol_check_desk import answered_in_time, goes_up, said
from clinical.protocol_check_doses import amounts, boosters, form
from clinical.protocol_check_labels import label_faults, signature_faults
from clinical.protocol_check_people import instruments, people, waits
from clinical.protocol_check_rems import rems
from clinical.protocol_check_visit import same_day, stay
from clinical.protocol_document import as_document
from clinical.protocol_fault import Fault

__all__ = ["Fault", "faults"]


def faults(protocol: Protocol) -> tuple[Fault, ...]:
    """Every fault between the fields; empty when the protocol can be followed. Source: product F2."""
    document = as_document(protocol)
    return (
        *bounds(document),
        *sequences(document),
        *waits(document),
        *people(protocol),
        *instruments(protocol),
        *form(protocol),
        *amounts(protocol),
        *boosters(protocol),
        *rems(protocol),
        *phases(protocol),
        *calendar(protocol),
        *decisions(protocol),
        *follow_up(protocol),
        *same_day(protocol),
        *stay(protocol),
        *said(protocol),
        *answered_in_time(protocol),
        *goes_up(protocol),
        *over_budget(protocol),
        *label_faults(protocol, document),
        *signature_faults(protocol),
    )
