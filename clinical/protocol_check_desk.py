"""Does a protocol say how a visit is laid out, how soon somebody answers and who hears of delay, and does it fit?

Stored snapshots of before may leave these sections out; a document that is published may not.
Source: product F8, F11, F19; clinical-facts §6.2.
"""

from collections.abc import Iterator

from clinical.people import CLINICIANS, Role
from clinical.protocol import Protocol
from clinical.protocol_desk import Escalation
from clinical.protocol_fault import Fault


def said(protocol: Protocol) -> Iterator[Fault]:
    """Sections that came later are as necessary as the others."""
    for name in sorted(protocol.unsaid):
        yield Fault(f"/{name}", "missing")


def answered_in_time(protocol: Protocol) -> Iterator[Fault]:
    """Words of crisis are no slower than any risk, and whoever is offered a time has the night at most."""
    inbox, booking, risk = protocol.inbox, protocol.booking, protocol.risk
    if inbox is not None and inbox.crisis_minutes > risk.high_remote_minutes:
        detail = (
            f"{inbox.crisis_minutes} min is above {risk.high_remote_minutes} min for a risk at a distance"
        )
        yield Fault("/inbox/crisis_minutes", detail, ("/risk/high_remote_minutes",))
    if inbox is not None and inbox.crisis_minutes > inbox.read_hours * 60:
        detail = f"{inbox.crisis_minutes} min is above {inbox.read_hours:g} h for any other message"
        yield Fault("/inbox/crisis_minutes", detail, ("/inbox/read_hours",))
    if booking is not None and booking.offer_minutes > booking.notice_hours * 60 > 0:
        detail = f"{booking.offer_minutes} min is above the notice of {booking.notice_hours:g} h"
        yield Fault("/booking/offer_minutes", detail, ("/booking/notice_hours",))


def goes_up(protocol: Protocol) -> Iterator[Fault]:
    """What is overdue goes to a clinician each time, and in the end to the medical director: never in a circle."""
    if protocol.escalation is None:
        return
    for name in type(protocol.escalation).model_fields:
        up = getattr(protocol.escalation, name)
        if up not in CLINICIANS:
            yield Fault(f"/escalation/{name}", f"{up} is no clinician")
        elif not _reaches_the_director(protocol.escalation, up):
            yield Fault(f"/escalation/{name}", "goes in a circle and never reaches the medical director")


def _reaches_the_director(escalation: Escalation, role: Role) -> bool:
    for _ in CLINICIANS:
        role = escalation.above(role)
    return role is Role.MEDICAL_DIRECTOR
