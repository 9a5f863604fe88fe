"""Is the estimate near what was measured, and does it grow with what costs events?"""

from typing import Any

import pytest

from clinical.event_budget import COURSE_EVENTS, ENGINE_EVENTS, SHARE_PERCENT, estimate
from clinical.protocol import Protocol
from clinical.protocol_check import faults
from tests.clinical.protocols.documents import NAMES, changed, shipped

MEASURED = 1_480
"""A whole course of iv-racemic: tests/workflows/test_patient_journey.py, a few more or less from run to run."""


def mutated(name: str, *edits: tuple[str, Any]) -> Protocol:
    return Protocol.model_validate(changed(name, *edits))


def test_the_estimate_is_near_what_was_measured() -> None:
    found = estimate(shipped("iv-racemic"))
    assert abs(found.total - MEASURED) <= 0.03 * MEASURED
    assert abs(found.session - 178) <= 8
    assert abs(found.follow_up - 110) <= 5
    assert found.budget == COURSE_EVENTS == 1_500


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shipped_fits(name: str) -> None:
    found = estimate(shipped(name))
    assert found.total <= found.budget
    assert max(found.session, found.journey, found.follow_up) < ENGINE_EVENTS * SHARE_PERCENT / 100


def test_the_budget_grows_with_the_sessions() -> None:
    budgets = [
        estimate(mutated("iv-racemic", ("/schedule/phases/0/sessions", n))).budget for n in (1, 6, 7, 12)
    ]
    assert budgets == [1_500, 1_500, 1_750, 3_000]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/monitoring/reading_minutes", [5, 10, 20, 30, 40, 55, 70, 85, 100]),
        ("/discharge/min_after_start_minutes", 160),
        ("/follow_up/weeks", [2, 4, 8, 12, 26, 39, 52]),
        ("/readiness/checks_hours_before", [96, 72, 24, 2]),
        ("/decisions/review_after_doses", [2, 3, 4, 6]),
        ("/therapy/preparation_sessions", 3),
        ("/schedule/phases/0/sessions", 7),
    ],
)
def test_what_costs_more_is_estimated_higher(pointer: str, value: Any) -> None:
    assert estimate(mutated("iv-racemic", (pointer, value))).total > estimate(shipped("iv-racemic")).total


def test_readings_go_on_until_the_stay_may_end() -> None:
    few = mutated("iv-racemic", ("/monitoring/reading_minutes", [10, 40]))
    # 100 min of stay after the reading at 40 min, one every 15 min: 55, 70, 85, 100.
    assert estimate(few).session == estimate(shipped("iv-racemic")).session - 2 * 8
    before = mutated("iv-racemic", ("/monitoring/reading_minutes", [0, 10, 20, 30, 40, 55, 70, 85, 100]))
    assert estimate(before).session == estimate(shipped("iv-racemic")).session


def test_a_fault_says_the_numbers() -> None:
    checks = [*range(72, 30, -4), 2]
    many = mutated("iv-racemic", ("/readiness/checks_hours_before", checks))
    (fault,) = faults(many)
    assert fault.pointer == "/readiness/checks_hours_before"
    found = estimate(many)
    assert f"about {found.total} events" in fault.detail and "budget is 1500" in fault.detail


def test_one_workflow_may_not_use_up_what_the_engine_allows() -> None:
    every_week = mutated("iv-racemic", ("/follow_up/weeks", list(range(1, 400))))
    details = [fault.detail for fault in faults(every_week) if "one follow-up" in fault.detail]
    assert details == ["one follow-up would leave about 7184 events, a workflow may have 5120"]
