"""Screening on the real engine: what makes somebody eligible, what never does, and what nobody may sign."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError, RPCStatusCode

from clinical.journey import Stage
from clinical.patient_record import Answer
from clinical.people import Actor, Role
from clinical.screening import Eligibility, Override
from tests.workflows.walk import (
    CLINICIAN,
    PEOPLE,
    Walk,
    a_good_interview,
    a_key,
    a_work_up,
    forms,
    measurements,
)
from workflows import messages as m

PART = "screening/1"
PRESCRIBER = PEOPLE[Role.PRESCRIBER]


def a_signature(eligibility: Eligibility = Eligibility.ELIGIBLE, **changes: Any) -> m.SignScreening:
    given = {"key": a_key(), "actor": PRESCRIBER, "eligibility": eligibility}
    return m.SignScreening.model_validate(given | changes)


def an_override(rule: str, until: datetime, role: Role = Role.PRESCRIBER) -> Override:
    return Override(rule=rule, reason="long past, stable since", by_role=role, expires_at=until)


def what_was_measured(at: datetime, actor: Actor = PEOPLE[Role.NURSE]) -> m.RecordMeasurements:
    return m.RecordMeasurements(
        key=a_key(), actor=actor, measurements=measurements(at), work_up=a_work_up(at)
    )


async def sign(patient: Walk, **changes: Any) -> m.Accepted:
    return await patient.say("sign_screening", a_signature(**changes), PART)


async def refused_to_sign(patient: Walk, **changes: Any) -> str:
    return (await patient.refused("sign_screening", a_signature(**changes), PART)).code


async def end(patient: Walk, stage: Stage) -> str:
    outcome = await patient.outcome()
    assert outcome.stage is stage
    await patient.assert_sound()
    return outcome.reason


async def leave(patient: Walk) -> None:
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


async def test_a_complete_screening_without_a_finding_is_signed_eligible_and_nothing_counts_twice(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_screening()
    at = await patient.now(PART)
    measured = what_was_measured(at)
    await patient.say_twice("record_measurements", measured, PART)
    answers = m.SubmitQuestionnaires(key=a_key(), actor=PEOPLE[Role.NURSE], questionnaires=forms())
    assert (await patient.say_twice("submit_questionnaires", answers, PART)).detail["phq-9"] == "16"
    interview = m.RecordInterview(key=a_key(), actor=CLINICIAN, interview=a_good_interview(at))
    assert (await patient.say_twice("record_interview", interview, PART)).state == "eligible"
    signature = a_signature()
    signed = await patient.say("sign_screening", signature, PART)
    await patient.until_there("plan/1")
    assert await patient.say("sign_screening", signature, PART) == signed  # the same key after it is closed
    assert len(await patient.facts("screening.signed")) == 1
    assert await patient.stage() is Stage.PLANNING
    with pytest.raises(RPCError) as gone:
        await patient.say("record_measurements", what_was_measured(at), PART)
    assert gone.value.status is RPCStatusCode.NOT_FOUND
    await leave(patient)


async def test_an_incomplete_screening_cannot_be_signed_eligible_and_a_review_is_no_end(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_screening()
    await patient.say("record_measurements", what_was_measured(await patient.now(PART)), PART)
    no = await patient.refused("sign_screening", a_signature(), PART)
    assert no.code == "screening-not-eligible" and no.reasons
    assert await refused_to_sign(patient, eligibility=Eligibility.NEEDS_REVIEW) == "not-possible-now"
    assert await refused_to_sign(patient, actor=PEOPLE[Role.THERAPIST]) == "wrong-role"
    await sign(patient, eligibility=Eligibility.INELIGIBLE)  # a no needs nothing more
    await end(patient, Stage.INELIGIBLE)


async def test_an_absolute_finding_makes_ineligible_whatever_is_missing_and_cannot_be_overridden(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_screening()
    at = await patient.now(PART)
    psychosis = a_good_interview(at, psychosis_current=Answer.YES)
    answer = await patient.say(
        "record_interview", m.RecordInterview(key=a_key(), actor=CLINICIAN, interview=psychosis), PART
    )
    assert answer.state == "ineligible" and answer.detail["missing"]
    override = an_override("X11", at + timedelta(days=30))
    no = await patient.refused("sign_screening", a_signature(overrides=(override,)), PART)
    assert (no.code, "X11" in no.reasons) == ("screening-not-eligible", True)
    await sign(patient, eligibility=Eligibility.INELIGIBLE)
    assert "psychosis" in await end(patient, Stage.INELIGIBLE)


async def test_a_relative_finding_needs_a_prescribers_override_that_has_not_expired(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_screening()
    assessed = await patient.collect_screening(PART, mania_lifetime=Answer.YES)
    assert assessed.state == "needs-review"
    at = await patient.now(PART)
    until = at + timedelta(days=30)
    expired = an_override("X12", at - timedelta(hours=1))
    not_theirs = an_override("X12", until, Role.THERAPIST)
    another = an_override("X15", until)
    for overrides in ((), (expired,), (not_theirs,), (another,)):
        assert await refused_to_sign(patient, overrides=overrides) == "screening-not-eligible"
    await sign(patient, overrides=(an_override("X12", until),))
    (signed,) = await patient.facts("screening.signed")
    assert signed.expires_at == until and signed.overrides[0].rule == "X12"
    await patient.until_there("plan/1")
    await leave(patient)


async def test_findings_that_have_grown_old_must_be_taken_again_before_anybody_signs(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_screening()
    await patient.collect_screening(PART)
    await patient.forward(PART, hours=30)
    assert await refused_to_sign(patient) == "screening-not-eligible"
    await patient.collect_screening(PART)
    await sign(patient)
    await patient.until_there("plan/1")
    await leave(patient)


async def test_what_cannot_be_or_comes_from_the_wrong_person_is_refused(walk: Callable[..., Walk]) -> None:
    patient = walk()
    await patient.to_screening()
    at = await patient.now(PART)
    tomorrow, desk = at + timedelta(days=1), PEOPLE[Role.COORDINATOR]
    future = await patient.refused("record_measurements", what_was_measured(tomorrow), PART)
    assert (future.code, future.errors[0]["pointer"]) == ("invalid-observation", "/measurements")
    by_desk = what_was_measured(at, desk)
    assert (await patient.refused("record_measurements", by_desk, PART)).code == "wrong-role"
    asked = m.RecordInterview(key=a_key(), actor=desk, interview=a_good_interview(at))
    assert (await patient.refused("record_interview", asked, PART)).code == "wrong-role"

    def answers(**changes: Any) -> m.SubmitQuestionnaires:
        given = {"key": a_key(), "actor": PEOPLE[Role.PATIENT], "questionnaires": forms()}
        return m.SubmitQuestionnaires(**(given | changes))

    early = await patient.refused("submit_questionnaires", answers(occurred_at=tomorrow), PART)
    assert early.code == "invalid-time"
    impossible = m.QuestionnaireAnswers.model_validate(
        {"instrument": "phq-9", "answers": {"q1": 9, "q77": 0}}
    )
    faults = await patient.refused("submit_questionnaires", answers(questionnaires=(impossible,)), PART)
    assert faults.code == "invalid-answers"
    pointers = {error["pointer"] for error in faults.errors}
    assert pointers == {"/questionnaires/0/answers/q1", "/questionnaires/0/answers/q77"}
    await leave(patient)


async def test_a_screening_that_is_not_collected_in_time_ends_the_course(walk: Callable[..., Walk]) -> None:
    patient = walk()
    await patient.to_screening()
    await patient.wait_out(patient.protocol.screening.collect, "collect-screening", PART)
    assert "not collected" in await end(patient, Stage.ENDED)
    assert len(await patient.facts("screening.lapsed")) == 1


async def test_a_screening_that_nobody_signs_ends_the_course(walk: Callable[..., Walk]) -> None:
    patient = walk()
    await patient.to_screening()
    await patient.collect_screening(PART)
    await patient.wait_out(patient.protocol.screening.sign, "sign-screening", PART)
    assert "nobody signed" in await end(patient, Stage.ENDED)


async def test_a_record_that_contradicts_the_workflow_stops_it_visibly(walk: Callable[..., Walk]) -> None:
    """The same key from two people: one of the facts is false, and nothing may go on as if it were not."""
    patient = walk()
    await patient.to_screening()
    measured = what_was_measured(await patient.now(PART))
    part = patient.handle(PART)
    await patient.say("record_measurements", measured, PART)
    forged = measured.model_copy(update={"actor": CLINICIAN})
    second = asyncio.create_task(part.execute_update("record_measurements", forged, id=a_key()))

    async def stopped() -> bool:
        failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        return any([event.event_type == failed async for event in part.fetch_history_events()])

    await patient.eventually(stopped)
    second.cancel()
    assert len(await patient.facts("screening.measurements-recorded")) == 1
    await patient.handle().terminate()  # and with it its part; only a person can mend a record
