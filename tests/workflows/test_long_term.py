"""Long-term checks on the real engine: asked when the course is awake, answered in passing, never lost (§7.5)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from clinical.adverse_events import Duty
from clinical.events import TaskOpened
from clinical.long_term import CheckResult, SafetyCheck
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.protocol_duties import CheckCode
from tests.workflows.shortcut import at_treating, done, open_duties, over, shortened
from tests.workflows.walk import PEOPLE, Refused, Walk, a_key, forms
from workflows import messages as m

Begin = Callable[..., Walk]
MONTHLY = (CheckCode.URINARY_SYMPTOMS, CheckCode.SUBSTANCE_USE, CheckCode.PRESCRIPTION_MONITORING)


def checks(
    at: datetime, *codes: CheckCode, result: CheckResult = CheckResult.NORMAL
) -> tuple[SafetyCheck, ...]:
    return tuple(SafetyCheck(code=code, result=result, at=at) for code in codes)


def recording(*found: SafetyCheck, role: Role = Role.NURSE) -> m.RecordSafetyChecks:
    return m.RecordSafetyChecks(key=a_key(), actor=PEOPLE[role], checks=found)


async def asked(patient: Walk) -> list[TaskOpened]:
    """The long-term checks that are asked for and still open."""
    opened = [task for task in await patient.facts("task.opened") if task.code.startswith("safety-check-")]
    ended = {fact.task_id for fact in await patient.facts("task.completed")}
    ended |= {fact.task_id for fact in await patient.facts("task.cancelled")}
    return [task for task in opened if task.task_id not in ended]


def codes(tasks: list[TaskOpened]) -> set[str]:
    return {task.code.removeprefix("safety-check-") for task in tasks}


@pytest.fixture
async def patient(walk: Begin, protocol: Protocol) -> Walk:
    """At home after the first of two doses; the second session is open."""
    patient = await at_treating(walk(shortened(protocol)))
    await patient.whole_session(phq9=0)
    patient.session = 2
    await patient.until_there("session/2")
    await patient.now()
    return patient


async def test_what_is_due_is_asked_when_a_session_opens_and_answered_at_its_door(patient: Walk) -> None:
    assert codes(await asked(patient)) == set(MONTHLY)
    order_at = await patient.book_session()
    await patient.ready()
    await patient.forward_to(order_at, patient.part)
    future = checks(order_at + timedelta(days=1), *MONTHLY[:1])
    with pytest.raises(Refused) as early:
        await patient.check_in(checks=future)
    too_early = early.value
    assert (too_early.code, too_early.errors[0]["pointer"]) == ("invalid-time", "/checks/0/at")
    await patient.check_in(checks=checks(order_at, *MONTHLY), adverse_events_reviewed=True)
    assert len(await patient.facts("safety-check.recorded")) == 3
    assert (await patient.facts("session.checked-in"))[-1].adverse_events_reviewed is True
    cancel = m.CancelSession(key=a_key(), actor=PEOPLE[Role.NURSE], reason="feels ill")
    await patient.say("cancel_session", cancel, patient.part)
    await patient.until_there("session/3")  # what was asked at a door that led to no dose counts as well
    await patient.eventually(lambda: none_asked(patient))
    await over(patient)


async def none_asked(patient: Walk) -> bool:
    return await asked(patient) == []


async def test_a_check_nobody_makes_is_told_upwards_and_ends_with_the_course(patient: Walk) -> None:
    [symptoms] = [task for task in await asked(patient) if task.code.endswith("urinary-symptoms")]
    for session in (2, 3):  # until a decision is asked for: a journey's clock moves only between its parts
        await patient.until_there(f"session/{session}")
        cancel = m.CancelSession(key=a_key(), actor=PEOPLE[Role.NURSE], reason="not now")
        await patient.say("cancel_session", cancel, f"session/{session}")
    await patient.until_written("course.decision-asked")
    await patient.forward_to(symptoms.due_at + timedelta(minutes=5))

    async def told() -> bool:
        return await patient.overdue("safety-check-urinary-symptoms") == [Role.PRESCRIBER]

    await patient.eventually(told)
    at = await patient.now()
    late = recording(*checks(at, CheckCode.URINARY_SYMPTOMS, result=CheckResult.NOT_DONE))
    await patient.say_twice("record_safety_checks", late)
    assert codes(await asked(patient)) == set(MONTHLY)  # to say that it was not done is not to do it
    stranger = recording(*checks(at, CheckCode.COGNITION), role=Role.COORDINATOR)
    assert (await patient.refused("record_safety_checks", stranger)).code == "wrong-role"
    twice = recording(*checks(at, CheckCode.COGNITION, CheckCode.COGNITION))
    assert (await patient.refused("record_safety_checks", twice)).errors[0]["code"] == "duplicate"
    await over(patient)
    assert await asked(patient) == []


async def test_what_is_found_becomes_the_prescribers_and_outlives_the_session(patient: Walk) -> None:
    at = await patient.now()
    found = recording(*checks(at, CheckCode.URINARY_SYMPTOMS, result=CheckResult.ABNORMAL))
    await patient.say_twice("record_safety_checks", found)
    [review] = await open_duties(patient)
    assert (review.code, review.owner) == (Duty.REVIEW_SAFETY_CHECK, Role.PRESCRIBER)
    assert "urinalysis now" in review.reason
    starts = await patient.book_session()
    await patient.ready()
    await patient.forward_to(starts, patient.part)
    at_the_door = checks(starts, CheckCode.SUBSTANCE_USE, result=CheckResult.ABNORMAL)
    await patient.check_in(checks=at_the_door)

    async def both() -> bool:
        return len(await open_duties(patient)) == 2

    await patient.eventually(both)
    [second] = [duty for duty in await open_duties(patient) if duty.task_id != review.task_id]
    assert second.task_id.startswith("session/2/review-safety-check/")

    async def taken_over() -> bool:
        try:
            await patient.say("complete_duty", done(second))
        except Refused:  # the journey hears of it a moment after the session wrote it down
            return False
        return True

    await patient.eventually(taken_over)
    cancel = m.CancelSession(key=a_key(), actor=PEOPLE[Role.NURSE], reason="urinalysis first")
    await patient.say("cancel_session", cancel, patient.part)
    await patient.until_there("session/3")

    async def urinalysis_asked() -> bool:
        return "urinalysis" in codes(await asked(patient))

    await patient.eventually(urinalysis_asked)
    await over(patient)


async def test_a_week_of_follow_up_asks_and_its_questionnaires_answer(
    walk: Begin, protocol: Protocol
) -> None:
    part = "follow-up/1"
    short = shortened(protocol, schedule={"sessions": 1}, follow_up={"weeks": (2, 8)})
    patient = await at_treating(walk(short))
    await patient.whole_session(phq9=0)
    await patient.until_there(part)
    [dose] = await patient.facts("dose.given")
    journey_says = await patient.refused(
        "record_safety_checks", recording(*checks(dose.given_at, CheckCode.LIVER_PANEL))
    )
    assert journey_says.code == "not-possible-now"
    week = timedelta(weeks=1)
    await patient.forward_to(dose.given_at + 2 * week, part)
    assert codes(await asked(patient)) == set(MONTHLY)
    at = await patient.now(part)
    given = m.SubmitQuestionnaires(
        key=a_key(),
        actor=PEOPLE[Role.NURSE],
        questionnaires=forms(phq9=0),
        checks=checks(at, *MONTHLY[:2]),
    )
    await patient.say_twice("submit_questionnaires", given, part)
    assert codes(await asked(patient)) == {CheckCode.PRESCRIPTION_MONITORING}
    [left] = await asked(patient)
    await patient.forward_to(left.due_at + timedelta(minutes=5), part)  # it has a clock of its own by now
    await patient.until_written("task.overdue")
    assert len(await patient.overdue("safety-check-prescription-monitoring")) == 1
    now = await patient.now(part)
    found = recording(*checks(now, CheckCode.PRESCRIPTION_MONITORING, result=CheckResult.ABNORMAL))
    await patient.say_twice("record_safety_checks", found, part)
    assert await asked(patient) == []
    assert [duty.code for duty in await open_duties(patient)] == [Duty.REVIEW_SAFETY_CHECK]
    await patient.forward_to(dose.given_at + 8 * week, part)
    assert codes(await asked(patient)) == set(MONTHLY)  # eight weeks later they are due again
    await over(patient)
