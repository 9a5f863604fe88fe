"""What does a protocol say of the desk: how a visit is laid out, how soon somebody answers, who hears of delay?

These sections came later than the others. A document that is published has to say them; the snapshot of a course that
began before does not, keeps its hash, and goes on with the numbers that were the same for everybody then.
"""

from clinical.people import Role
from clinical.protocol_base import Count, Hours, Minutes, Positive, Section


class Booking(Section):
    """How a visit is laid out beyond dose and stay, and what holds when it is moved, called off or offered."""

    arrival_minutes: Minutes
    """From coming in to the dose: identity, readings, questionnaires."""
    talk_from_minutes: Minutes
    """Where nothing is infused: from the dose to the conversation."""
    talk_minutes: Minutes
    notice_hours: Hours
    """Called off later than this before the start is a late cancellation; nobody moves a visit alone after it."""
    offer_minutes: Count
    """How long a waiting patient has to take a time that became free."""
    see_to_hours: Positive
    """By when somebody sees to a hold or an offer that lapsed, and to a visit without its room."""


class Inbox(Section):
    """How soon a person sees to what patients write."""

    crisis_minutes: Count
    read_hours: Positive
    contact_hours: Positive
    """An address that does not work, or that two patients have."""
    asked_again_hours: Positive
    """After our question what was meant, the next message within this time goes to a person."""


class Escalation(Section):
    """Who hears of a task that is overdue, by the role that owes it. Above the medical director there is nobody."""

    coordinator: Role
    nurse: Role
    therapist: Role
    prescriber: Role

    def above(self, role: Role) -> Role:
        match role:
            case Role.COORDINATOR:
                return self.coordinator
            case Role.NURSE:
                return self.nurse
            case Role.THERAPIST:
                return self.therapist
            case Role.PRESCRIBER:
                return self.prescriber
            case _:
                return Role.MEDICAL_DIRECTOR


BOOKING_BEFORE = Booking(
    arrival_minutes=30,
    talk_from_minutes=40,
    talk_minutes=60,
    notice_hours=24,
    offer_minutes=60,
    see_to_hours=4,
)
INBOX_BEFORE = Inbox(crisis_minutes=15, read_hours=4, contact_hours=24, asked_again_hours=72)
ESCALATION_BEFORE = Escalation(
    coordinator=Role.MEDICAL_DIRECTOR,
    nurse=Role.PRESCRIBER,
    therapist=Role.PRESCRIBER,
    prescriber=Role.MEDICAL_DIRECTOR,
)
"""What courses go on with whose snapshot is older than the section."""
