"""Which parts does a visit have, how long is each, and when may it be?"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.booking import CourseRules, Part, Span, is_late, minus, too_short, visit_plan
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.schedule import PastDose
from tests.clinical.dosing_day.forms import changed, of_form

AT = datetime(2026, 6, 2, 13, 0, tzinfo=UTC)


def minutes(span: Span) -> tuple[float, float]:
    return ((span.starts_at - AT) / timedelta(minutes=1), (span.ends_at - AT) / timedelta(minutes=1))


def test_each_part_has_its_own_stretch_of_the_visit(protocol: Protocol) -> None:
    plan = visit_plan(protocol, AT)
    assert {need.part: (need.role, minutes(need.span)) for need in plan.needs} == {
        Part.PLACE: (None, (0, 130)),
        Part.MONITOR: (Role.NURSE, (30, 130)),
        Part.PRESCRIBER: (Role.PRESCRIBER, (30, 130)),
        Part.THERAPIST: (Role.THERAPIST, (70, 130)),
    }
    assert (plan.dose_at, plan.home_at) == (AT + timedelta(minutes=30), AT + timedelta(minutes=130))


def test_the_prescriber_is_needed_where_the_protocol_says_so(protocol: Protocol) -> None:
    remote = changed(protocol, "monitoring", prescriber_on_site=False)
    assert Part.PRESCRIBER not in {need.part for need in visit_plan(remote, AT).needs}


def test_where_nothing_is_infused_the_talk_has_its_own_beginning(protocol: Protocol) -> None:
    nasal = of_form(protocol, "devices")
    layout = {"arrival_minutes": 10, "talk_from_minutes": 90, "talk_minutes": 45}
    plan = visit_plan(changed(nasal, "booking", **layout), AT)
    therapist = plan.needs[-1]
    assert minutes(therapist.span) == (100, 145)
    assert minutes(plan.span) == (0, 145)  # the conversation is longer than the shortest stay


@pytest.mark.parametrize(("hours", "whole"), [(1, 130), (4, 240)])
def test_a_visit_may_last_longer_but_never_shorter(protocol: Protocol, hours: int, whole: int) -> None:
    ends_at = AT + timedelta(hours=hours)
    plan = visit_plan(protocol, AT, ends_at)
    assert minutes(plan.span) == (0, whole)
    assert minutes(plan.needs[1].span) == (30, 130)
    assert too_short(plan, ends_at) == (hours == 1)


def test_called_off_a_day_before_is_in_time_and_a_minute_later_is_late() -> None:
    assert not is_late(AT, AT - timedelta(hours=24), 24)
    assert is_late(AT, AT - timedelta(hours=24) + timedelta(minutes=1), 24)
    assert not is_late(AT, AT - timedelta(hours=24) + timedelta(minutes=1), 23)


def test_a_course_says_when_its_next_visit_may_be(protocol: Protocol) -> None:
    dose = PastDose(session=1, given_at=AT - timedelta(hours=20), dose_mg=Decimal(35))
    course = CourseRules(
        journey_id="journey/a/1",
        site="a",
        time_zone="America/New_York",
        protocol=protocol,
        phase="maintenance",
        doses=(dose,),
        open=True,
    )
    assert [reason.rule for reason in course.refusals(AT)] == ["INTERVAL-MIN"]
    assert course.earliest == AT + timedelta(hours=148)
    assert course.refusals(course.earliest) == []


def span(first: int, last: int) -> Span:
    return Span(AT + timedelta(minutes=first), AT + timedelta(minutes=last))


@pytest.mark.parametrize(
    ("held", "left"),
    [
        ([], [(0, 60)]),
        ([(60, 90)], [(0, 60)]),
        ([(10, 20)], [(0, 10), (20, 60)]),
        ([(-5, 10), (50, 90)], [(10, 50)]),
        ([(0, 60)], []),
    ],
)
def test_what_is_left_of_a_stretch(held: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    assert [minutes(one) for one in minus(span(0, 60), [span(*one) for one in held])] == left


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=5))
def test_left_and_held_are_the_whole_and_never_both(held: list[tuple[int, int]]) -> None:
    taken = [span(first, first + length) for first, length in held]
    left = minus(span(0, 60), taken)
    for minute in range(60):
        one = span(minute, minute + 1)
        assert any(piece.covers(one) for piece in left) != any(piece.overlaps(one) for piece in taken)
