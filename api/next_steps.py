"""Which act does an open task ask for, who may do it, what has to be shown, and where is it sent?

One table from task to command. Tests look through the workflows for every task that they open: one that is not
in the table fails them.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from api.auth import ACTS, STEERING
from api.schemas.answers import Step
from clinical.adverse_events import KEPT_UNTIL_DONE, Duty
from clinical.booking_tasks import BookingTask
from clinical.custody_events import CustodyDuty
from clinical.people import Role
from services.records import booking_tasks
from services.records.review_tasks import PART, REVIEW
from services.records.task_views import TaskView


class Does(NamedTuple):
    """What a task is done by: the act, the end of its address, and what has to be shown."""

    act: str
    ending: str
    evidence: str


DONE_BY: dict[str, Does] = {
    "book-consultation": Does("book_consultation", "/consultation", "start and end of the appointment"),
    "record-consultation": Does("record_consultation", "/consultation/outcome", "outcome and its reason"),
    "take-consent": Does("give_consent", "/consent", "document version, each element, capacity attested"),
    "collect-screening": Does(
        "record_interview", "/interview", "interview, measurements, work-up and questionnaires, none missing"
    ),
    "sign-screening": Does("sign_screening", "/signature", "the prescriber's verdict; overrides with reason"),
    "draft-plan": Does("propose_plan", "/proposal", "the whole plan"),
    "approve-plan": Does("approve_plan", "/approvals", "the hash of the exact plan in If-Match"),
    "hold-preparation": Does("record_preparation", "/preparations", "when the session was held"),
    "book-session": Does("book_session", "/booking", "start, end and room"),
    "move-session": Does("book_session", "/booking", "another start, end and room"),
    "readiness": Does("answer_readiness", "/readiness", "every answer of the checklist"),
    "check-in": Does("check_in", "/check-in", "two identifiers, weight, baseline reading, fasting, escort"),
    "give-dose": Does("give_dose", "/dose", "a green gate, lot, second check; the order comes first"),
    "take-reading": Does(
        "record_observation", "/observations", "the reading; what was done if it is abnormal"
    ),
    "print-downtime-sheet": Does("read_downtime_sheet", "/downtime-sheet", "the printed page at the chair"),
    "next-day-contact": Does("record_contact", "/contact", "reached or not; concerns"),
    "patient-not-reached": Does("record_contact", "/contact", "reached or not; concerns"),
    "review-concerns": Does("review_concerns", "/concerns-review", "the assessment of a licensed clinician"),
    "hold-integration": Does(
        "record_integration", "/integration", "when it was held, and a therapist's note"
    ),
    "late-integration": Does(
        "record_integration", "/integration", "when it was held, and a therapist's note"
    ),
    "decide-course": Does("decide_course", "/decisions", "go on, change or stop, with the reason"),
    "acknowledge-risk": Does("acknowledge_risk", "/acknowledgement", "that a clinician takes the case over"),
    "resolve-risk": Does("resolve_risk", "/resolution", "disposition, note, and a safety plan or why not"),
    "caring-contact": Does("record_caring_contact", "/contacts", "reached or not, and a note"),
    "contact-not-reached": Does("record_caring_contact", "/contacts", "reached, or why attempts end"),
    "review-safety-plan": Does("record_safety_plan", "/safety-plans", "the plan as reviewed with the person"),
    "review-pause": Does("resume_journey", "/resume", "the reason to go on; or the course is ended"),
    "answer-message": Does("settle_inbox_case", "/settlement", "what was done about the message"),
    "correct-contact": Does("settle_inbox_case", "/settlement", "the contact as corrected, or why it stays"),
    REVIEW: Does("review_break_glass", "/review", "a verdict, by somebody else than who broke the glass"),
    BookingTask.FINISH_BOOKING: Does("book_session", "/booking", "start, end and room, or another hold"),
    BookingTask.ANSWER_OFFER: Does("accept_offer", "/waitlist/acceptance", "the patient's yes; or a refusal"),
    BookingTask.ASK_WAITING: Does("handle_booking_notice", "/handling", "what the patient said"),
    BookingTask.RESERVE_VISIT: Does("book_session", "/booking", "start, end and a room that is free"),
    CustodyDuty.EXPLAIN: Does("explain_discrepancy", "/explanation", "cause and note of a second person"),
    CustodyDuty.NOTICE: Does("submit_loss_notice", "/loss-notice", "what the DEA field office gave back"),
    CustodyDuty.FORM: Does("submit_loss_form", "/loss-form", "that Form 106 is complete"),
    Duty.COMPLETE_DRAFT: Does("amend_adverse_event", "/amendment", "grade and seriousness"),
    **{
        duty: Does("complete_duty", "/duties/completion", "proof: how one can tell that it is done")
        for duty in KEPT_UNTIL_DONE - {Duty.COMPLETE_DRAFT}
    },
}

FOLLOW_UP_TASK = "follow-up-week-"
CHECK_TASK = "safety-check-"
_FOLLOW_UP = Does("answer_follow_up", "/questionnaires", "every questionnaire of this week")
_CHECK = Does("record_safety_checks", "/safety-checks", "the result, or why it was not done")
_CHECK_LATER = Does("record_follow_up_checks", "/safety-checks", "the result, or why it was not done")
_MESSAGE = "message/"

_COLLECTION = {
    "screening": "screenings",
    "plan": "plans",
    "session": "sessions",
    "follow-up": "follow-ups",
    "risk": "risk-cases",
}
_DRUG_CASE = "drug-case/"


def done_by(code: str, part: str = "") -> Does | None:
    """The command that completes a task of this code; None if nobody has said."""
    if code.startswith(FOLLOW_UP_TASK):
        return _FOLLOW_UP
    if code.startswith(CHECK_TASK):
        return _CHECK_LATER if part.startswith("/follow-ups") else _CHECK
    return DONE_BY.get(code)


def step(task: TaskView, now: datetime) -> Step:
    """The task as something to do. A task without an act of its own is settled by other means: no address."""
    return Step(
        id=task.id,
        task_id=task.task_id,
        code=task.code,
        owner=task.owner,
        priority=task.priority,
        due_at=task.due_at,
        holder=task.holder,
        reason=task.reason,
        **asked(task, now),
    )


def asked(task: TaskView, now: datetime) -> dict[str, Any]:
    """What is said about a task wherever it is shown: is it late, what completes it, who may do it."""
    way = way_of(task.site, task.journey_id, task.task_id, task.code, task.owner, task.escalated_to)
    return {"overdue": is_overdue(task.status, task.due_at, now), **way}


def is_overdue(status: str, due_at: datetime, now: datetime) -> bool:
    return status == "requested" and due_at < now


@lru_cache(maxsize=4096)
def way_of(
    site: str, journey_id: str | None, task_id: str, code: str, owner: str, escalated_to: str | None
) -> Mapping[str, Any]:
    """What completes a task, and who may do it. Found once: the same page of the work list is asked for all day."""
    part = _part(task_id)
    does = done_by(code, part)
    return {
        "act": does.act if does else None,
        "href": f"{_place(site, journey_id, task_id, code, part)}{does.ending}" if does else None,
        "evidence": does.evidence if does else None,
        "roles": tuple(sorted(role.value for role in _roles(does, owner, escalated_to))),
    }


def roles_for(task: TaskView) -> frozenset[Role]:
    """Which roles may do it? Of a duty: its owner, and whom it went up to."""
    return _roles(done_by(task.code, _part(task.task_id)), task.owner, task.escalated_to)


def _roles(does: Does | None, *named: str | None) -> frozenset[Role]:
    owners = frozenset(Role(role) for role in named if role)
    if does is None:
        return owners
    return owners & ACTS[does.act] if does.act == "complete_duty" else ACTS[does.act]


def may_hold(task: TaskView) -> frozenset[Role]:
    """Which roles of the clinic may take it on? Those that may do it: no patient, nobody who only looks."""
    return roles_for(task) & STEERING


def course_href(journey_id: str) -> str:
    """Where a course can be read."""
    return "/v1/journeys/" + journey_id.removeprefix("journey/")


def _place(site: str, journey_id: str | None, task_id: str, code: str, part: str) -> str:
    """The address that the ending of the act belongs to."""
    if task_id.startswith(PART):
        return f"/v1/break-glass/{site}/{task_id.removeprefix(PART)}"
    if journey_id is None:
        container, number = task_id.removeprefix(_DRUG_CASE).split("/")[:2]
        return f"/v1/custody/{site}/discrepancies/{container}/{number}"
    if task_id.startswith(booking_tasks.PART):
        return _of_booking(site, journey_id, task_id, code)
    if task_id.startswith(_MESSAGE):
        return "/v1/inbox/" + task_id.removeprefix(_MESSAGE)
    course = course_href(journey_id)
    if code == Duty.COMPLETE_DRAFT:
        event_id = task_id.rpartition("/")[2].partition(".")[0]
        return f"{course}/adverse-events/{event_id}"
    if code in KEPT_UNTIL_DONE:  # the journey's, whichever part it came from
        return course
    if code.startswith(CHECK_TASK) and not part.startswith("/follow-ups"):
        return course
    return course + part if code != "review-safety-plan" else course


def _of_booking(site: str, journey_id: str, task_id: str, code: str) -> str:
    """The visit, or for what only a person can find out the notice itself."""
    number, notice = task_id.removeprefix(booking_tasks.PART).split("/")
    if code == BookingTask.ASK_WAITING:
        return f"/v1/bookings/{site}/notices/{notice}"
    return f"{course_href(journey_id)}/sessions/{number}"


def _part(task_id: str) -> str:
    """Where in the course the task belongs: `session/3/book-session/1` is in /sessions/3."""
    kind, *rest = task_id.split("/")
    return f"/{_COLLECTION[kind]}/{rest[0]}" if kind in _COLLECTION and len(rest) == 3 else ""
