"""One visit, from the order to integration: dose, observations, therapy, the way home, the days after."""

from api.dependencies import Composed, CourseHere, DeskHere, Number
from api.drug_desk import open_cases
from api.routes.router import COURSE, routes
from api.schemas.answers import AcceptedOut, DoseOrderedOut
from api.schemas.session import (
    ContactIn,
    DischargeIn,
    DoseEndIn,
    DoseIn,
    ObservationIn,
    OrderIn,
    PresenceIn,
)
from api.schemas.therapy import ConcernsIn, IntegrationIn, TherapyIn, WaiverIn
from workflows.messages import (
    Accepted,
    Discharge,
    DoseOrdered,
    EndDose,
    GiveDose,
    OrderDose,
    RecordContact,
    RecordIntegration,
    RecordObservation,
    RecordTherapy,
    ReviewConcerns,
    SetPresence,
    WaiveIntegration,
)

router = routes(COURSE + "/sessions/{n}", "dosing")


@router.post("/presence", operation_id="set_presence", response_model=AcceptedOut)
async def set_presence(body: PresenceIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """The prescriber comes on site or leaves; presence must cover dose to discharge."""
    return await desk.send(course, "set_presence", desk.message(SetPresence, body), part=f"session/{n}")


@router.post("/order", operation_id="order_dose", response_model=DoseOrderedOut)
async def order_dose(body: OrderIn, course: CourseHere, n: Number, desk: DeskHere) -> DoseOrdered:
    """Order the dose; outside its bounds it is refused with the limit and its source."""
    message = desk.message(OrderDose, body)
    return await desk.ask(course, "order_dose", message, DoseOrdered, part=f"session/{n}")


@router.post("/dose", operation_id="give_dose", response_model=AcceptedOut)
async def give_dose(body: DoseIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """Start the dose. 409 `gate-closed` lists every gate that is shut."""
    return await desk.send(course, "give_dose", desk.message(GiveDose, body), part=f"session/{n}")


@router.post("/dose-end", operation_id="end_dose", response_model=AcceptedOut)
async def end_dose(
    body: DoseEndIn, course: CourseHere, n: Number, desk: DeskHere, here: Composed
) -> Accepted:
    """The drug is in: given, wasted, returned. What does not make what was drawn up opens a discrepancy."""
    answer = await desk.send(course, "end_dose", desk.message(EndDose, body), part=f"session/{n}")
    await open_cases(here, course.site)
    return answer


@router.post("/observations", operation_id="record_observation", response_model=AcceptedOut, status_code=201)
async def record_observation(body: ObservationIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """A reading in the chair; a worrying one needs an action."""
    message = desk.message(RecordObservation, body)
    return await desk.send(course, "record_observation", message, part=f"session/{n}")


@router.post("/therapy", operation_id="record_therapy", response_model=AcceptedOut)
async def record_therapy(body: TherapyIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """The therapy of the visit: minutes and presence for the record, `themes` as a psychotherapy note apart."""
    async with desk.note(course, n, "therapy", body.themes) as note:
        message = desk.message(RecordTherapy, body, **note.model_dump())
        return await desk.send(course, "record_therapy", message, part=f"session/{n}")


@router.post("/discharge", operation_id="discharge", response_model=AcceptedOut)
async def discharge(body: DischargeIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """Let the patient go home: 409 `discharge-criteria-unmet` says what is missing, until when."""
    return await desk.send(course, "discharge", desk.message(Discharge, body), part=f"session/{n}")


@router.post("/contact", operation_id="record_contact", response_model=AcceptedOut)
async def record_contact(body: ContactIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """The call on the day after."""
    return await desk.send(course, "record_contact", desk.message(RecordContact, body), part=f"session/{n}")


@router.post("/integration", operation_id="record_integration", response_model=AcceptedOut)
async def record_integration(body: IntegrationIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """The integration session after the dose; `note` is a psychotherapy note, kept apart."""
    async with desk.note(course, n, "integration", body.note) as note:
        message = desk.message(RecordIntegration, body, **note.model_dump())
        return await desk.send(course, "record_integration", message, part=f"session/{n}")


@router.post("/integration-waiver", operation_id="waive_integration", response_model=AcceptedOut)
async def waive_integration(body: WaiverIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """A therapist lets the next dose go on without the integration of this one, with a reason."""
    message = desk.message(WaiveIntegration, body)
    return await desk.send(course, "waive_integration", message, part=f"session/{n}")


@router.post("/concerns-review", operation_id="review_concerns", response_model=AcceptedOut)
async def review_concerns(body: ConcernsIn, course: CourseHere, n: Number, desk: DeskHere) -> Accepted:
    """A licensed clinician has read the concerns of the day after and says what follows."""
    return await desk.send(course, "review_concerns", desk.message(ReviewConcerns, body), part=f"session/{n}")
