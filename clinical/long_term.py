"""Which long-term effects have to be looked for now, and what follows when one is found?

Bladder, liver, cognition, misuse and the reason to go on at all: each first after so many doses and then every
so many days while the course lasts, by the protocol. A check that was not done stays due. Blood pressure is
looked at in every session and pregnancy before each dose (`clinical.pre_dose_gate`).
Source: clinical-facts §7.5 (intervals D; bladder and liver C/W).
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from clinical.adverse_events import Duty, Required
from clinical.decision import Confidence, Reason, Verdict
from clinical.instants import Instant, elapsed_hours, in_utc, later
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.protocol_duties import CheckCode, LongTermCheck


class CheckResult(StrEnum):
    """How a check came out; `not-done` leaves it due."""

    NORMAL = "normal"
    ABNORMAL = "abnormal"
    NOT_DONE = "not-done"


class SafetyCheck(BaseModel):
    """One check as somebody did it, or did not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: CheckCode
    result: CheckResult
    at: Instant
    note: Annotated[str, Field(max_length=2000)] | None = None


class DueCheck(BaseModel):
    """A check that is due: since when, whose it is, how long they have, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: CheckCode
    due_at: Instant
    owner: Role
    within_hours: float
    reason: Reason


_AFTER_A_FINDING: dict[CheckCode, str] = {
    CheckCode.URINARY_SYMPTOMS: "urinary symptoms: urinalysis now, refer if they stay",
    CheckCode.URINALYSIS: "abnormal urinalysis: refer, and weigh further doses",
    CheckCode.LIVER_PANEL: "abnormal liver panel: refer, and weigh further doses",
    CheckCode.COGNITION: "cognition has changed: examine, and weigh further doses",
    CheckCode.SUBSTANCE_USE: "use between the sessions: drug screen, prescription monitoring, talk about it",
    CheckCode.PRESCRIPTION_MONITORING: "prescription monitoring found something: talk about it, weigh the plan",
    CheckCode.FACE_TO_FACE_REVIEW: "the review found no reason to go on: decide about the course",
}
"""What is asked of the prescriber. Source: facts §7.5 (D; refer: label, C)."""


def checks_due(
    doses: Sequence[datetime], recorded: Sequence[SafetyCheck], protocol: Protocol, now: datetime
) -> tuple[DueCheck, ...]:
    """Which checks are due by now, longest due first?

    `doses`: when each session was dosed. `recorded`: what was done so far, in any order; a check from before
    the dose after which it is first due does not stand for it. Source: facts §7.5.
    """
    found = [
        due for rule in protocol.long_term if (due := _due(rule, sorted(doses, key=in_utc), recorded, now))
    ]
    return tuple(sorted(found, key=lambda due: (due.due_at, due.code)))


def review_of(check: SafetyCheck, protocol: Protocol) -> tuple[Required, str] | None:
    """What does the prescriber owe after this check, by when, and in which words? None unless it is abnormal.

    The deadline is as long as that of the check itself; without one in the protocol it is at once.
    """
    if check.result is not CheckResult.ABNORMAL:
        return None
    hours = next((rule.ask.due_hours for rule in protocol.long_term if rule.code is check.code), 0)
    owed = Required(duty=Duty.REVIEW_SAFETY_CHECK, owner=Role.PRESCRIBER, due_at=later(check.at, hours=hours))
    return owed, _AFTER_A_FINDING[check.code]


def _due(
    rule: LongTermCheck, doses: Sequence[datetime], recorded: Sequence[SafetyCheck], now: datetime
) -> DueCheck | None:
    last = _last(rule.code, recorded)
    found_at = _symptoms_since(last, recorded) if rule.code is CheckCode.URINALYSIS else None
    if found_at is not None:
        due_at, why = found_at, "urinary symptoms were found"
    elif len(doses) < rule.after_doses:
        return None
    else:
        first = doses[rule.after_doses - 1]
        repeats = last is not None and last.at >= first
        due_at = later(last.at, days=rule.every_days) if repeats and last is not None else in_utc(first)
        why = f"every {rule.every_days} d" if repeats else f"first after dose {rule.after_doses}"
    if elapsed_hours(due_at, now) < 0:
        return None
    reason = Reason(
        rule=f"LONG-TERM-{rule.code}",
        verdict=Verdict.REVIEW,
        text=f"{rule.code.replace('-', ' ')} is due: {why}",
        source="clinical facts §7.5",
        confidence=Confidence.DESIGN,
        value=str(len(doses)),
        unit="{doses}",
        observed_at=last.at if last else None,
        available_at=due_at,
    )
    return DueCheck(
        code=rule.code,
        due_at=due_at,
        owner=rule.ask.owner,
        within_hours=rule.ask.due_hours,
        reason=reason,
    )


def _last(code: CheckCode, recorded: Sequence[SafetyCheck]) -> SafetyCheck | None:
    """The last one that was really done."""
    done = [one for one in recorded if one.code is code and one.result is not CheckResult.NOT_DONE]
    return max(done, key=lambda one: one.at, default=None)


def _symptoms_since(last: SafetyCheck | None, recorded: Sequence[SafetyCheck]) -> datetime | None:
    """When were urinary symptoms found that no urinalysis has followed yet?"""
    asked = _last(CheckCode.URINARY_SYMPTOMS, recorded)
    if asked is None or asked.result is not CheckResult.ABNORMAL:
        return None
    return asked.at if last is None or last.at < asked.at else None
