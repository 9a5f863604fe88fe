"""What is sent about somebody at risk: a concern, taking over, closing, a safety plan, a contact afterwards."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.answers import Page, TotalPage
from api.schemas.values import Act, Flag, In, Whole, Words
from clinical.risk import Disposition, RiskLevel
from services.records.risk_views import RiskCaseLine, SafetyPlanView

Note = Annotated[Words, Field(max_length=4000)]
Step = Annotated[Words, Field(max_length=500)]
Steps = Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]

PLAN: dict[str, Any] = {
    "warning_signs": ["does not sleep", "stays in bed past noon"],
    "own_coping": ["walk to the river", "play the piano"],
    "people_and_places": ["the library", "coffee with a neighbour"],
    "people_to_ask": ["sister, by phone at any hour"],
    "professionals_and_lines": ["the clinic by day", "988, call or text, at any hour"],
    "safer_surroundings": ["the brother keeps the medicines"],
}


class AcknowledgementIn(Act):
    """A clinician takes the case over."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class ResolutionIn(Act):
    """How a risk case ends. `without_plan`: why there is no safety plan, if there should be one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"disposition": "safety-plan", "note": "plan made with the patient and a relative"}]
        }
    )

    disposition: Disposition
    note: Note
    without_plan: Words | None = None


class ConcernIn(Act):
    """Why somebody of the staff is worried about the patient, and whether the patient is here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text": "said on the phone that nothing is worth it any more", "on_site": False}]
        }
    )

    text: Note
    on_site: Flag
    level: Literal[RiskLevel.MODERATE, RiskLevel.HIGH] | None = Field(
        default=None, description="default: the protocol's"
    )


class SafetyPlanParts(In):
    """The six parts, from alone to with others; none may be empty. It is made with the person."""

    warning_signs: Steps
    own_coping: Steps
    people_and_places: Steps
    people_to_ask: Steps
    professionals_and_lines: Steps
    safer_surroundings: Steps


class SafetyPlanIn(Act):
    """A new version of the safety plan. To review one without a change, send it again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"plan": PLAN}]})

    plan: SafetyPlanParts


class CaringContactIn(Act):
    """A contact after a risk case. `closed-unreached`: a licensed clinician ends the attempts, and says how.

    `worried` opens a risk case with the note. Without `number` it is the first contact that is still owed.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"outcome": "reached", "note": "sleeps again, sister is there"}]}
    )

    outcome: Literal["reached", "not-reached", "closed-unreached"]
    note: Note
    worried: Flag = False
    on_site: Flag = False
    number: Annotated[Whole, Field(ge=1, le=20)] | None = None


class SafetyPlansOut(TotalPage):
    """Every version, oldest first unless asked otherwise; the last one counts."""

    items: list[SafetyPlanView]


class RiskCasePage(Page):
    """Risk cases of a site; `counts` by status, over all of them."""

    items: list[RiskCaseLine]
    counts: dict[str, int]
