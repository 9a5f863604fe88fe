"""Who and what is free for a visit, and if not everybody: what stands in the way?

A resource with a capacity has so many places (a room with three chairs, a prescriber who can be on site for four
visits); a reservation takes one of them, with the buffers of the resource around it. A visit needs different
people for its parts. Every clash is told at once, none of them with a patient in it.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from operator import attrgetter

from clinical.booking import Kind, Model, Need, Part, Span
from clinical.people import Role

_BEGINNING = attrgetter("starts_at")
_TAKEN_FROM = attrgetter("span.starts_at")


class Obstacle(StrEnum):
    """What stands in the way of a reservation."""

    TAKEN = "taken"
    NOT_AT_WORK = "not-at-work"
    NOBODY = "nobody"
    NEEDED_TWICE = "needed-twice"
    UNKNOWN = "unknown"
    CLOSED = "closed"


class Clash(Model):
    """One reason why a part of a visit cannot be had. `bookings` own the time; ids say nothing about anybody.

    `capacity` is the limit: so many visits at once.
    """

    part: Part
    obstacle: Obstacle
    resource_id: str | None
    resource: str | None
    span: Span
    bookings: tuple[str, ...] = ()
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """One place of one resource that somebody has."""

    place: int
    span: Span
    booking_id: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A place of a resource for a part of a visit; `span` has its buffers."""

    part: Part
    resource_id: str
    number: int
    place: int
    code: str
    span: Span


@dataclass
class Resource:
    """Something that can be reserved: when it is there (`at_work`, in order), and what is taken of it, in order."""

    id: str
    number: int
    code: str
    kind: Kind
    roles: frozenset[Role] = frozenset()
    capacity: int = 1
    before: timedelta = timedelta(0)
    after: timedelta = timedelta(0)
    at_work: Sequence[Span] = ()
    taken: list[Taken] = field(default_factory=list)
    longest: timedelta = timedelta(0)
    """No reservation lasts longer: an earlier one than that cannot reach into a time."""

    def __post_init__(self) -> None:
        given, self.taken = self.taken, []
        for one in given:
            self.take(one)

    def take(self, one: Taken) -> None:
        """From now on this is taken too."""
        insort(self.taken, one, key=_TAKEN_FROM)
        self.longest = max(self.longest, one.span.ends_at - one.span.starts_at)

    def in_the_way(self, span: Span) -> list[Taken]:
        """What is taken of this time."""
        reaching = bisect_left(self.taken, span.starts_at - self.longest, key=_TAKEN_FROM)
        beyond = bisect_left(self.taken, span.ends_at, key=_TAKEN_FROM)
        return [one for one in self.taken[reaching:beyond] if one.span.overlaps(span)]

    def fits(self, need: Need) -> bool:
        """Is it of the kind that is needed?"""
        return self.kind is not Kind.STAFF if need.role is None else need.role in self.roles

    def is_there(self, span: Span) -> bool:
        """Open or at work for the whole time?"""
        at = bisect_right(self.at_work, span.starts_at, key=_BEGINNING) - 1
        return at >= 0 and self.at_work[at].covers(span)

    def buffered(self, span: Span) -> Span:
        return span.widened(self.before, self.after)

    def chosen_for(self, need: Need) -> Chosen | None:
        """A free place for this part, the lowest one."""
        if not self.is_there(need.span):
            return None
        wanted = self.buffered(need.span)
        used = {one.place for one in self.in_the_way(wanted)}
        free = next((place for place in range(1, self.capacity + 1) if place not in used), None)
        if free is None:
            return None
        return Chosen(
            part=need.part,
            resource_id=self.id,
            number=self.number,
            place=free,
            code=self.code,
            span=wanted,
        )

    def clash(self, need: Need) -> Clash:
        """Why it cannot be had for this part."""
        wanted = self.buffered(need.span)
        there = self.is_there(need.span)
        owners = sorted({one.booking_id for one in self.in_the_way(wanted)}) if there else ()
        return Clash(
            part=need.part,
            obstacle=Obstacle.TAKEN if there else Obstacle.NOT_AT_WORK,
            resource_id=self.id,
            resource=self.code,
            span=wanted if there else need.span,
            bookings=tuple(owners),
            capacity=self.capacity,
        )


@dataclass(frozen=True)
class Matched:
    """Everything a visit needs, or every clash."""

    chosen: tuple[Chosen, ...] = ()
    clashes: tuple[Clash, ...] = ()


def match(needs: Sequence[Need], resources: Sequence[Resource], wanted: Mapping[Part, str]) -> Matched:
    """Choose for each part somebody else who is free; `wanted` names a resource by its code."""
    offers: list[list[Chosen]] = []
    clashes: list[Clash] = []
    for need in needs:
        fitting = _fitting(need, resources, wanted)
        free = [place for one in fitting if (place := one.chosen_for(need)) is not None]
        offers.append(free)
        if not free:
            clashes += [one.clash(need) for one in fitting] or [_without_any(need, wanted)]
    if clashes:
        return Matched(clashes=tuple(clashes))
    chosen = _different(offers)
    if chosen is None:
        return Matched(clashes=tuple(_twice(needs, offers)))
    return Matched(chosen=chosen)


def _fitting(need: Need, resources: Iterable[Resource], wanted: Mapping[Part, str]) -> list[Resource]:
    code = wanted.get(need.part)
    return [one for one in resources if one.fits(need) and code in (None, one.code)]


def _without_any(need: Need, wanted: Mapping[Part, str]) -> Clash:
    code = wanted.get(need.part)
    obstacle = Obstacle.NOBODY if code is None else Obstacle.UNKNOWN
    return Clash(part=need.part, obstacle=obstacle, resource_id=None, resource=code, span=need.span)


def _different(offers: Sequence[Sequence[Chosen]]) -> tuple[Chosen, ...] | None:
    """One offer for each part, none of the same resource twice; the parts with few offers are served first."""
    order = sorted(range(len(offers)), key=lambda part: len(offers[part]))
    taken: dict[int, Chosen] = {}

    def serve(at: int) -> bool:
        if at == len(order):
            return True
        used = {one.resource_id for one in taken.values()}
        for offer in offers[order[at]]:
            if offer.resource_id not in used:
                taken[order[at]] = offer
                if serve(at + 1):
                    return True
                del taken[order[at]]
        return False

    return tuple(taken[part] for part in range(len(offers))) if serve(0) else None


def _twice(needs: Sequence[Need], offers: Sequence[Sequence[Chosen]]) -> list[Clash]:
    """Each part has somebody, but not each somebody else: the people who are wanted by several parts."""
    wanted = [{one.resource_id for one in offer} for offer in offers]
    return [
        Clash(
            part=need.part,
            obstacle=Obstacle.NEEDED_TWICE,
            resource_id=one.resource_id,
            resource=one.code,
            span=one.span,
        )
        for at, (need, offer) in enumerate(zip(needs, offers, strict=True))
        for one in offer
        if any(one.resource_id in others for other, others in enumerate(wanted) if other != at)
    ]
