"""A positive suicide screen on the real engine: written at once, called out until somebody comes, closed by who may."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from clinical.events import QuestionnaireScored, RecordedEntry, RiskOpened
from clinical.journey import Stage
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.risk import Disposition, RiskFinding, pages
from services.database import Database
from tests.workflows.risk_words import (
    HIGH,
    LOW,
    MODERATE,
    NURSE,
    PART,
    PRESCRIBER,
    THERAPIST,
    case,
    closed,
    has_paged,
    paged,
    screened,
    taken_over,
)  # fmt: skip
from tests.workflows.shortcut import at_treating, shortened
from tests.workflows.walk import NO_RISK, PEOPLE, Refused, Walk, a_key
from workflows import messages as m

ALLOWED = timedelta(minutes=240)
LADDER = [Role.THERAPIST, Role.PRESCRIBER, Role.MEDICAL_DIRECTOR]


async def transaction_of(database_url: str, patient: Walk, entry: RecordedEntry) -> str:
    """Which database transaction wrote this fact?"""
    query = text("select xmin::text from journey_entry where journey_id = :journey and seq = :seq")
    database = Database(database_url)
    async with database.transaction() as session:
        found = await session.scalar(query, {"journey": patient.journey_id, "seq": entry.seq})
    await database.dispose()
    assert isinstance(found, str)
    return found


async def leave(patient: Walk) -> None:
    await patient.leave()
    assert (await patient.outcome()).stage is Stage.WITHDRAWN
    await patient.assert_sound()


async def test_a_positive_screen_opens_a_case_in_the_same_write_as_the_answer(
    walk: Callable[..., Walk], database_url: str
) -> None:
    patient = walk()
    await patient.to_screening()
    command = await screened(patient, MODERATE)
    (opened,) = [e for e in await patient.record() if isinstance(e.fact, RiskOpened)]
    answered = (await patient.record())[opened.seq - 2]
    assert isinstance(answered.fact, QuestionnaireScored) and command.key in answered.key
    written = [await transaction_of(database_url, patient, entry) for entry in (answered, opened)]
    assert written[0] == written[1]
    fact = opened.fact
    assert isinstance(fact, RiskOpened) and (fact.level, fact.on_site) == ("moderate", True)
    assert fact.acknowledge_by == opened.occurred_at + ALLOWED
    part = await case(patient)
    await patient.say("resolve_risk", closed(), part)
    await leave(patient)


async def test_the_pages_climb_the_ladder_and_go_on_for_as_long_as_nobody_answers(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_screening()
    await screened(patient, MODERATE)
    part = await case(patient)
    await patient.forward(part, minutes=95)
    await patient.until_written("risk.paged", 12)
    (opened,) = await patient.facts("risk.opened")
    finding = RiskFinding(
        level=opened.level, trigger=opened.trigger, on_site=True, found_at=opened.acknowledge_by - ALLOWED
    )
    rounds = pages(finding, patient.protocol, finding.found_at + timedelta(minutes=95))
    called = [role for page in rounds for role in page.roles]
    assert called[:6] == LADDER + LADDER  # one after the other, then everyone, again and again
    assert await paged(patient) == called
    calls = [e for e in await patient.record() if e.fact.kind == "risk.paged"]
    due = [page.at for page in rounds for _ in page.roles]
    assert all(at <= e.occurred_at < at + timedelta(minutes=1) for at, e in zip(due, calls, strict=True))
    desk = await patient.refused("acknowledge_risk", taken_over(PEOPLE[Role.COORDINATOR]), part)
    assert desk.code == "wrong-role"
    acknowledged = taken_over(NURSE)
    assert (await patient.say_twice("acknowledge_risk", acknowledged, part)).state == "acknowledged"
    await patient.forward(part, hours=10)
    assert await paged(patient) == called  # silence, now that somebody has come
    sent = [mail.key for mail in await patient.facts("message.settled") if mail.template == "staff_page"]
    assert len([key for key in sent if "/page/" in key]) == len(called)
    for_nurse = await patient.refused("resolve_risk", closed(NURSE), part)
    assert (for_nurse.code, for_nurse.reasons) == ("wrong-role", ["RISK-RESOLVE-ROLE"])
    await patient.forward(part, hours=patient.protocol.risk.resolve_hours)
    await patient.until_written("task.overdue")
    assert await patient.overdue("resolve-risk") == [Role.MEDICAL_DIRECTOR]
    resolution = closed(THERAPIST)
    assert (await patient.say_twice("resolve_risk", resolution, part)).state == "resolved"
    with pytest.raises((RPCError, Refused)):
        await patient.say("resolve_risk", closed(), part)
    assert [f.disposition for f in await patient.facts("risk.resolved")] == [
        Disposition.CONTINUED_WITH_MONITORING
    ]
    await leave(patient)


async def test_a_negative_screen_closes_nothing_and_a_second_positive_one_joins_the_open_case(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_screening()
    await screened(patient, MODERATE)
    part = await case(patient)
    await patient.say("acknowledge_risk", taken_over(), part)
    await screened(patient, NO_RISK)
    assert await patient.facts("risk.resolved") == []
    await screened(patient, MODERATE)
    await patient.until_written("risk.joined")
    first, second = await patient.facts("risk.opened")
    (joined,) = await patient.facts("risk.joined")
    assert (joined.case_id, joined.joined_to) == (second.case_id, first.case_id)
    await patient.say("resolve_risk", closed(), part)
    await screened(patient, MODERATE)  # when that case is closed, the next finding opens one of its own
    third = await case(patient, 3)
    await patient.say("resolve_risk", closed(), third)
    assert len(await patient.facts("risk.joined")) == 1
    await leave(patient)


async def test_whoever_took_over_a_lesser_case_is_called_again_when_a_worse_finding_joins_it(
    walk: Callable[..., Walk],
) -> None:
    patient = walk()
    await patient.to_screening()
    await screened(patient, LOW)
    part = await case(patient)
    await has_paged(patient, Role.THERAPIST)
    await patient.say("acknowledge_risk", taken_over(), part)
    await screened(patient, HIGH)
    await patient.until_written("risk.joined")
    await patient.forward_to(await patient.now(PART), part)
    await has_paged(patient, Role.THERAPIST, Role.THERAPIST)
    await patient.forward(part, minutes=2)
    await has_paged(patient, Role.THERAPIST, Role.THERAPIST, Role.PRESCRIBER)
    await patient.say("acknowledge_risk", taken_over(PRESCRIBER), part)
    await patient.say("resolve_risk", closed(), part)
    assert len(await patient.facts("risk.acknowledged")) == 2
    await leave(patient)


async def test_a_case_outlives_the_journey_of_somebody_who_withdraws(walk: Callable[..., Walk]) -> None:
    patient = walk()
    await patient.to_screening()
    await screened(patient, MODERATE)
    part = await case(patient)
    await leave(patient)
    assert (await patient.handle(part).describe()).status is WorkflowExecutionStatus.RUNNING
    await patient.forward(part, minutes=12)
    await has_paged(patient, Role.THERAPIST, Role.PRESCRIBER)
    await patient.say("acknowledge_risk", taken_over(), part)
    assert (await patient.say("resolve_risk", closed(), part)).state == "resolved"
    assert len(await patient.facts("risk.resolved")) == 1
    await patient.assert_sound()


async def test_a_course_on_hold_does_not_silence_a_risk_case(walk: Callable[..., Walk]) -> None:
    patient = walk()
    await patient.to_screening()
    await patient.say("pause", m.Pause(key=a_key(), actor=PEOPLE[Role.COORDINATOR], reason="away"))
    await screened(patient, MODERATE)
    part = await case(patient)
    await patient.forward(part, minutes=12)
    await has_paged(patient, Role.THERAPIST, Role.PRESCRIBER)
    await patient.say("resolve_risk", closed(), part)
    await leave(patient)


async def test_no_dose_while_a_case_is_open_whatever_a_later_screen_says(
    walk: Callable[..., Walk], protocol: Protocol
) -> None:
    patient = walk(shortened(protocol))
    await at_treating(patient)
    order = await patient.to_chair()
    await screened(patient, LOW, patient.part)
    part = await case(patient)
    await patient.say("acknowledge_risk", taken_over(), part)
    await screened(patient, NO_RISK, patient.part)
    with pytest.raises(Refused) as no:
        await patient.give(order)
    assert (no.value.code, no.value.reasons) == ("gate-closed", ["G9"])
    assert await patient.facts("dose.given") == []
    await patient.say("resolve_risk", closed(), part)
    await patient.until_written("risk.resolved")
    given = await patient.give(order)
    await patient.in_the_chair(given.at, order.order.dose_mg)
    await patient.discharge()
    await leave(patient)
