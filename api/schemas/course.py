"""What is sent about a course as a whole: pausing, leaving, deciding, adverse events."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.values import Act, Instant, Whole, Words
from clinical.adverse_events import Grade, Measured, Outcome, Relatedness, Seriousness, Term


class ReasonIn(Act):
    """An act that needs nothing but a reason."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "the patient is travelling"}]})

    reason: Words


class LeavingIn(Act):
    """The course is left. `channel`: how the wish was made known."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "does not want to go on", "channel": "phone"}]}
    )

    reason: Words
    channel: Literal["in-person", "phone", "email", "web", "letter"] = "in-person"


class MigrationIn(Act):
    """To which protocol, by its canonical name `url|version`, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "protocol": "https://example.org/PlanDefinition/kap-iv-racemic|1.0.0",
                    "reason": "longer stay after a dose",
                }
            ]
        }
    )

    protocol: Annotated[str, Field(max_length=300, pattern=r"^[!-~]+$")]
    reason: Words


class PreparationIn(Act):
    """One preparation session that was held."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"held_at": "2026-03-12T15:00:00-04:00"}]})

    held_at: Instant


class DecisionIn(Act):
    """Go on, change or stop, after a dose at which the protocol asks."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"choice": "go-on", "reason": "PHQ-9 down from 19 to 11"}]}
    )

    choice: Literal["go-on", "change", "stop"]
    reason: Words


class MeasuredIn(Measured):
    """The raw values behind a grade; without them the highest pressure of the session is taken."""


class AdverseEventIn(Act):
    """One adverse event. `seriousness` []: judged not serious; null: not judged yet, which makes it a draft.

    Drug, zone and the dose before it come from the record.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "session": 1,
                    "term": "nausea",
                    "grade": 1,
                    "seriousness": [],
                    "relatedness": "probable",
                    "outcome": "recovered",
                    "onset_at": "2026-03-16T10:20:00-04:00",
                }
            ]
        }
    )

    session: Annotated[Whole, Field(ge=1)] | None = None
    term: Term
    grade: Grade | None
    seriousness: tuple[Seriousness, ...] | None
    relatedness: Relatedness | None = None
    outcome: Outcome = Outcome.UNKNOWN
    onset_at: Instant
    known_at: Instant | None = Field(default=None, description="when the clinic learnt of it; default: now")
    measured: MeasuredIn = Field(
        default=MeasuredIn(), description="raw values, from which a grade is suggested"
    )

    def message(self) -> dict[str, Any]:
        return self.model_dump(include={"session", "occurred_at"})
