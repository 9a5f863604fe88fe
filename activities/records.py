"""How does a workflow write to and read from the record of care? One transaction each, never a decision."""

import structlog
from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.errors import as_application_error
from clinical.patient_record import ClinicalRecord
from services.records.custody_interface import CustodyBatch as CustodyBatch
from services.records.errors import RecordsError
from services.records.interface import Batch as Batch
from services.records.interface import DosingFacts as DosingFacts
from services.records.interface import OwedIntegration as OwedIntegration
from services.records.interface import Records, Written

log = structlog.get_logger(__name__)


class DosingQuestion(BaseModel):
    """Whose dose, and out of which container."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    journey_id: str
    container_id: str | None = None


class RecordActivities:
    def __init__(self, records: Records) -> None:
        self._records = records

    @activity.defn(name="record_facts")
    async def record_facts(self, batch: Batch) -> Written:
        """Write these facts; those already written change nothing."""
        try:
            written = await self._records.append(batch)
        except RecordsError as error:
            raise as_application_error(error) from None
        kinds = sorted({entry.fact.kind for entry in batch.entries})
        log.info("facts recorded", journey_id=batch.journey_id, step=kinds, count=written.new)
        return written

    @activity.defn(name="read_dosing_facts")
    async def read_dosing_facts(self, asked: DosingQuestion) -> DosingFacts:
        """What does the record say, right now, about consent, plan, doses, risk and the container?"""
        try:
            return await self._records.dosing_facts(asked.journey_id, asked.container_id)
        except RecordsError as error:
            raise as_application_error(error) from None

    @activity.defn(name="record_custody")
    async def record_custody(self, batch: CustodyBatch) -> int:
        """Write these facts of a discrepancy's case; those already written change nothing."""
        try:
            return await self._records.record_custody(batch)
        except RecordsError as error:
            raise as_application_error(error) from None

    @activity.defn(name="read_referral")
    async def read_referral(self, referral_id: str) -> ClinicalRecord:
        """What did the referring clinician send?"""
        try:
            return await self._records.referral_record(referral_id)
        except RecordsError as error:
            raise as_application_error(error) from None
