"""How is a long-term check written down, and what becomes of one that found something?

The rules are in `clinical/long_term.py`. Asking rides on what is written anyway: when a session or a week of
follow-up opens. What was found abnormal becomes a duty of the prescriber, kept by the journey.
"""

from collections.abc import Sequence
from datetime import datetime

from temporalio import workflow

from clinical.events import SafetyCheckRecorded
from clinical.long_term import CheckResult, SafetyCheck, review_of
from clinical.people import CLINICIANS, Actor
from clinical.protocol import Protocol
from clinical.protocol_duties import CheckCode
from workflows.messages import Command, DutyArose, DutyOwed, RecordSafetyChecks
from workflows.part import Part
from workflows.refusals import refusal, require_role

_PREFIX = "safety-check-"


def task_code(code: CheckCode) -> str:
    """The code of the task that asks for this check."""
    return f"{_PREFIX}{code}"


def is_check(code: str) -> bool:
    """Does this task ask for a long-term check?"""
    return code.startswith(_PREFIX)


def may_record_checks(command: RecordSafetyChecks, today: datetime) -> None:
    """Refuse who may not look, and what cannot have been seen yet."""
    require_role(command.actor, *CLINICIANS)
    refuse_impossible(command.checks, today)


def refuse_impossible(checks: Sequence[SafetyCheck], today: datetime) -> None:
    """Refuse what lies after the clinical now, and what is said twice."""
    faults = [
        {"pointer": f"/checks/{index}/at", "detail": "lies in the future", "code": "time"}
        for index, check in enumerate(checks)
        if check.at > today
    ]
    codes = [check.code for check in checks]
    faults += [
        {"pointer": f"/checks/{index}/code", "detail": "stands twice", "code": "duplicate"}
        for index, code in enumerate(codes)
        if code in codes[:index]
    ]
    if faults:
        raise refusal("invalid-time", "some checks cannot be taken", errors=faults)


def note_checks(
    part: Part, command: Command, checks: Sequence[SafetyCheck], protocol: Protocol, session: int | None
) -> list[DutyArose]:
    """One fact for each check; a task for the prescriber for each that found something."""
    arose: list[DutyArose] = []
    for check in checks:
        fact = SafetyCheckRecorded(session=session, check=check)
        part.journal.note(command.key, fact, actor=command.actor, at=check.at, nth=check.code)
        if (found := review_of(check, protocol)) is None:
            continue
        owed, words = found
        assert owed.due_at is not None
        duty = DutyOwed(
            code=owed.duty,
            owner=owed.owner,
            due_at=owed.due_at,
            reason=words,
            session=session,
            opened_at=part.today(),
        )
        task_id = part.open_task(duty.code, duty.owner, duty.due_at, words, f"{command.key}-{check.code}")
        arose.append(DutyArose(task_id=task_id, duty=duty))
    return arose


def close_asked(part: Part, checks: Sequence[SafetyCheck], actor: Actor) -> None:
    """Whoever was asked for a check that is done now is not asked any more."""
    done = {task_code(check.code) for check in checks if check.result is not CheckResult.NOT_DONE}
    for task_id in [task_id for task_id, task in part.tasks.items() if task.code in done]:
        part.close_task(task_id, actor)


async def hand_over(part: Part, duties: Sequence[DutyArose]) -> None:
    """Give what outlives this part to its journey."""
    for one in duties:
        part.tasks.pop(one.task_id, None)
        await workflow.get_external_workflow_handle(part.journey_id).signal("duty_arose", one)
