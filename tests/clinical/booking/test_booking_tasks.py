"""What about the times of visits needs a person, and when is that over by itself?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinical.booking_tasks import TASK_OF, BookingTask, NoticeKind, is_gone
from tests.clinical.booking.test_reconcile import AT, NOW, a_visit

LATER = {"starts_at": AT + timedelta(hours=1)}


def test_every_finding_is_some_task_and_every_task_has_a_finding() -> None:
    assert set(TASK_OF) == set(NoticeKind)
    assert set(TASK_OF.values()) == set(BookingTask)


@pytest.mark.parametrize("kind", NoticeKind)
def test_nothing_can_be_done_about_a_time_that_has_passed(kind: NoticeKind) -> None:
    assert is_gone(kind, NOW, None, NOW)
    assert not is_gone(kind, AT, None, NOW)  # nothing of this visit is in the record yet


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize(
    "given",
    [{"left": True}, {"over": True}, {"booking_status": "cancelled"}, {"booking_status": "noshow"}],
    ids=str,
)
def test_a_visit_that_is_over_asks_nothing_of_anybody(kind: NoticeKind, given: dict[str, Any]) -> None:
    assert is_gone(kind, AT, a_visit(**given), NOW)


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_visit_that_moved_needs_no_room_at_its_old_time(kind: NoticeKind) -> None:
    assert not is_gone(kind, AT, a_visit(), NOW)
    assert is_gone(kind, AT, a_visit(**LATER), NOW) is (kind is NoticeKind.WITHOUT_RESERVATION)
