"""Adverse events: a serious one stops the doses until the medical director says otherwise; every duty has a clock."""

from collections.abc import Callable
from typing import Any

import pytest

from clinical.adverse_events import AdverseEvent, Duty
from clinical.instants import next_local_midnight, zone_named
from clinical.journey import Stage
from clinical.people import Role
from clinical.protocol import Protocol
from tests.workflows.shortcut import at_treating, over, shortened
from tests.workflows.walk import PEOPLE, Refused, Walk, a_key
from workflows import messages as m

Begin = Callable[..., Walk]
ZONE = "America/New_York"


async def a_report(patient: Walk, part: str = "", **changes: Any) -> m.ReportAdverseEvent:
    now = await patient.now(part)
    event = {
        "term": "vomiting", "grade": 3, "seriousness": [], "onset_at": now, "known_at": now, "dose_at": None,
        "drug": "ketamine-racemic", "time_zone": ZONE,
    }  # fmt: skip
    return m.ReportAdverseEvent(
        key=a_key(),
        actor=PEOPLE[Role.NURSE],
        session=None,
        event=AdverseEvent.model_validate(event | changes),
    )


async def resume(patient: Walk, role: Role) -> m.Accepted:
    return await patient.say("resume", m.Resume(key=a_key(), actor=PEOPLE[role], reason="reviewed"))


async def test_a_life_threatening_event_suspends_the_course_until_the_medical_director_resumes_it(
    walk: Begin, protocol: Protocol
) -> None:
    patient = await at_treating(walk(shortened(protocol)))
    order = await patient.to_chair()
    report = await a_report(patient, patient.part, grade=4)
    answer = await patient.say("report_adverse_event", report)
    assert {Duty.SUSPEND_PLAN, Duty.PAGE_NOW} <= set(answer.detail["duties"].split(", "))
    assert len(await patient.facts("journey.paused")) == 1
    await patient.eventually(lambda: _paged(patient, f"adverse-event/{report.key}"))
    with pytest.raises(Refused) as gate:
        await patient.give(order)
    assert (gate.value.code, set(gate.value.reasons)) == ("gate-closed", {"G3"})
    with pytest.raises(Refused) as prescriber:
        await resume(patient, Role.PRESCRIBER)
    assert prescriber.value.code == "wrong-role"
    await resume(patient, Role.MEDICAL_DIRECTOR)
    await patient.give(order)
    await over(patient)


async def _paged(patient: Walk, what: str) -> bool:
    mails = await patient.facts("message.settled")
    return any(mail.template == "staff_page" and what in mail.key for mail in mails)


async def test_a_pause_of_another_cause_becomes_a_suspension(walk: Begin) -> None:
    patient = walk()
    await patient.to_consultation()
    pause = m.Pause(key=a_key(), actor=PEOPLE[Role.COORDINATOR], reason="travels")
    await patient.say("pause", pause)
    await patient.say("report_adverse_event", await a_report(patient, grade=4))
    assert len(await patient.facts("journey.paused")) == 1
    with pytest.raises(Refused):
        await resume(patient, Role.COORDINATOR)
    await resume(patient, Role.MEDICAL_DIRECTOR)
    await over(patient)


async def test_a_severe_event_is_the_prescribers_to_look_at_before_the_day_ends(walk: Begin) -> None:
    patient = walk()
    await patient.to_consultation()
    report = await a_report(patient, grade=3)
    answer = await patient.say_twice("report_adverse_event", report)
    assert answer.detail["duties"] == Duty.NOTIFY_PRESCRIBER
    assert await patient.facts("journey.paused") == []
    [task] = [t for t in await patient.facts("task.opened") if t.code == Duty.NOTIFY_PRESCRIBER]
    zone = zone_named(ZONE)
    assert zone is not None
    midnight = next_local_midnight(report.event.known_at, zone)
    assert (task.owner, task.due_at) == (Role.PRESCRIBER, midnight)
    await patient.forward_to(midnight)
    await patient.until_written("task.overdue")
    [overdue] = await patient.facts("task.overdue")
    assert (overdue.task_id, overdue.escalated_to) == (task.task_id, Role.MEDICAL_DIRECTOR)
    for role, code in ((Role.NURSE, "wrong-role"), (Role.PRESCRIBER, "")):
        done = m.CompleteDuty(
            key=a_key(), actor=PEOPLE[role], task_id=task.task_id, evidence="seen and noted"
        )
        if code:
            assert (await patient.refused("complete_duty", done)).code == code
        else:
            await patient.say_twice("complete_duty", done)
    assert task.task_id in [fact.task_id for fact in await patient.facts("task.completed")]
    again = m.CompleteDuty(key=a_key(), actor=PEOPLE[Role.PRESCRIBER], task_id=task.task_id, evidence="again")
    assert (await patient.refused("complete_duty", again)).code == "not-possible-now"
    await over(patient)


async def test_an_event_nobody_has_judged_yet_is_a_draft_to_complete_within_the_hour(walk: Begin) -> None:
    patient = walk()
    await patient.to_consultation()
    await patient.say("report_adverse_event", await a_report(patient, grade=None, seriousness=None))
    drafts = [t for t in await patient.facts("task.opened") if t.code == Duty.COMPLETE_DRAFT]
    assert [draft.owner for draft in drafts] == [Role.NURSE]
    await patient.forward(minutes=61)
    await patient.until_written("task.overdue")
    assert (await patient.facts("task.overdue"))[0].escalated_to is Role.PRESCRIBER
    await over(patient)


async def test_a_mild_event_is_recorded_and_asks_for_nothing(walk: Begin) -> None:
    patient = walk()
    await patient.to_consultation()
    stranger = (await a_report(patient)).model_copy(update={"actor": PEOPLE[Role.COORDINATOR]})
    assert (await patient.refused("report_adverse_event", stranger)).code == "wrong-role"
    answer = await patient.say("report_adverse_event", await a_report(patient, grade=1))
    assert answer.detail["duties"] == ""
    assert await patient.stage() is Stage.CONSULTATION
    await over(patient)
