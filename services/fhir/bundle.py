"""What does a referral say? A FHIR R4 Bundle about exactly one person becomes facts for the rules.

The bundle is read as it comes: any bundle type, any order, entries of other kinds left out. What belongs to
another person or cannot be understood stays as `Unreadable`; only what is no such bundle at all raises
`UnreadableBundle`.
Source: FHIR R4 (4.0.1) Bundle; clinical-facts §1.
"""

import json
from typing import Any, NamedTuple, NoReturn

from clinical.patient_record import (
    Allergy,
    ClinicalRecord,
    Condition,
    Measurement,
    Medication,
    Person,
    Unreadable,
)
from services.fhir.conditions import read_allergy, read_condition, read_family_history
from services.fhir.elements import Element, element, references, text
from services.fhir.medications import read_medication
from services.fhir.observations import read_observation
from services.fhir.patient import PatientIdentity, read_identity, read_person

LARGEST_BYTES = 64 * 1024 * 1024


class UnreadableBundle(Exception):
    """Not a FHIR R4 Bundle about exactly one person; `problems` says why, one line each, without content."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Referral(NamedTuple):
    """The facts, the identity kept apart from them, and the sender's id of the person."""

    record: ClinicalRecord
    identity: PatientIdentity
    source_id: str


class _Entry(NamedTuple):
    resource: Element
    pointer: str
    names: frozenset[str]


def read_referral(raw: bytes | str | dict[str, Any]) -> Referral:
    """The referral in these bytes, this text or this parsed JSON; raises UnreadableBundle."""
    bundle = raw if isinstance(raw, dict) else _parsed(raw)
    if bundle.get("resourceType") != "Bundle":
        raise UnreadableBundle([f"resourceType is {_kind_of(bundle)}, not Bundle"])
    entries = _entries(bundle)
    people = [entry for entry in entries if entry.resource.get("resourceType") == "Patient"]
    if len(people) != 1:
        raise UnreadableBundle([f"the bundle has {len(people)} Patient resources, not exactly one"])
    patient = people[0]
    person, faults = read_person(patient.resource, patient.pointer)
    return Referral(
        record=_record(person, faults, entries, patient),
        identity=read_identity(patient.resource),
        source_id=text(patient.resource.get("id")),
    )


def _parsed(raw: bytes | str) -> Element:
    if len(raw) > LARGEST_BYTES:
        raise UnreadableBundle([f"the file is larger than {LARGEST_BYTES // 1024**2} MiB"])
    try:
        written = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw.removeprefix("\ufeff")
        bundle = json.loads(written, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise UnreadableBundle(["not text in UTF-8"]) from None
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        raise UnreadableBundle([f"not JSON: {fault.msg} at {where}"]) from None
    except (ValueError, RecursionError):
        raise UnreadableBundle(
            ["not JSON that can be read: an impossible number or too deep a nesting"]
        ) from None
    if not isinstance(bundle, dict):
        raise UnreadableBundle(["the JSON is not an object, so not a FHIR Bundle"])
    return bundle


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _kind_of(bundle: Element) -> str:
    kind = bundle.get("resourceType")
    return repr(kind[:40]) if isinstance(kind, str) else "missing"


def _entries(bundle: Element) -> list[_Entry]:
    listed = bundle.get("entry", [])
    if not isinstance(listed, list):
        raise UnreadableBundle(["entry is not a list"])
    entries = []
    for index, item in enumerate(listed):
        resource, full_url = element(element(item).get("resource")), text(element(item).get("fullUrl"))
        kind, own_id = text(resource.get("resourceType")), text(resource.get("id"))
        names = {full_url, full_url.removeprefix("urn:uuid:"), own_id, f"{kind}/{own_id}" if own_id else ""}
        entries.append(_Entry(resource, f"/entry/{index}/resource", frozenset(names - {""})))
    return entries


def _record(
    person: Person, faults: list[Unreadable], entries: list[_Entry], patient: _Entry
) -> ClinicalRecord:
    conditions: list[Condition] = []
    medications: list[Medication] = []
    allergies: list[Allergy] = []
    measurements: list[Measurement] = []
    unreadable = list(faults)
    drugs = {
        name: entry.resource
        for entry in entries
        if entry.resource.get("resourceType") == "Medication"
        for name in entry.names
    }
    for entry in entries:
        resource, pointer = entry.resource, entry.pointer
        kind = text(resource.get("resourceType"))
        if not kind:
            unreadable.append(Unreadable(pointer=pointer, text="an entry holds no resource"))
            continue
        if kind not in _READ:
            continue
        if not _is_about(resource, patient):
            unreadable.append(Unreadable(pointer=pointer, text=f"a {kind} is about somebody else"))
            continue
        match kind:
            case "Condition":
                condition, new = read_condition(resource, pointer)
                conditions += [condition] if condition else []
            case "AllergyIntolerance":
                allergy, new = read_allergy(resource, pointer)
                allergies += [allergy] if allergy else []
            case "Observation":
                read, new = read_observation(resource, pointer)
                measurements += read
            case "FamilyMemberHistory":
                conditions += read_family_history(resource, pointer)
                new = []
            case _:
                medication, new = read_medication(resource, pointer, drugs)
                medications += [medication] if medication else []
        unreadable += new
    return ClinicalRecord(
        person=person,
        conditions=tuple(conditions),
        medications=tuple(medications),
        allergies=tuple(allergies),
        measurements=tuple(measurements),
        unreadable=tuple(unreadable),
    )


_READ = frozenset(
    {
        "Condition",
        "AllergyIntolerance",
        "Observation",
        "FamilyMemberHistory",
        "MedicationRequest",
        "MedicationStatement",
    }
)


def _is_about(resource: Element, patient: _Entry) -> bool:
    """Is this the patient's own? An entry that names nobody is, in a bundle about one person."""
    named = list(references(resource.get("subject") or resource.get("patient")))
    return not named or any(name in patient.names for name in named)
