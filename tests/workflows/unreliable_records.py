"""What is a record like whose database goes away? A port that fails when told to, before or after the work is done."""

from datetime import datetime

from clinical.decision import Decision
from clinical.events import RecordedEntry
from clinical.patient_record import ClinicalRecord
from clinical.protocol import Protocol
from services.records.custody_interface import CustodyBatch, Moved, NewContainer, NewMovement, PendingCase
from services.records.errors import RecordsUnavailable
from services.records.interface import (
    Batch,
    Bookings,
    Contact,
    DosingFacts,
    NewPatient,
    Records,
    Referral,
    Written,
)


class UnreliableRecords(Records):
    """Reliable until told otherwise.

    `away` calls fail before anything is done, then `losing` calls are done and only their answer is lost.
    """

    def __init__(self, behind: Records) -> None:
        self._behind = behind
        self.away = 0
        self.losing = 0

    def _reach(self) -> None:
        if self.away:
            self.away -= 1
            raise RecordsUnavailable("the database is away")

    async def append(self, batch: Batch) -> Written:
        self._reach()
        written = await self._behind.append(batch)
        if self.losing:
            self.losing -= 1
            raise RecordsUnavailable("the database went away before it answered")
        return written

    async def dosing_facts(self, journey_id: str, container_id: str | None = None) -> DosingFacts:
        self._reach()
        return await self._behind.dosing_facts(journey_id, container_id)

    async def bookings(self, journey_id: str, session: int) -> Bookings:
        return await self._behind.bookings(journey_id, session)

    async def channel_refused(
        self, patient_id: str, channel: str, address: str, code: str, at: datetime
    ) -> None:
        await self._behind.channel_refused(patient_id, channel, address, code, at)

    async def receive_container(self, new: NewContainer, now: datetime) -> Moved:
        return await self._behind.receive_container(new, now)

    async def move(self, new: NewMovement, now: datetime) -> Moved:
        return await self._behind.move(new, now)

    async def record_custody(self, batch: CustodyBatch) -> int:
        self._reach()
        return await self._behind.record_custody(batch)

    async def pending_cases(self, site: str | None = None) -> list[PendingCase]:
        return await self._behind.pending_cases(site)

    async def referral_record(self, referral_id: str) -> ClinicalRecord:
        self._reach()
        return await self._behind.referral_record(referral_id)

    async def contact(self, patient_id: str) -> Contact:
        self._reach()
        return await self._behind.contact(patient_id)

    async def entries(self, journey_id: str) -> list[RecordedEntry]:
        return await self._behind.entries(journey_id)

    async def verify_chain(self, journey_id: str) -> Decision:
        return await self._behind.verify_chain(journey_id)

    async def add_patient(self, patient: NewPatient) -> None:
        await self._behind.add_patient(patient)

    async def add_referral(self, referral: Referral) -> None:
        await self._behind.add_referral(referral)

    async def publish_protocol(self, protocol: Protocol, site: str) -> None:
        await self._behind.publish_protocol(protocol, site)

    async def protocol(self, site: str, canonical: str | None) -> Protocol:
        return await self._behind.protocol(site, canonical)
