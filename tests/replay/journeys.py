"""Which journeys does the corpus hold? Between them they use every workflow and every command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from clinical.patient_record import Person
from tests.workflows.walk import Walk

AT_RISK = {"q1": 1, "q2": 1, "q3": 1, "q4": 1, "q5": 0, "q6": 0}


async def whole_course(walk: Walk) -> None:
    """Six sessions and a year of follow-up, and nothing goes wrong."""
    await walk.to_follow_up()
    await walk.follow_up()


async def ineligible_at_referral(walk: Walk) -> None:
    """The referral itself says no."""
    await walk.start(person=Person.model_validate({"birth_date": "2015-03-02", "sex": "female"}))


JOURNEYS: dict[str, Callable[[Walk], Awaitable[None]]] = {
    "whole-course": whole_course,
    "ineligible-at-referral": ineligible_at_referral,
}
