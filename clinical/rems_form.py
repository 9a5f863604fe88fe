"""What does the REMS monitoring form of one session ask, and what does the record answer?

A draft that a person reads, completes and sends: the engine sends nothing and signs nothing. What the record
does not hold is null and named in `missing`, never "no".
Source: clinical-facts §8 (form fields: REMS patient monitoring form), §3.9 (within 7 days), §3.4 (scales).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from clinical.adverse_events import AdverseEvent, rems_form
from clinical.decision import Reason
from clinical.events import (
    AdverseEventRecorded,
    CheckedIn,
    DoseGiven,
    ObservationRecorded,
    RecordedEntry,
    SessionDischarged,
)
from clinical.instants import Instant, elapsed_minutes
from clinical.protocol import Protocol
from clinical.vitals import Reading, Tier, is_at_least, resting_tier

SECOND_READING_MINUTE = 40
"""The form itself asks for the pressure at 40 minutes (REMS-PMF, C)."""

CONCOMITANT = {
    "benzodiazepine": ("MED-BENZODIAZEPINE",),
    "sedative_hypnotic_or_opioid": ("MED-DEPRESSANT", "MED-SEDATING"),
    "stimulant": ("MED-STIMULANT",),
    "maoi": ("MED-MAOI",),
}
"""The classes that the form asks for, by the rules that recognise them in a list of medicines. One rule stands
for opioids and for sedatives and hypnotics: a person tells them apart."""

F = TypeVar("F")


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Course(_Form):
    """Did it happen in the session, and from which reading to which? Null: nothing was looked at."""

    occurred: bool | None
    first_seen_at: Instant | None = None
    last_seen_at: Instant | None = None


class Pressure(_Form):
    systolic_mmhg: int
    diastolic_mmhg: int
    taken_at: Instant


class RemsForm(_Form):
    """The form as far as the record can fill it in."""

    session: int
    due_at: Instant | None
    administered_at: Instant | None
    dose_mg: Decimal | None
    devices: int | None
    lots: tuple[str, ...]
    concomitant: dict[str, bool | None]
    minutes_monitored: float | None
    ready_after_minutes: float | None
    vitals_acceptable_before: bool | None
    vitals_acceptable_at_exit: bool | None
    pressure_before: Pressure | None
    pressure_at_40_minutes: Pressure | None
    pressure_at_exit: Pressure | None
    sedation: Course
    dissociation: Course
    respiratory_depression: Course
    serious_adverse_event: bool | None
    adverse_events: tuple[str, ...]
    missing: tuple[str, ...]


def draft(
    entries: Sequence[RecordedEntry],
    session: int,
    medicines: Iterable[Reason] | None,
    protocol: Protocol,
) -> RemsForm:
    """The form of one session from the journey's record.

    `medicines`: what `clinical.medications.interactions` said about the list that the record has; None when
    there is no list. A class that is not on a list is null all the same: the list is as old as the referral,
    and the form asks about today. Source: facts §8.
    """
    doses = _of(entries, DoseGiven, session)
    arrived = _of(entries, CheckedIn, session)
    seen = _observations(entries, session)
    home = _of(entries, SessionDischarged, session)
    start = min((dose.given_at for dose in doses), default=None)
    left_at = home[-1].discharged_at if home else None
    before = arrived[-1].baseline if arrived else None
    middle = _nearest(seen, protocol.monitoring.tolerance_minutes)
    last = seen[-1].reading if seen else None
    ready_at = _ready_at(seen, protocol)
    required = rems_form(start, protocol) if start is not None else None
    found = {reason.rule for reason in medicines or ()}
    known: dict[str, object] = {
        "session": session,
        "due_at": required.due_at if required else None,
        "administered_at": start,
        "dose_mg": sum((dose.dose_mg for dose in doses), Decimal(0)) if doses else None,
        "devices": _total(dose.units for dose in doses),
        "lots": tuple(sorted({dose.lot for dose in doses})),
        "minutes_monitored": _minutes(start, left_at),
        "ready_after_minutes": _minutes(start, ready_at),
        "vitals_acceptable_before": _acceptable(before, protocol),
        "vitals_acceptable_at_exit": _acceptable(last, protocol) if left_at is not None else None,
        "pressure_before": _pressure(before),
        "pressure_at_40_minutes": _pressure(middle),
        "pressure_at_exit": _pressure(last) if left_at is not None else None,
        "sedation": _course(seen, lambda one: _below(one.reading.moaas, protocol.discharge.moaas_min)),
        "dissociation": _course(seen, lambda one: None if one.cadss6 is None else one.cadss6 > 0),
        "respiratory_depression": _course(seen, lambda one: _breathing_fails(one.reading, protocol)),
    }
    concomitant = {name: True if found & set(rules) else None for name, rules in CONCOMITANT.items()}
    happened = _adverse_events(entries, session)
    judged = [event.is_serious for event in happened if not event.is_draft]
    # Nothing reported is not "nothing happened": the person who sends the form says no.
    serious = True if any(event.is_serious for event in happened) else None
    if judged and len(judged) == len(happened) and serious is None:
        serious = False
    missing = [name for name, value in known.items() if value is None or value == ()]
    missing += [name for name, value in known.items() if isinstance(value, Course) and value.occurred is None]
    missing += [f"concomitant.{name}" for name, taken in concomitant.items() if taken is None]
    missing += ["serious_adverse_event"] if serious is None else []
    return RemsForm.model_validate(
        {
            **known,
            "concomitant": concomitant,
            "serious_adverse_event": serious,
            "adverse_events": tuple(event.term.value for event in happened),
            "missing": tuple(missing),
        }
    )


def _of(entries: Sequence[RecordedEntry], kind: type[F], session: int) -> list[F]:
    facts = [entry.fact for entry in entries if getattr(entry.fact, "session", None) == session]
    return [fact for fact in facts if isinstance(fact, kind)]


def _observations(entries: Sequence[RecordedEntry], session: int) -> list[ObservationRecorded]:
    """In order of time, without those that were amended."""
    found = _of(entries, ObservationRecorded, session)
    amended = {one.amends for one in found}
    valid = [one for one in found if one.observation_id not in amended]
    return sorted(valid, key=lambda one: one.reading.taken_at)


def _adverse_events(entries: Sequence[RecordedEntry], session: int) -> list[AdverseEvent]:
    """The last version of each event of this session."""
    found = _of(entries, AdverseEventRecorded, session)
    versions = {fact.event_id or f"#{place}": fact.event for place, fact in enumerate(found)}
    return list(versions.values())


def _nearest(seen: Sequence[ObservationRecorded], within_minutes: int) -> Reading | None:
    """The reading at 40 minutes, taken within the tolerance of any reading."""
    near = [one for one in seen if abs(one.minute - SECOND_READING_MINUTE) <= within_minutes]
    best = min(near, key=lambda one: abs(one.minute - SECOND_READING_MINUTE), default=None)
    return best.reading if best else None


def _ready_at(seen: Sequence[ObservationRecorded], protocol: Protocol) -> datetime | None:
    """From which reading on was everything back, the two hours apart? One bad reading starts anew."""
    since: datetime | None = None
    for one in seen:
        if not _recovered(one, protocol):
            since = None
        elif since is None:
            since = one.reading.taken_at
    return since


def _recovered(one: ObservationRecorded, protocol: Protocol) -> bool:
    awake = _below(one.reading.moaas, protocol.discharge.moaas_min) is False
    clear = one.cadss6 is not None and one.cadss6 <= protocol.discharge.cadss6_above_baseline_max
    return awake and clear and _acceptable(one.reading, protocol) is True


def _acceptable(reading: Reading | None, protocol: Protocol) -> bool | None:
    """Would these values let a dose begin or a patient go? From hold on they would not (facts §3.2)."""
    return None if reading is None else not is_at_least(resting_tier(reading, protocol).tier, Tier.HOLD)


def _below(value: int | None, limit: int) -> bool | None:
    return None if value is None else value < limit


def _breathing_fails(reading: Reading, protocol: Protocol) -> bool | None:
    limits = protocol.vitals
    if reading.spo2_percent < limits.spo2_alert_percent:
        return True
    slow = reading.respiratory_rate_per_min
    return None if slow is None else slow < limits.respiratory_rate_low_per_min


def _course(
    seen: Sequence[ObservationRecorded], finding: Callable[[ObservationRecorded], bool | None]
) -> Course:
    answers = [(one.reading.taken_at, finding(one)) for one in seen]
    times = [at for at, found in answers if found]
    if times:
        return Course(occurred=True, first_seen_at=times[0], last_seen_at=times[-1])
    return Course(occurred=False if any(found is False for _, found in answers) else None)


def _pressure(reading: Reading | None) -> Pressure | None:
    if reading is None:
        return None
    return Pressure(
        systolic_mmhg=reading.systolic_mmhg,
        diastolic_mmhg=reading.diastolic_mmhg,
        taken_at=reading.taken_at,
    )


def _minutes(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round(elapsed_minutes(start, end), 1)


def _total(units: Iterable[int | None]) -> int | None:
    known = [one for one in units if one is not None]
    return sum(known) if known else None
