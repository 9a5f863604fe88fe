"""What do the Condition, AllergyIntolerance and FamilyMemberHistory resources of a bundle say?

Entries that were refuted or entered in error are left out; everything else is kept with its status, and what
cannot be understood stays as `Unreadable`. A status that is not understood never counts as "over".
Source: FHIR R4 Condition, AllergyIntolerance, FamilyMemberHistory and their status code systems.
"""

from clinical.patient_record import Allergy, Condition, Presence, Unreadable
from services.fhir.elements import (
    Element,
    chosen_instant,
    codings,
    element,
    elements,
    instant,
    says,
    status_code,
    words,
)

_PRESENT = frozenset({"active", "recurrence", "relapse"})
_OVER = frozenset({"inactive", "remission", "resolved"})
_NEVER_WAS = frozenset({"refuted", "entered-in-error"})
_ABATEMENT = (
    "abatementDateTime",
    "abatementPeriod",
    "abatementAge",
    "abatementRange",
    "abatementString",
)
_ONSET = ("onsetDateTime", "onsetPeriod")
_CLOSE_RELATIVES = frozenset(
    {
        *("PRN", "NPRN", "FTH", "NFTH", "MTH", "NMTH", "CHILD", "NCHILD", "SON", "DAU"),
        *("SIB", "NSIB", "BRO", "NBRO", "SIS", "NSIS", "TWIN", "TWINBRO", "TWINSIS"),
    }
)


def read_condition(resource: Element, pointer: str) -> tuple[Condition | None, list[Unreadable]]:
    """One Condition, or None when it never was."""
    certainty = status_code(resource.get("verificationStatus"))
    if certainty in _NEVER_WAS:
        return None, []
    code = resource.get("code")
    found, said = codings(code), words(code)
    if not found and not said:
        return None, [Unreadable(pointer=f"{pointer}/code", text="a condition has neither a code nor a name")]
    status = status_code(resource.get("clinicalStatus"))
    ended = chosen_instant(resource, "abatement", end=True)
    faults = _faults(resource, status, pointer)
    condition = Condition(
        codings=found,
        text=said,
        presence=_presence(status),
        confirmed=certainty in ("", "confirmed"),
        onset_at=chosen_instant(resource, "onset") or instant(resource.get("recordedDate")),
        ended_at=ended,
        pointer=pointer,
    )
    return condition, faults


def _presence(status: str) -> Presence:
    if status in _PRESENT:
        return Presence.CURRENT
    return Presence.PAST if status in _OVER else Presence.UNKNOWN


def _faults(resource: Element, status: str, pointer: str) -> list[Unreadable]:
    faults = []
    abated = says(resource, *_ABATEMENT)
    if status and status not in _PRESENT | _OVER:
        text = f"the clinical status {status!r} is not understood: the condition counts as current"
        faults.append(Unreadable(pointer=f"{pointer}/clinicalStatus", text=text))
    if status in _PRESENT and abated:
        text = "a condition is called active and has an end: it counts as current"
        faults.append(Unreadable(pointer=f"{pointer}/clinicalStatus", text=text))
    if not status and abated and chosen_instant(resource, "abatement", end=True) is None:
        text = "the end of a condition is not a date: it counts as current"
        faults.append(Unreadable(pointer=f"{pointer}/abatement", text=text))
    if says(resource, *_ONSET) and chosen_instant(resource, "onset") is None:
        faults.append(Unreadable(pointer=f"{pointer}/onset", text="the onset of a condition is not a date"))
    return faults


def read_allergy(resource: Element, pointer: str) -> tuple[Allergy | None, list[Unreadable]]:
    """One AllergyIntolerance with the substances of its reactions, or None when it never was."""
    certainty = status_code(resource.get("verificationStatus"))
    if certainty in _NEVER_WAS:
        return None, []
    concepts = [resource.get("code"), *(r.get("substance") for r in elements(resource.get("reaction")))]
    found = tuple(coding for concept in concepts for coding in codings(concept))
    said = " / ".join(part for part in map(words, concepts) if part)
    if not found and not said:
        return None, [Unreadable(pointer=f"{pointer}/code", text="an allergy names no substance")]
    confirmed = certainty in ("", "confirmed")
    return Allergy(codings=found, text=said, confirmed=confirmed, pointer=pointer), []


def read_family_history(resource: Element, pointer: str) -> list[Condition]:
    """The conditions of a close relative; a relation that is not coded counts as close."""
    if status_code(resource.get("status")) == "entered-in-error":
        return []
    kin = codings(resource.get("relationship"))
    if kin and not any(coding.code.upper() in _CLOSE_RELATIVES for coding in kin):
        return []
    found = [element(item.get("code")) for item in elements(resource.get("condition"))]
    return [
        Condition(
            codings=codings(code),
            text=words(code),
            presence=Presence.CURRENT,
            of_relative=True,
            pointer=pointer,
        )
        for code in found
    ]
