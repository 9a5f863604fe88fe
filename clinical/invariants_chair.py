"""Was nobody sent home too early, and was the prescriber there all the time? Invariants 5 and 6.

The minimum observation, in minutes, counts from the first dose of the session and from the end of the last.
What makes it longer for this person (age, liver) is not in the record; a booster is, and does. An override by
a prescriber, with a reason, covers everything but `NEVER_OVERRIDDEN` and a minimum that is absolute.
Source: product §4, F14; clinical-facts §3.5, §3.6, H5, H6.
"""

from collections.abc import Iterator

from clinical.decision import Reason, Verdict
from clinical.discharge_facts import NEVER_OVERRIDDEN, Criterion
from clinical.events import DoseEnded, DoseGiven, PrescriberPresent, SessionClosed, SessionDischarged
from clinical.instruments.answers import RiskLevel
from clinical.invariants_record import Record, Violation, Written, breach, hours_from, last_before, utc
from clinical.people import Role

_MET = frozenset({Verdict.PASS, Verdict.CAUTION})

Home = Written[SessionDischarged]


def nobody_goes_home_too_early(record: Record) -> Iterator[Violation]:
    """Invariant 5: minimum time, a full checklist, overrides only where they may be; nobody left behind."""
    for home in record.every(SessionDischarged):
        for rule, text in (*_minimum(record, home), *_checklist(home), *_override(home)):
            yield breach(5, rule, home.seq, f"discharge of session {home.fact.session}: {text}")
    for closing in record.every(SessionClosed):
        number = closing.fact.session
        dosed = last_before(closing.place, record.in_session(DoseGiven, number))
        if dosed and not last_before(closing.place, record.in_session(SessionDischarged, number)):
            text = f"session {number} was closed after a dose, without a discharge"
            yield breach(5, "CLOSED-WITHOUT", closing.seq, text)


def _minimum(record: Record, home: Home) -> Iterator[tuple[str, str]]:
    rules = record.protocol_at(home.place).discharge
    doses = [d for d in record.in_session(DoseGiven, home.fact.session) if d.place < home.place]
    ends = [e for e in record.in_session(DoseEnded, home.fact.session) if e.place < home.place]
    ended = {end.fact.dose_id: end.fact.ended_at for end in ends}
    if not doses or any(dose.fact.dose_id not in ended for dose in doses):
        yield "DOSE-ENDED", "it is not recorded that the dose had ended"
        return
    first = min((dose.fact.given_at for dose in doses), key=utc)
    last = max(ended.values(), key=utc)
    extra = rules.extra_minutes_if_extended if any(dose.fact.booster for dose in doses) else 0
    too_early = (
        hours_from(first, home.fact.discharged_at) * 60 < rules.min_after_start_minutes + extra
        or hours_from(last, home.fact.discharged_at) * 60 < rules.min_after_end_minutes + extra
    )
    if too_early and (rules.minimum_is_absolute or not home.fact.overridden):
        yield "MINIMUM-TIME", "before the minimum observation was over"


def _checklist(home: Home) -> Iterator[tuple[str, str]]:
    """Every criterion answered and met; an overridden checklist holds only what was overridden."""
    asked = {reason.rule for reason in home.fact.checklist}
    unasked = [criterion for criterion in Criterion if criterion not in asked]
    if unasked and not home.fact.overridden:
        yield "CHECKLIST-INCOMPLETE", f"not answered: {', '.join(unasked)}"
    unmet = [reason.rule for reason in home.fact.checklist if reason.verdict not in _MET]
    if unmet:
        yield "CHECKLIST-UNMET", f"not met: {', '.join(unmet)}"


def _override(home: Home) -> Iterator[tuple[str, str]]:
    if not home.fact.overridden:
        return
    if home.entry.actor.role is not Role.PRESCRIBER:
        yield "OVERRIDE-ROLE", f"overridden by: {home.entry.actor.role}"
    if not (home.fact.override_reason or "").strip():
        yield "OVERRIDE-REASON", "overridden without a reason"
    locked = [reason.rule for reason in home.fact.checklist if _is_locked(reason)]
    if locked:
        yield "OVERRIDE-LOCKED", f"overridden what nobody may: {', '.join(locked)}"


def _is_locked(reason: Reason) -> bool:
    """A moderate risk of suicide is a caution by itself, and no override."""
    moderate = reason.rule == Criterion.SUICIDALITY and reason.value == RiskLevel.MODERATE
    return reason.rule in NEVER_OVERRIDDEN and reason.verdict is not Verdict.PASS and not moderate


def the_prescriber_is_there_from_dose_to_discharge(record: Record) -> Iterator[Violation]:
    """Invariant 6, where the protocol asks for a prescriber on site."""
    if not record.protocol.monitoring.prescriber_on_site:
        return
    for dose in record.doses:
        seen = record.in_session(PrescriberPresent, dose.fact.session)
        arrived = last_before(dose.place, seen)
        if arrived is None or not arrived.fact.present:
            text = f"dose of session {dose.fact.session} without a prescriber on site"
            yield breach(6, "ABSENT-AT-DOSE", dose.seq, text)
    for left in record.every(PrescriberPresent):
        if not left.fact.present and _somebody_is_in_the_chair(record, left):
            text = f"the prescriber left session {left.fact.session} between dose and discharge"
            yield breach(6, "LEFT", left.seq, text)


def _somebody_is_in_the_chair(record: Record, left: Written[PrescriberPresent]) -> bool:
    """By its place in the record, or by its own instant when it was told only later."""
    number, at = left.fact.session, utc(left.entry.occurred_at)
    dosed = record.in_session(DoseGiven, number)
    home = record.in_session(SessionDischarged, number)
    by_place = any(d.place < left.place for d in dosed) and not any(h.place < left.place for h in home)
    by_instant = any(utc(d.fact.given_at) < at for d in dosed) and not any(
        utc(h.fact.discharged_at) <= at for h in home
    )
    return by_place or by_instant
