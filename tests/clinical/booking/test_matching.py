"""Who is chosen, what is said when nobody can be, and which times are proposed?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from clinical.booking import Kind, Need, Part, Span, visit_plan
from clinical.booking_match import Obstacle, Resource, Taken, match
from clinical.booking_search import Search, nearest_slots, next_slots
from clinical.people import Role
from clinical.protocol import Protocol

AT = datetime(2026, 6, 2, 13, 0, tzinfo=UTC)
ALWAYS = Span(AT - timedelta(days=30), AT + timedelta(days=30))
UTC_ZONE = ZoneInfo("UTC")


def span(first: int, last: int) -> Span:
    return Span(AT + timedelta(minutes=first), AT + timedelta(minutes=last))


def a_resource(number: int, *roles: Role, **given: Any) -> Resource:
    kind = Kind.STAFF if roles else Kind.ROOM
    values: dict[str, Any] = {
        "id": f"id-{number}",
        "number": number,
        "code": f"r{number}",
        "kind": kind,
        "roles": frozenset(roles),
        "at_work": (ALWAYS,),
    }
    return Resource(**{**values, **given})


def need(part: Part, role: Role | None = None, first: int = 0, last: int = 60) -> Need:
    return Need(part=part, role=role, span=span(first, last))


def a_team(**given: Any) -> list[Resource]:
    roles = (Role.NURSE, Role.PRESCRIBER, Role.THERAPIST)
    return [a_resource(1, **given), *(a_resource(n, role) for n, role in enumerate(roles, 2))]


def test_the_buffers_of_a_resource_are_taken_with_it() -> None:
    room = a_resource(1, before=timedelta(minutes=10), after=timedelta(minutes=20))
    (chosen,) = match([need(Part.PLACE)], [room], {}).chosen
    assert (chosen.span, chosen.place, chosen.code) == (span(-10, 80), 1, "r1")
    room.take(Taken(place=1, span=span(-60, -9), booking_id="b"))
    (clash,) = match([need(Part.PLACE)], [room], {}).clashes
    assert (clash.obstacle, clash.bookings, clash.resource) == (Obstacle.TAKEN, ("b",), "r1")


def test_a_room_with_two_chairs_serves_two_at_once() -> None:
    room = a_resource(1, kind=Kind.CHAIR, capacity=2)
    for place in (1, 2):
        (chosen,) = match([need(Part.PLACE)], [room], {}).chosen
        assert chosen.place == place
        room.take(Taken(place=place, span=span(0, 60), booking_id=f"b{place}"))
    assert match([need(Part.PLACE)], [room], {}).clashes[0].bookings == ("b1", "b2")


def test_every_part_that_cannot_be_had_says_why() -> None:
    away = a_resource(2, Role.NURSE, at_work=(span(60, 90), span(100, 110)))
    needs = [need(Part.PLACE), need(Part.MONITOR, Role.NURSE), need(Part.THERAPIST, Role.THERAPIST)]
    found = match(needs, [away], {Part.PLACE: "r9"})
    assert [(one.part, one.obstacle, one.resource) for one in found.clashes] == [
        (Part.PLACE, Obstacle.UNKNOWN, "r9"),
        (Part.MONITOR, Obstacle.NOT_AT_WORK, "r2"),
        (Part.THERAPIST, Obstacle.NOBODY, None),
    ]
    assert found.chosen == ()


def test_people_are_given_out_so_that_there_is_one_for_each_part() -> None:
    both = a_resource(1, Role.NURSE, Role.THERAPIST)
    nurse = a_resource(2, Role.NURSE)
    needs = [need(Part.MONITOR, Role.NURSE), need(Part.THERAPIST, Role.THERAPIST)]
    found = match(needs, [both, nurse], {})
    assert [one.code for one in found.chosen] == ["r2", "r1"]
    alone = match(needs, [both], {})
    assert {(one.part, one.obstacle) for one in alone.clashes} == {
        (Part.MONITOR, Obstacle.NEEDED_TWICE),
        (Part.THERAPIST, Obstacle.NEEDED_TWICE),
    }


def test_a_choice_that_leads_nowhere_is_taken_back() -> None:
    pair = [a_resource(n, Role.NURSE, Role.THERAPIST, Role.PRESCRIBER) for n in (1, 2)]
    needs = [
        need(Part.MONITOR, Role.NURSE),
        need(Part.THERAPIST, Role.THERAPIST),
        need(Part.PRESCRIBER, Role.PRESCRIBER),
    ]
    found = match(needs, pair, {})
    assert {one.obstacle for one in found.clashes} == {Obstacle.NEEDED_TWICE}
    bound = match(needs[:2], pair, {Part.THERAPIST: "r1"})
    assert [one.code for one in bound.chosen] == ["r2", "r1"]


def a_search(protocol: Protocol, resources: Sequence[Resource], **given: Any) -> Search:
    values: dict[str, Any] = {"allows": lambda at: True, "zone": UTC_ZONE}
    return Search(plan=lambda at: visit_plan(protocol, at), resources=resources, **{**values, **given})


def test_the_next_times_in_order_at_full_quarters(protocol: Protocol) -> None:
    team = a_team()
    team[0].take(Taken(place=1, span=span(0, 30), booking_id="b"))
    found = next_slots(a_search(protocol, team), AT + timedelta(minutes=1), AT + timedelta(hours=9), 2)
    assert [slot.span.starts_at - AT for slot in found] == [timedelta(minutes=30), timedelta(minutes=45)]
    assert next_slots(a_search(protocol, team), AT, AT + timedelta(minutes=15), 2) == []


def test_what_is_closed_out_of_hours_or_not_allowed_is_not_proposed(protocol: Protocol) -> None:
    until = AT + timedelta(days=2)
    closed = next_slots(a_search(protocol, a_team(), closed={AT.date()}), AT, until, 1)
    assert closed[0].span.starts_at == datetime(2026, 6, 3, tzinfo=UTC)
    opens = span(600, 900)
    assert next_slots(a_search(protocol, a_team(at_work=(opens,))), AT, until, 1)[0].span.starts_at == (
        opens.starts_at
    )
    refused = a_search(protocol, a_team(), allows=lambda at: at >= until)
    assert [slot.span.starts_at for slot in next_slots(refused, AT, until, 3)] == [until]


def test_the_nearest_times_may_lie_before_or_after(protocol: Protocol) -> None:
    team = a_team()
    team[0].take(Taken(place=1, span=span(0, 10), booking_id="b"))
    day = timedelta(days=1)
    found = nearest_slots(a_search(protocol, team), AT, AT - day, AT + day, 3)
    assert [(slot.span.starts_at - AT) / timedelta(minutes=1) for slot in found] == [15, 30, 45]
    team[0].take(Taken(place=1, span=span(10, 600), booking_id="c"))
    found = nearest_slots(a_search(protocol, team), AT, AT - day, AT + day, 1)
    assert found[0].span.ends_at == AT - timedelta(minutes=5)  # the last quarter from which all are home


def test_where_one_person_would_be_two_nothing_is_proposed(protocol: Protocol) -> None:
    both = a_resource(2, Role.NURSE, Role.PRESCRIBER)
    team = [a_resource(1), both, a_resource(3, Role.THERAPIST)]
    assert next_slots(a_search(protocol, team), AT, AT + timedelta(hours=2), 1) == []


def test_a_long_reservation_that_began_long_ago_is_in_the_way() -> None:
    long = Taken(place=1, span=span(-1000, 5), booking_id="long")
    short = [Taken(place=1, span=span(first, first + 5), booking_id="short") for first in (-50, -20, 70)]
    room = a_resource(1, taken=[*short, long])
    assert [one.booking_id for one in room.in_the_way(span(0, 60))] == ["long"]
    assert match([need(Part.PLACE)], [room], {}).clashes[0].bookings == ("long",)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60), st.integers(1, 60)), max_size=12))
def test_what_is_chosen_is_free_and_what_is_refused_is_taken(taken: list[tuple[int, int, int]]) -> None:
    room = a_resource(1, capacity=3)
    for place, first, length in taken:
        held = Taken(place=place, span=span(first, first + length), booking_id="b")
        room.take(held)
    found = match([need(Part.PLACE)], [room], {})
    used = {one.place for one in room.taken if one.span.overlaps(span(0, 60))}
    if found.chosen:
        assert found.chosen[0].place not in used
    else:
        assert used == {1, 2, 3}
