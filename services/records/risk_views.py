"""What does the record answer about risk? Cases, contacts after them, safety plans, with people's words in clear."""

from datetime import datetime

from clinical.risk_actions import RiskAction
from clinical.safety_plan import SafetyPlan
from services.records.view import View


class CaringContactView(View):
    """A contact after a crisis: `missed` when its time ran out without one."""

    number: int
    outcome: str
    worried: bool
    at: datetime
    made_by: str | None
    note: str | None


class SafetyPlanView(View):
    """One version of the safety plan, with who made or reviewed it, and until when it is to be reviewed."""

    version: int
    recorded_at: datetime
    recorded_by: str
    review_by: datetime
    plan: SafetyPlan


class RiskCaseView(View):
    """`actions` is what must be done, by level and place, for as long as the case is open."""

    case_id: str
    status: str
    level: str
    on_site: bool | None
    opened_at: datetime
    acknowledge_by: datetime | None
    joined_to: str | None
    paged_role: str | None
    paged_rung: int | None
    pages: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    disposition: str | None
    trigger: str | None
    note: str | None
    without_plan: str | None
    concern: str | None
    actions: tuple[RiskAction, ...]
    contacts: tuple[CaringContactView, ...]


class RiskCaseLine(View):
    """One risk case in the list of a site, without words."""

    journey_id: str
    case_id: str
    status: str
    level: str
    on_site: bool | None
    opened_at: datetime
    acknowledge_by: datetime | None
    paged_role: str | None
    pages: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    disposition: str | None
