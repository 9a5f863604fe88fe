"""Therapy around a dose: two people, notes by their id only, a waiver, and concerns that somebody has to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clinical.instants import later
from clinical.people import Actor, Role
from clinical.protocol import Protocol
from tests.workflows.shortcut import at_treating, over, shortened
from tests.workflows.walk import PEOPLE, Refused, Walk, a_key
from workflows import messages as m

Begin = Callable[..., Walk]
FIRST, SECOND = "session/1", "session/2"
NOTE: dict[str, Any] = {"note_id": "01NOTE", "note_hash": "ab" * 32}


@pytest.fixture
async def patient(walk: Begin, protocol: Protocol) -> Walk:
    """In the chair with the first dose."""
    patient = await at_treating(walk(shortened(protocol)))
    await patient.give(await patient.to_chair())
    return patient


async def home(patient: Walk) -> None:
    given = (await patient.facts("dose.given"))[-1]
    await patient.in_the_chair(given.given_at, given.dose_mg)
    await patient.discharge()
    await patient.until_there(SECOND)


def therapy(actor: Actor = PEOPLE[Role.THERAPIST], **changes: Any) -> m.RecordTherapy:
    return m.RecordTherapy.model_validate({"key": a_key(), "actor": actor, "minutes": 60, **NOTE, **changes})


def waiver(actor: Actor = PEOPLE[Role.THERAPIST], reason: str = "spoke by phone") -> m.WaiveIntegration:
    return m.WaiveIntegration(key=a_key(), actor=actor, reason=reason)


def contact(concerns: str | None, role: Role = Role.NURSE) -> m.RecordContact:
    return m.RecordContact(key=a_key(), actor=PEOPLE[role], reached=True, concerns=concerns)


async def task(patient: Walk, code: str) -> list[Any]:
    return [e.fact for e in await patient.record() if f"/{code}/" in getattr(e.fact, "task_id", "")]


async def test_who_ordered_the_dose_is_not_its_therapist_and_the_record_holds_no_word_of_it(
    patient: Walk,
) -> None:
    both = Actor(id=PEOPLE[Role.PRESCRIBER].id, role=Role.THERAPIST)
    refused = await patient.refused("record_therapy", therapy(both), FIRST)
    assert (refused.code, refused.reasons) == ("separation-of-duties", ["THERAPY-SEPARATE"])
    told = therapy(themes="grief about the sea", present_throughout=True, others_present=("staff-2",))
    await patient.say_twice("record_therapy", told, FIRST)
    [fact] = await patient.facts("therapy.recorded")
    assert (fact.note_id, fact.note_hash, fact.minutes) == (NOTE["note_id"], NOTE["note_hash"], 60)
    assert (fact.present_throughout, fact.others_present, fact.themes) == (True, ("staff-2",), "")
    await over(patient)


async def test_an_integration_without_a_note_is_not_held(patient: Walk) -> None:
    await home(patient)
    held = {"key": a_key(), "actor": PEOPLE[Role.THERAPIST], "held_at": await patient.now(FIRST)}
    for note in ({}, {"note": "  "}):
        refused = await patient.refused(
            "record_integration", m.RecordIntegration.model_validate(held | note), FIRST
        )
        assert (refused.code, refused.errors[0]["pointer"]) == ("note-required", "/note")
    await patient.say("record_integration", m.RecordIntegration.model_validate(held | NOTE), FIRST)
    [fact] = await patient.facts("integration.held")
    assert (fact.note_id, fact.note_hash) == (NOTE["note_id"], NOTE["note_hash"])
    await over(patient)


async def test_only_a_therapist_waives_an_integration_once_with_a_reason_after_the_discharge(
    patient: Walk,
) -> None:
    assert (await patient.refused("waive_integration", waiver(), FIRST)).code == "not-possible-now"
    await home(patient)
    for code, message in (
        ("wrong-role", waiver(PEOPLE[Role.PRESCRIBER])),
        ("wrong-role", waiver(PEOPLE[Role.NURSE])),
        ("reason-required", waiver(reason="  ")),
    ):
        assert (await patient.refused("waive_integration", message, FIRST)).code == code
    await patient.say_twice("waive_integration", waiver(), FIRST)
    assert (await patient.refused("waive_integration", waiver(), FIRST)).code == "not-possible-now"
    [fact] = await patient.facts("integration.waived")
    assert fact.reason == "spoke by phone"
    done = [fact.kind for fact in await task(patient, "hold-integration")]
    assert done[-1] == "task.completed"
    await over(patient)


async def test_a_waiver_opens_the_next_dose_that_a_missed_integration_blocks(patient: Walk) -> None:
    await home(patient)
    [dose] = await patient.facts("dose.given")
    await patient.say("record_contact", contact(None), FIRST)
    await patient.forward_to(later(dose.given_at, hours=73), FIRST)
    await patient.until_written("task.overdue")
    assert await patient.overdue("hold-integration") == [Role.PRESCRIBER]
    await patient.forward_to(later(dose.given_at, days=7, minutes=1), FIRST)
    await patient.until_written("integration.missed")
    patient.session = 2
    await patient.forward_to(later(dose.given_at, days=6), SECOND)
    order = await patient.to_chair()
    with pytest.raises(Refused) as blocked:
        await patient.give(order)
    assert (blocked.value.code, blocked.value.reasons) == ("gate-closed", ["G3"])
    await patient.say("waive_integration", waiver(), FIRST)
    await patient.give(order)
    assert len(await patient.facts("dose.given")) == 2
    await over(patient)


async def test_concerns_of_the_next_day_are_a_prescribers_task_until_somebody_licensed_has_read_them(
    patient: Walk,
) -> None:
    review = m.ReviewConcerns(
        key=a_key(), actor=PEOPLE[Role.THERAPIST], assessment="called back, sleeps again"
    )
    await home(patient)
    assert (await patient.refused("review_concerns", review, FIRST)).code == "not-possible-now"
    await patient.say("record_contact", contact("did not sleep at all"), FIRST)
    [opened] = await task(patient, "review-concerns")
    assert (opened.kind, opened.owner) == ("task.opened", Role.PRESCRIBER)
    assert "sleep" not in opened.reason
    nurse = review.model_copy(update={"actor": PEOPLE[Role.NURSE]})
    assert (await patient.refused("review_concerns", nurse, FIRST)).code == "wrong-role"
    hours = patient.protocol.therapy.not_reached.due_hours
    await patient.forward(FIRST, hours=hours + 1)
    await patient.eventually(lambda: _overdue(patient))
    await patient.say_twice("review_concerns", review, FIRST)
    assert [fact.kind for fact in await task(patient, "review-concerns")][-1] == "task.completed"
    await over(patient)


async def _overdue(patient: Walk) -> bool:
    return await patient.overdue("review-concerns") == [Role.MEDICAL_DIRECTOR]


async def test_what_a_prescriber_heard_and_what_was_not_said_is_nobodys_task(patient: Walk) -> None:
    await home(patient)
    await patient.say("record_contact", contact("slept badly", Role.PRESCRIBER), FIRST)
    assert await task(patient, "review-concerns") == []
    await over(patient)
