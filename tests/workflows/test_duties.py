"""Duties on the real engine: opened with the dose, reminded, escalated, done with proof, and never dropped (H18)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from clinical.adverse_events import Duty
from clinical.events import MessageSettled, TaskOpened
from clinical.journey import Move, Stage
from clinical.people import Role
from clinical.protocol import Protocol
from tests.workflows.shortcut import at_treating, done, judge, open_duties, over, shortened
from tests.workflows.test_adverse_events import a_report
from tests.workflows.walk import PEOPLE, Refused, Walk, a_key
from workflows import messages as m

Begin = Callable[..., Walk]
REMS = {"rems_form_days": 7}


async def dosed(patient: Walk) -> datetime:
    order = await patient.to_chair()
    given = await patient.give(order)
    await patient.in_the_chair(given.at, order.order.dose_mg)
    await patient.discharge()
    return given.at


async def dosed_under_a_rems(walk: Begin, protocol: Protocol, **sections: Any) -> tuple[Walk, TaskOpened]:
    """At home after one dose, whose form is owed by the nurse."""
    patient = await at_treating(walk(shortened(protocol, reports=REMS, **sections)))
    given_at = await dosed(patient)
    [form] = await open_duties(patient)
    assert (form.code, form.owner) == (Duty.SUBMIT_REMS_FORM, Role.NURSE)
    assert form.due_at == given_at + timedelta(days=7)
    await patient.aftercare()
    patient.session = 2
    await patient.until_there("session/2")
    return patient, form


def release(form: TaskOpened, role: Role = Role.MEDICAL_DIRECTOR) -> m.ReleaseDuty:
    return m.ReleaseDuty(
        key=a_key(), actor=PEOPLE[role], task_id=form.task_id, reason="the portal was closed for good"
    )


async def paged(patient: Walk, name: str) -> None:
    async def there() -> bool:
        return any(name in mail.key for mail in await patient.facts("message.settled"))

    await patient.eventually(there)


async def stage_is(patient: Walk, stage: Stage) -> None:
    async def there() -> bool:
        return await patient.stage() is stage

    await patient.eventually(there)


async def test_the_form_is_owed_from_the_moment_of_the_dose_and_in_the_same_write(
    walk: Begin, protocol: Protocol
) -> None:
    patient, form = await dosed_under_a_rems(walk, protocol)
    record = await patient.record()
    dose = next(entry for entry in record if entry.fact.kind == "dose.given")
    opened = next(entry for entry in record if entry.fact == form)
    assert (opened.seq, opened.occurred_at) == (dose.seq + 1, dose.occurred_at)
    assert (await patient.refused("complete_duty", done(form, Role.THERAPIST))).code == "wrong-role"
    assert (await patient.refused("complete_duty", done(form, evidence="  "))).code == "reason-required"
    assert (await patient.refused("release_duty", release(form))).code == "not-possible-now"
    await patient.say_twice("complete_duty", done(form, evidence="confirmation 4711-22"))
    [proof] = [t for t in await patient.facts("task.completed") if t.task_id == form.task_id]
    assert proof.evidence == "confirmation 4711-22"
    await over(patient)


async def test_an_adverse_event_asks_for_no_second_form_of_its_session_until_the_first_was_sent(
    walk: Begin, protocol: Protocol
) -> None:
    patient, form = await dosed_under_a_rems(walk, protocol)
    [dose] = await patient.facts("dose.given")
    event = {"grade": 1, "dose_at": dose.given_at}
    await patient.say("report_adverse_event", await a_report(patient, **event))
    assert [duty.task_id for duty in await open_duties(patient)] == [form.task_id]
    await patient.say("complete_duty", done(form))
    another = await a_report(patient, term="dizziness", **event)
    await patient.say("report_adverse_event", another)
    [supplement] = await open_duties(patient)
    assert (supplement.code, supplement.due_at) == (Duty.SUBMIT_REMS_FORM, form.due_at)
    await over(patient)


async def test_a_form_nobody_sends_goes_up_step_by_step_and_keeps_the_course_open_until_it_is_released(
    walk: Begin, protocol: Protocol
) -> None:
    patient, form = await dosed_under_a_rems(walk, protocol)
    await patient.leave(Move.WITHDRAW)
    await stage_is(patient, Stage.WITHDRAWN)
    assert (await patient.leave(Move.WITHDRAW)).state == "withdraw"  # twice is once, also by now
    assert (await patient.refused("pause", a_pause())).code == "not-possible-now"
    await patient.forward_to(form.due_at - timedelta(hours=23))
    await paged(patient, f"reminder/{form.task_id}")
    assert await patient.facts("task.overdue") == []
    for hours, role in ((0, Role.PRESCRIBER), (24, Role.MEDICAL_DIRECTOR)):
        assert (await patient.refused("release_duty", release(form))).code == "not-possible-now"
        await patient.forward_to(form.due_at + timedelta(hours=hours, minutes=5))
        await escalated(patient, form, role)
    assert await patient.facts("journey.closed") == []
    again = Walk(patient.environment, patient.records, patient.protocol)
    again.patient_id = patient.patient_id
    with pytest.raises(Refused) as second:
        await again.start_again(None)
    assert second.value.code == "journey-already-active"
    assert (await patient.refused("release_duty", release(form, Role.NURSE))).code == "wrong-role"
    await patient.say("release_duty", release(form))
    assert (await patient.outcome()).stage is Stage.WITHDRAWN
    [closed] = await patient.facts("journey.closed")
    assert closed.stage is Stage.WITHDRAWN
    sent = [(e.seq, e.fact) for e in await patient.record() if isinstance(e.fact, MessageSettled)]
    left = next(e.seq for e in await patient.record() if e.fact.kind == "consent.withdrawn")
    assert {fact.template for seq, fact in sent if seq > left and fact.status == "completed"} == {
        "staff_page"
    }
    await patient.assert_sound()


async def escalated(patient: Walk, form: TaskOpened, role: Role) -> None:
    async def there() -> bool:
        told = [f for f in await patient.facts("task.overdue") if f.task_id == form.task_id]
        return bool(told) and told[-1].escalated_to is role

    await patient.eventually(there)


def a_pause() -> m.Pause:
    return m.Pause(key=a_key(), actor=PEOPLE[Role.COORDINATOR], reason="away")


async def test_a_finished_course_closes_when_its_last_form_was_sent(walk: Begin, protocol: Protocol) -> None:
    one = shortened(protocol, reports=REMS, schedule={"sessions": 1}, follow_up={"weeks": (2,)})
    patient = await at_treating(walk(one))
    await patient.whole_session(phq9=0)
    [form] = await open_duties(patient)
    await patient.until_there("follow-up/1")
    await patient.forward_to(form.due_at + timedelta(days=7), "follow-up/1")
    await patient.answer("follow-up/1", phq9=0)
    await stage_is(patient, Stage.FINISHED)
    assert await patient.facts("journey.closed") == []
    late = await a_report(patient, grade=2, dose_at=None)  # what becomes known now is taken all the same
    assert (await patient.say("report_adverse_event", late)).state == "recorded"
    await patient.say("complete_duty", done(form))
    assert (await patient.outcome()).stage is Stage.FINISHED
    await patient.assert_sound()


async def test_a_draft_is_completed_by_judging_the_event_and_by_nothing_else(walk: Begin) -> None:
    patient = walk()
    await patient.to_consultation()
    report = await a_report(patient, grade=None, seriousness=None)
    answer = await patient.say_twice("report_adverse_event", report)
    assert answer.detail["event_id"] == "ae-1"
    [draft] = [duty for duty in await open_duties(patient) if duty.code == Duty.COMPLETE_DRAFT]
    assert (await patient.refused("complete_duty", done(draft))).code == "not-possible-now"
    amended = await judge(patient, "ae-1", grade=4)
    assert "suspend-plan" in amended.detail["duties"] and "offer-voluntary-report" in amended.detail["duties"]
    assert draft.task_id not in [duty.task_id for duty in await open_duties(patient)]
    assert len(await patient.facts("journey.paused")) == 1
    first, second = await patient.facts("adverse-event.recorded")
    assert [(f.event_id, f.version) for f in (first, second)] == [("ae-1", 1), ("ae-1", 2)]
    stranger = m.AmendAdverseEvent(key=a_key(), actor=PEOPLE[Role.NURSE], event_id="ae-9", event=report.event)
    assert (await patient.refused("amend_adverse_event", stranger)).code == "not-found"
    unjudged = stranger.model_copy(update={"event_id": "ae-1"})
    assert (await patient.refused("amend_adverse_event", unjudged)).code == "reason-required"
    await over(patient)


async def test_what_was_probably_reported_before_is_linked_and_owed_once(walk: Begin) -> None:
    patient = walk()
    await patient.to_consultation()
    await patient.say("report_adverse_event", await a_report(patient, grade=3))
    twin = await a_report(patient, grade=3)
    answer = await patient.say("report_adverse_event", twin)
    assert answer.detail["linked_to"] == "ae-1"
    assert len(await open_duties(patient)) == 1
    worse = await patient.say("report_adverse_event", await a_report(patient, grade=5))
    assert worse.detail["linked_to"] == "ae-1"
    assert len(await patient.facts("journey.paused")) == 1  # the worse telling still stops the course
    assert len(await patient.facts("adverse-event.recorded")) == 3
    await over(patient)


async def test_the_answer_suggests_the_grade_that_raw_values_come_to(walk: Begin) -> None:
    patient = walk()
    await patient.to_consultation()
    peak = {"systolic_mmhg": 172, "diastolic_mmhg": 96, "minutes": 4}
    event = await a_report(patient, term="hypertension", grade=2, measured=peak)
    answer = await patient.say("report_adverse_event", event)
    assert answer.detail["suggested_grade"] == "3"
    await over(patient)
