"""What do the MedicationRequest and MedicationStatement resources of a bundle say is taken?

A status that is not understood counts as taken, a medicine that nobody names stays as `Unreadable`. An end
date given with the order is kept: what is over is judged when the question is asked.
Source: FHIR R4 MedicationRequest and MedicationStatement.
"""

from collections.abc import Mapping
from datetime import datetime

from clinical.patient_record import Coding, Medication, Unreadable
from services.fhir.elements import (
    Element,
    chosen_instant,
    codings,
    element,
    elements,
    instant,
    references,
    status_code,
    text,
    words,
)

_NOT_TAKEN = frozenset(
    {"stopped", "completed", "cancelled", "entered-in-error", "draft", "not-taken", "intended"}
)
_TAKEN = frozenset({"active", "on-hold", "unknown"})


def read_medication(
    resource: Element, pointer: str, by_reference: Mapping[str, Element]
) -> tuple[Medication | None, list[Unreadable]]:
    """One medicine, or None when the entry says that it was never ordered or must not be given."""
    status = status_code(resource.get("status"))
    if status == "entered-in-error" or resource.get("doNotPerform") is True:
        return None, []
    current = status not in _NOT_TAKEN
    concept = _concept(resource, by_reference)
    found, said = codings(concept), words(concept)
    if not said and not any(coding.display for coding in found):
        if not current:
            return None, []
        why = (
            "a medicine that is taken has no name"
            if not found
            else f"a medicine has only a code: {found[0].code}"
        )
        unnamed = [Unreadable(pointer=f"{pointer}/medication", text=why)]
        if not found:
            return None, unnamed
        # A code may still be known to the rules; that it is the only word about it is said either way.
        return _medication(resource, found, said, current, pointer), unnamed
    faults = []
    if status not in _NOT_TAKEN | _TAKEN:
        why = f"the status {status!r} of a medicine is not understood: it counts as taken"
        faults.append(Unreadable(pointer=f"{pointer}/status", text=why))
    return _medication(resource, found, said, current, pointer), faults


def _medication(
    resource: Element, found: tuple[Coding, ...], said: str, current: bool, pointer: str
) -> Medication:
    return Medication(
        codings=found,
        text=said,
        current=current,
        since=instant(resource.get("authoredOn")) or chosen_instant(resource, "effective"),
        until=_until(resource),
        pointer=pointer,
    )


def _concept(resource: Element, by_reference: Mapping[str, Element]) -> object:
    """The medicine itself: written in place, contained, or another entry of the bundle."""
    inline = resource.get("medicationCodeableConcept")
    if inline is not None:
        return inline
    contained = {text(item.get("id")): item for item in elements(resource.get("contained"))}
    for name in references(resource.get("medicationReference")):
        target = contained.get(name) or by_reference.get(name)
        if target is not None:
            return target.get("code")
    return {"text": text(element(resource.get("medicationReference")).get("display"))}


def _until(resource: Element) -> datetime | None:
    """The latest end that the order or statement gives; None when any part of it is open-ended."""
    validity = element(element(resource.get("dispenseRequest")).get("validityPeriod")).get("end")
    bounds = [
        instant(element(element(element(dose.get("timing")).get("repeat")).get("boundsPeriod")).get("end"))
        for dose in elements(resource.get("dosageInstruction"))
    ]
    ends = [instant(validity), instant(element(resource.get("effectivePeriod")).get("end"))]
    if bounds and all(end is not None for end in bounds):
        ends += bounds
    return max((end for end in ends if end is not None), default=None)
