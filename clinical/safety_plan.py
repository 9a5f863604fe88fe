"""What is a safety plan, when must there be one, and when is it looked at again?

Six parts, in our own words and form: it is made with the person, not about them, and it is no promise not to
act. Each version is kept with its date and the clinician who made or reviewed it; a review that changes
nothing is a version too. Source: clinical facts §6.2 (moderate or more: a plan the same day), §6.3 (six
parts, version, date, reviewer, review at each positive screen and every 30-90 d).
"""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from clinical.decision import Decision, Reason, Verdict
from clinical.instants import in_utc, later
from clinical.instruments.answers import RiskLevel
from clinical.protocol import Protocol
from clinical.risk_disposition import Disposition
from clinical.risk_findings import SEVERITY

SOURCE = "clinical facts §6.2, §6.3"

Step = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
Steps = Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]


class SafetyPlan(BaseModel):
    """What this person does when it gets worse again, from alone to with others. No part may be empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    warning_signs: Steps
    own_coping: Steps
    people_and_places: Steps
    people_to_ask: Steps
    professionals_and_lines: Steps
    safer_surroundings: Steps


WITHOUT_PLAN = frozenset(
    {
        Disposition.REFERRED_TO_EMERGENCY,
        Disposition.WELFARE_CHECK,
        Disposition.HOSPITALISED,
        Disposition.CARE_TRANSFERRED,
        Disposition.FALSE_POSITIVE_RECONCILED,
        Disposition.DIED,
    }
)
"""Others have taken over, nobody was reached, or there was no risk: no plan can be made here and now."""


def is_serious(level: RiskLevel) -> bool:
    """Moderate or more? Unknown is: it may turn out to be high."""
    return SEVERITY[level] >= SEVERITY[RiskLevel.MODERATE]


def plan_in_hand(
    level: RiskLevel,
    disposition: Disposition,
    found_at: datetime,
    planned_at: datetime | None,
    without_plan: str | None,
) -> Decision:
    """May a case of this level be closed so, as far as the safety plan goes?

    A plan made or reviewed since the finding is needed from moderate on, unless the disposition says that
    somebody else has taken over. Who closes without one says why (a person may not want a plan), and cannot
    call the disposition "safety-plan".
    """
    if not is_serious(level) and disposition is not Disposition.SAFETY_PLAN:
        return Decision.of([_reason(Verdict.PASS, "a safety plan is offered, not asked for", level.value)])
    if disposition in WITHOUT_PLAN:
        return Decision.of([_reason(Verdict.PASS, "no safety plan can be made here", disposition.value)])
    if planned_at is not None and in_utc(planned_at) >= in_utc(found_at):
        text = "the safety plan was made or reviewed since the finding"
        return Decision.of([_reason(Verdict.PASS, text, planned_at.isoformat())])
    if disposition is not Disposition.SAFETY_PLAN and without_plan is not None and without_plan.strip():
        return Decision.of([_reason(Verdict.CAUTION, "closed without a safety plan, for a stated reason")])
    if planned_at is None:
        text = "there is no safety plan: record one, or state why the case is closed without"
        return Decision.of([_reason(Verdict.REFUSE, text, missing=True)])
    text = "the safety plan is older than the finding: review it, or state why the case is closed without"
    return Decision.of([_reason(Verdict.REFUSE, text, planned_at.isoformat(), limit=found_at.isoformat())])


def review_by(recorded_at: datetime, protocol: Protocol) -> datetime:
    """Until when is a plan of that instant to be reviewed, if no positive screen comes before?"""
    return later(recorded_at, days=protocol.risk.safety_plan_review_days)


def _reason(
    verdict: Verdict, text: str, value: str | None = None, *, limit: str | None = None, missing: bool = False
) -> Reason:
    return Reason(
        rule="RISK-SAFETY-PLAN", verdict=verdict, text=text, source=SOURCE, value=value, limit=limit,
        missing=missing,
    )  # fmt: skip
