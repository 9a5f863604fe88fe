"""What do people say about somebody at risk? Commands for the tests of risk cases."""

from __future__ import annotations

from typing import Any

from clinical.people import Actor, Role
from clinical.risk import Disposition
from clinical.safety_plan import SafetyPlan
from tests.workflows.walk import NO_RISK, PEOPLE, Walk, a_key, forms
from workflows import messages as m

PART = "screening/1"
COORDINATOR, NURSE = PEOPLE[Role.COORDINATOR], PEOPLE[Role.NURSE]
PRESCRIBER, THERAPIST = PEOPLE[Role.PRESCRIBER], PEOPLE[Role.THERAPIST]
LOW = {**NO_RISK, "q1": 1}
MODERATE = {**NO_RISK, "q6": 1, "q6_recent": 0}
HIGH = {**NO_RISK, "q2": 1, "q3": 1, "q4": 1, "q5": 0}
PLAN = SafetyPlan.model_validate(dict.fromkeys(SafetyPlan.model_fields, ("something that helps",)))


def taken_over(actor: Actor = NURSE) -> m.AcknowledgeRisk:
    return m.AcknowledgeRisk(key=a_key(), actor=actor)


def closed(actor: Actor = PRESCRIBER, **changes: Any) -> m.ResolveRisk:
    given = {
        "key": a_key(),
        "actor": actor,
        "disposition": Disposition.CONTINUED_WITH_MONITORING,
        "note": "brother stays",
        "without_plan": "wants to make one with the own therapist tomorrow",
    }
    return m.ResolveRisk.model_validate(given | changes)


def worried(actor: Actor = COORDINATOR, **changes: Any) -> m.RaiseConcern:
    given = {"key": a_key(), "actor": actor, "text": "cried on the phone", "on_site": False}
    return m.RaiseConcern.model_validate(given | changes)


def planned(actor: Actor = THERAPIST, **changes: Any) -> m.RecordSafetyPlan:
    return m.RecordSafetyPlan.model_validate({"key": a_key(), "actor": actor, "plan": PLAN} | changes)


def contacted(outcome: str = "reached", actor: Actor = NURSE, **changes: Any) -> m.RecordCaringContact:
    given = {"key": a_key(), "actor": actor, "outcome": outcome, "note": "spoke for a while"}
    return m.RecordCaringContact.model_validate(given | changes)


async def screened(patient: Walk, answers: dict[str, int], part: str = PART) -> m.SubmitQuestionnaires:
    """Nothing but the suicide screen, filled in; what it opened, if anything, is under way."""
    await patient.now(part)
    only = tuple(form for form in forms(cssrs=answers) if form.instrument == "c-ssrs-screener")
    command = m.SubmitQuestionnaires(key=a_key(), actor=NURSE, questionnaires=only)
    await patient.say("submit_questionnaires", command, part)
    return command


async def case(patient: Walk, number: int = 1) -> str:
    """The workflow of that risk case, there and at the time of the finding."""
    opened = (await patient.facts("risk.opened"))[number - 1]
    part = f"risk/{opened.case_id}"
    await patient.until_there(part)
    return part


async def paged(patient: Walk, part: str = "") -> list[Role]:
    """Who was called, in order; `part` asks for one case only."""
    calls = await patient.facts("risk.paged")
    return [fact.role for fact in calls if part in ("", f"risk/{fact.case_id}")]


async def has_paged(patient: Walk, *roles: Role) -> None:
    """These were called first, in this order; whoever was called since may follow."""
    await patient.until_written("risk.paged", len(roles))
    assert (await paged(patient))[: len(roles)] == list(roles)


async def calls_somebody(patient: Walk, part: str) -> None:
    """This case pages the first of the ladder."""

    async def called() -> bool:
        return Role.THERAPIST in await paged(patient, part)

    await patient.eventually(called)
