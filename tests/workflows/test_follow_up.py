"""Follow-up on the real engine: measured at its weeks, missed out loud, and a relapse that leads back to a plan."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from clinical.follow_up import measurement_times
from clinical.journey import Stage
from clinical.people import Role
from clinical.protocol import Protocol
from tests.workflows.shortcut import at_treating, over, shortened
from tests.workflows.test_adverse_events import a_report
from tests.workflows.walk import PEOPLE, Walk, a_key, forms
from workflows import messages as m

PART = "follow-up/1"
Begin = Callable[..., Walk]


def answers(*, phq9: int = 2) -> m.SubmitQuestionnaires:
    return m.SubmitQuestionnaires(
        key=a_key(), actor=PEOPLE[Role.PATIENT], questionnaires=forms(phq9=phq9), on_site=False
    )


async def begun(walk: Begin, protocol: Protocol, *weeks: int) -> Walk:
    """One dose with a full response (a PHQ-9 of 16 before, 0 after), then follow-up at these weeks."""
    patient = walk(shortened(protocol, schedule={"sessions": 1}, follow_up={"weeks": weeks}))
    await at_treating(patient)
    await patient.whole_session(phq9=0)
    await patient.until_there(PART)
    return patient


async def due(patient: Walk) -> list[datetime]:
    (dose,) = await patient.facts("dose.given")
    times = measurement_times(dose.given_at, patient.protocol, "America/New_York")
    return [time.due_at for time in times]


async def end(patient: Walk, stage: Stage) -> m.JourneyOutcome:
    outcome = await patient.outcome()
    assert outcome.stage is stage
    await patient.assert_sound()
    return outcome


async def leave(patient: Walk) -> None:
    await patient.leave()
    await end(patient, Stage.WITHDRAWN)


async def test_every_week_is_measured_against_the_baseline_and_the_course_closes_with_a_summary(
    walk: Begin, protocol: Protocol
) -> None:
    patient = await begun(walk, protocol, 2, 4)
    first, second = await due(patient)
    await patient.forward_to(first, PART)
    assert (await patient.say_twice("submit_questionnaires", answers(phq9=0), PART)).state == "completed"
    await patient.forward_to(second, PART)
    await patient.answer(PART, phq9=1)
    await end(patient, Stage.FINISHED)
    measured = await patient.facts("follow-up.measured")
    told = [(f.week, f.points_changed, f.percent_changed, f.response, f.remission) for f in measured]
    assert told == [(2, -16, 100, True, True), (4, -8, 50, True, False)]
    (closed,) = await patient.facts("journey.closed")
    assert closed.doses == 1 and len(closed.summary) == 2 and closed.summary[0].startswith("week 2: phq-9 0")


async def test_a_week_without_answers_is_overdue_then_recorded_as_missed_and_the_next_one_comes(
    walk: Begin, protocol: Protocol
) -> None:
    patient = await begun(walk, protocol, 2, 4)
    first, second = await due(patient)
    await patient.forward_to(first, PART)
    await patient.wait_out(patient.protocol.follow_up.measure, "follow-up-week-2", PART)
    await patient.until_written("follow-up.missed")
    (missed,) = await patient.facts("follow-up.missed")
    assert (missed.week, missed.due_at) == (2, first)
    await patient.forward_to(second, PART)
    await patient.answer(PART, phq9=0)
    await end(patient, Stage.FINISHED)
    (closed,) = await patient.facts("journey.closed")
    assert closed.summary[0] == "week 2: no answers"


async def test_answers_between_the_weeks_are_refused_and_incomplete_ones_leave_the_week_open(
    walk: Begin, protocol: Protocol
) -> None:
    patient = await begun(walk, protocol, 2, 4)
    first, second = await due(patient)
    early = await patient.refused("submit_questionnaires", answers(), PART)
    await patient.forward_to(first - timedelta(hours=47), PART)  # the week opens 48 h before it is due
    phq9, *others = forms(phq9=0)
    unfinished = phq9.model_copy(update={"answers": {"q1": 0, "q9": 0}})
    half = m.SubmitQuestionnaires(
        key=a_key(), actor=PEOPLE[Role.PATIENT], questionnaires=(unfinished, *others)
    )
    assert (await patient.say("submit_questionnaires", half, PART)).detail["phq-9"] == "incomplete"
    assert await patient.facts("follow-up.measured") == []
    await patient.answer(PART, phq9=0)
    await patient.until_written("follow-up.measured")
    late = await patient.refused("submit_questionnaires", answers(), PART)
    assert {early.code, late.code} == {"not-possible-now"}
    await patient.forward_to(second, PART)
    await patient.answer(PART, phq9=0)
    await end(patient, Stage.FINISHED)


async def relapsed(patient: Walk, first: datetime, part: str = PART) -> None:
    """Two readings a week apart have lost the response: the second one is asked for because of the first."""
    measured = (await patient.kinds()).count("follow-up.measured")
    found = (await patient.kinds()).count("follow-up.relapse-found")
    await patient.forward_to(first, part)
    await patient.answer(part, phq9=2)
    await patient.until_written("follow-up.measured", measured + 1)
    await patient.forward(part, days=7, hours=1)
    await patient.answer(part, phq9=2)
    await patient.until_written("follow-up.relapse-found", found + 1)


async def test_a_relapse_is_confirmed_a_week_later_and_proposes_a_booster_that_needs_a_plan_again(
    walk: Begin, protocol: Protocol
) -> None:
    patient = await begun(walk, protocol, 2, 4)
    first, _ = await due(patient)
    await relapsed(patient, first)
    await patient.until_there("plan/2")
    assert await patient.stage() is Stage.PLANNING
    (moved,) = [f for f in await patient.facts("journey.stage-changed") if f.move == "propose-booster"]
    assert "booster" in moved.reason
    plan_hash = await patient.propose(2, sessions=1, preparation_sessions=0)
    await patient.approve(plan_hash, 2)
    await patient.until_there("session/2")  # approved by people, and straight on: nobody prepares twice
    assert [plan.amends for plan in await patient.facts("plan.proposed")] == [None, 1]
    assert len(await patient.facts("dose.given")) == 1  # a proposal doses nobody
    await leave(patient)


async def test_a_relapse_that_the_second_reading_does_not_confirm_changes_nothing(
    walk: Begin, protocol: Protocol
) -> None:
    patient = await begun(walk, protocol, 2)
    (first,) = await due(patient)
    await patient.forward_to(first, PART)
    await patient.answer(PART, phq9=2)
    await patient.until_written("follow-up.measured")
    assert (await patient.refused("submit_questionnaires", answers(phq9=2), PART)).code == "not-possible-now"
    await patient.forward(PART, days=7, hours=1)
    await patient.answer(PART, phq9=0)
    await end(patient, Stage.FINISHED)
    assert await patient.facts("follow-up.relapse-found") == []


async def test_a_booster_months_later_does_not_rest_on_a_screening_that_has_expired(
    walk: Begin, protocol: Protocol
) -> None:
    patient = await begun(walk, protocol, 26)
    (first,) = await due(patient)
    await relapsed(patient, first)
    await patient.until_there("screening/2")
    assert await patient.stage() is Stage.SCREENING
    await leave(patient)


async def test_a_booster_that_comes_to_nothing_returns_to_the_weeks_that_are_still_to_come(
    walk: Begin, protocol: Protocol
) -> None:
    patient = await begun(walk, protocol, 2, 8)
    first, second = await due(patient)
    await relapsed(patient, first)
    await patient.until_there("plan/2")
    await patient.approve(await patient.propose(2, sessions=1, preparation_sessions=0), 2)
    for session in (2, 3):
        await patient.until_there(f"session/{session}")
        cancel = m.CancelSession(key=a_key(), actor=PEOPLE[Role.COORDINATOR], reason="not now")
        await patient.say("cancel_session", cancel, f"session/{session}")
    await patient.decide("stop")
    await patient.until_there("follow-up/2")
    await patient.forward_to(second, "follow-up/2")
    await patient.answer("follow-up/2", phq9=0)
    await end(patient, Stage.FINISHED)
    assert [fact.week for fact in await patient.facts("follow-up.measured")] == [2, 2, 8]
    assert await patient.facts("follow-up.missed") == []


@pytest.mark.parametrize("how", ["rejected", "lapsed"])
async def test_a_booster_plan_that_comes_to_nothing_does_not_end_the_course(
    walk: Begin, protocol: Protocol, how: str
) -> None:
    rounds = {"plan": {"rounds_max": 1}}
    patient = walk(shortened(protocol, schedule={"sessions": 1}, follow_up={"weeks": (2, 8)}, **rounds))
    await at_treating(patient)
    await patient.whole_session(phq9=0)
    await patient.until_there(PART)
    first, second = await due(patient)
    await relapsed(patient, first)
    await patient.until_there("plan/2")
    if how == "rejected":
        plan_hash = await patient.propose(2, sessions=1, preparation_sessions=0)
        rejection = m.RejectPlan(
            key=a_key(), actor=PEOPLE[Role.THERAPIST], plan_hash=plan_hash, reason="not now"
        )
        await patient.say("reject_plan", rejection, "plan/2")
    else:
        await patient.wait_out(patient.protocol.plan.draft, "draft-plan", "plan/2")
    await patient.until_there("follow-up/2")
    assert await patient.stage() is Stage.FOLLOW_UP
    await patient.forward_to(second, "follow-up/2")
    await patient.answer("follow-up/2", phq9=0)
    await end(patient, Stage.FINISHED)


async def test_a_course_is_not_screened_for_ever_without_a_dose(walk: Begin, protocol: Protocol) -> None:
    short = shortened(
        protocol, schedule={"sessions": 1}, follow_up={"weeks": (26, 52)}, screening={"rounds_max": 1}
    )
    patient = await at_treating(walk(short))
    await patient.whole_session(phq9=0)
    await patient.until_there(PART)
    first, second = await due(patient)
    for part, at in ((PART, first), ("follow-up/2", second)):
        await patient.until_there(part)
        await relapsed(patient, at, part)
        if part == PART:
            await patient.until_there("screening/2")  # the first round since the last dose: it may be made
            await patient.wait_out(short.screening.collect, "collect-screening", "screening/2")
    await end(patient, Stage.FINISHED)
    moves = [fact.reason for fact in await patient.facts("journey.stage-changed")]
    assert "screened too often without a dose" in moves


async def test_an_admission_after_a_response_is_a_relapse_without_a_second_reading(
    walk: Begin, protocol: Protocol
) -> None:
    patient = await begun(walk, protocol, 8, 12)
    admitted = await a_report(
        patient, PART, term="other", grade=2, seriousness=["hospitalisation"], drug=protocol.drug
    )
    await patient.say("report_adverse_event", admitted)
    await patient.until_written("follow-up.relapse-found")
    [found] = await patient.facts("follow-up.relapse-found")
    assert [reason.rule for reason in found.reasons] == ["RELAPSE-EVENT"]
    resume = m.Resume(key=a_key(), actor=PEOPLE[Role.MEDICAL_DIRECTOR], reason="reviewed")
    await patient.say("resume", resume)
    await patient.until_there("plan/2")
    await patient.wait_out(protocol.plan.draft, "draft-plan", "plan/2")
    await patient.until_there("follow-up/2")  # one relapse is one proposal: it is not found again
    assert len(await patient.facts("follow-up.relapse-found")) == 1
    await over(patient)
