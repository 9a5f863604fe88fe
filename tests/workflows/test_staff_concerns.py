"""Somebody of the staff is worried: it counts like a positive screen, at every stage and beyond the course."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from activities.queues import TaskQueue
from clinical.events import ConcernRaised, RecordedEntry, RiskOpened
from clinical.journey import Stage
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.risk import Disposition, concern
from tests.workflows.risk_words import (
    LOW,
    PRESCRIBER,
    calls_somebody,
    case,
    closed,
    screened,
    taken_over,
    worried,
)
from tests.workflows.shortcut import at_treating, shortened
from tests.workflows.walk import PEOPLE, Walk, a_key
from workflows import messages as m
from workflows import names

Begin = Callable[..., Walk]


async def of_concern(patient: Walk, command: m.RaiseConcern) -> list[RecordedEntry]:
    return [e for e in await patient.record() if f":{command.key}:" in e.key]


@pytest.mark.parametrize(
    "role",
    [Role.COORDINATOR, Role.NURSE, Role.THERAPIST, Role.PRESCRIBER, Role.MEDICAL_DIRECTOR, Role.SYSTEM],
)
async def test_anybody_of_the_staff_opens_a_case_with_the_very_words(walk: Begin, role: Role) -> None:
    patient = walk()
    await patient.start()
    command = worried(PEOPLE[role])
    answer = await patient.say_twice("raise_concern", command)
    opened, words = await of_concern(patient, command)
    assert isinstance(opened.fact, RiskOpened) and isinstance(words.fact, ConcernRaised)
    assert words.seq == opened.seq + 1, "written together"
    assert words.actor == PEOPLE[role] and words.fact.text == command.text
    assert (opened.fact.level, opened.fact.trigger) == ("moderate", "RISK-STAFF-CONCERN")
    assert answer.detail["case_id"] == opened.fact.case_id == words.fact.case_id
    await calls_somebody(patient, await case(patient))
    await patient.say("resolve_risk", closed(), await case(patient))
    await patient.leave()
    await patient.outcome()
    await patient.assert_sound()


async def test_auditors_and_operations_raise_no_concern(walk: Begin) -> None:
    patient = walk()
    await patient.start()
    for role in (Role.AUDITOR, Role.OPS):
        assert (await patient.refused("raise_concern", worried(PEOPLE[role]))).code == "wrong-role"
    early = worried(occurred_at=(await patient.now()).replace(year=2150))
    assert (await patient.refused("raise_concern", early)).code == "invalid-time"
    await patient.leave()
    await patient.outcome()
    await patient.assert_sound()


async def test_a_worse_concern_calls_again_whoever_took_over_and_must_be_taken_over_before_closing(
    walk: Begin,
) -> None:
    patient = walk()
    await patient.to_screening()
    await screened(patient, LOW)
    part = await case(patient)
    await patient.say("acknowledge_risk", taken_over(), part)
    await patient.say("raise_concern", worried())
    await patient.until_written("risk.joined")
    await calls_somebody(patient, part)
    no = await patient.refused("resolve_risk", closed(disposition=Disposition.HOSPITALISED), part)
    assert (no.code, "take that over first" in str(no)) == ("not-possible-now", True)
    await patient.say("acknowledge_risk", taken_over(PRESCRIBER), part)
    await patient.say("resolve_risk", closed(disposition=Disposition.HOSPITALISED), part)
    [joined] = await patient.facts("risk.joined")
    assert part == f"risk/{joined.joined_to}" and joined.level == "moderate"
    await patient.leave()
    await patient.outcome()
    await patient.assert_sound()


async def test_a_concern_while_on_hold(walk: Begin) -> None:
    patient = walk()
    await patient.to_screening()
    await patient.say("pause", m.Pause(key=a_key(), actor=PEOPLE[Role.COORDINATOR], reason="away"))
    await patient.say("raise_concern", worried())
    part = await case(patient)
    await calls_somebody(patient, part)
    await patient.say("resolve_risk", closed(), part)
    await patient.leave()
    await patient.outcome()
    await patient.assert_sound()


async def test_a_concern_while_the_course_is_being_left(walk: Begin, protocol: Protocol) -> None:
    patient = walk(shortened(protocol))
    await at_treating(patient)
    order = await patient.to_chair()
    given = await patient.give(order)
    await patient.leave()  # somebody sits in the chair: the course ends when they have gone home
    raised = await patient.say("raise_concern", worried(on_site=True))
    part = f"risk/{raised.detail['case_id']}"
    await patient.until_running(part)
    [opened] = [entry for entry in await patient.record() if isinstance(entry.fact, RiskOpened)]
    # The case has the clock of its journey, days behind its part: up to the first page, no further.
    await patient.forward_to(opened.occurred_at + timedelta(seconds=1), part)
    await calls_somebody(patient, part)
    await patient.in_the_chair(given.at, order.order.dose_mg)
    await patient.discharge()
    assert (await patient.outcome()).stage is Stage.WITHDRAWN
    await patient.say("resolve_risk", closed(), part)
    await patient.assert_sound()


async def test_after_the_course_a_concern_opens_a_case_of_its_own(walk: Begin) -> None:
    patient = walk()
    await patient.start()
    await patient.leave()
    await patient.outcome()
    command = worried(level="high")
    answer = await open_case(patient, command)
    assert await open_case(patient, command) == answer, "the same request again changes nothing"
    opened, words = await of_concern(patient, command)
    assert isinstance(opened.fact, RiskOpened) and isinstance(words.fact, ConcernRaised)
    assert opened.fact.case_id == answer.detail["case_id"] == f"concern-{command.key}"
    part = f"risk/{opened.fact.case_id}"
    await calls_somebody(patient, part)
    assert (await patient.say("raise_concern", worried(level="high"), part)).state == "raised"
    await patient.until_written("risk.joined")
    await patient.say("resolve_risk", closed(disposition=Disposition.WELFARE_CHECK), part)
    late = await patient.say("raise_concern", worried(), part)
    await patient.until_there(f"risk/{late.detail['case_id']}")
    await calls_somebody(patient, f"risk/{late.detail['case_id']}")
    await patient.assert_sound()


async def open_case(patient: Walk, command: m.RaiseConcern) -> m.Accepted:
    """What the API does when the course is over."""
    found = concern(command.level, command.on_site, await patient.now(), patient.protocol)
    signal = m.RiskSignal(
        case_id=f"concern-{command.key}", level=found.level, trigger=found.trigger, on_site=found.on_site,
        found_at=found.found_at, patient_id=patient.patient_id,
    )  # fmt: skip
    start = m.StartRisk(
        journey_id=patient.journey_id,
        site="site-a",
        protocol=patient.protocol,
        finding=signal,
        concern=command,
    )
    operation: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
        "RiskEscalation", start, id=names.risk_id(patient.journey_id, signal.case_id),
        task_queue=TaskQueue.JOURNEY, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )  # fmt: skip
    answer: m.Accepted = await patient.client.execute_update_with_start_workflow(
        "raise_concern", command, id=command.key, start_workflow_operation=operation, result_type=m.Accepted
    )
    return answer
