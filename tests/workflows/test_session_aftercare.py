"""At home after a dose: the call of the next day, and the integration in its window or it blocks the next dose."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from clinical.instants import later
from clinical.journey import Move
from clinical.people import Role
from clinical.protocol import Protocol
from tests.workflows.shortcut import at_treating, over, shortened
from tests.workflows.walk import PEOPLE, Refused, Walk, a_key
from workflows import messages as m

Begin = Callable[..., Walk]
FIRST, SECOND = "session/1", "session/2"


@pytest.fixture
async def patient(walk: Begin, protocol: Protocol) -> Walk:
    """Home after the first dose; the next session is open."""
    patient = await at_treating(walk(shortened(protocol)))
    order = await patient.to_chair()
    given = await patient.give(order)
    await patient.in_the_chair(given.at, order.order.dose_mg)
    await patient.discharge()
    await patient.until_there(SECOND)
    return patient


async def task(patient: Walk, code: str) -> dict[str, Any]:
    """What has become of the task of this code, by the kinds of the facts that name it?"""
    return {
        e.fact.kind: e.fact for e in await patient.record() if f"/{code}/" in getattr(e.fact, "task_id", "")
    }


async def until_task(patient: Walk, code: str, kind: str) -> Any:
    """What a timer does is in the record a moment later."""

    async def written() -> bool:
        return kind in await task(patient, code)

    await patient.eventually(written)
    return (await task(patient, code))[kind]


async def reached(patient: Walk, yes: bool) -> None:
    contact = m.RecordContact(key=a_key(), actor=PEOPLE[Role.NURSE], reached=yes, concerns=None)
    await patient.say("record_contact", contact, FIRST)


async def integrated(patient: Walk, **changes: Any) -> m.RecordIntegration:
    given = {
        "key": a_key(), "actor": PEOPLE[Role.THERAPIST], "held_at": await patient.now(FIRST), "note": "much",
    }  # fmt: skip
    return m.RecordIntegration.model_validate(given | changes)


async def test_the_call_of_the_next_day_is_owed_until_the_patient_is_reached(patient: Walk) -> None:
    await patient.forward(FIRST, hours=20)
    await reached(patient, False)
    await patient.forward(FIRST, hours=5)
    overdue = await until_task(patient, "next-day-contact", "task.overdue")
    assert overdue.escalated_to is Role.PRESCRIBER
    assert "task.completed" not in await task(patient, "next-day-contact")
    await reached(patient, True)
    assert [fact.reached for fact in await patient.facts("session.next-day-contact")] == [False, True]
    await until_task(patient, "next-day-contact", "task.completed")
    again = m.RecordContact(key=a_key(), actor=PEOPLE[Role.NURSE], reached=True)
    assert (await patient.refused("record_contact", again, FIRST)).code == "not-possible-now"
    await over(patient)


async def test_who_is_not_reached_in_two_days_becomes_a_prescribers_task(patient: Walk) -> None:
    await patient.forward(FIRST, hours=49)
    await until_task(patient, "next-day-contact", "task.cancelled")
    unreached = await until_task(patient, "patient-not-reached", "task.opened")
    assert unreached.owner is Role.PRESCRIBER
    await patient.forward(FIRST, hours=5)
    await until_task(patient, "patient-not-reached", "task.overdue")
    await reached(patient, True)
    await until_task(patient, "patient-not-reached", "task.completed")
    await over(patient)


async def test_an_integration_is_held_by_a_therapist_after_the_discharge_and_once(patient: Walk) -> None:
    now = await patient.now(FIRST)
    for code, changes in (
        ("wrong-role", {"actor": PEOPLE[Role.NURSE]}),
        ("invalid-time", {"held_at": now - timedelta(hours=3)}),
        ("invalid-time", {"held_at": now + timedelta(hours=1)}),
    ):
        wrong = await integrated(patient, **changes)
        assert (await patient.refused("record_integration", wrong, FIRST)).code == code
    await patient.say_twice("record_integration", await integrated(patient), FIRST)
    twice = await integrated(patient)
    assert (await patient.refused("record_integration", twice, FIRST)).code == "not-possible-now"
    await over(patient)


async def test_the_next_session_is_booked_while_the_aftercare_runs_but_not_too_early(patient: Walk) -> None:
    [dose] = await patient.facts("dose.given")
    patient.session = 2
    await patient.forward_to(dose.given_at + timedelta(hours=4), SECOND)
    early = dose.given_at + timedelta(hours=20)
    booking = m.BookSession(
        key=a_key(),
        actor=PEOPLE[Role.COORDINATOR],
        starts_at=early,
        ends_at=early + timedelta(hours=4),
        room="room-1",
    )
    refused = await patient.refused("book_session", booking, SECOND)
    assert (refused.code, refused.reasons) == ("invalid-time", ["INTERVAL-MIN"])
    assert refused.details[0]["available_at"] is not None
    await patient.book_session()
    assert "task.completed" not in await task(patient, "next-day-contact")
    await over(patient)


async def test_a_missed_integration_blocks_the_next_dose_until_it_is_held(patient: Walk) -> None:
    [dose] = await patient.facts("dose.given")
    await patient.forward(FIRST, hours=20)
    await reached(patient, True)
    await patient.forward_to(later(dose.given_at, hours=73), FIRST)
    await until_task(patient, "hold-integration", "task.overdue")
    await patient.forward_to(later(dose.given_at, days=7, minutes=1), FIRST)
    await patient.until_written("integration.missed")
    await until_task(patient, "late-integration", "task.opened")
    patient.session = 2
    await patient.forward_to(later(dose.given_at, days=6), SECOND)
    order = await patient.to_chair()
    with pytest.raises(Refused) as blocked:
        await patient.give(order)
    assert (blocked.value.code, blocked.value.reasons) == ("gate-closed", ["G3"])
    await patient.say("record_integration", await integrated(patient), FIRST)
    given = await patient.give(order)
    await patient.in_the_chair(given.at, order.order.dose_mg)
    await patient.discharge()
    await patient.aftercare()
    await patient.until_there("follow-up/1")
    await patient.leave(Move.END)
    outcome = await patient.outcome()
    assert (outcome.doses, outcome.sessions_completed) == (2, 2)
    await over(patient)
