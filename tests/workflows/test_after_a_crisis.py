"""A case is closed, and the person is not forgotten: the safety plan, the contacts, and what comes too late."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus

from clinical.events import RiskJoined, RiskOpened, RiskPaged, RiskResolved
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.risk import Disposition
from tests.workflows.risk_words import (
    LOW,
    MODERATE,
    NURSE,
    PART,
    PRESCRIBER,
    calls_somebody,
    case,
    closed,
    contacted,
    planned,
    screened,
)
from tests.workflows.shortcut import at_treating, shortened
from tests.workflows.walk import PEOPLE, Walk
from workflows import messages as m

OF_CASE = (RiskJoined, RiskOpened, RiskPaged, RiskResolved)
Begin = Callable[..., Walk]


async def with_case(patient: Walk, answers: dict[str, int] = MODERATE) -> str:
    await patient.to_screening()
    await screened(patient, answers)
    return await case(patient)


async def is_over(patient: Walk, part: str) -> None:
    async def over() -> bool:
        return (await patient.handle(part).describe()).status is WorkflowExecutionStatus.COMPLETED

    await patient.eventually(over)


async def ends(patient: Walk) -> None:
    await patient.leave()
    await patient.outcome()
    await patient.assert_sound()


async def open_tasks(patient: Walk, part: str) -> list[str]:
    """The codes of the tasks of this part that nobody has done."""
    ended = {f.task_id for kind in ("task.completed", "task.cancelled") for f in await patient.facts(kind)}
    opened = await patient.facts("task.opened")
    return [f.code for f in opened if f.task_id.startswith(part + "/") and f.task_id not in ended]


async def test_a_moderate_case_is_not_closed_without_a_safety_plan_or_a_reason(walk: Begin) -> None:
    patient = walk()
    part = await with_case(patient)
    for disposition in (Disposition.CONTINUED_WITH_MONITORING, Disposition.SAFETY_PLAN):
        bare = closed(disposition=disposition, without_plan=None)
        no = await patient.refused("resolve_risk", bare, part)
        assert (no.code, no.reasons) == ("safety-plan-required", ["RISK-SAFETY-PLAN"])
    excuse = closed(disposition=Disposition.SAFETY_PLAN, without_plan="no time")
    assert (await patient.refused("resolve_risk", excuse, part)).code == "safety-plan-required"
    desk = planned(PEOPLE[Role.COORDINATOR])
    assert (await patient.refused("record_safety_plan", desk)).code == "wrong-role"
    made = planned()
    await patient.say_twice("record_safety_plan", made)
    [recorded] = await patient.facts("safety-plan.recorded")
    [entry] = [e for e in await patient.record() if e.fact == recorded]
    assert (recorded.plan, entry.actor) == (made.plan, made.actor)
    days = patient.protocol.risk.safety_plan_review_days
    assert recorded.review_by == entry.occurred_at + timedelta(days=days)
    await patient.say("resolve_risk", closed(disposition=Disposition.SAFETY_PLAN, without_plan=None), part)
    await ends(patient)


async def test_a_plan_is_reviewed_in_time_or_somebody_hears_of_it(walk: Begin, protocol: Protocol) -> None:
    patient = walk(shortened(protocol, risk={"safety_plan_review_days": 1}))
    await patient.to_consultation()
    await patient.say("record_safety_plan", planned())
    await patient.forward(hours=23)
    assert await patient.overdue("review-safety-plan") == []
    await patient.forward(hours=2)
    await patient.until_written("task.overdue")
    assert await patient.overdue("review-safety-plan") == [Role.PRESCRIBER]
    await patient.say("record_safety_plan", planned(PRESCRIBER))
    reviews = [f for f in await patient.facts("task.opened") if f.code == "review-safety-plan"]
    assert len(reviews) == 2 and await open_tasks(patient, "journey/review-safety-plan") != []
    await ends(patient)
    assert await open_tasks(patient, "journey") == []


async def test_two_contacts_are_owed_and_hold_up_no_dose(walk: Begin, protocol: Protocol) -> None:
    patient = walk(shortened(protocol))
    await at_treating(patient)
    order = await patient.to_chair()
    await screened(patient, MODERATE, patient.part)
    part = await case(patient)
    await patient.say("resolve_risk", closed(), part)
    await screened(patient, {"q1": 0, "q2": 0, "q6": 0}, patient.part)
    given = await patient.give(order)
    assert await open_tasks(patient, part) == ["caring-contact", "caring-contact"]
    await patient.in_the_chair(given.at, order.order.dose_mg)
    await patient.discharge()
    early = await patient.refused("record_caring_contact", contacted(), part)
    assert (early.code, early.reasons) == ("invalid-time", ["RISK-CONTACT-EARLY"])
    await patient.leave()  # the course ends, the contacts do not
    await patient.outcome()
    await patient.forward(part, hours=30)
    assert (await patient.say("record_caring_contact", contacted(), part)).detail == {"number": "1"}
    again = await patient.refused("record_caring_contact", contacted(number=1), part)
    assert again.code == "not-possible-now"
    await patient.forward(part, days=5, hours=12)
    assert (await patient.say("record_caring_contact", contacted(), part)).detail == {"number": "2"}
    await is_over(patient, part)
    assert await open_tasks(patient, part) == []
    await patient.assert_sound()


async def test_nobody_calls_and_it_climbs_to_the_prescriber_and_the_director(walk: Begin) -> None:
    patient = walk()
    part = await with_case(patient)
    await patient.say("resolve_risk", closed(), part)
    first, not_reached = patient.protocol.risk.caring_contacts[0].ask, patient.protocol.therapy.not_reached
    await patient.forward(part, hours=first.due_hours + 1)
    await patient.until_written("task.overdue")
    assert await patient.overdue("caring-contact") == [Role.PRESCRIBER]
    await patient.forward(part, hours=first.give_up_hours - first.due_hours)
    await patient.until_written("risk.contact-missed")
    await patient.forward(part, hours=not_reached.due_hours + 1)
    await patient.until_written("task.overdue", 2)
    assert await patient.overdue("contact-not-reached") == [Role.MEDICAL_DIRECTOR]
    await patient.forward(part, days=16)
    await is_over(patient, part)
    missed = [f.number for f in await patient.facts("risk.contact-missed")]
    assert missed == [1, 2]
    await ends(patient)


async def test_who_is_not_reached_is_a_prescribers_matter_at_once(walk: Begin) -> None:
    patient = walk()
    part = await with_case(patient)
    await patient.say("resolve_risk", closed(), part)
    await patient.forward(part, hours=30)
    await patient.say("record_caring_contact", contacted("not-reached"), part)

    async def handed_up() -> bool:
        return "contact-not-reached" in await open_tasks(patient, part)

    await patient.eventually(handed_up)
    mails = [f.key for f in await patient.facts("message.settled")]
    assert any("contact/1/not-reached" in key for key in mails)
    for_nurse = await patient.refused("record_caring_contact", contacted("closed-unreached"), part)
    assert for_nurse.code == "wrong-role"
    ended = contacted("closed-unreached", PRESCRIBER, note="police found the patient well")
    assert (await patient.say_twice("record_caring_contact", ended, part)).state == "closed-unreached"
    assert await open_tasks(patient, part) == ["caring-contact"]
    await ends(patient)


@pytest.mark.parametrize("course_is_over", [False, True])
async def test_a_contact_that_leaves_one_worried_opens_the_next_case(
    walk: Begin, course_is_over: bool
) -> None:
    patient = walk()
    part = await with_case(patient)
    await patient.say("resolve_risk", closed(), part)
    if course_is_over:
        await patient.leave()
        await patient.outcome()
    await patient.say("record_caring_contact", contacted(worried=True, note="drinks again"), part)
    second = await case(patient, 2)
    await calls_somebody(patient, second)
    [raised] = await patient.facts("risk.concern-raised")
    assert raised.text == "drinks again" and second == f"risk/{raised.case_id}"
    assert "caring-contact" in await open_tasks(patient, part), "too early a contact fulfils nothing"
    await patient.say("resolve_risk", closed(), second)
    await (patient.assert_sound() if course_is_over else ends(patient))


@pytest.mark.parametrize(
    ("answers", "disposition"),
    [(LOW, Disposition.CONTINUED_WITH_MONITORING), (MODERATE, Disposition.DIED)],
)
async def test_no_contact_is_owed(walk: Begin, answers: dict[str, int], disposition: Disposition) -> None:
    patient = walk()
    part = await with_case(patient, answers)
    await patient.say("resolve_risk", closed(disposition=disposition, without_plan=None), part)
    await is_over(patient, part)
    await ends(patient)


@pytest.mark.parametrize("course_is_over", [False, True])
async def test_a_finding_between_closing_and_the_end_of_a_case_pages_somebody(
    walk: Begin, course_is_over: bool
) -> None:
    """The signal that was on its way while the case was closed must not be swallowed by it."""
    patient = walk()
    part = await with_case(patient)
    await patient.say("resolve_risk", closed(), part)
    if course_is_over:
        await patient.leave()
        await patient.outcome()
    late = m.RiskSignal(
        case_id="late", level="moderate", trigger="RISK-CSSRS-MODERATE", on_site=False,
        found_at=await patient.now(part), patient_id=patient.patient_id,
    )  # fmt: skip
    await patient.handle(part).signal("joined", late)
    await patient.until_there("risk/late")
    await calls_somebody(patient, "risk/late")
    assert await patient.facts("risk.joined") == [], "a closed case takes nobody in"
    await patient.say("resolve_risk", closed(disposition=Disposition.DIED), "risk/late")
    if not course_is_over:
        await patient.leave()


async def test_findings_and_closings_at_the_same_time_leave_no_finding_without_a_page(walk: Begin) -> None:
    """Whoever comes first: each finding is carried by a case that was open, and has paged, after it was made."""
    patient = walk()
    part = await with_case(patient)
    for number in range(1, 6):
        screens = (screened(patient, MODERATE) for _ in range(3))
        await asyncio.gather(patient.say("resolve_risk", closed(), part), *screens)
        opened = await patient.facts("risk.opened")
        assert len(opened) == 1 + 3 * number

        async def all_carried() -> bool:
            return await not_carried(patient) == []

        await patient.eventually(all_carried)
        part = await still_open(patient) or part
        if await still_open(patient) is None:
            await screened(patient, MODERATE)
            break
    if (last := await still_open(patient)) is not None:
        await patient.until_there(last)
        await patient.say("resolve_risk", closed(), last)
    await ends(patient)


async def not_carried(patient: Walk) -> list[str]:
    """The findings that neither paged nor joined a case that was not closed yet."""
    at = {(e.fact.kind, e.fact.case_id): e.seq for e in await patient.record() if isinstance(e.fact, OF_CASE)}
    joined = {fact.case_id: fact.joined_to for fact in await patient.facts("risk.joined")}
    forlorn = []
    for opened in [fact.case_id for fact in await patient.facts("risk.opened")]:
        if opened in joined:
            ended = at.get(("risk.resolved", joined[opened]))
            in_time = ended is None or at["risk.joined", opened] < ended
        else:
            in_time = ("risk.paged", opened) in at or ("risk.resolved", opened) in at
        forlorn += [] if in_time else [opened]
    return forlorn


async def still_open(patient: Walk) -> str | None:
    over = {f.case_id for kind in ("risk.joined", "risk.resolved") for f in await patient.facts(kind)}
    return next(
        (f"risk/{f.case_id}" for f in await patient.facts("risk.opened") if f.case_id not in over), None
    )


async def test_a_positive_answer_is_met_with_help_at_once(walk: Begin) -> None:
    patient = walk()
    await patient.to_screening()
    well = await patient.answer(PART)
    assert "help" not in well.detail
    ill = await patient.answer(PART, cssrs=LOW)
    for language in ("help", "help.es"):
        assert all(number in ill.detail[language] for number in ("988", "741741", "911"))
    assert "not monitored in real time" in ill.detail["help"]
    opened = await case(patient)
    await calls_somebody(patient, opened)
    await patient.say("resolve_risk", closed(NURSE.model_copy(update={"role": Role.THERAPIST})), opened)
    await ends(patient)
