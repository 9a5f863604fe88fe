"""How does a person get into the register, and who is it? Duplicates are shown, never made silently."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Request, Response

from api.answering import written
from api.composition import Composition
from api.dependencies import CallerHere, Composed, KeyHere
from api.looking import seen_at
from api.minimum import shown_patient
from api.problems import Fault, Problem
from api.routes.router import routes
from api.schemas.intake import PatientIn, PatientOut, RegisteredOut
from api.schemas.values import Identifier
from clinical.age import age_years
from clinical.patient_record import Person
from services.identifiers import id_from
from services.records.interface import NewPatient

router = routes("/v1/patients", "patients")


@router.post("", operation_id="register_patient", status_code=201)
async def register_patient(
    body: PatientIn, here: Composed, caller: CallerHere, key: KeyHere, response: Response
) -> RegisteredOut:
    """Register a person, by phone or from the web alike.

    409 `probable-duplicate` names the `candidates`; send `confirm_new: true` when it is somebody else.
    """
    caller.at(body.site)
    person = NewPatient(
        patient_id=id_from("patient", key),
        birth_date=body.birth_date.isoformat(),
        phone_e164=body.phone,
        **body.model_dump(exclude={"birth_date", "phone", "confirm_new"}),
    )
    await _require_of_age(here, body)
    if not body.confirm_new:
        await refuse_duplicates(here, person)
    await here.records.add_patient(person)
    response.headers["Location"] = f"/v1/patients/{person.patient_id}"
    return RegisteredOut(patient_id=person.patient_id)


@router.get("/{patient_id}", operation_id="read_patient", response_model=PatientOut)
async def read_patient(
    patient_id: Annotated[Identifier, Path()],
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
) -> Response:
    """The person as registered, with the ids of their courses. Audited; auditors see no name and no address.

    403 `purpose-required` for auditors and machines that send no `Kap-Purpose`.
    """
    found = await here.queries.patient(sorted(caller.principal.sites), patient_id)
    seen_at(request, found.site)
    return written(shown_patient(found, caller.role), response)


async def refuse_duplicates(here: Composition, person: NewPatient) -> None:
    """Show who may be the same person. A request that is sent again does not find itself."""
    found = await here.queries.find_duplicates(
        person.site, person.name, person.birth_date, person.phone_e164, person.email
    )
    others = [one.model_dump(mode="json") for one in found if one.patient_id != person.patient_id]
    if others:
        raise Problem(
            "probable-duplicate",
            "look at the candidates; repeat with confirm_new when it is somebody else",
            members={"candidates": others},
        )


async def _require_of_age(here: Composition, body: PatientIn) -> None:
    minimum = (await here.records.protocol(body.site, None)).screening.minimum_age_years
    ages = age_years(Person(birth_date=body.birth_date), datetime.now(UTC))
    if ages is None or ages[0] < minimum:
        text = f"the person must be {minimum} or older"
        fault = Fault(pointer="/birth_date", detail=text, code="under-age")
        raise Problem("invalid-request", text, errors=[fault])
