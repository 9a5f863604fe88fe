"""How urgent is a human step? In FHIR's words for a Task: routine, urgent, asap, stat.

What somebody in the chair or in a crisis waits for comes before everything else; what a patient at home waits
for, and what the law counts, before what only the calendar waits for. A step that is overdue is one word more
urgent. A step that nobody has ranked is urgent: unknown is never routine.
Source: product F11, F12, F19.
"""

from enum import StrEnum


class Priority(StrEnum):
    STAT = "stat"
    ASAP = "asap"
    URGENT = "urgent"
    ROUTINE = "routine"


MOST_URGENT_FIRST = (Priority.STAT, Priority.ASAP, Priority.URGENT, Priority.ROUTINE)

_OF_CODE = {
    **dict.fromkeys(("take-reading", "acknowledge-risk"), Priority.STAT),
    **dict.fromkeys(
        (
            "give-dose", "check-in", "complete-draft", "resolve-risk", "patient-not-reached",
            "contact-not-reached", "review-concerns", "print-downtime-sheet", "explain-discrepancy",
            "answer-message", "answer-offer",
        ),
        Priority.ASAP,
    ),
    **dict.fromkeys(
        (
            "next-day-contact", "caring-contact", "notify-prescriber", "submit-rems-form",
            "review-safety-check", "readiness", "submit-loss-notice", "submit-loss-form", "late-integration",
            "review-safety-plan", "move-session", "correct-contact",
            "review-break-glass", "finish-booking", "reserve-visit",
        ),
        Priority.URGENT,
    ),
    **dict.fromkeys(
        (
            "book-consultation", "record-consultation", "take-consent", "collect-screening",
            "sign-screening", "draft-plan", "approve-plan", "hold-preparation", "book-session",
            "hold-integration", "decide-course", "review-pause", "ask-waiting",
        ),
        Priority.ROUTINE,
    ),
}  # fmt: skip

_ROUTINE_KINDS = ("follow-up-week-", "safety-check-")


def priority(code: str, *, overdue: bool = False) -> Priority:
    """How urgent is a step of this code, and how urgent once it is overdue?"""
    kind = Priority.ROUTINE if code.startswith(_ROUTINE_KINDS) else Priority.URGENT
    planned = _OF_CODE.get(code, kind)
    return MOST_URGENT_FIRST[max(rank(planned) - 1, 0)] if overdue else planned


def rank(one: Priority) -> int:
    """Its place in a list, most urgent first."""
    return MOST_URGENT_FIRST.index(one)


def is_ranked(code: str) -> bool:
    """Has somebody said how urgent this step is?"""
    return code in _OF_CODE or code.startswith(_ROUTINE_KINDS)
