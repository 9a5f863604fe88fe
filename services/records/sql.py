"""How is the record of care kept in PostgreSQL?

Each method is one transaction; the files beside this one say what happens in it. Errors are those of
`services.records.errors`.
"""

from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.decision import Decision
from clinical.events import RecordedEntry, SessionBooked
from clinical.patient_record import ClinicalRecord
from clinical.protocol import Protocol
from services.database import Database
from services.encryption import FieldCipher
from services.records.appending import append_batch
from services.records.audit import verify_chain
from services.records.availability import Sessions
from services.records.contact_refusal import refuse_channel
from services.records.custody import SqlCustody
from services.records.dosing_facts import dosing_facts
from services.records.errors import NotFound
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
from services.records.ledger import Ledger
from services.records.patients import PatientFile, row_of
from services.records.published import KEPT, publish_protocol, published_protocol
from services.records.referrals import add_referral, referral_record
from services.records.tables import EntryRow, JourneyRow
from services.records.tally import Count


class SqlRecords(SqlCustody, Records):
    """The record on one database, with one cipher for everything that could name a person."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._sessions = Sessions(database)
        self._cipher = cipher
        self._ledger = Ledger(cipher)
        self._patients = PatientFile(cipher)
        self._published: dict[tuple[str, str], Protocol] = {}

    async def append(self, batch: Batch) -> Written:
        counts: list[Count] = []

        async def once(session: AsyncSession) -> Written:
            counts.clear()  # nothing was kept of a try that lost a race
            return await append_batch(session, self._ledger, batch, counts)

        written = await self._sessions.write(once)
        for count in counts:
            count()
        return written

    async def dosing_facts(self, journey_id: str, container_id: str | None = None) -> DosingFacts:
        async with self._sessions.reading() as session:
            return await dosing_facts(session, self._ledger, journey_id, container_id)

    async def referral_record(self, referral_id: str) -> ClinicalRecord:
        async with self._sessions.reading() as session:
            return await referral_record(session, self._cipher, referral_id)

    async def contact(self, patient_id: str) -> Contact:
        async with self._sessions.looking() as session:
            return self._patients.contact(await row_of(session, patient_id))

    async def bookings(self, journey_id: str, session: int) -> Bookings:
        async with self._sessions.looking() as reading:
            of_visit = EntryRow.journey_id == journey_id, EntryRow.session == session
            booked = (
                select(EntryRow).where(*of_visit, EntryRow.kind == "session.booked").order_by(EntryRow.seq)
            )
            rows = list(await reading.scalars(booked))
            closed = select(EntryRow.seq).where(*of_visit, EntryRow.kind == "session.closed").limit(1)
            return Bookings(
                starts=tuple(self._ledger.fact_of(row, SessionBooked).starts_at for row in rows),
                over=await reading.scalar(closed) is not None,
            )

    async def channel_refused(
        self, patient_id: str, channel: str, address: str, code: str, at: datetime
    ) -> None:
        refused = partial(
            refuse_channel,
            cipher=self._cipher,
            ledger=self._ledger,
            patient_id=patient_id,
            channel=channel,
            address=address,
            code=code,
            now=at,
        )
        await self._sessions.write(refused)

    async def entries(self, journey_id: str) -> list[RecordedEntry]:
        async with self._sessions.reading() as session:
            if await session.scalar(select(JourneyRow.id).where(JourneyRow.id == journey_id)) is None:
                raise NotFound("the journey is not in the record")
            of_journey = select(EntryRow).where(EntryRow.journey_id == journey_id).order_by(EntryRow.seq)
            return [self._ledger.recorded(row) for row in await session.scalars(of_journey)]

    async def verify_chain(self, journey_id: str) -> Decision:
        async with self._sessions.reading() as session:
            return await verify_chain(session, self._ledger, journey_id)

    async def add_patient(self, patient: NewPatient) -> None:
        await self._sessions.write(partial(self._patients.add, patient=patient))

    async def add_referral(self, referral: Referral) -> None:
        await self._sessions.write(partial(add_referral, cipher=self._cipher, referral=referral))

    async def publish_protocol(self, protocol: Protocol, site: str) -> None:
        await self._sessions.write(partial(publish_protocol, protocol=protocol, site=site))

    async def protocol(self, site: str, canonical: str | None) -> Protocol:
        if canonical is not None and (known := self._published.get((site, canonical))) is not None:
            return known  # a version never changes, and is never taken back
        async with self._sessions.reading() as session:
            protocol = await published_protocol(session, site, canonical)
        if canonical is not None:
            if len(self._published) >= KEPT:
                self._published.clear()
            self._published[site, canonical] = protocol
        return protocol
