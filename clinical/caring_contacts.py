"""Which contacts are owed after a crisis, when, and does this one count?

A case of moderate or more that was closed is followed by contacts, first within 24-72 h and again at 7 d.
The dose gate does not wait for them; they are owed for as long as it takes, also after the course is over.
Nothing is owed where there was no risk, and for the dead. Source: clinical facts §6.2 (caring contacts, W;
hours from the protocol, D).
"""

from datetime import datetime
from typing import NamedTuple

from clinical.decision import Decision, Reason, Verdict
from clinical.instants import in_utc, later
from clinical.instruments.answers import RiskLevel
from clinical.protocol import Ask, Protocol
from clinical.risk_disposition import Disposition
from clinical.safety_plan import is_serious

NONE_OWED = frozenset({Disposition.FALSE_POSITIVE_RECONCILED, Disposition.DIED})
SOURCE = "clinical facts §6.2"


class ContactOwed(NamedTuple):
    """One contact: not before `from_at`, asked for as `ask` says; its hours count from the closing."""

    number: int
    from_at: datetime
    ask: Ask


def contacts_owed(
    level: RiskLevel, disposition: Disposition, closed_at: datetime, protocol: Protocol
) -> tuple[ContactOwed, ...]:
    """Which contacts follow a case of this level that was closed so, then?"""
    if not is_serious(level) or disposition in NONE_OWED:
        return ()
    return tuple(
        ContactOwed(number, later(closed_at, hours=contact.from_hours), contact.ask)
        for number, contact in enumerate(protocol.risk.caring_contacts, start=1)
    )


def contact_counts(owed: ContactOwed, made_at: datetime) -> Decision:
    """Does a contact made at this instant fulfil what is owed? One too early leaves the later days empty."""
    early = in_utc(made_at) < owed.from_at
    reason = Reason(
        rule="RISK-CONTACT-EARLY",
        verdict=Verdict.REFUSE if early else Verdict.PASS,
        text=f"contact {owed.number} is owed later than this" if early else "the contact is in its time",
        source=SOURCE,
        value=made_at.isoformat(),
        limit=f"from {owed.from_at.isoformat()}",
        available_at=owed.from_at if early else None,
    )
    return Decision.of([reason])
