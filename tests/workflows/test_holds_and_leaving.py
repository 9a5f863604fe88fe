"""Pausing and leaving on the real engine: possible in every stage, and nothing is left hanging afterwards."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio.service import RPCError, RPCStatusCode

from clinical.journey import Move, Stage
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.screening import Eligibility
from tests.workflows.shortcut import at_treating, shortened
from tests.workflows.walk import PEOPLE, Walk, a_key
from workflows import messages as m

COORDINATOR = PEOPLE[Role.COORDINATOR]


def a_leave(move: Move = Move.WITHDRAW, reason: str = "wishes") -> m.Leave:
    return m.Leave.model_validate({"key": a_key(), "actor": COORDINATOR, "move": move, "reason": reason})


def a_pause() -> m.Pause:
    return m.Pause(key=a_key(), actor=COORDINATOR, reason="away for a while")


def a_return() -> m.Resume:
    return m.Resume(key=a_key(), actor=COORDINATOR, reason="back again")


def a_signature() -> m.SignScreening:
    return m.SignScreening(key=a_key(), actor=PEOPLE[Role.PRESCRIBER], eligibility=Eligibility.ELIGIBLE)


async def end(patient: Walk, stage: Stage) -> str:
    outcome = await patient.outcome()
    assert outcome.stage is stage
    await patient.assert_sound()
    return outcome.reason


async def to_follow_up(patient: Walk) -> None:
    await at_treating(patient)
    await patient.whole_session(phq9=0)
    await patient.until_there("follow-up/1")


WAYS: dict[Stage, Callable[[Walk], Awaitable[object]]] = {
    Stage.REFERRED: Walk.start,
    Stage.CONSULTATION: Walk.to_consultation,
    Stage.SCREENING: Walk.to_screening,
    Stage.PLANNING: Walk.to_planning,
    Stage.PREPARATION: Walk.to_preparation,
    Stage.TREATING: at_treating,
    Stage.FOLLOW_UP: to_follow_up,
}


async def in_stage(patient: Walk, stage: Stage) -> None:
    await WAYS[stage](patient)

    async def there() -> bool:
        return await patient.stage() is stage

    await patient.eventually(there)


@pytest.mark.parametrize("stage", WAYS)
async def test_withdrawing_in_any_stage_leaves_nothing_open_and_twice_is_once(
    walk: Callable[..., Walk], protocol: Protocol, stage: Stage
) -> None:
    patient = walk(shortened(protocol, schedule={"sessions": 1}))
    if stage in (Stage.SCREENING, Stage.PLANNING, Stage.PREPARATION):
        patient = walk()
    await in_stage(patient, stage)
    leaving = a_leave()
    answer = await patient.say("leave", leaving)
    assert answer.state == "withdraw"
    assert await end(patient, Stage.WITHDRAWN) == "wishes"
    assert await patient.say("leave", leaving) == answer
    with pytest.raises(RPCError) as over:
        await patient.say("leave", a_leave())
    assert over.value.status is RPCStatusCode.NOT_FOUND
    (withdrawn,) = await patient.facts("consent.withdrawn")
    assert withdrawn.channel == "in-person"


@pytest.mark.parametrize(("move", "stage"), [(Move.TRANSFER, Stage.TRANSFERRED), (Move.END, Stage.ENDED)])
async def test_a_course_can_be_transferred_or_ended_with_a_reason(
    walk: Callable[..., Walk], move: Move, stage: Stage
) -> None:
    patient = walk()
    await patient.to_screening()
    assert (await patient.say("leave", a_leave(move, "moved house"))).state == move
    assert await end(patient, stage) == "moved house"
    assert await patient.facts("consent.withdrawn") == []


async def test_two_who_withdraw_at_once_are_both_answered_and_the_first_reason_stands(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_screening()
    both = [a_leave(reason="by phone"), a_leave(reason="in writing")]
    answers = await asyncio.gather(*(patient.say("leave", one) for one in both), return_exceptions=True)
    accepted = [answer for answer in answers if isinstance(answer, m.Accepted)]
    assert accepted and {answer.state for answer in accepted} == {"withdraw"}
    assert all(isinstance(no, RPCError) for no in answers if no not in accepted)  # over before it was asked
    assert await end(patient, Stage.WITHDRAWN) in ("by phone", "in writing")
    assert len(await patient.facts("consent.withdrawn")) == 1


async def leaves_as_a_part_begins(patient: Walk) -> None:
    await patient.to_screening()
    await patient.collect_screening()
    await patient.say("sign_screening", a_signature(), "screening/1")
    await patient.say("leave", a_leave())  # the plan is on its way, and not there yet
    await end(patient, Stage.WITHDRAWN)


async def test_leaving_while_the_next_part_is_being_started_reaches_that_part_too(
    walk: Callable[..., Walk],
) -> None:
    await asyncio.gather(*(leaves_as_a_part_begins(walk()) for _ in range(4)))


async def test_a_message_that_waits_for_the_morning_is_not_sent_to_somebody_who_has_left(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.start()
    night = (await patient.now() + timedelta(days=1)).replace(hour=4)  # late evening in New York
    await patient.forward_to(night)
    await patient.book_consultation()
    await patient.forward(hours=1)
    assert await patient.facts("message.settled") == []
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)
    (mail,) = await patient.facts("message.settled")
    assert (mail.template, mail.status, mail.reason) == ("consultation_booked", "stopped", "journey-over")


async def test_a_paused_course_moves_nowhere_can_be_paused_once_and_be_left(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_screening()
    await patient.collect_screening()
    assert (await patient.refused("resume", a_return())).code == "not-possible-now"
    pause = a_pause()
    assert (await patient.say_twice("pause", pause)).state == "onhold"
    assert (await patient.refused("pause", a_pause())).code == "on-hold"
    assert (await patient.refused("sign_screening", a_signature(), "screening/1")).code == "on-hold"
    assert len(await patient.facts("journey.paused")) == 1
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


@pytest.mark.parametrize("stage", [Stage.REFERRED, Stage.PREPARATION])
async def test_deadlines_of_the_course_stand_still_while_it_is_paused(
    walk: Callable[..., Walk], stage: Stage
) -> None:
    patient = walk()
    await in_stage(patient, stage)
    ask, code = {
        Stage.REFERRED: (patient.protocol.consultation.book, "book-consultation"),
        Stage.PREPARATION: (patient.protocol.therapy.prepare, "hold-preparation"),
    }[stage]
    await patient.forward(hours=ask.due_hours - 2)
    await patient.say("pause", a_pause())
    await patient.forward(days=12)
    assert (await patient.say_twice("resume", a_return())).state == "active"
    await patient.forward(hours=1)
    assert await patient.overdue(code) == []
    await patient.forward(hours=2)
    await patient.until_written("task.overdue")
    assert len(await patient.overdue(code)) == 1
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


async def test_the_deadlines_of_a_part_stand_still_too(walk: Callable[..., Walk]) -> None:
    patient, part = walk(), "screening/1"
    await patient.to_screening()
    due = patient.protocol.screening.collect.due_hours
    await patient.forward(part, hours=due - 2)
    await patient.say("pause", a_pause())
    await patient.forward(part, days=60)
    await patient.say("resume", a_return())
    await patient.forward(part, hours=1)
    assert await patient.overdue("collect-screening") == []
    await patient.forward(part, hours=2)
    await patient.until_written("task.overdue")
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


async def test_a_pause_is_reviewed_and_a_course_that_nobody_resumes_is_closed(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.start()
    await patient.say("pause", a_pause())
    on_hold = await patient.refused("book_consultation", await a_booking(patient))
    assert on_hold.code == "on-hold"
    await patient.wait_out(patient.protocol.pause.review, "review-pause")
    assert await end(patient, Stage.ENDED) == "the course stayed on hold too long"
    assert await patient.overdue("book-consultation") == []


async def a_booking(patient: Walk) -> m.BookConsultation:
    starts_at = await patient.now() + timedelta(days=1)
    return m.BookConsultation(
        key=a_key(), actor=COORDINATOR, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1)
    )


async def test_on_hold_nobody_is_reminded_or_missed_and_the_visit_is_booked_again(
    walk: Callable[..., Walk], protocol: Protocol
) -> None:
    patient = await at_treating(walk(shortened(protocol)))
    starts = await patient.book_session(days=3)
    await patient.say("pause", a_pause())
    await patient.forward_to(starts + timedelta(hours=3), patient.part)
    assert await templates(patient, "session_reminder") == []
    assert await patient.facts("session.closed") == []
    await patient.say("resume", a_return())

    async def to_book_again() -> bool:
        opened = [task.task_id for task in await patient.facts("task.opened")]
        return "session/1/book-session/2" in opened

    await patient.eventually(to_book_again)
    again = await patient.book_session(days=3)
    assert again > starts
    await patient.forward_to(again - timedelta(hours=23), patient.part)
    assert len(await templates(patient, "session_booked")) == 2
    await patient.eventually(lambda: reminded(patient))
    await patient.forward_to(again + timedelta(hours=2), patient.part)
    await patient.until_written("session.closed")
    [closed] = await patient.facts("session.closed")
    assert closed.status == "noshow"  # not on hold any more: who does not come has not come
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


async def test_a_visit_goes_on_when_the_hold_ends_before_it_and_the_reminder_leaves_then(
    walk: Callable[..., Walk], protocol: Protocol
) -> None:
    patient = await at_treating(walk(shortened(protocol)))
    starts = await patient.book_session(days=4)
    await patient.say("pause", a_pause())
    await patient.forward_to(starts - timedelta(hours=22), patient.part)
    assert await templates(patient, "session_reminder") == []
    await patient.say("resume", a_return())
    await patient.eventually(lambda: reminded(patient))
    await patient.ready()
    await patient.forward_to(starts, patient.part)
    assert (await patient.check_in()).state == "arrived"
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


async def reminded(patient: Walk) -> bool:
    return await templates(patient, "session_reminder") == ["completed"]


async def templates(patient: Walk, template: str) -> list[str]:
    return [mail.status for mail in await patient.facts("message.settled") if mail.template == template]


async def test_a_visit_called_off_at_night_is_told_in_the_morning_although_it_is_over_by_then(
    walk: Callable[..., Walk], protocol: Protocol
) -> None:
    patient = await at_treating(walk(shortened(protocol)))
    starts = await patient.book_session(days=6)
    night = (starts - timedelta(days=3)).replace(hour=4)  # late evening in New York
    await patient.forward_to(night, patient.part)
    cancel = m.CancelSession(key=a_key(), actor=COORDINATOR, reason="the room is flooded")
    await patient.say("cancel_session", cancel, patient.part)
    await patient.until_there("session/2")
    again = m.CancelSession(key=a_key(), actor=COORDINATOR, reason="still flooded")
    await patient.say("cancel_session", again, "session/2")
    await patient.until_written("course.decision-asked")  # a journey's clock moves only between its parts
    assert await templates(patient, "session_cancelled") == []
    await patient.forward_to(night + timedelta(hours=10))  # the journey sends what its part could not
    await patient.eventually(lambda: told(patient))
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


async def told(patient: Walk) -> bool:
    return await templates(patient, "session_cancelled") == ["completed"]
