"""What is sent about what is owed: proof of a duty, its release, long-term checks."""

from pydantic import ConfigDict, Field

from api.schemas.answers import Page
from api.schemas.values import Act, In, Instant, Words
from clinical.long_term import CheckResult
from clinical.protocol_duties import CheckCode
from services.records.task_views import TaskView


class DutyDoneIn(Act):
    """A duty is done. `evidence`: the reference of the submission, or what was done about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"task_id": "session/3/submit-rems-form/1", "evidence": "REMS portal, confirmation 4711-22"}
            ]
        }
    )

    task_id: str = Field(min_length=1, max_length=300)
    evidence: Words


class DutyReleaseIn(Act):
    """Nobody did it, and everybody was called: the medical director lets go of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"task_id": "session/3/submit-rems-form/1", "reason": "submitted on paper before the outage"}
            ]
        }
    )

    task_id: str = Field(min_length=1, max_length=300)
    reason: Words


class SafetyCheckIn(In):
    """One long-term check: what was looked at, how it came out, when."""

    code: CheckCode
    result: CheckResult
    at: Instant
    note: Words | None = None


class SafetyChecksIn(Act):
    """Long-term checks that were done, or not."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"checks": [{"code": "liver-panel", "result": "normal", "at": "2026-05-04T10:00:00-04:00"}]}
            ]
        }
    )

    checks: tuple[SafetyCheckIn, ...] = Field(min_length=1, max_length=20)


class DutiesOut(Page):
    """What is owed whatever becomes of the course, most urgent first. The course closes when none is left.

    `counts`: by code, over all that are open.
    """

    items: list[TaskView]
    counts: dict[str, int]
