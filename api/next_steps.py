"""Which act does an open task ask for, who may do it, and where is it sent? One table from task to act."""

from datetime import datetime

from api.auth import ACTS
from api.schemas.answers import Step
from clinical.adverse_events import KEPT_UNTIL_DONE, Duty
from services.records.views import TaskView

ACT_OF: dict[str, tuple[str, str]] = {
    "book-consultation": ("book_consultation", "/consultation"),
    "record-consultation": ("record_consultation", "/consultation/outcome"),
    "take-consent": ("give_consent", "/consent"),
    "collect-screening": ("record_interview", "/interview"),
    "sign-screening": ("sign_screening", "/signature"),
    "draft-plan": ("propose_plan", "/proposal"),
    "approve-plan": ("approve_plan", "/approvals"),
    "hold-preparation": ("record_preparation", "/preparations"),
    "book-session": ("book_session", "/booking"),
    "readiness": ("answer_readiness", "/readiness"),
    "check-in": ("check_in", "/check-in"),
    "give-dose": ("give_dose", "/dose"),
    "take-reading": ("record_observation", "/observations"),
    "next-day-contact": ("record_contact", "/contact"),
    "patient-not-reached": ("record_contact", "/contact"),
    "hold-integration": ("record_integration", "/integration"),
    "late-integration": ("record_integration", "/integration"),
    "decide-course": ("decide_course", "/decisions"),
    "acknowledge-risk": ("acknowledge_risk", "/acknowledgement"),
    "resolve-risk": ("resolve_risk", "/resolution"),
    "caring-contact": ("record_caring_contact", "/contacts"),
    "contact-not-reached": ("record_caring_contact", "/contacts"),
    "review-safety-plan": ("record_safety_plan", "/safety-plans"),
    "review-pause": ("resume_journey", "/resume"),
}
"""Task code to act and the end of its address."""

FOLLOW_UP_TASK = "follow-up-week-"
CHECK_TASK = "safety-check-"
MESSAGE_TASK = "message/"
"""The task of a message is settled where the message is read."""

_COLLECTION = {
    "screening": "screenings",
    "plan": "plans",
    "session": "sessions",
    "follow-up": "follow-ups",
    "risk": "risk-cases",
}


def step(task: TaskView, course_href: str, now: datetime) -> Step:
    """The task as something to do. A task without an act of its own is settled by other means: no address."""
    act, ending = ACT_OF.get(task.code, (None, ""))
    if task.code.startswith(FOLLOW_UP_TASK):
        act, ending = "answer_follow_up", "/questionnaires"
    where = _part(task.task_id)
    if task.task_id.startswith(MESSAGE_TASK):
        act, course_href, where = "settle_inbox_case", "/v1/inbox", task.task_id.removeprefix("message")
        ending = "/settlement"
    if task.code.startswith(CHECK_TASK):
        of_follow_up = where.startswith("/follow-ups")
        act = "record_follow_up_checks" if of_follow_up else "record_safety_checks"
        where, ending = where if of_follow_up else "", "/safety-checks"
    if task.code in KEPT_UNTIL_DONE:  # the journey's, whichever part it came from
        act, where, ending = "complete_duty", "", "/duties/completion"
    if task.code == Duty.COMPLETE_DRAFT:
        event_id = task.task_id.rpartition("/")[2].partition(".")[0]
        act, ending = "amend_adverse_event", f"/adverse-events/{event_id}/amendment"
    return Step(
        task_id=task.task_id,
        code=task.code,
        owner=task.owner,
        due_at=task.due_at,
        overdue=task.due_at < now,
        reason=task.reason,
        act=act,
        href=f"{course_href}{where}{ending}" if act else None,
        roles=sorted(ACTS[act]) if act else [],
    )


def _part(task_id: str) -> str:
    """Where in the course the task belongs: `session/3/book-session/1` is in /sessions/3."""
    kind, *rest = task_id.split("/")
    return f"/{_COLLECTION[kind]}/{rest[0]}" if kind in _COLLECTION and len(rest) == 3 else ""
