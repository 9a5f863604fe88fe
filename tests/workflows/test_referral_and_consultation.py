"""From referral to consent on the real engine: what ends a course early, what is refused, and what waits too long."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from clinical.journey import Stage
from clinical.patient_record import Coding, Condition, Person, Presence
from clinical.people import Role
from tests.workflows.walk import CLINICIAN, PEOPLE, Walk, a_key
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
        (a_person(), (PREGNANCY,), "X20"),
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
    print([ (r.rule, r.verdict) for r in assessed.reasons])
    assert rule in {r.rule for r in assessed.reasons if r.verdict == "refuse"}
    assert outcome.doses == 0


async def test_walk(walk) -> None:
    patient = walk()
    import time
    t=time.time()
    await patient.to_treating(sessions=1)
    print(time.time()-t)
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)
    print(time.time()-t)
    for e in await patient.record(): print(e.seq, e.occurred_at, e.key, e.fact.kind)
