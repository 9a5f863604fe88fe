"""Has somebody stayed in touch after the crisis? The contacts that a closed case owes, until each is accounted for.

They hold up no dose and end with no course. Who cannot be reached becomes a prescriber's matter the moment that
it is said, or when the time for the contact has run out.
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow

from clinical.caring_contacts import ContactOwed, contact_counts
from clinical.events import CaringContactMade, CaringContactMissed
from clinical.people import CLINICIANS, LICENSED_TO_CLOSE_RISK
from clinical.protocol import Protocol
from workflows.findings import concern_after_contact
from workflows.messages import Accepted, RaiseConcern, RecordCaringContact
from workflows.part import Answer, Part
from workflows.refusals import refusal, require, require_role


class CaringContacts(Part):
    protocol: Protocol
    case_id: str

    def __init__(self, journey_id: str, site: str, patient_id: str | None, part: str) -> None:
        super().__init__(journey_id, site, patient_id, part)
        self.owed: dict[int, ContactOwed] = {}
        self.settled_contacts: set[int] = set()
        self.handed_up: set[int] = set()

    async def raise_from_contact(self, concern: RaiseConcern) -> None:
        """What a contact that leaves one worried sets off."""
        raise NotImplementedError

    async def stay_in_touch(self, owed: tuple[ContactOwed, ...], since: datetime) -> None:
        self.owed = {contact.number: contact for contact in owed}
        await asyncio.gather(*(self._contact(contact, since) for contact in owed))

    async def _contact(self, contact: ContactOwed, since: datetime) -> None:
        number, ask = contact.number, contact.ask

        def settled() -> bool:
            return number in self.settled_contacts

        made = await self.ask(
            "caring-contact",
            ask,
            f"caring contact {number} after a risk case, not before {contact.from_at:%Y-%m-%d %H:%M} UTC",
            done=lambda: settled() or number in self.handed_up,
            since=since,
            occurrence=str(number),
        )
        if made is Answer.GAVE_UP:
            due_at = since + timedelta(hours=ask.due_hours)
            fact = CaringContactMissed(case_id=self.case_id, number=number, due_at=due_at)
            self.journal.note(f"contact/{number}", fact)
        if not settled():
            await self._hand_up(number)

    async def _hand_up(self, number: int) -> None:
        """Nobody was reached: a prescriber hears of it now and finds a way, or writes down why there is none."""
        not_reached = self.protocol.therapy.not_reached
        self.page(not_reached.owner, f"contact/{number}/not-reached")
        await self.ask(
            "contact-not-reached",
            not_reached,
            "the patient was not reached after a risk case",
            done=lambda: number in self.settled_contacts,
            occurrence=str(number),
        )

    def next_contact(self) -> int | None:
        """Which contact is the first that is not accounted for?"""
        return next((number for number in self.owed if number not in self.settled_contacts), None)

    @workflow.update
    async def record_caring_contact(self, command: RecordCaringContact) -> Accepted:
        number = command.number or self.next_contact()
        assert number is not None
        fact = CaringContactMade(
            case_id=self.case_id,
            number=number,
            outcome=command.outcome,
            worried=command.worried,
            note=command.note,
        )
        self.journal.note(command.key, fact, actor=command.actor, at=self.when(command))
        if command.outcome == "not-reached":
            self.handed_up.add(number)
        elif contact_counts(self.owed[number], self.when(command)).passes:
            self.settled_contacts.add(number)
        if command.worried:
            await self.raise_from_contact(concern_after_contact(command))
        return await self.accept(command.outcome, self.when(command), number=str(number))

    @record_caring_contact.validator
    def _may_record_caring_contact(self, command: RecordCaringContact) -> None:
        require_role(command.actor, *CLINICIANS)
        number = command.number or self.next_contact()
        if number is None or number not in self.owed or number in self.settled_contacts:
            raise refusal("not-possible-now", "no such contact is owed now")
        if command.outcome == "closed-unreached":
            require_role(command.actor, *LICENSED_TO_CLOSE_RISK)
        at = self.when(command)
        if at > self.today():
            raise refusal("invalid-time", "the contact lies in the future")
        if not command.worried:  # worry is written down whenever it comes
            require(contact_counts(self.owed[number], at), "invalid-time", "this contact is owed later")
