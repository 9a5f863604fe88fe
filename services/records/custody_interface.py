"""What may be written to the drug books, and what do they answer? The port beside the record of care.

Masses in mg, instants aware. Every write has a key: writing twice changes nothing.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Protocol as Port

from pydantic import BaseModel, ConfigDict

from clinical.custody import FindingKind, MovementKind
from clinical.custody_events import CustodyEntry
from clinical.people import Actor, Role
from clinical.protocol import Drug
from clinical.protocol_desk import ESCALATION_BEFORE, Escalation
from clinical.protocol_duties import Custody


class _Book(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewContainer(_Book):
    """A container that came in: what its label says, how much is in it, who took it in and when."""

    container_id: str
    key: str
    site: str
    drug: Drug
    product: str
    strength: str
    lot: str
    expires_on: date
    amount_mg: Decimal
    actor: Actor
    witness: str | None = None
    occurred_at: datetime


class NewMovement(_Book):
    """Something done with a container outside of a dose. `amount_mg` of a count is what is there."""

    container_id: str
    key: str
    site: str
    kind: MovementKind
    amount_mg: Decimal
    actor: Actor
    witnesses: tuple[str, ...] = ()
    occurred_at: datetime
    note: str | None = None


class Moved(_Book):
    """What the books say after a movement, and the number of the discrepancy that it showed."""

    container_id: str
    seq: int
    kind: MovementKind
    amount_mg: Decimal
    remaining_mg: Decimal
    expected_mg: Decimal | None
    discrepancy: int | None


class CustodyBatch(_Book):
    """Facts of the case of one discrepancy, written in one transaction, once each."""

    container_id: str
    number: int
    entries: tuple[CustodyEntry, ...]


class PendingCase(_Book):
    """A discrepancy whose case the engine has not taken over yet, with the numbers of the site's protocol."""

    site: str
    container_id: str
    number: int
    kind: FindingKind
    difference_mg: Decimal
    opened_at: datetime
    owner: Role
    involved: tuple[str, ...]
    custody: Custody
    escalation: Escalation = ESCALATION_BEFORE


class CustodyBooks(Port):
    """The drug books. Errors are those of `services.records.errors`."""

    async def receive_container(self, new: NewContainer, now: datetime) -> Moved:
        """Take a container in. Raises MovementRefused with every fault, NotFound where no protocol says how."""
        ...

    async def move(self, new: NewMovement, now: datetime) -> Moved:
        """Record a movement or a count. Raises MovementRefused with every fault, NotFound, KeyReused."""
        ...

    async def record_custody(self, batch: CustodyBatch) -> int:
        """Write the facts that are new; the number of the last fact of the case."""
        ...

    async def pending_cases(self, site: str | None = None) -> list[PendingCase]:
        """Discrepancies without a case in the engine, oldest first."""
        ...
