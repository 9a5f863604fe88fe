"""How does a workflow reach people? Each message once, not too late, not at night, and not after somebody has left."""

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from activities.notifications import (
    CommunicationStatus,
    Mail,
    NotificationActivities,
    SendResult,
    TemplateName,
)
from activities.options import SEND, SEND_AT_ONCE
from clinical.events import MessageSettled
from clinical.people import Role
from workflows.deadlines import Deadline
from workflows.failures import ACTIVITY_FAILED
from workflows.journal import Journal


class Post:
    """The outbox of one workflow. `mute` silences what goes to the patient; staff can always be called."""

    def __init__(self, journey_id: str, site: str, patient_id: str | None, part: str) -> None:
        self.journey_id = journey_id
        self.site = site
        self.patient_id = patient_id
        self.part = part
        self.journal = Journal(journey_id, part, before_writing=self.before_writing)
        self.outbox: dict[str, Mail] = {}
        self.unsent: list[Mail] = []
        self.mute = False
        self._lasting: set[str] = set()
        self._handing_over = False
        self._deliveries: set[asyncio.Task[None]] = set()

    def before_writing(self) -> None:
        """What is done once for each write to the record."""

    def today(self) -> datetime:
        """The clinical now: what this workflow's clock says."""
        return workflow.now()

    async def settle_outbox(self) -> None:
        """A part that ends leaves no message behind that waits for the morning; what is lasting is handed over."""
        self._handing_over = not self.mute
        self.mute = True
        await workflow.wait_condition(lambda: not self._deliveries)

    def tell_patient(
        self,
        template: TemplateName,
        name: str,
        not_after: datetime,
        *,
        lasting: bool = False,
        **parameters: str,
    ) -> None:
        """Send the patient of this journey a message, once, unless they have left or it comes too late.

        What is `lasting` is still worth saying in the morning when the part that says it is over.
        """
        if not self.mute and self.patient_id is not None:
            if lasting:
                self._lasting.add(self._mail_key(name))
            self._post(name, not_after, template=template, patient_id=self.patient_id, parameters=parameters)

    def beside(self, errand: Coroutine[Any, Any, None]) -> None:
        """Run an errand that nobody awaits; the run does not end before it is done."""
        delivery = asyncio.create_task(errand)
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)

    def forward_mail(self, mails: Iterable[Mail]) -> None:
        """Send in the morning what a part that is over could not send at night, unless nothing is sent any more."""
        for mail in mails:
            if self.mute:
                self._unsent(mail, CommunicationStatus.STOPPED, "journey-over")
            else:
                self.outbox[mail.key] = mail
                self._deliver_soon(mail)

    def take_back(self, name: str) -> None:
        """What this message says is no longer true: if it still waits for the morning, it does not leave."""
        self.outbox.pop(self._mail_key(name), None)

    def page(self, role: Role, name: str) -> None:
        """Call a member of staff: goes out at any hour, says nothing about the patient."""
        self._post(
            name,
            self.today() + timedelta(hours=24),
            template=TemplateName.STAFF_PAGE,
            patient_id=None,
            staff_role=role,
            parameters={"reference": workflow.info().workflow_id},
            urgent=True,
        )

    def _mail_key(self, name: str) -> str:
        return f"{self.journey_id}/{self.part}/{name}"

    def _post(self, name: str, not_after: datetime, **content: Any) -> None:
        mail = Mail(
            key=self._mail_key(name),
            journey_id=self.journey_id,
            site=self.site,
            occurred_at=self.today(),
            not_after=not_after,
            **content,
        )
        if mail.key not in self.outbox:
            self.outbox[mail.key] = mail
            self._deliver_soon(mail)

    def _deliver_soon(self, mail: Mail) -> None:
        self.beside(self._deliver(mail))

    async def _deliver(self, mail: Mail) -> None:
        """Send; what has to wait for the morning waits, unless it is taken back or the part ends before."""

        def silenced() -> bool:
            return mail.key not in self.outbox or (self.mute and mail.staff_role is None)

        send_at = await self._send_at_once(mail) if workflow.current_update_info() is None else workflow.now()
        if send_at is not None and send_at <= workflow.now():
            send_at = await self._send(mail)
        while send_at is not None:
            if not await Deadline("send " + mail.template, send_at).passes(unless=silenced):
                if mail.key in self.outbox and self._handing_over and mail.key in self._lasting:
                    self.unsent.append(mail)
                    break
                reason = "journey-over" if mail.key in self.outbox else "no-longer-true"
                self._unsent(mail, CommunicationStatus.STOPPED, reason)
                break
            send_at = await self._send(mail)
        self.outbox.pop(mail.key, None)

    async def _send_at_once(self, mail: Mail) -> datetime | None:
        """What a timer set off is tried on the spot, which costs a third of the events; else by the queue, now."""
        try:
            result: SendResult = await workflow.execute_local_activity_method(
                NotificationActivities.send_message, mail, summary=mail.template, **SEND_AT_ONCE
            )
        except ACTIVITY_FAILED:
            return await self._send(mail)
        return result.send_at if result.status is CommunicationStatus.ON_HOLD else None

    async def _send(self, mail: Mail) -> datetime | None:
        """Send now; the instant to come back at, if the message must wait for the morning."""
        now = workflow.now()
        try:
            result: SendResult = await workflow.execute_activity_method(
                NotificationActivities.send_message,
                mail.model_copy(update={"occurred_at": self.today()}),
                summary=mail.template,
                schedule_to_close_timeout=max(mail.not_after - now, timedelta(minutes=1)),
                **SEND,
            )
        except ACTIVITY_FAILED:
            self._unsent(mail, CommunicationStatus.NOT_DONE, "undeliverable")
            return None
        return result.send_at if result.status is CommunicationStatus.ON_HOLD else None

    def _unsent(self, mail: Mail, status: CommunicationStatus, reason: str) -> None:
        """A message that never reached the sending activity's own record."""
        fact = MessageSettled(
            key=mail.key,
            template=mail.template,
            status=status,
            channel=None,
            reason=reason,
            not_after=mail.not_after,
            sent_at=None,
        )
        self.journal.note(f"mail/{mail.key}", fact)
