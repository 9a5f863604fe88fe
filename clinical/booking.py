"""What does one visit need, and when: which place, and whom, each for their own part of it?

The room or chair for the whole visit, a monitor from the dose to going home, a prescriber on site for the same
time, a therapist for the conversation. Lengths come from the protocol: how long before the dose they come, how long
it takes, how long nobody goes home, how long the conversation is. Buffers belong to the resource.
Source: product F8; clinical-facts §3.3, §3.6 (shortest stay), §4 (conversation while and after it acts).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from clinical.decision import Reason, Verdict
from clinical.instants import elapsed, in_utc, later
from clinical.people import Role
from clinical.plan import phase_of
from clinical.protocol import Infusion, Phase, Protocol
from clinical.schedule import PastDose, earliest_next, interval_allowed


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(StrEnum):
    """What can be reserved."""

    ROOM = "room"
    CHAIR = "chair"
    STAFF = "staff"


class Part(StrEnum):
    """Which part of a visit something is reserved for."""

    PLACE = "place"
    MONITOR = "monitor"
    PRESCRIBER = "prescriber"
    THERAPIST = "therapist"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time: its end no longer belongs to it. Instants in UTC."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: "Span") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def covers(self, other: "Span") -> bool:
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def widened(self, before: timedelta, after: timedelta) -> "Span":
        return Span(starts_at=self.starts_at - before, ends_at=self.ends_at + after)


@dataclass(frozen=True, slots=True)
class Need:
    """One part of a visit: a place, or a person in this role, for this stretch of time."""

    part: Part
    role: Role | None
    span: Span


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """One visit as it is meant to go."""

    span: Span
    dose_at: datetime
    home_at: datetime
    needs: tuple[Need, ...]


class CourseRules(Model):
    """What of a course and its site decides when its next visit may be. Nothing may be booked unless it is `open`."""

    journey_id: str
    site: str
    time_zone: str
    protocol: Protocol
    phase: str | None
    doses: tuple[PastDose, ...]
    open: bool
    closed_days: tuple[date, ...] = ()

    def refusals(self, starts_at: datetime) -> list[Reason]:
        """Why may no visit begin then? The same rule that the session asks when it is booked; empty: it may."""
        allowed = interval_allowed(starts_at, self.doses, self.protocol, self.time_zone, self._phase)
        return [reason for reason in allowed.reasons if reason.verdict is Verdict.REFUSE]

    @property
    def earliest(self) -> datetime:
        """No interval rule objects from here on."""
        return earliest_next(self.doses, self.protocol, self.time_zone, self._phase)

    @property
    def _phase(self) -> Phase | None:
        return phase_of(self.phase, self.protocol)


def visit_plan(protocol: Protocol, starts_at: datetime, ends_at: datetime | None = None) -> VisitPlan:
    """The visit that begins then. A longer one than it must be keeps its people until the patient goes home.

    `ends_at` before the earliest way home does not shorten anything: `too_short` says so.
    """
    pattern = protocol.of_booking
    starts_at = in_utc(starts_at)
    dose_at = later(starts_at, minutes=pattern.arrival_minutes)
    infusion = protocol.dosing.infusion_minutes if isinstance(protocol.dosing, Infusion) else 0
    stay = max(
        protocol.discharge.min_after_start_minutes, infusion + protocol.discharge.min_after_end_minutes
    )
    talk_at = later(dose_at, minutes=infusion or pattern.talk_from_minutes)
    talk_ends = later(talk_at, minutes=pattern.talk_minutes)
    home_at = max(later(dose_at, minutes=stay), talk_ends)
    ends = home_at if ends_at is None else max(home_at, in_utc(ends_at))
    watched = Span(starts_at=dose_at, ends_at=home_at)
    present = [Need(part=Part.MONITOR, role=Role.NURSE, span=watched)]
    if protocol.monitoring.prescriber_on_site:
        present.append(Need(part=Part.PRESCRIBER, role=Role.PRESCRIBER, span=watched))
    whole = Span(starts_at=starts_at, ends_at=ends)
    return VisitPlan(
        span=whole,
        dose_at=dose_at,
        home_at=home_at,
        needs=(
            Need(part=Part.PLACE, role=None, span=whole),
            *present,
            Need(part=Part.THERAPIST, role=Role.THERAPIST, span=Span(starts_at=talk_at, ends_at=talk_ends)),
        ),
    )


def too_short(plan: VisitPlan, ends_at: datetime) -> bool:
    """Would the room have to be left before anybody may go home?"""
    return ends_at < plan.home_at


def is_late(starts_at: datetime, called_off_at: datetime, notice_hours: float) -> bool:
    """Was a visit called off inside the notice that the clinic asks for?"""
    return elapsed(called_off_at, starts_at) < timedelta(hours=notice_hours)


def minus(span: Span, held: Sequence[Span]) -> list[Span]:
    """What is left of a stretch when these are taken out of it, in order."""
    left = [span]
    for one in held:
        pieces = []
        for piece in left:
            if not piece.overlaps(one):
                pieces.append(piece)
                continue
            if piece.starts_at < one.starts_at:
                pieces.append(Span(starts_at=piece.starts_at, ends_at=one.starts_at))
            if one.ends_at < piece.ends_at:
                pieces.append(Span(starts_at=one.ends_at, ends_at=piece.ends_at))
        left = pieces
    return sorted(left, key=lambda piece: piece.starts_at)
