"""What may be written to and asked of the record? The port that activities and the API depend on."""

from datetime import datetime
from decimal import Decimal
from typing import Protocol as Port

from pydantic import BaseModel, ConfigDict

from clinical.custody import Container
from clinical.decision import Decision
from clinical.events import Entry, RecordedEntry
from clinical.instruments.answers import InstrumentResult
from clinical.patient_record import ClinicalRecord
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.working_time import Span
from services.records.custody_interface import CustodyBooks


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Batch(_Record):
    """Facts of one journey to be written in one transaction; each is keyed, so writing twice changes nothing.

    With `expected_seq` they are written only if nothing was added to the record since that fact: what a dose
    rests on must not change between the look and the act. Facts already written are never refused.
    """

    journey_id: str
    entries: tuple[Entry, ...]
    expected_seq: int | None = None


class Written(_Record):
    """The number of the last fact of the journey, and how many of the batch were new.

    `closed`: when the site is closed from here on, for whoever counts working time.
    """

    last_seq: int
    new: int
    closed: tuple[Span, ...] = ()


class LiveConsent(_Record):
    document_version: str
    elements: tuple[str, ...]
    given_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    capacity_attested_by: str


class ApprovedPlan(_Record):
    version: int
    plan_hash: str
    sessions: int
    mg_per_kg: Decimal | None = None
    max_mg: Decimal
    expires_at: datetime
    superseded: bool


class GivenDose(_Record):
    key: str
    session: int
    dose_mg: Decimal
    given_at: datetime
    mg_per_kg: Decimal | None = None


class OwedIntegration(_Record):
    """A dose whose integration was not held; `waived_by` is the role that let it go, if any did."""

    dosed_at: datetime
    waived_by: Role | None = None


class DosingFacts(_Record):
    """What the dose step re-reads at the moment of dosing: from the record, not from memory.

    `container` is the one that the dose is to come from, if the site has it in its books.
    """

    last_seq: int
    stage: str
    on_hold: bool
    consent: LiveConsent | None
    plan: ApprovedPlan | None
    doses: tuple[GivenDose, ...]
    open_risk_cases: int
    last_suicide_screen: InstrumentResult | None
    last_suicide_screen_at: datetime | None
    previous_weight_kg: float | None
    integrations_open_since: tuple[datetime, ...]
    preparations_held_at: tuple[datetime, ...]
    container: Container | None = None
    integrations_owed: tuple[OwedIntegration, ...] | None = None
    downtime_sheets: tuple[str, ...] | None = None
    """Hashes of the newest downtime sheet of each session."""


class Contact(_Record):
    """How one person is reached; read inside activities and never passed through the engine."""

    patient_id: str
    name: str
    email: str | None
    phone_e164: str | None
    language: str
    time_zone: str
    preferred_channel: str
    opted_out_channels: tuple[str, ...]
    detail_opt_in: bool
    unverified_channels: tuple[str, ...] = ()
    """Nobody has shown yet that the person reads there: nothing goes there but the code that asks."""
    stated_channels: tuple[str, ...] = ()
    """Told at registration or in a referral: messages go there, but say nothing of the treatment."""
    bad_channels: tuple[str, ...] = ()
    """The provider has said that nobody can be reached there."""


class Bookings(_Record):
    """The starts that one visit was booked for, the last one last; `over` when it takes place no more."""

    starts: tuple[datetime, ...]
    over: bool


class NewPatient(_Record):
    patient_id: str
    site: str
    name: str
    birth_date: str
    sex: str
    email: str | None
    phone_e164: str | None
    mrn: str | None
    language: str
    time_zone: str
    preferred_channel: str
    detail_opt_in: bool


class Referral(_Record):
    referral_id: str
    patient_id: str
    site: str
    record: ClinicalRecord


class Records(CustodyBooks, Port):
    """The record of care. Every method is one transaction; errors are those of `services.records.errors`."""

    async def append(self, batch: Batch) -> Written:
        """Write the facts that are new, chain them, and update the read models with them.

        Raises KeyReused when a key is known for another kind of fact or another person, NotFound for an unknown journey
        (only `journey.started` creates one), AlreadyActive when it would be the patient's second open course,
        RecordMoved when `expected_seq` is given and the record has gone on since.
        """
        ...

    async def dosing_facts(self, journey_id: str, container_id: str | None = None) -> DosingFacts: ...

    async def referral_record(self, referral_id: str) -> ClinicalRecord: ...

    async def contact(self, patient_id: str) -> Contact: ...

    async def bookings(self, journey_id: str, session: int) -> Bookings:
        """What is known of the times of a visit; nothing is no fault."""
        ...

    async def channel_refused(
        self, patient_id: str, channel: str, address: str, code: str, at: datetime
    ) -> None:
        """The provider says that this address reaches nobody: mark it, and let a coordinator know."""
        ...

    async def entries(self, journey_id: str) -> list[RecordedEntry]:
        """The whole record of one journey in order."""
        ...

    async def verify_chain(self, journey_id: str) -> Decision:
        """Is the chain of hashes unbroken? Names the first bad entry."""
        ...

    async def add_patient(self, patient: NewPatient) -> None: ...

    async def add_referral(self, referral: Referral) -> None: ...

    async def publish_protocol(self, protocol: Protocol, site: str) -> None:
        """Make a protocol version available to a site; VersionImmutable if it exists with other content."""
        ...

    async def protocol(self, site: str, canonical: str | None) -> Protocol:
        """The named version, or the site's newest one; raises NotFound."""
        ...
