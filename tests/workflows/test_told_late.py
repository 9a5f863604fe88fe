"""Who is told late of somebody at risk calls at once, and nobody is blamed for what they could not know.

A worry of this morning, a form of last week, a year that was typed wrong: the clock of a case begins with what was
seen, and what could have been done about it begins when it was told.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from clinical.people import Role
from tests.workflows.risk_words import HIGH, NURSE, PART, case, closed, paged, screened, taken_over, worried
from tests.workflows.walk import PEOPLE, Walk, a_key, forms
from workflows import messages as m

Begin = Callable[..., Walk]
LATE = [timedelta(hours=10), timedelta(days=400), timedelta(days=365 * 100)]


@pytest.mark.parametrize("late", LATE, ids=["hours", "a-year", "a-century"])
async def test_a_concern_told_late_calls_everyone_at_once(walk: Begin, late: timedelta) -> None:
    patient = walk()
    await patient.start()
    await patient.say("raise_concern", worried(occurred_at=await patient.now() - late))
    part = await calls_everyone(patient)
    await patient.say("resolve_risk", closed(), part)
    await patient.leave()
    await patient.outcome()
    await patient.assert_sound()


async def test_a_screen_told_late_calls_everyone_at_once_and_may_be_answered_from_then_on(
    walk: Begin,
) -> None:
    patient = walk()
    await patient.to_screening()
    told_at = await patient.now(PART)
    seen_at = told_at - timedelta(days=400)
    only = tuple(form for form in forms(cssrs=HIGH) if form.instrument == "c-ssrs-screener")
    answers = m.SubmitQuestionnaires(key=a_key(), actor=NURSE, questionnaires=only, occurred_at=seen_at)
    await patient.say("submit_questionnaires", answers, PART)
    part = await calls_everyone(patient)
    [opened] = await patient.facts("risk.opened")
    assert told_at < opened.acknowledge_by < told_at + timedelta(hours=1)
    await patient.say("acknowledge_risk", taken_over(), part)
    await patient.say("resolve_risk", closed(), part)
    await patient.leave()
    await patient.outcome()
    await patient.assert_sound()


async def test_a_device_whose_clock_is_a_little_ahead_keeps_no_worry_from_being_heard(walk: Begin) -> None:
    patient = walk()
    await patient.start()
    ahead = await patient.now() + timedelta(seconds=100)
    await patient.say("raise_concern", worried(occurred_at=ahead))
    part = await case(patient)
    [opened] = [entry for entry in await patient.record() if entry.fact.kind == "risk.opened"]
    assert opened.occurred_at < ahead and opened.occurred_at <= await patient.now()
    await patient.say("resolve_risk", closed(), part)
    await patient.leave()
    await patient.outcome()
    await patient.assert_sound()


async def test_nobody_has_taken_over_or_closed_a_case_in_the_future(walk: Begin) -> None:
    """Else the contacts that follow a crisis would be owed from then on: the next century, by a slip of the hand."""
    patient = walk()
    await patient.start()
    await patient.say("raise_concern", worried())
    part = await case(patient)
    ahead = (await patient.now(part)).replace(year=2150)
    for update, command in (
        ("acknowledge_risk", taken_over().model_copy(update={"occurred_at": ahead})),
        ("resolve_risk", closed(occurred_at=ahead)),
    ):
        refused = await patient.refused(update, command, part)
        assert (refused.code, [fault["pointer"] for fault in refused.errors]) == (
            "invalid-time",
            ["/occurred_at"],
        )
    pause = m.Pause(key=a_key(), actor=PEOPLE[Role.COORDINATOR], reason="away", occurred_at=ahead)
    assert (await patient.refused("pause", pause)).code == "invalid-time"
    await patient.say("resolve_risk", closed(), part)
    await patient.leave()
    await patient.outcome()
    await patient.assert_sound()


async def test_a_concern_is_never_dated_before_the_finding_whose_case_it_joins(walk: Begin) -> None:
    """In virtual time the clock of a part runs ahead of its journey's: what the part has found is past there too."""
    patient = walk()
    await patient.to_screening()
    await patient.forward(PART, days=3)
    await screened(patient, HIGH)
    await case(patient)
    await patient.say("raise_concern", worried())
    found, joined = await patient.facts("risk.opened")
    assert joined.acknowledge_by - found.acknowledge_by >= timedelta(hours=3)
    await patient.until_written("risk.joined")
    await patient.leave()
    await patient.outcome()


async def calls_everyone(patient: Walk) -> str:
    """The case, once it has called each role of the ladder without that its clock was moved."""
    [opened] = await patient.facts("risk.opened")
    part = f"risk/{opened.case_id}"
    everyone = {rung.page for rung in patient.protocol.risk.ladder}

    async def called() -> bool:
        return set(await paged(patient, part)) == everyone

    await patient.eventually(called)
    return part
