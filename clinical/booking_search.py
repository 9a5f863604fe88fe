"""Which times may be proposed for a visit? Those that the interval rules, the people and the rooms all allow.

The search is bounded: so many days ahead, by steps, and it stops when it has enough. Closed days are dates on the
wall of the site.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from clinical.booking import Model, Part, Span, VisitPlan
from clinical.booking_match import Chosen, Resource, match
from clinical.instants import local_date

STEP = timedelta(minutes=15)
_START_OF_STEPS = datetime(2000, 1, 1, tzinfo=UTC)


class Slot(Model):
    """A time that can be had, and who and what would be reserved."""

    span: Span
    dose_at: datetime
    home_at: datetime
    chosen: tuple[Chosen, ...]


@dataclass(frozen=True)
class Search:
    """What a proposal has to satisfy. `plan` gives the visit that begins at an instant."""

    plan: Callable[[datetime], VisitPlan]
    allows: Callable[[datetime], bool]
    resources: Sequence[Resource]
    zone: ZoneInfo
    closed: Collection[date] = ()
    wanted: Mapping[Part, str] = field(default_factory=dict)

    def at(self, starts_at: datetime) -> Slot | None:
        """The proposal for exactly this time, if there can be one."""
        plan = self.plan(starts_at)
        if not self._is_free(plan) or self.is_closed(plan.span) or not self.allows(starts_at):
            return None
        found = match(plan.needs, self.resources, self.wanted)
        if found.clashes:
            return None
        return Slot(span=plan.span, dose_at=plan.dose_at, home_at=plan.home_at, chosen=found.chosen)

    def _is_free(self, plan: VisitPlan) -> bool:
        """Is anything free for each part? Most times end with the first part for which nothing is."""
        return all(
            any(one.chosen_for(need) is not None for one in self.resources if one.fits(need))
            for need in plan.needs
        )

    def is_closed(self, span: Span) -> bool:
        days = {local_date(span.starts_at, self.zone), local_date(span.ends_at, self.zone)}
        return any(day in self.closed for day in days)


def next_slots(search: Search, earliest: datetime, latest: datetime, count: int) -> list[Slot]:
    """The first times from `earliest` to `latest`, in order."""
    return _first(search, _forwards(earliest, latest), count)


def nearest_slots(
    search: Search, wanted_at: datetime, earliest: datetime, latest: datetime, count: int
) -> list[Slot]:
    """The times closest to the one that was wanted, the closest first; the later one of two equally close."""
    steps = sorted(
        (at for at in _forwards(earliest, latest) if at != wanted_at),
        key=lambda at: (abs(at - wanted_at), at < wanted_at),
    )
    return _first(search, iter(steps), count)


def _first(search: Search, starts: Iterator[datetime], count: int) -> list[Slot]:
    found = (slot for at in starts if (slot := search.at(at)) is not None)
    return list(islice(found, count))


def _forwards(earliest: datetime, latest: datetime) -> Iterator[datetime]:
    at = _START_OF_STEPS + -((_START_OF_STEPS - earliest) // STEP) * STEP
    while at <= latest:
        yield at
        at += STEP
