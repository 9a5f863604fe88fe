"""Does the chair come before the calendar, what is overdue before what is not, and the unknown never last?"""

from __future__ import annotations

import pytest

from clinical.task_priority import MOST_URGENT_FIRST, Priority, is_ranked, priority, rank


@pytest.mark.parametrize(
    ("code", "planned", "late"),
    [
        ("take-reading", "stat", "stat"),
        ("acknowledge-risk", "stat", "stat"),
        ("give-dose", "asap", "stat"),
        ("submit-rems-form", "urgent", "asap"),
        ("book-session", "routine", "urgent"),
        ("follow-up-week-12", "routine", "urgent"),
        ("safety-check-liver-panel", "routine", "urgent"),
        ("what-nobody-ranked", "urgent", "asap"),
    ],
)
def test_how_urgent_a_step_is_and_becomes(code: str, planned: str, late: str) -> None:
    assert (priority(code), priority(code, overdue=True)) == (planned, late)


def test_the_order_is_that_of_urgency() -> None:
    assert sorted(Priority, key=rank) == list(MOST_URGENT_FIRST)
    assert rank(Priority.STAT) < rank(Priority.ROUTINE)
    assert (is_ranked("follow-up-week-2"), is_ranked("give-dose"), is_ranked("x")) == (True, True, False)
