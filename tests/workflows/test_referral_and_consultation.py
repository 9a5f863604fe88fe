"""From referral to consent on the real engine: what ends a course early, what is refused, and what waits too long."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from clinical.journey import Stage
from clinical.patient_record import Coding, Condition, Person, Presence
from clinical.people import Role
from tests.workflows.walk import CLINICIAN, PEOPLE, Refused, Walk, a_key
from workflows import messages as m

PREGNANCY = Condition(codings=(Coding(system="snomed", code="72892002"),), presence=Presence.CURRENT)


def a_person(**changes: Any) -> Person:
    return Person.model_validate({"birth_date": "1984-03-02", "sex": "female", "deceased": False} | changes)


def an_outcome(**changes: Any) -> m.RecordConsultation:
    given = {"key": a_key(), "actor": CLINICIAN, "outcome": "proceed", "reason": "suitable"}
    return m.RecordConsultation.model_validate(given | changes)


def a_consent(patient: Walk, **changes: Any) -> m.GiveConsent:
    consent = patient.protocol.consent
    given: dict[str, Any] = {
        "key": a_key(),
        "actor": CLINICIAN,
        "document_version": consent.document_version,
        "elements": consent.required_elements,
        "capacity_attested": True,
    }
    return m.GiveConsent(**(given | changes))


async def a_booking(patient: Walk, *, start: timedelta, last: timedelta) -> m.BookConsultation:
    starts_at = await patient.now() + start
    return m.BookConsultation(
        key=a_key(), actor=PEOPLE[Role.COORDINATOR], starts_at=starts_at, ends_at=starts_at + last
    )


async def end(patient: Walk, stage: Stage) -> m.JourneyOutcome:
    """The course must have ended here by itself, with nothing left hanging."""
    outcome = await patient.outcome()
    assert outcome.stage is stage
    await patient.assert_sound()
    return outcome


@pytest.mark.parametrize(
    ("person", "conditions", "rule"),
    [
        (a_person(birth_date="2015-03-02"), (), "X31"),
        (a_person(deceased=True), (), "DECEASED"),
        (a_person(), (PREGNANCY,), "X17"),
    ],
    ids=["a child", "somebody who has died", "an active pregnancy"],
)
async def test_a_referral_that_rules_treatment_out_ends_the_course_at_once_with_its_reasons(
    walk: Callable[..., Walk], person: Person, conditions: tuple[Condition, ...], rule: str
) -> None:
    patient = walk()
    await patient.start(person=person, conditions=conditions)
    outcome = await end(patient, Stage.INELIGIBLE)
    (assessed,) = await patient.facts("screening.assessed")
    assert rule in {r.rule for r in assessed.reasons if r.verdict == "refuse"}
    assert outcome.doses == 0


async def test_a_course_for_which_nobody_books_a_consultation_is_overdue_then_ends(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.start()
    await patient.wait_out(patient.protocol.consultation.book, "book-consultation")
    outcome = await end(patient, Stage.ENDED)
    assert outcome.reason == "no consultation was booked in time"


async def test_bookings_that_cannot_be_are_refused_and_the_same_key_books_once(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.start()
    hour, day = timedelta(hours=1), timedelta(days=1)
    for start, last in ((day, -hour), (day, 0 * hour), (-hour, 2 * hour)):
        no = await patient.refused("book_consultation", await a_booking(patient, start=start, last=last))
        assert no.code == "invalid-time"
    booking = await a_booking(patient, start=day, last=hour)
    assert (await patient.say_twice("book_consultation", booking)).state == "booked"
    assert (await patient.caused_by(booking)).count("consultation.booked") == 1
    assert await patient.stage() is Stage.CONSULTATION
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


async def test_a_moved_consultation_moves_the_deadline_and_an_outcome_that_never_comes_ends_the_course(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_consultation()  # two days from now
    assert (await patient.book_consultation(days=40)).state == "moved"
    await patient.forward(days=39)
    assert await patient.overdue("record-consultation") == []
    await patient.forward(days=1, hours=1)
    await patient.wait_out(patient.protocol.consultation.hold, "record-consultation")
    assert (await end(patient, Stage.ENDED)).reason == "the consultation was not held"


async def test_the_outcome_of_a_consultation_is_for_clinicians_once_and_not_before_it_began(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.start()
    assert (await patient.refused("record_consultation", an_outcome())).code == "not-possible-now"
    await patient.book_consultation()
    early = await patient.refused("record_consultation", an_outcome())
    await patient.forward(days=2, hours=3)
    desk = await patient.refused("record_consultation", an_outcome(actor=PEOPLE[Role.COORDINATOR]))
    late = an_outcome(occurred_at=await patient.now() - timedelta(hours=2))
    assert (await patient.say_twice("record_consultation", late)).at == late.occurred_at
    (held,) = [e for e in await patient.record() if e.fact.kind == "consultation.held"]
    assert held.occurred_at == late.occurred_at  # told late, and recorded for when it was
    second = await patient.refused("record_consultation", an_outcome())
    moved = await a_booking(patient, start=timedelta(days=1), last=timedelta(hours=1))
    again = await patient.refused("book_consultation", moved)
    refusals = [no.code for no in (early, desk, second, again)]
    assert refusals == ["invalid-time", "wrong-role", "not-possible-now", "not-possible-now"]
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


@pytest.mark.parametrize("outcome", ["decline", "refer-on"])
async def test_a_consultation_that_does_not_proceed_closes_the_course(
    walk: Callable[..., Walk], outcome: str
) -> None:
    patient = walk()
    await patient.to_consultation()
    await patient.forward(days=2, hours=1)
    await patient.say("record_consultation", an_outcome(outcome=outcome, reason="not for them"))
    assert (await end(patient, Stage.DECLINED)).reason == "not for them"
    with pytest.raises(RPCError) as gone:  # a message that comes too late changes nothing
        await patient.say("give_consent", a_consent(patient))
    assert gone.value.status is RPCStatusCode.NOT_FOUND


async def test_consent_needs_the_current_document_every_element_capacity_and_a_clinician(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.start()
    assert (await patient.refused("give_consent", a_consent(patient))).code == "not-possible-now"
    await patient.book_consultation()
    await patient.forward(days=2, hours=1)
    await patient.say("record_consultation", an_outcome())
    elements = patient.protocol.consent.required_elements
    variants: dict[str, dict[str, Any]] = {
        "old": {"document_version": "2020-01"},
        "partial": {"elements": elements[1:]},
        "no capacity": {"capacity_attested": False},
        "desk": {"actor": PEOPLE[Role.COORDINATOR]},
    }
    refused = {
        name: await patient.refused("give_consent", a_consent(patient, **changes))
        for name, changes in variants.items()
    }
    assert {name: no.code for name, no in refused.items()} == {
        "old": "consent-superseded",
        "partial": "consent-required",
        "no capacity": "consent-required",
        "desk": "wrong-role",
    }
    assert refused["partial"].reasons
    assert await patient.stage() is Stage.CONSULTATION
    given = a_consent(patient)
    assert (await patient.say_twice("give_consent", given)).state == "active"
    assert (await patient.caused_by(given)).count("consent.given") == 1
    await patient.until_there("screening/1")
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


async def test_without_consent_the_course_is_overdue_then_ends(walk: Callable[..., Walk]) -> None:
    patient = walk()
    await patient.to_consultation()
    await patient.forward(days=2, hours=1)
    await patient.say("record_consultation", an_outcome())
    await patient.wait_out(patient.protocol.consent.ask, "take-consent")
    assert (await end(patient, Stage.ENDED)).reason == "consent was not given"


async def test_a_second_open_course_for_the_same_patient_is_refused_until_the_first_is_over(
    walk: Callable[..., Walk],
) -> None:
    first, second, third = walk(), walk(), walk()
    await first.start()
    second.patient_id = third.patient_id = first.patient_id
    with pytest.raises(Refused) as no:
        await second.start_again(None)
    assert no.value.code == "journey-already-active"
    assert (await second.outcome()).reason == "journey-already-active"  # it ends, and left no trace
    assert (await second.handle().describe()).status is WorkflowExecutionStatus.COMPLETED
    await first.leave()
    await end(first, Stage.WITHDRAWN)
    key = a_key()
    accepted = await third.start_again(None, key)
    assert await third.start_again(None, key) == accepted
    assert (await third.kinds()).count("journey.started") == 1
    await third.leave()
    await end(third, Stage.WITHDRAWN)
