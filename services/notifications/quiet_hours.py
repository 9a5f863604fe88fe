"""When may a message reach this person, given their night?

Pure. Quiet hours are wall-clock times in the person's own zone and may span midnight; equal ends mean none.
Days of 23 and 25 hours, wall times that do not exist or exist twice, and skipped dates come out right because
every candidate instant is turned back into wall time and checked.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_LOOK_AHEAD_DAYS = 4


@dataclass(frozen=True)
class QuietHours:
    start: time = time(21)
    end: time = time(8)

    def covers(self, at: datetime, zone: str) -> bool:
        """Is this instant inside the person's quiet hours? The end itself is outside."""
        wall = at.astimezone(ZoneInfo(zone)).time()
        if self.start <= self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end


NIGHT = QuietHours()


def next_allowed(at: datetime, zone: str, quiet: QuietHours) -> datetime:
    """`at` itself when allowed, otherwise the first end of quiet hours after it, as a UTC instant."""
    at = at.astimezone(UTC)
    if not quiet.covers(at, zone):
        return at
    return min(
        candidate
        for candidate in _ends(at, zone, quiet)
        if candidate > at and not quiet.covers(candidate, zone)
    )


def _ends(at: datetime, zone: str, quiet: QuietHours) -> list[datetime]:
    """The ends of quiet hours on this and the following dates; both readings of an ambiguous time."""
    zone_info = ZoneInfo(zone)
    first = at.astimezone(zone_info).date()
    return [
        datetime.combine(first + timedelta(days=day), quiet.end, zone_info).replace(fold=fold).astimezone(UTC)
        for day in range(LONGEST_LOOK_AHEAD_DAYS)
        for fold in (0, 1)
    ]
