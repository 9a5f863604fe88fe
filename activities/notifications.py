"""How does a workflow have a message sent? Names and addresses are read here and never enter the engine."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.errors import as_application_error
from clinical.events import Entry, MessageSettled
from clinical.people import ENGINE, Role
from services.notifications.errors import NotificationError
from services.notifications.interface import (
    ChannelName,
    Contact,
    Notifications,
    SendReason,
    SendRequest,
    Undelivered,
)
from services.notifications.interface import CommunicationStatus as CommunicationStatus
from services.notifications.interface import SendResult as SendResult
from services.notifications.interface import TemplateName as TemplateName
from services.notifications.kinds import ASKS_FOR_A_REPLY
from services.records.errors import RecordsError
from services.records.interface import Batch, Records


class Mail(BaseModel):
    """One message on its way: to the patient of the journey, or to whoever holds a staff role.

    `key` is unique for ever; nothing leaves after `not_after`; `occurred_at` is the clinical now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    journey_id: str
    site: str
    patient_id: str | None
    staff_role: Role | None = None
    template: TemplateName
    parameters: dict[str, str] = {}
    occurred_at: datetime
    not_after: datetime
    urgent: bool = False


def _settled(mail: Mail, result: SendResult) -> Batch:
    """The fact that a message left, or why it did not, at the clinical now of its sender."""
    sent = result.status is CommunicationStatus.COMPLETED
    fact = MessageSettled(
        key=mail.key,
        template=mail.template,
        status=result.status,
        channel=result.channel,
        reason=result.reason,
        not_after=mail.not_after,
        sent_at=mail.occurred_at if sent else None,
    )
    entry = Entry(key=f"mail:{mail.key}", occurred_at=mail.occurred_at, actor=ENGINE, fact=fact)
    return Batch(journey_id=mail.journey_id, entries=(entry,))


class StopMessages(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    journey_id: str
    reason: str


class Page(BaseModel):
    """A call to whoever holds a staff role, about something that belongs to no journey."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    site: str
    role: Role
    reference: str
    occurred_at: datetime
    not_after: datetime


class NotificationActivities:
    def __init__(self, notifications: Notifications, records: Records, staff: Mapping[Role, Contact]) -> None:
        self._notifications = notifications
        self._records = records
        self._staff = staff

    @activity.defn(name="send_message")
    async def send_message(self, mail: Mail) -> SendResult:
        """Send once per key, or say why not; what became of it goes into the record of the journey."""
        try:
            return await self.deliver(mail, true=await self._is_true(mail))
        except (RecordsError, NotificationError) as error:
            raise as_application_error(error) from None

    async def deliver(self, mail: Mail, *, true: bool) -> SendResult:
        """The same, by who knows whether it is still `true`. Raises RecordsError, NotificationError."""
        recipient = await self._recipient(mail)
        request = SendRequest(
            key=mail.key,
            journey_id=mail.journey_id,
            site=mail.site,
            patient_id=mail.patient_id,
            recipient=recipient,
            template=mail.template,
            parameters=mail.parameters,
            occurred_at=mail.occurred_at,
            not_after=mail.not_after,
            urgent=mail.urgent,
        )
        if true:
            result = await self._notifications.send(request)
        else:
            result = await self._notifications.withdraw(request, SendReason.NO_LONGER_TRUE)
        if result.refused_channels and mail.patient_id is not None:
            await self._mark(mail.patient_id, mail.key, recipient, mail.occurred_at)
        if result.status is not CommunicationStatus.ON_HOLD:
            await self._records.append(_settled(mail, result))
        return result

    @activity.defn(name="page_staff")
    async def page_staff(self, page: Page) -> SendResult:
        """Call once per key, at any hour; says nothing but where to look."""
        try:
            return await self._notifications.send(
                SendRequest(
                    key=page.key,
                    journey_id=page.reference,
                    site=page.site,
                    recipient=self._staff.get(page.role, self._staff[Role.COORDINATOR]),
                    template=TemplateName.STAFF_PAGE,
                    parameters={"reference": page.reference},
                    occurred_at=page.occurred_at,
                    not_after=page.not_after,
                    urgent=True,
                )
            )
        except NotificationError as error:
            raise as_application_error(error) from None

    @activity.defn(name="stop_messages")
    async def stop_messages(self, stop: StopMessages) -> int:
        """After this nothing more leaves to the patient of this journey."""
        try:
            return await self._notifications.stop_pending(stop.journey_id, stop.reason)
        except NotificationError as error:
            raise as_application_error(error) from None

    async def send_undelivered_again(
        self, now: datetime, stands: Callable[[Undelivered], Awaitable[bool]]
    ) -> int:
        """What a provider took and could not deliver goes by another channel, if it is still true; how many there were.

        Whether what a message is about still `stands`, where the record does not know it, its caller asks. Called by
        the workers again and again; raises RecordsError, NotificationError, and what `stands` raises.
        """
        undelivered = await self._notifications.undelivered()
        failures: list[NotificationError] = []
        for one in undelivered:
            try:
                await self._send_again(one, now, stands)
            except NotificationError as failure:  # another one may go by a channel that is not away
                failures.append(failure)
        if failures:
            raise failures[0]
        return len(undelivered)

    async def _send_again(
        self, one: Undelivered, now: datetime, stands: Callable[[Undelivered], Awaitable[bool]]
    ) -> None:
        if one.patient_id is None:
            await self._notifications.send_again(one.key, self._staff[Role.COORDINATOR])
            return
        if one.lasting:
            await self._records.channel_refused(one.patient_id, one.channel, one.address, one.code, now)
        true = await self._is_true(one) and await stands(one)
        await self._notifications.send_again(one.key, await self._patient(one.patient_id), true=true)

    async def _is_true(self, mail: Mail | Undelivered) -> bool:
        """Does the visit that this message is about still begin then? Looked at when it leaves, not before.

        What the record does not know yet is true: a message may be faster than the note of its cause.
        """
        session = _session_of(mail)
        if mail.template not in ASKS_FOR_A_REPLY or session is None:
            return True
        told = datetime.fromisoformat(mail.parameters["starts_at"])
        bookings = await self._records.bookings(mail.journey_id, session)
        return not bookings.over and (told not in bookings.starts or bookings.starts[-1] == told)

    async def _mark(self, patient_id: str, key: str, recipient: Contact, at: datetime) -> None:
        for refusal in await self._notifications.refusals(key):
            address = recipient.address(refusal.channel)
            if address is not None:
                await self._records.channel_refused(patient_id, refusal.channel, address, refusal.code, at)

    async def _recipient(self, mail: Mail) -> Contact:
        if mail.patient_id is None:
            role = mail.staff_role or Role.COORDINATOR
            return self._staff.get(role, self._staff[Role.COORDINATOR])
        return await self._patient(mail.patient_id)

    async def _patient(self, patient_id: str) -> Contact:
        known = await self._records.contact(patient_id)
        return Contact(
            name=known.name,
            email=known.email,
            phone_e164=known.phone_e164,
            language=known.language,
            time_zone=known.time_zone,
            preferred_channel=ChannelName(known.preferred_channel),
            opted_out_channels=frozenset(ChannelName(c) for c in known.opted_out_channels),
            unverified_channels=frozenset(ChannelName(c) for c in known.unverified_channels),
            stated_channels=frozenset(ChannelName(c) for c in known.stated_channels),
            bad_channels=frozenset(ChannelName(c) for c in known.bad_channels),
            detail_opt_in=known.detail_opt_in,
        )


def _session_of(mail: Mail | Undelivered) -> int | None:
    """The visit whose part of the course sends this: its key begins with the course and the part."""
    part = mail.key.removeprefix(f"{mail.journey_id}/").split("/")
    return int(part[1]) if part[0] == "session" and len(part) > 1 and part[1].isdecimal() else None
