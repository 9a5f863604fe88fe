"""Who is the one person a bundle is about?

`read_person` says what the rules may know; `read_identity` holds name, contact and number, which stay out of
the rules and of the engine. What cannot be understood stays as `Unreadable`.
Source: FHIR R4 Patient; US Core birth sex.
"""

from datetime import date

from pydantic import BaseModel, ConfigDict

from clinical.patient_record import Person, Sex, Unreadable
from services.fhir.elements import (
    Element,
    codings,
    element,
    elements,
    instant,
    partial_date,
    says,
    text,
    words,
)

_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_SEXES = {"female": Sex.FEMALE, "male": Sex.MALE, "other": Sex.OTHER, "F": Sex.FEMALE, "M": Sex.MALE}


class PatientIdentity(BaseModel):
    """What identifies a person and how to reach them; as sent, not verified."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    birth_date: date | None
    sex: Sex
    phone: str | None
    email: str | None
    address_text: str | None
    mrn: str | None
    language: str | None


def read_person(patient: Element, pointer: str) -> tuple[Person, list[Unreadable]]:
    """Birth date, sex and death. A death in any form that cannot be read counts as a death."""
    faults = []
    born = partial_date(patient.get("birthDate"))
    if born is None and says(patient, "birthDate"):
        faults.append(Unreadable(pointer=f"{pointer}/birthDate", text="the birth date is not a date"))
    if born is not None and born[1] != "day":
        faults.append(Unreadable(pointer=f"{pointer}/birthDate", text=f"the birth date is only a {born[1]}"))
    died_at = instant(patient.get("deceasedDateTime"))
    deceased = patient.get("deceasedBoolean")
    if says(patient, "deceasedDateTime") and died_at is None:
        faults.append(
            Unreadable(pointer=f"{pointer}/deceasedDateTime", text="the date of death is not a date")
        )
    if deceased is not None and not isinstance(deceased, bool):
        faults.append(
            Unreadable(pointer=f"{pointer}/deceasedBoolean", text="whether the person died is unclear")
        )
    person = Person(
        birth_date=None if born is None else born[0],
        birth_precision="day" if born is None else born[1],
        sex=_sex(patient),
        deceased=_deceased(patient),
        deceased_at=died_at,
    )
    return person, faults


def _deceased(patient: Element) -> bool | None:
    if says(patient, "deceasedDateTime"):
        return True
    said = patient.get("deceasedBoolean")
    return None if said is None else said is not False


def _sex(patient: Element) -> Sex:
    """Birth sex where it is given; unknown when it is not what the administrative gender says."""
    gender = _SEXES.get(text(patient.get("gender")), Sex.UNKNOWN)
    births = [
        _SEXES.get(text(item.get("valueCode")), Sex.UNKNOWN)
        for item in elements(patient.get("extension"))
        if item.get("url") == _BIRTH_SEX
    ]
    if not births:
        return gender
    return births[0] if gender in (births[0], Sex.UNKNOWN, Sex.OTHER) else Sex.UNKNOWN


def read_identity(patient: Element) -> PatientIdentity:
    """Name, contact and numbers, as sent."""
    born = partial_date(patient.get("birthDate"))
    return PatientIdentity(
        name=_name(patient),
        birth_date=born[0] if born is not None and born[1] == "day" else None,
        sex=_SEXES.get(text(patient.get("gender")), Sex.UNKNOWN),
        phone=_telecom(patient, "phone") or _telecom(patient, "sms"),
        email=_telecom(patient, "email"),
        address_text=_address(patient),
        mrn=_record_number(patient),
        language=_language(patient),
    )


def _name(patient: Element) -> str:
    names = elements(patient.get("name"))
    usable = [n for n in names if text(n.get("use")) not in ("old", "maiden")] or names
    official = [n for n in usable if text(n.get("use")) == "official"]
    for name in official + usable:
        given = name.get("given")
        parts = [text(part) for part in given] if isinstance(given, list) else [text(given)]
        said = text(name.get("text")) or " ".join(part for part in (*parts, text(name.get("family"))) if part)
        if said:
            return said
    return ""


def _telecom(patient: Element, system: str) -> str | None:
    points = [t for t in elements(patient.get("telecom")) if text(t.get("system")) == system]
    current = [t for t in points if text(t.get("use")) != "old"]
    return next((text(t.get("value")) for t in current if text(t.get("value"))), None)


def _address(patient: Element) -> str | None:
    for address in elements(patient.get("address")):
        lines = address.get("line")
        street = [text(line) for line in lines] if isinstance(lines, list) else []
        rest = [text(address.get(key)) for key in ("city", "state", "postalCode", "country")]
        said = text(address.get("text")) or ", ".join(part for part in (*street, *rest) if part)
        if said:
            return said
    return None


def _record_number(patient: Element) -> str | None:
    for identifier in elements(patient.get("identifier")):
        if any(coding.code == "MR" for coding in codings(identifier.get("type"))):
            return text(identifier.get("value")) or None
    return None


def _language(patient: Element) -> str | None:
    spoken = elements(patient.get("communication"))
    preferred = [c for c in spoken if c.get("preferred") is True] or spoken
    for communication in preferred:
        language = element(communication.get("language"))
        found = codings(language)
        if found or words(language):
            return found[0].code if found else words(language)
    return None
