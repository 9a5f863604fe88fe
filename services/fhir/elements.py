"""What does one element of a FHIR resource say?

Accessors over untyped JSON that never raise: what has the wrong shape is None or empty, and the caller
decides whether that is a fault. Instants become aware and UTC; a date without a time means its last moment,
so that what is only known to the day or the year never counts as older than it may be.
"""

import math
import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, Literal

from clinical.instants import EARLIEST, LATEST
from clinical.patient_record import Coding

Element = dict[str, Any]

_SYSTEMS = {
    "http://snomed.info/sct": "snomed",
    "urn:oid:2.16.840.1.113883.6.96": "snomed",
    "http://hl7.org/fhir/sid/icd-10-cm": "icd-10-cm",
    "http://hl7.org/fhir/sid/icd-10": "icd-10-cm",
    "urn:oid:2.16.840.1.113883.6.90": "icd-10-cm",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
    "urn:oid:2.16.840.1.113883.6.88": "rxnorm",
    "http://loinc.org": "loinc",
    "urn:oid:2.16.840.1.113883.6.1": "loinc",
}

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")

Precision = Literal["day", "month", "year"]


def element(value: object) -> Element:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def elements(value: object) -> list[Element]:
    """The objects of a list; a single object counts as a list of one."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def text(value: object) -> str:
    """The string with its blanks put in order and nothing unprintable in it, or an empty one."""
    if not isinstance(value, str):
        return ""
    said = " ".join(value.split())
    if said.isprintable():
        return said
    clean = ("".join(filter(str.isprintable, word)) for word in said.split())
    return " ".join(word for word in clean if word)


def codings(concept: object) -> tuple[Coding, ...]:
    """The codings of a CodeableConcept that have a code."""
    return tuple(
        Coding(
            system=_SYSTEMS.get(text(item.get("system")).rstrip("/"), text(item.get("system"))),
            code=text(item.get("code")),
            display=text(item.get("display")) or None,
        )
        for item in elements(element(concept).get("coding"))
        if text(item.get("code"))
    )


def words(concept: object) -> str:
    """What a CodeableConcept says in words: its text, or the displays of codings that have no code."""
    said = text(element(concept).get("text"))
    bare = (
        text(item.get("display"))
        for item in elements(element(concept).get("coding"))
        if not text(item.get("code"))
    )
    return said or " / ".join(part for part in bare if part)


def status_code(concept: object) -> str:
    """The code of a status, whether a CodeableConcept or a plain code; empty if there is none."""
    found = codings(concept)
    return found[0].code.lower() if found else text(concept).lower()


def number(value: object) -> float | None:
    """A finite JSON number; booleans and texts are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None


def partial_date(value: object) -> tuple[date, Precision] | None:
    """A FHIR date as its first possible day and how exact it is."""
    match = _DATE.match(text(value)[:10]) if text(value) else None
    if match is None:
        return None
    year, month, day = match.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    return first, "day" if day else "month" if month else "year"


def instant(value: object) -> datetime | None:
    """A FHIR dateTime as an instant in UTC; None when absent, unreadable or out of any plausible range."""
    said = text(value)
    at = _day_end(said) if _DATE.match(said) else _moment(said)
    return at if at is not None and EARLIEST <= at <= LATEST else None


def _moment(said: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(said)
        # A time without a zone is not FHIR; which instant it means nobody knows.
        return None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _day_end(said: str) -> datetime | None:
    found = partial_date(said)
    if found is None:
        return None
    first, precision = found
    month = 12 if precision == "year" else first.month
    day = first.day if precision == "day" else monthrange(first.year, month)[1]
    return datetime(first.year, month, day, 23, 59, 59, tzinfo=UTC)


def chosen_instant(resource: Element, name: str, *, end: bool = False) -> datetime | None:
    """`nameDateTime`, `nameInstant`, or the start (or end) of `namePeriod`."""
    period = element(resource.get(f"{name}Period"))
    candidates = (
        resource.get(f"{name}DateTime"),
        resource.get(f"{name}Instant"),
        period.get("end" if end else "start"),
    )
    return next((at for at in map(instant, candidates) if at is not None), None)


def says(resource: Element, *names: str) -> bool:
    """Is any of these elements there at all, readable or not?"""
    return any(resource.get(name) is not None for name in names)


def references(value: object) -> Iterator[str]:
    """The last part of a reference and the reference itself, as the bundle may name its target."""
    said = text(element(value).get("reference"))
    if said:
        yield said
        yield said.rsplit("/", 1)[-1].removeprefix("urn:uuid:").removeprefix("#")
