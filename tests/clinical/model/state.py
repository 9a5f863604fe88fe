"""What can a course be in, as far as doses, discharges and closing depend on it?

Small and finite: instants are classes ("long enough ago or not"), people are roles, a plan is its standing and the
number of its sessions, one or two. What the rules cannot tell apart is one value here. Two doses are the most
that the walk gives.
"""

from enum import StrEnum
from typing import NamedTuple

from clinical.journey import Stage


class Consent(StrEnum):
    NONE = "none"
    LIVE = "live"
    HALF_OVER = "half a year old"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    AGAIN = "given again after a withdrawal"


class Plan(StrEnum):
    """The plan in force, whatever draft lies beside it."""

    NONE = "none"
    IN_FORCE = "in force"
    EXPIRED = "expired"


class Visit(StrEnum):
    NONE = "none"
    OPEN = "open"
    CHECKED_IN = "checked in"
    ORDERED = "ordered"
    DOSED = "dosed"
    ENDED = "the dose has ended"
    HOME = "home"


class Look(StrEnum):
    """What the gate saw, and whether the record has moved on since."""

    NONE = "none"
    GREEN = "green"
    MOVED = "green, but the record moved on"


class Risk(StrEnum):
    NONE = "none"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED_BY_NOBODY = "closed by somebody who may not"


class Since(StrEnum):
    """How long ago the last dose was given: not at all, too short for the interval, long enough."""

    NEVER = "never"
    TODAY = "today"
    LONG = "long enough"


class State(NamedTuple):
    """One state of the course.

    `approvals`: who approved the draft that is open, None without one; `drafted` sessions it has. `approved`:
    sessions of the plan in force; `under_plan`: doses given under it. `old_plan`: the session was opened under a
    plan that another one has replaced. `fresh`: the check-in is of this hour. `left`: the prescriber was away
    between dose and now. `start_over`, `end_over`: the minimum observation from the start and from the end of
    the dose has passed. `recovered`: two good readings, the last one current.
    """

    stage: Stage = Stage.REFERRED
    closed: bool = False
    on_hold: bool = False
    consent: Consent = Consent.NONE
    approvals: tuple[str, ...] | None = None
    drafted: int = 0
    plan: Plan = Plan.NONE
    approved: int = 0
    under_plan: int = 0
    doses: int = 0
    since: Since = Since.NEVER
    visit: Visit = Visit.NONE
    old_plan: bool = False
    fresh: bool = False
    present: bool = False
    left: bool = False
    look: Look = Look.NONE
    start_over: bool = False
    end_over: bool = False
    recovered: bool = False
    risk: Risk = Risk.NONE

    def but(self, **changes: object) -> "State":
        return self._replace(**changes)  # type: ignore[arg-type]  # checked by every walk


IN_CHAIR = frozenset({Visit.DOSED, Visit.ENDED})
BEFORE_DOSE = frozenset({Visit.OPEN, Visit.CHECKED_IN, Visit.ORDERED})
