"""What is sent about the personal plan: a proposal, an approval of exactly that, a return for changes."""

from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.values import Act, Code, Exact, In, LongWords, PlanHash, Whole, Words


class PlanContentIn(In):
    """What will be done, inside the clinic's protocol; doses in mg of base.

    `mg_per_kg` where the protocol doses by weight, `dose_mg` where it doses in whole lozenges or devices.
    """

    sessions: Annotated[Whole, Field(ge=1, le=20)]
    mg_per_kg: Annotated[Exact, Field(gt=0)] | None = None
    dose_mg: Annotated[Exact, Field(gt=0, description="the largest single dose, in mg")] | None = None
    max_mg: Annotated[Exact, Field(gt=0, description="never more than this in one session, in mg")]
    boosters: Annotated[Whole, Field(ge=0, le=5, description="further doses in one session")] = 0
    infusion_minutes: Annotated[Whole, Field(gt=0)] | None = None
    phase: Annotated[Code, Field(max_length=40)] | None = Field(
        default=None, description="the protocol's phase; without it the first one"
    )
    preparation_sessions: Annotated[Whole, Field(ge=0)]
    goals: Annotated[LongWords, Field(max_length=4000)]


class ProposalIn(Act):
    """A new version of the plan; it voids all approvals of earlier ones. Whoever proposes cannot approve."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "content": {
                        "sessions": 6,
                        "mg_per_kg": 0.5,
                        "max_mg": 60,
                        "infusion_minutes": 40,
                        "preparation_sessions": 2,
                        "goals": "return to work; sleep through the night",
                    }
                }
            ]
        }
    )

    content: PlanContentIn


class ApprovalIn(Act):
    """Approval of the plan whose hash stands in the header If-Match."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class RejectionIn(Act):
    """Back to drafting, with a reason."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"plan_hash": "0f" * 32, "reason": "fewer sessions to begin with"}]}
    )

    plan_hash: PlanHash
    reason: Words
