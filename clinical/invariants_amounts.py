"""Were doses far enough apart, and never too much? Invariants 3 and 4.

Masses in mg of base, weight in kg, times in elapsed hours between administrations. What counts as given is
the larger of the amount started and the amount that went in; what counts as the weight is the smaller of the
one written with the dose and the one of the check-in. Boosters count towards every amount of their session.
Written without the rules that decide these things while the course runs.
Source: product §4; clinical-facts §2.2-§2.5, H1, H3, H4, H17.
"""

import math
from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal, localcontext

from clinical.events import CheckedIn, DoseEnded, DoseGiven, PlanApproved
from clinical.instants import local_date, zone_named
from clinical.invariants_record import (
    UNTRAPPED,
    Record,
    Violation,
    Written,
    breach,
    hours_from,
    last_before,
    utc,
)
from clinical.protocol import ByWeight, Devices, Dosing, InUnits

_WEEK_HOURS = 7 * 24
_LONGEST_DATE_HOURS = 25
Dose = Written[DoseGiven]


def doses_are_far_enough_apart(record: Record) -> Iterator[Violation]:
    """Invariant 3, measured from administered times. A booster is exempt within its own session only."""
    doses = sorted(record.doses, key=lambda dose: (utc(dose.fact.given_at), dose.place))
    for index, dose in enumerate(doses):
        number, rules = dose.fact.session, record.protocol_at(dose.place).schedule
        same = [d for d in doses[:index] if d.fact.session == number]
        if same and not dose.fact.booster:
            yield breach(3, "SECOND-DOSE", dose.seq, f"a second dose in session {number}, not as a booster")
        others = [d for d in doses[:index] if d.fact.session != number]
        least = _least_hours(record, dose)
        if others and hours_from(others[-1].fact.given_at, dose.fact.given_at) < least:
            text = f"dose of session {number} less than {least:g} h after the one before"
            yield breach(3, "INTERVAL", dose.seq, text)
        if others and _same_date(record, others[-1], dose):
            yield breach(3, "DATE", dose.seq, f"dose of session {number} on the local date of another")
        week = {d.fact.session for d in others if _within_a_week(d, dose)}
        if len(week) >= rules.max_per_rolling_7_days:
            text = f"session {number} is one more than {rules.max_per_rolling_7_days} in seven days"
            yield breach(3, "WEEK", dose.seq, text)
        most = rules.max_per_calendar_week
        if most is not None and len({d.fact.session for d in others if _same_week(record, d, dose)}) >= most:
            text = f"session {number} is one more than {most} in a calendar week"
            yield breach(3, "CALENDAR-WEEK", dose.seq, text)


def doses_stay_within_their_bounds(record: Record) -> Iterator[Violation]:
    """Invariant 4: amounts of a dose and of its session, boosters, and the number of doses of the plan."""
    with localcontext(UNTRAPPED):
        found = [
            breach(4, rule, dose.seq, f"dose of session {dose.fact.session}: {text}")
            for dose in record.doses
            for rule, text in (*_amounts(record, dose), *_counts(record, dose))
        ]
    yield from found


def _least_hours(record: Record, dose: Dose) -> float:
    """The protocol's rest, or the longer one of the phase that the dose's plan names (none: the first)."""
    schedule, plan = record.protocol_at(dose.place).schedule, _plan(record, dose)
    named = plan.phase if plan is not None and plan.phase is not None else schedule.phases[0].name
    rests = [phase.min_interval_hours for phase in schedule.phases if phase.name == named]
    return max([schedule.min_interval_hours, *rests])


def _same_week(record: Record, earlier: Dose, later: Dose) -> bool:
    """Monday to Sunday on the wall; where that cannot be told, in UTC."""
    zone = zone_named(record.time_zone) or UTC
    try:
        weeks = {utc(dose.fact.given_at).astimezone(zone).isocalendar()[:2] for dose in (earlier, later)}
    except OverflowError:
        weeks = {utc(dose.fact.given_at).isocalendar()[:2] for dose in (earlier, later)}
    return len(weeks) == 1


def _within_a_week(earlier: Dose, later: Dose) -> bool:
    return hours_from(earlier.fact.given_at, later.fact.given_at) < _WEEK_HOURS


def _same_date(record: Record, earlier: Dose, later: Dose) -> bool:
    """In a zone that nobody knows, and at the edge of the calendar, the longest possible date counts."""
    first, second = utc(earlier.fact.given_at), utc(later.fact.given_at)
    zone = zone_named(record.time_zone)
    try:
        if zone is not None:
            return local_date(first, zone) == local_date(second, zone)
    except OverflowError:
        pass
    return hours_from(first, second) < _LONGEST_DATE_HOURS


def _amounts(record: Record, dose: Dose) -> Iterator[tuple[str, str]]:
    rules, plan = record.protocol_at(dose.place).dosing, _plan(record, dose)
    total = sum((_given_mg(record, d) for d in _so_far(record, dose)), Decimal(0))
    most_mg = [_exact(rules.max_session_mg), *([plan.max_mg] if plan else [])]
    if not dose.fact.dose_mg > 0:
        yield "AMOUNT", "the amount is no dose"
    if not all(total <= limit for limit in most_mg):
        yield "MG", f"more than {min(most_mg)} mg in the session"
    if isinstance(rules, ByWeight):
        yield from _amounts_by_weight(record, dose, total, rules, plan)
    else:
        yield from _amounts_in_units(record, dose, total, rules, plan)


def _amounts_in_units(
    record: Record, dose: Dose, total: Decimal, rules: InUnits, plan: PlanApproved | None
) -> Iterator[tuple[str, str]]:
    """Whole units, as many as were counted out; the first session of the course has bounds of its own."""
    if plan is not None and (plan.dose_mg is None or not dose.fact.dose_mg <= plan.dose_mg):
        yield "SINGLE-MG", f"a single dose above the plan's {plan.dose_mg} mg"
    if dose.fact.units is None or dose.fact.dose_mg != dose.fact.units * _exact(rules.unit_mg):
        yield "UNITS", f"not the units of {rules.unit_mg:g} mg that were counted out"
    before = _before(record, dose)
    if isinstance(rules, Devices):
        allowed = [_exact(mg) for mg in (rules.allowed_mg if before else [rules.first_session_mg])]
        if dose.fact.dose_mg not in allowed or not total <= max(allowed):
            yield "LABEL", f"not {' or '.join(map(str, allowed))} mg in the session"
        return
    if not before and not total <= _exact(rules.first_session_max_mg):
        yield "FIRST-SESSION", f"more than {rules.first_session_max_mg:g} mg in the first session"
    sums = [sum((_given_mg(record, d) for d in session), Decimal(0)) for session in before]
    start, stepped = _exact(rules.start_mg), total if before else dose.fact.dose_mg
    if not stepped <= max([start, *(mg + _exact(rules.step_mg) for mg in sums)]):
        yield "STEP", f"more than one step of {rules.step_mg:g} mg above any session before"


def _amounts_by_weight(
    record: Record, dose: Dose, total: Decimal, rules: ByWeight, plan: PlanApproved | None
) -> Iterator[tuple[str, str]]:
    if plan is not None and plan.mg_per_kg is None:
        yield "PLAN-MG-PER-KG", "the plan names no dose per kilogram"
    planned = [plan.mg_per_kg] if plan is not None and plan.mg_per_kg is not None else []
    most_per_kg = [_exact(rules.max_mg_per_kg), *planned]
    ordered = dose.fact.mg_per_kg
    if ordered is None or not all(ordered <= limit for limit in most_per_kg):
        yield "ORDERED-MG-PER-KG", f"ordered at more than {min(most_per_kg)} mg/kg"
    weight_kg = _weight_kg(record, dose)
    if weight_kg is None:
        yield "WEIGHT", "the weight is none"
    elif not all(total <= limit * weight_kg for limit in most_per_kg):
        yield "MG-PER-KG", f"more than {min(most_per_kg)} mg/kg in the session"
    else:
        yield from _step_by_weight(
            record, dose, total / weight_kg, _given_mg(record, dose) / weight_kg, rules
        )


def _step_by_weight(
    record: Record, dose: Dose, total: Decimal, single: Decimal, rules: ByWeight
) -> Iterator[tuple[str, str]]:
    """In mg/kg: where a course starts, or one step above the highest session before, as it was ordered."""
    start, rise, before = _exact(rules.start_mg_per_kg), _exact(rules.step_mg_per_kg), _before(record, dose)
    if not before and not total <= start + rise:
        yield "FIRST-SESSION", f"more than {start + rise} mg/kg in the first session"
    ordered = [
        sum((d.fact.mg_per_kg for d in session if d.fact.mg_per_kg is not None), Decimal(0))
        for session in before
    ]
    if not (total if before else single) <= max([start, *(mg + rise for mg in ordered)]):
        yield "STEP", f"more than one step of {rise} mg/kg above any session before"


def _before(record: Record, dose: Dose) -> list[list[Dose]]:
    """The doses of each session that had one before this session."""
    sessions: dict[int, list[Dose]] = {}
    for earlier in record.doses:
        if earlier.place < dose.place and earlier.fact.session != dose.fact.session:
            sessions.setdefault(earlier.fact.session, []).append(earlier)
    return list(sessions.values())


def _counts(record: Record, dose: Dose) -> Iterator[tuple[str, str]]:
    rules = record.protocol_at(dose.place).dosing
    plan, so_far = _plan(record, dose), _so_far(record, dose)
    most = min([rules.boosters_max, *([plan.boosters] if plan else [])])
    if dose.fact.booster and sum(d.fact.booster for d in so_far) > most:
        yield "BOOSTERS", f"more than {most} boosters in the session"
    elif dose.fact.booster:
        yield from _booster_time(dose, so_far, rules)
    under_plan = {
        d.fact.session
        for d in record.doses
        if d.place <= dose.place and d.fact.plan_hash == dose.fact.plan_hash
    }
    if plan is not None and len(under_plan) > plan.sessions:
        yield "SERIES", f"more than the {plan.sessions} doses that the plan approved"


def _booster_time(booster: Dose, so_far: list[Dose], rules: Dosing) -> Iterator[tuple[str, str]]:
    minutes = [hours_from(d.fact.given_at, booster.fact.given_at) * 60 for d in so_far if d is not booster]
    if not minutes:
        yield "BOOSTER-FIRST", "called a booster, and nothing was given before it"
    elif min(minutes) < rules.booster_from_minutes or max(minutes) > rules.booster_until_minutes:
        yield "BOOSTER-TIME", "a booster too soon after the dose before, or too late in the session"


def _plan(record: Record, dose: Dose) -> PlanApproved | None:
    """The plan that the dose names, as it was approved; that it is in force is invariant 1's question."""
    approved = [p for p in record.every(PlanApproved) if p.fact.plan_hash == dose.fact.plan_hash]
    found = last_before(dose.place, approved)
    return found.fact if found else None


def _so_far(record: Record, dose: Dose) -> list[Dose]:
    return [d for d in record.in_session(DoseGiven, dose.fact.session) if d.place <= dose.place]


def _given_mg(record: Record, dose: Dose) -> Decimal:
    ends = record.in_session(DoseEnded, dose.fact.session)
    went_in = [end.fact.given_mg for end in ends if end.fact.dose_id == dose.fact.dose_id]
    return max([dose.fact.dose_mg, *went_in, Decimal(0)])


def _weight_kg(record: Record, dose: Dose) -> Decimal | None:
    arrived = last_before(dose.place, record.in_session(CheckedIn, dose.fact.session))
    weights = [w for w in (dose.fact.weight_kg, arrived.fact.weight_kg if arrived else None) if w is not None]
    if dose.fact.weight_kg is None or not all(math.isfinite(weight) and weight > 0 for weight in weights):
        return None
    return _exact(min(weights))


def _exact(number: float) -> Decimal:
    """Exactly the number as it is written."""
    return Decimal(str(number))
