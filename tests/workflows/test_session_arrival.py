"""Booking, readiness, check-in: how a patient comes to the chair, and every way in which they do not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.service import RPCError

from clinical.people import Role
from clinical.protocol import Protocol
from clinical.readiness import ReadinessAnswers
from tests.workflows.shortcut import at_treating, over, shortened
from tests.workflows.walk import PEOPLE, Refused, Walk, a_key, a_reading
from workflows import messages as m

Begin = Callable[..., Walk]


@pytest.fixture
async def patient(walk: Begin, protocol: Protocol) -> Walk:
    return await at_treating(walk(shortened(protocol)))


def a_booking(starts: datetime, **changes: Any) -> m.BookSession:
    given = {
        "key": a_key(), "actor": PEOPLE[Role.COORDINATOR], "starts_at": starts,
        "ends_at": starts + timedelta(hours=4), "room": "room-1",
    }  # fmt: skip
    return m.BookSession.model_validate(given | changes)


def a_cancellation() -> m.CancelSession:
    return m.CancelSession(key=a_key(), actor=PEOPLE[Role.COORDINATOR], reason="has a cold")


def readiness_of(**changes: Any) -> m.AnswerReadiness:
    answers = ReadinessAnswers(**changes)
    return m.AnswerReadiness(key=a_key(), actor=PEOPLE[Role.COORDINATOR], answers=answers)


async def sent(patient: Walk, template: str) -> list[Any]:
    settled = await patient.facts("message.settled")
    return [mail for mail in settled if mail.template == template and mail.status == "completed"]


async def open_tasks(patient: Walk, code: str) -> list[str]:
    ended = {f.task_id for kind in ("task.completed", "task.cancelled") for f in await patient.facts(kind)}
    return [
        task.task_id
        for task in await patient.facts("task.opened")
        if task.code == code and task.task_id not in ended
    ]


async def test_a_booking_in_the_past_or_ending_before_it_starts_is_refused(patient: Walk) -> None:
    now = await patient.here()
    past = await patient.refused("book_session", a_booking(now - timedelta(hours=1)), patient.part)
    tomorrow = now + timedelta(days=1)
    upside_down = a_booking(tomorrow, ends_at=tomorrow - timedelta(hours=1))
    ended = await patient.refused("book_session", upside_down, patient.part)
    assert (past.code, ended.code) == ("invalid-time", "invalid-time")
    await over(patient)


async def test_a_booking_may_be_moved_as_often_as_the_protocol_says(patient: Walk) -> None:
    await patient.forward_to(Walk.by_day(await patient.here()), patient.part)  # when messages leave
    await patient.book_session()
    starts = await patient.book_session(days=3)
    again = await patient.refused("book_session", a_booking(starts + timedelta(days=1)), patient.part)
    assert again.code == "not-possible-now"
    first, second = await patient.facts("session.booked")
    assert (first.moved_from, second.moved_from) == (None, first.starts_at)
    await patient.eventually(lambda: _is_sent(patient, "session_moved"))
    await over(patient)


async def test_who_asks_for_another_time_keeps_the_visit_until_there_is_one(patient: Walk) -> None:
    ask = m.AskToMove(key=a_key(), actor=PEOPLE[Role.PATIENT])
    unbooked = await patient.refused("ask_to_move", ask, patient.part)
    assert unbooked.code == "not-possible-now"
    starts = await patient.book_session()
    await patient.ready(rems_enrolled=True)
    for _ in range(2):
        asked = m.AskToMove(key=a_key(), actor=PEOPLE[Role.PATIENT])
        assert (await patient.say_twice("ask_to_move", asked, patient.part)).state == "asked"
    assert await open_tasks(patient, "move-session") == ["session/1/move-session/1"]
    well = m.AnswerReadiness(key=a_key(), actor=PEOPLE[Role.PATIENT], answers=ReadinessAnswers(illness=False))
    assert (await patient.say("answer_readiness", well, patient.part)).state == "green"
    [task] = [task for task in await patient.facts("task.opened") if task.code == "move-session"]
    assert (task.owner, task.due_at < starts) == (Role.COORDINATOR, True)
    assert len(await patient.facts("session.move-asked")) == 2
    await patient.book_session(days=3)
    assert await open_tasks(patient, "move-session") == []
    await over(patient)


async def test_a_cancelled_visit_is_followed_by_the_next_and_its_patient_told(patient: Walk) -> None:
    await patient.forward_to(Walk.by_day(await patient.here()), patient.part)  # when messages leave
    await patient.book_session()
    await patient.say_twice("cancel_session", a_cancellation(), "session/1")
    await patient.until_there("session/2")
    await patient.until_written("session.opened", 2)
    [closed] = await patient.facts("session.closed")
    assert (closed.status, closed.reason) == ("cancelled", "has a cold")
    await patient.eventually(lambda: _is_sent(patient, "session_cancelled"))
    assert await open_tasks(patient, "check-in") == []
    await over(patient)


async def test_who_has_not_come_within_the_minutes_of_the_protocol_gets_another_visit(patient: Walk) -> None:
    starts = await patient.book_session()
    await patient.ready()
    await patient.forward_to(starts + timedelta(minutes=59), "session/1")
    assert "session.closed" not in await patient.kinds()
    await patient.forward("session/1", minutes=2)
    await patient.until_there("session/2")
    [closed] = await patient.facts("session.closed")
    assert closed.status == "noshow"
    with pytest.raises(RPCError, match="completed"):
        await patient.check_in()
    await over(patient)


@pytest.mark.parametrize("choice", ["go-on", "stop"])
async def test_too_many_missed_visits_ask_for_a_decision(patient: Walk, choice: str) -> None:
    for session in (1, 2):
        patient.session = session
        await patient.until_there(patient.part)
        await patient.say("cancel_session", a_cancellation(), patient.part)
    await patient.decide(choice)
    asked = await patient.facts("course.decision-asked")
    assert [(fact.after_dose, fact.default) for fact in asked] == [(0, "review")]
    if choice == "go-on":
        await patient.until_there("session/3")
        return await over(patient)
    outcome = await patient.outcome()
    assert (outcome.stage, outcome.doses) == ("finished", 0)
    await patient.assert_sound()


async def test_a_visit_that_nobody_books_is_overdue_and_then_given_up(patient: Walk) -> None:
    book = patient.protocol.schedule.book
    await patient.forward("session/1", hours=book.due_hours + 1)
    await patient.until_written("task.overdue")
    [overdue] = await patient.facts("task.overdue")
    assert (overdue.task_id, overdue.escalated_to) == ("session/1/book-session/1", Role.MEDICAL_DIRECTOR)
    await patient.forward("session/1", hours=book.give_up_hours - book.due_hours)
    await patient.until_there("session/2")
    [closed] = await patient.facts("session.closed")
    assert closed.status == "cancelled"
    await over(patient)


async def test_the_patient_is_reminded_once_a_day_ahead(patient: Walk) -> None:
    starts = await patient.book_session(days=4)
    await patient.forward_to(starts - timedelta(hours=25), patient.part)
    assert await sent(patient, "session_reminder") == []
    await patient.forward_to(starts, patient.part)
    [reminder] = await sent(patient, "session_reminder")
    assert timedelta(hours=23) < starts - reminder.sent_at <= timedelta(hours=24)
    assert reminder.sent_at < reminder.not_after < starts
    await over(patient)


async def test_a_reminder_that_waits_for_the_morning_does_not_outlive_the_move_of_its_visit(
    patient: Walk,
) -> None:
    at_night = Walk.by_day(await patient.here() + timedelta(days=3)) + timedelta(hours=14)
    await patient.say("book_session", a_booking(at_night), patient.part)
    await patient.forward_to(at_night - timedelta(hours=23), patient.part)
    moved = a_booking(at_night + timedelta(days=3))
    await patient.say("book_session", moved, patient.part)
    await patient.forward_to(moved.starts_at, patient.part)
    await patient.eventually(lambda: _is_sent(patient, "session_reminder"))
    reminders = [f for f in await patient.facts("message.settled") if f.template == "session_reminder"]
    assert [reminder.status for reminder in reminders] == ["stopped", "completed"]
    assert reminders[1].sent_at > moved.starts_at - timedelta(hours=24)
    await over(patient)


async def _is_sent(patient: Walk, template: str) -> bool:
    return bool(await sent(patient, template))


async def test_a_checklist_that_nobody_answers_becomes_a_task_and_bars_the_door(patient: Walk) -> None:
    starts = await patient.book_session(days=4)
    await patient.forward_to(starts - timedelta(hours=25), patient.part)
    assert await open_tasks(patient, "readiness") == []
    await patient.forward_to(starts - timedelta(hours=23), patient.part)
    await patient.until_written("task.opened", 3)
    assert len(await open_tasks(patient, "readiness")) == 1
    await patient.forward_to(starts, patient.part)
    with pytest.raises(Refused) as barred:
        await patient.check_in()
    assert barred.value.code == "gate-closed"
    assert "READY-ESCORT" in barred.value.reasons
    answered = await patient.ready()
    assert answered.state == "green"
    assert await open_tasks(patient, "readiness") == []
    await patient.check_in()
    await over(patient)


async def test_red_green_and_red_again_is_work_for_a_coordinator_each_time(patient: Walk) -> None:
    starts = await patient.book_session()
    for light, ill in (("red", True), ("green", False), ("red", True)):
        await patient.forward_to(starts - timedelta(hours=1), patient.part)
        assert (await patient.ready(illness=ill)).state == light
        assert len(await open_tasks(patient, "readiness")) == (light == "red")
    await patient.forward_to(starts, patient.part)
    with pytest.raises(Refused) as barred:
        await patient.check_in()
    assert barred.value.reasons == ["READY-ILLNESS"]
    await over(patient)


async def test_the_patients_own_number_is_no_escorts_number(patient: Walk) -> None:
    unbooked = await patient.refused("answer_readiness", readiness_of(illness=False), patient.part)
    assert unbooked.code == "not-possible-now"
    await patient.book_session()
    own = readiness_of(escort_phone="(202) 555-0142", patient_phone="+1 202 555 0142")
    refused = await patient.refused("answer_readiness", own, patient.part)
    assert refused.code == "invalid-answers"
    assert [error["pointer"] for error in refused.errors] == ["/answers/escort_phone"]
    await over(patient)


async def test_check_in_is_for_a_nurse_once_and_with_a_possible_reading(patient: Walk) -> None:
    starts = await patient.book_session()
    await patient.ready()
    await patient.forward_to(starts, patient.part)
    with pytest.raises(Refused) as stranger:
        await patient.check_in(actor=PEOPLE[Role.COORDINATOR])
    upside_down = a_reading(starts, systolic_mmhg=60, diastolic_mmhg=90)
    with pytest.raises(Refused) as impossible:
        await patient.check_in(baseline=upside_down)
    assert (stranger.value.code, impossible.value.code) == ("wrong-role", "invalid-observation")
    assert impossible.value.reasons == ["READING-IMPOSSIBLE"]
    await patient.check_in()
    with pytest.raises(Refused) as twice:
        await patient.check_in()
    moved = await patient.refused("book_session", a_booking(starts + timedelta(days=2)), patient.part)
    assert (twice.value.code, moved.code) == ("not-possible-now", "not-possible-now")
    assert (await patient.kinds()).count("session.checked-in") == 1
    await over(patient)


async def test_a_patient_in_the_chair_whom_nobody_doses_becomes_overdue(patient: Walk) -> None:
    starts = await patient.book_session()
    await patient.ready()
    await patient.forward_to(starts, patient.part)
    await patient.check_in()
    await patient.forward(patient.part, hours=5)
    await patient.until_written("task.overdue")
    [overdue] = await patient.facts("task.overdue")
    assert (overdue.task_id, overdue.escalated_to) == ("session/1/give-dose/1", Role.MEDICAL_DIRECTOR)
    await patient.say("cancel_session", a_cancellation(), patient.part)
    await patient.until_there("session/2")
    await over(patient)
