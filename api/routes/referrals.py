"""How does a referral come in? A FHIR R4 bundle about one person: registered, stored, ready for screening.

Registering takes what the bundle says of the person; age and the like are judged by screening, with reasons,
not refused at the door.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from api.dependencies import CallerHere, Composed, KeyHere
from api.problems import Fault, Problem
from api.routes.patients import refuse_duplicates
from api.routes.router import routes
from api.schemas.contact import email_address, language_tag, phone_e164, zone_name
from api.schemas.intake import ReferralOut
from api.schemas.values import Identifier, Site
from clinical.patient_record import Person
from services.fhir.bundle import Referral as ReadReferral
from services.fhir.bundle import UnreadableBundle, read_referral
from services.fhir.patient import PatientIdentity
from services.identifiers import id_from
from services.records.interface import NewPatient, Referral

router = routes("/v1/referrals", "patients")

EXAMPLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "resource": {
                "resourceType": "Patient",
                "id": "p1",
                "name": [{"given": ["Alex"], "family": "Example"}],
                "birthDate": "1984-05-17",
                "gender": "female",
                "telecom": [{"system": "email", "value": "alex@example.org"}],
            }
        }
    ],
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/fhir+json": {"schema": {"type": "object"}, "examples": {"1": {"value": EXAMPLE}}}
        },
    }
}


@router.post("", operation_id="receive_referral", status_code=201, openapi_extra=BODY)
async def receive_referral(
    request: Request,
    response: Response,
    here: Composed,
    caller: CallerHere,
    key: KeyHere,
    site: Annotated[Site, Query()],
    zone: Annotated[str, Query(alias="time_zone", max_length=64), AfterValidator(zone_name)],
    country: Annotated[
        str | None, Query(pattern="^[A-Z]{2}$", description="of phone numbers without code")
    ] = None,
    patient_id: Annotated[Identifier | None, Query(description="a person who is registered already")] = None,
    confirm_new: Annotated[bool, Query(description="register although this may be a duplicate")] = False,
) -> ReferralOut:
    """Take in a referral: a FHIR R4 Bundle about exactly one person.

    Answers with the person registered (or found, with `patient_id`) and the referral's id.
    """
    caller.at(site)
    referral = await _read(await request.body())
    if patient_id is None:
        person = _person(referral, id_from("patient", key), site, zone, country)
        if not confirm_new:
            await refuse_duplicates(here, person)
        await here.records.add_patient(person)
        patient_id, contactable = person.patient_id, bool(person.email or person.phone_e164)
    else:
        known = await here.queries.patient([site], patient_id)
        contactable = bool(known.email or known.phone_e164)
    referral_id = id_from("referral", key)
    await here.records.add_referral(
        Referral(referral_id=referral_id, patient_id=patient_id, site=site, record=referral.record)
    )
    response.headers["Location"] = f"/v1/patients/{patient_id}"
    return ReferralOut(
        patient_id=patient_id,
        referral_id=referral_id,
        contactable=contactable,
        unreadable=[one.pointer for one in referral.record.unreadable],
    )


async def _read(raw: bytes) -> ReadReferral:
    try:
        return await asyncio.to_thread(read_referral, raw)  # histories can be large
    except UnreadableBundle as error:
        faults = [Fault(pointer="", detail=problem, code="bundle") for problem in error.problems]
        raise Problem("unreadable-bundle", errors=faults) from None


def _person(referral: ReadReferral, patient_id: str, site: str, zone: str, country: str | None) -> NewPatient:
    who = referral.identity
    email = _usable(who.email, email_address)
    phone = _usable(who.phone, lambda value: phone_e164(value, country))
    return NewPatient(
        patient_id=patient_id,
        site=site,
        name=who.name or "name not given",
        birth_date=_born(who, referral.record.person),
        sex=who.sex,
        email=email,
        phone_e164=phone,
        mrn=who.mrn,
        language=_usable(who.language, language_tag) or "en",
        time_zone=zone,
        preferred_channel="sms" if phone and not email else "email",
        detail_opt_in=False,
    )


def _usable(value: str | None, check: Callable[[str], str]) -> str | None:
    """What can be used of contact data that somebody else typed; the rest a coordinator asks for."""
    try:
        return check(value) if value else None
    except PydanticCustomError:
        return None


def _born(who: PatientIdentity, person: Person) -> str:
    """The birth date as precisely as it is known: `1984-05-17`, `1984-05`, `1984` or nothing."""
    if who.birth_date is not None:
        return who.birth_date.isoformat()
    if person.birth_date is None:
        return ""
    return person.birth_date.isoformat()[: {"year": 4, "month": 7, "day": 10}[person.birth_precision]]
