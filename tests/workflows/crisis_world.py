"""What do two thousand crises happen in? A record in memory, pages that fail as the dice say, workers that die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from random import Random

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.queues import TaskQueue
from clinical.decision import Decision
from clinical.events import Entry, RecordedEntry
from clinical.patient_record import ClinicalRecord
from clinical.people import Role
from clinical.protocol import Protocol
from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import (
    ChannelName,
    CommunicationRecord,
    CommunicationStatus,
    Contact,
    Notifications,
    Refusal,
    SendRequest,
    SendResult,
    Undelivered,
)
from services.notifications.quiet_hours import QuietHours
from services.notifications.release import Circumstances, Leave, release
from services.records.custody_interface import CustodyBatch, Moved, NewContainer, NewMovement, PendingCase
from services.records.errors import RecordsUnavailable
from services.records.interface import Batch, Bookings, DosingFacts, NewPatient, Records, Referral, Written
from services.records.interface import Contact as PatientContact
from tests.clinical.crises import Crisis
from workers.registry import WORKFLOWS, Activities

STAFF = {role: Contact(name=role, email=f"{role}@example.org", time_zone="UTC") for role in Role}
Crises = dict[str, Crisis]


class RememberedRecords(Records):
    """The first telling of each key stays, as in the real record. Now and then it is away, or its answer is lost."""

    def __init__(self, dice: Random) -> None:
        self.entries_of: dict[str, dict[str, Entry]] = {}
        self._dice = dice

    async def append(self, batch: Batch) -> Written:
        chance = self._dice.random()
        if chance < 0.02:
            raise RecordsUnavailable("the database is away")
        known = self.entries_of.setdefault(batch.journey_id, {})
        before = len(known)
        for entry in batch.entries:
            known.setdefault(entry.key, entry)
        if chance > 0.98:
            raise RecordsUnavailable("the database went away before it answered")
        return Written(last_seq=len(known), new=len(known) - before)

    async def dosing_facts(self, journey_id: str, container_id: str | None = None) -> DosingFacts:
        raise NotImplementedError

    async def referral_record(self, referral_id: str) -> ClinicalRecord:
        raise NotImplementedError

    async def contact(self, patient_id: str) -> PatientContact:
        raise NotImplementedError

    async def entries(self, journey_id: str) -> list[RecordedEntry]:
        raise NotImplementedError

    async def verify_chain(self, journey_id: str) -> Decision:
        raise NotImplementedError

    async def add_patient(self, patient: NewPatient) -> None:
        raise NotImplementedError

    async def add_referral(self, referral: Referral) -> None:
        raise NotImplementedError

    async def publish_protocol(self, protocol: Protocol, site: str) -> None:
        raise NotImplementedError

    async def protocol(self, site: str, canonical: str | None) -> Protocol:
        raise NotImplementedError

    async def bookings(self, journey_id: str, session: int) -> Bookings:
        raise NotImplementedError

    async def channel_refused(
        self, patient_id: str, channel: str, address: str, code: str, at: datetime
    ) -> None:
        raise NotImplementedError

    async def receive_container(self, new: NewContainer, now: datetime) -> Moved:
        raise NotImplementedError

    async def move(self, new: NewMovement, now: datetime) -> Moved:
        raise NotImplementedError

    async def record_custody(self, batch: CustodyBatch) -> int:
        raise NotImplementedError

    async def pending_cases(self, site: str | None = None) -> list[PendingCase]:
        raise NotImplementedError


class FailingPost(Notifications):
    """Pages by the real rule of release, at the local hour of the crisis; channels fail as the dice say."""

    def __init__(self, crises: Crises, dice: Random) -> None:
        self.tried: dict[str, set[Role]] = {}
        self._crises = crises
        self._dice = dice

    async def send(self, request: SendRequest) -> SendResult:
        crisis = self._crises[request.journey_id]
        role = Role(request.recipient.name)
        self.tried.setdefault(request.journey_id, set()).add(role)
        if self._dice.random() < 0.05:
            raise ChannelUnavailable("email", "451")
        zone = f"Etc/GMT{-crisis.utc_offset_hours:+d}"
        here = request.model_copy(
            update={"recipient": request.recipient.model_copy(update={"time_zone": zone})}
        )
        refused = frozenset(ChannelName) if role in crisis.deaf else frozenset()
        answer = release(
            here, Circumstances(request.occurred_at, None, set(ChannelName), refused, QuietHours())
        )
        if isinstance(answer, Leave):
            return SendResult(key=request.key, status=CommunicationStatus.COMPLETED, channel=answer.channel)
        assert role in crisis.deaf, "a page waits for no morning"
        return SendResult(key=request.key, status=CommunicationStatus.NOT_DONE, reason="contact-invalid")

    async def stop_pending(self, journey_id: str, reason: str) -> int:
        raise NotImplementedError

    async def for_journey(self, journey_id: str) -> list[CommunicationRecord]:
        raise NotImplementedError

    async def withdraw(self, request: SendRequest, reason: str) -> SendResult:
        raise NotImplementedError

    async def refusals(self, key: str) -> list[Refusal]:
        raise NotImplementedError

    async def undelivered(self) -> list[Undelivered]:
        raise NotImplementedError

    async def send_again(self, key: str, recipient: Contact, *, true: bool = True) -> SendResult:
        raise NotImplementedError


class DyingWorkers:
    """Workers that are stopped in the middle of whatever they do, and replaced, again and again.

    What they knew of workflows is gone, and others build it up again from the history; what it is like when an
    answer gets lost with a worker is the record's part. They die when so many crises more have been lived through.
    """

    def __init__(self, client: Client, activities: Activities, dice: Random, every: int) -> None:
        self.deaths = 0
        self._client = client
        self._activities = activities
        self._dice = dice
        self._every = every
        self._left = every
        self._over = asyncio.Event()

    def lived_through(self) -> None:
        """One crisis more."""
        self._left -= 1
        if self._left == 0:
            self._left = self._dice.randrange(self._every // 2, self._every * 3 // 2)
            self._over.set()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        lives = asyncio.create_task(self._live_and_die())
        try:
            yield
        finally:
            lives.cancel()
            with suppress(asyncio.CancelledError):
                await lives

    async def _live_and_die(self) -> None:
        queues = (TaskQueue.JOURNEY, TaskQueue.NOTIFY)
        while True:
            self._over.clear()
            async with AsyncExitStack() as life:
                for queue in queues:
                    await life.enter_async_context(a_worker(self._client, self._activities, queue))
                await self._over.wait()
            self.deaths += 1


def a_worker(client: Client, activities: Activities, queue: TaskQueue) -> Worker:
    """Outside the sandbox, which other tests are for: it costs more than all the rest together."""
    return Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS if queue is TaskQueue.JOURNEY else (),
        activities=activities.of(queue),
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(seconds=1),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        max_cached_workflows=3000,
    )
