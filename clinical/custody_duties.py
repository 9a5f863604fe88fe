"""What is owed after a difference in the drug books, and until when?

The clock of every duty runs from the finding, not from the moment when somebody calls it a loss: the strict
reading. Without a zone weekdays are those of UTC.
Source: clinical-facts §8 (theft or loss: notice within 1 business day, Form 106 within 45 days; inventory every
2 years), H18; numbers from the protocol's section `custody`.
"""

from collections.abc import Set
from datetime import UTC, date, datetime, timedelta, tzinfo

from clinical.custody import objection
from clinical.decision import Decision, Verdict
from clinical.instants import in_utc, later
from clinical.people import Role
from clinical.protocol_duties import Custody

SATURDAY = 5
MONTHS_A_YEAR = 12

EXPLAINERS = frozenset({Role.NURSE, Role.PRESCRIBER, Role.MEDICAL_DIRECTOR})
"""Who may explain a difference: those who handle the drug."""

REPORTERS = frozenset({Role.PRESCRIBER, Role.MEDICAL_DIRECTOR})
"""Who may call it a loss and report it: those in whose name the drug is held."""


def explain_by(found_at: datetime, custody: Custody) -> datetime:
    """Until when must the difference be explained?"""
    return later(found_at, hours=custody.explain.due_hours)


def given_up_at(found_at: datetime, custody: Custody) -> datetime:
    """From when on is a difference that nobody explained a loss?"""
    return later(found_at, hours=custody.explain.give_up_hours)


def loss_notice_by(
    found_at: datetime, custody: Custody, holidays: Set[date] = frozenset(), zone: tzinfo = UTC
) -> datetime:
    """Until when must the DEA field office have written notice? The same hour, so many business days later.

    What is found on a day off counts from the next business day.
    """
    days, at = custody.loss_notice_business_days, found_at.astimezone(zone)
    while days:
        at += timedelta(days=1)
        days -= _works(at.date(), holidays)
    return in_utc(at)


def loss_form_by(found_at: datetime, custody: Custody) -> datetime:
    """Until when must Form 106 be complete?"""
    return later(found_at, days=custody.loss_form_days)


def inventory_by(last_at: datetime, custody: Custody) -> datetime:
    """Until when must this container be counted again? Calendar months, the last day where one is too short."""
    at = in_utc(last_at)
    months = at.year * MONTHS_A_YEAR + at.month - 1 + custody.inventory_months
    first = at.replace(year=months // MONTHS_A_YEAR, month=months % MONTHS_A_YEAR + 1, day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return first.replace(day=min(at.day, (next_month - timedelta(days=1)).day))


def may_explain(role: Role, person: str, involved: Set[str]) -> Decision:
    """Somebody who handles the drug, and not one of those whose movement it was."""
    faults = []
    if role not in EXPLAINERS:
        faults.append(
            objection(
                "CUSTODY-ROLE", "another role explains a difference", verdict=Verdict.REFUSE, value=role
            )
        )
    if person.strip() in {one.strip() for one in involved}:
        faults.append(objection("CUSTODY-SECOND-PERSON", "a second person explains what was found"))
    return Decision.of(faults)


def may_report(role: Role) -> Decision:
    """Only a prescriber or the medical director calls it a loss and reports it."""
    if role in REPORTERS:
        return Decision()
    return Decision.of([objection("CUSTODY-ROLE", "another role reports a loss", value=role)])


def _works(day: date, holidays: Set[date]) -> bool:
    return day.weekday() < SATURDAY and day not in holidays
