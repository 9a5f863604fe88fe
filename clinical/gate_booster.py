"""May another dose be given in the same session?

One dose a session, unless plan and protocol foresee a booster: then it waits for the effect of the dose before,
and the person must be awake. Boosters count towards every cap of the dose (`clinical.dosing`).
Source: clinical-facts §2.4 (D), H3.
"""

from collections.abc import Sequence
from datetime import datetime

from clinical.gate_facts import GateFacts
from clinical.gate_objection import Objection, Objections, fresh, required
from clinical.instants import elapsed_minutes, later
from clinical.protocol import Protocol
from clinical.schedule import PastDose


def within_session(
    facts: GateFacts, doses: Sequence[PastDose], protocol: Protocol, now: datetime
) -> Objections:
    """One dose a session, unless a booster is foreseen: agreed before, inside its window, and the person awake."""
    today = [dose.given_at for dose in doses if dose.session == facts.session_no]
    booster = facts.booster
    if booster is None:
        if today:
            yield Objection("a dose was already given in this session", value=str(facts.session_no))
        return
    if booster.given != len(today):
        yield Objection("the doses of this session are not known", missing=True, value=str(len(today)))
    last_at = max([booster.first_given_at, *today])
    most = min(booster.allowed, protocol.dosing.boosters_max)
    if booster.given > most:
        yield Objection("no further booster in this session", value=str(booster.given), limit=f"{most}")
    yield from required(booster.ended, "the end of the dose before", "the dose before has not ended")
    yield from _booster_window(min([booster.first_given_at, *today]), last_at, protocol, now)
    if booster.moaas is None:
        yield Objection("sedation since the dose is not known", missing=True)
    elif booster.moaas <= protocol.vitals.moaas_alert:
        limit = f"> {protocol.vitals.moaas_alert}"
        yield Objection("too sedated for a booster", value=str(booster.moaas), limit=limit)
    hours = protocol.monitoring.repeat_after_last_minutes / 60
    read_at = booster.read_at if booster.read_at is None or booster.read_at >= last_at else None
    yield from fresh("reading since the last dose", read_at, hours, protocol, now)


def _booster_window(first_at: datetime, last_at: datetime, protocol: Protocol, now: datetime) -> Objections:
    """Not before the dose before has shown its effect, not after the session's window has closed."""
    least, most = protocol.dosing.booster_from_minutes, protocol.dosing.booster_until_minutes
    opens, closes = later(last_at, minutes=least), later(first_at, minutes=most)
    if now < opens:
        yield Objection(
            "too soon for a booster",
            value=f"{elapsed_minutes(last_at, now):.1f}",
            unit="min",
            limit=f">= {least}",
            available_at=opens if opens <= closes else None,
        )
    if now > closes:
        yield Objection(
            "too late for a booster",
            value=f"{elapsed_minutes(first_at, now):.1f}",
            unit="min",
            limit=f"<= {most}",
        )
