"""Which questionnaires are due when, counted from the doses as they were really given?

The clocks reset at each dose: whatever was still to come after the one before gives way to what follows the
last one. Before a dose the suicide screen and the indication's own scale; around a decision and at the weeks of
follow-up the full set. Whether a dose may be given without them is the gate's business.
Source: clinical-facts §7.1 (schedule D, instruments §5).
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from clinical.follow_up import decision_due, measurement_times
from clinical.instants import Instant, in_utc, later
from clinical.instruments.answers import InstrumentId
from clinical.protocol import Indication, Protocol


class Moment(StrEnum):
    """What a measurement belongs to."""

    BASELINE = "baseline"
    BEFORE_DOSE = "before-dose"
    DECISION = "decision"
    FOLLOW_UP = "follow-up"


class Measures(BaseModel):
    """Instruments that are due at one moment: from when on they count for it, and by when they are due.

    `week`: of follow-up, 0 elsewhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    moment: Moment
    instruments: tuple[str, ...]
    from_at: Instant
    due_at: Instant
    week: int = 0


def measures(
    doses: Sequence[datetime],
    planned_at: datetime | None,
    protocol: Protocol,
    indication: Indication,
    time_zone: str,
) -> tuple[Measures, ...]:
    """Everything that is still due after these doses, in order of time.

    `doses`: when each session was dosed. `planned_at`: the dose that is booked next, if one is. Before the
    first dose this is the baseline; a dose that the protocol decides after asks for the full set beside what
    every dose asks for; without a planned dose it is the weeks of follow-up. Source: facts §7.1.
    """
    full = protocol.baseline_instruments[indication]
    last = max((in_utc(at) for at in doses), default=None)
    if planned_at is None:
        return () if last is None else _follow_up(last, protocol, time_zone)
    valid = protocol.screening.validity
    if last is None:
        opens = later(planned_at, hours=-valid.outcome_baseline_hours)
        before = [_measures(Moment.BASELINE, full, opens, planned_at)]
    else:
        before = []
        if decision_due(len(doses), protocol):
            before.append(_measures(Moment.DECISION, full, last, planned_at))
    opens = later(planned_at, hours=-valid.suicide_screen_hours)
    each = tuple(dict.fromkeys((full[0], InstrumentId.CSSRS.value)))
    before.append(_measures(Moment.BEFORE_DOSE, each, max(opens, last or opens), planned_at))
    return tuple(before)


def _follow_up(last_dose_at: datetime, protocol: Protocol, time_zone: str) -> tuple[Measures, ...]:
    rules = protocol.follow_up
    return tuple(
        Measures(
            moment=Moment.FOLLOW_UP,
            instruments=rules.instruments,
            from_at=later(due_at, hours=-rules.remind_hours_before),
            due_at=due_at,
            week=week,
        )
        for week, due_at in measurement_times(last_dose_at, protocol, time_zone)
    )


def _measures(moment: Moment, instruments: tuple[str, ...], from_at: datetime, due_at: datetime) -> Measures:
    return Measures(moment=moment, instruments=instruments, from_at=from_at, due_at=due_at)
