"""What is an objection to a dose, and from which answers does one follow?

Nothing yielded means no objection; what is unknown, out of date or from the future is one: fail closed.
Source: clinical-facts §3.1.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from clinical.decision import Decision, Verdict
from clinical.instants import elapsed_hours, elapsed_minutes
from clinical.protocol import Protocol


class Objection(NamedTuple):
    """Something that stands against the dose, or only wants to be seen (CAUTION)."""

    text: str
    verdict: Verdict = Verdict.REFUSE
    missing: bool = False
    value: str | None = None
    unit: str | None = None
    limit: str | None = None
    observed_at: datetime | None = None
    age_hours: float | None = None
    available_at: datetime | None = None


Objections = Iterator[Objection]


def required(answer: bool | None, what: str, failed: str) -> Objections:
    """What has to be so: unknown objects, and so does a no."""
    if answer is None:
        yield Objection(f"not known: {what}", missing=True)
    elif not answer:
        yield Objection(failed)


def excluded(answer: bool | None, what: str, failed: str) -> Objections:
    """What may not be so: unknown objects, and so does a yes."""
    yield from required(None if answer is None else not answer, what, failed)


def fresh(what: str, at: datetime | None, hours: float, protocol: Protocol, now: datetime) -> Objections:
    """Is there one, not from the future and not too old?"""
    if at is None:
        yield Objection(f"no {what} on record", missing=True)
        return
    age = elapsed_hours(at, now)
    seen = Objection(f"{what} is out of date", observed_at=at, age_hours=age)
    if elapsed_minutes(now, at) > protocol.monitoring.future_tolerance_minutes:
        yield seen._replace(text=f"{what} dated in the future")
    elif age > hours:
        yield seen._replace(missing=True, value=f"{age:.2f}", unit="h", limit=f"<= {hours:g}")


def passed_on(decision: Decision) -> Objections:
    """The reasons of another rule that are not a plain pass."""
    for reason in decision.reasons:
        if reason.verdict is not Verdict.PASS:
            yield Objection(
                f"{reason.rule}: {reason.text}",
                verdict=reason.verdict,
                missing=reason.missing,
                value=reason.value,
                unit=reason.unit,
                limit=reason.limit,
                observed_at=reason.observed_at,
                age_hours=reason.age_hours,
                available_at=reason.available_at,
            )
