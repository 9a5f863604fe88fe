"""How are the drug books kept in PostgreSQL?

Each method is one transaction. A movement is judged by `clinical.custody` against the locked container: of two
people who take the last amount at once, one is refused.
"""

from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.custody import Movement, MovementKind, movement_allowed, receipt_allowed
from clinical.decision import Decision
from services.encryption import FieldCipher
from services.records.availability import Sessions
from services.records.custody_cases import pending_cases, record_custody
from services.records.custody_interface import CustodyBatch, Moved, NewContainer, NewMovement, PendingCase
from services.records.custody_ledger import (
    Signature,
    container_of,
    custody_rules,
    enter,
    locked_container,
)
from services.records.custody_tables import ContainerRow, DiscrepancyRow, MovementRow
from services.records.errors import KeyReused, MovementRefused, NotFound

NOTE = "drug_movement.note"


class SqlCustody:
    """The drug books, as a part of the record on one database."""

    _sessions: Sessions
    _cipher: FieldCipher

    async def receive_container(self, new: NewContainer, now: datetime) -> Moved:
        return await self._sessions.write(partial(_receive, new=new, now=now))

    async def move(self, new: NewMovement, now: datetime) -> Moved:
        return await self._sessions.write(partial(_move, new=new, now=now, cipher=self._cipher))

    async def record_custody(self, batch: CustodyBatch) -> int:
        return await self._sessions.write(partial(record_custody, cipher=self._cipher, batch=batch))

    async def pending_cases(self, site: str | None = None) -> list[PendingCase]:
        async with self._sessions.reading() as session:
            return await pending_cases(session, site)


async def _receive(session: AsyncSession, new: NewContainer, now: datetime) -> Moved:
    movement = Movement(
        kind=MovementKind.RECEIVED,
        amount_mg=new.amount_mg,
        actor=new.actor.id,
        witnesses=(new.witness,) if new.witness else (),
        occurred_at=new.occurred_at,
    )
    known = await _known(session, new.container_id, new.key, movement)
    if known is not None:
        return known
    _require(receipt_allowed(movement, new.expires_on, now))
    rules = await custody_rules(session, new.site)
    if rules is None:
        raise NotFound("no protocol of this site says how drugs are accounted for")
    row = _opened(new)
    added = await session.execute(
        insert(ContainerRow).values(row).on_conflict_do_nothing().returning(ContainerRow.id)
    )
    container = await locked_container(session, new.site, new.container_id)
    if added.first() is None or container is None:
        raise KeyReused("the id belongs to another container")
    signed = Signature(key=new.key, role=new.actor.role.value)
    entry, _ = await enter(session, container, movement, signed, rules)
    return _moved(entry, None)


def _opened(new: NewContainer) -> dict[str, object]:
    """An empty container of this label: what is in it comes by its first movement."""
    label = new.model_dump(include={"site", "product", "strength", "lot", "expires_on"})
    at = new.occurred_at
    return {
        **label,
        "id": new.container_id,
        "drug": new.drug.value,
        "received_at": at,
        "received_mg": new.amount_mg,
        "remaining_mg": 0,
        "counted_at": at,
        "last_at": at,
    }


async def _move(session: AsyncSession, new: NewMovement, now: datetime, cipher: FieldCipher) -> Moved:
    movement = Movement(
        kind=new.kind,
        amount_mg=new.amount_mg,
        actor=new.actor.id,
        witnesses=new.witnesses,
        occurred_at=new.occurred_at,
    )
    row = await locked_container(session, new.site, new.container_id)
    known = await _known(session, new.container_id, new.key, movement)
    if row is not None and known is not None:
        return known
    _require(movement_allowed(None if row is None else container_of(row), movement, now))
    assert row is not None
    note = cipher.encrypt(NOTE, new.note, row=f"{row.id}/{new.key}") if new.note else None
    signed = Signature(key=new.key, role=new.actor.role.value, note=note)
    entry, case = await enter(session, row, movement, signed, await custody_rules(session, row.site))
    return _moved(entry, case)


def _require(decision: Decision) -> None:
    if not decision.passes:
        raise MovementRefused(decision)


async def _known(session: AsyncSession, container_id: str, key: str, movement: Movement) -> Moved | None:
    """The movement that this key has written already; another one's key raises KeyReused."""
    of_key = MovementRow.container_id == container_id, MovementRow.key == key
    entry = await session.scalar(select(MovementRow).where(*of_key))
    if entry is None:
        return None
    same = (entry.kind, entry.amount_mg, entry.actor_id) == (
        movement.kind.value,
        movement.amount_mg,
        movement.actor,
    )
    if not same:
        raise KeyReused("another movement is in the books under this key")
    found = DiscrepancyRow.container_id == container_id, DiscrepancyRow.movement_seq == entry.seq
    return _moved(entry, await session.scalar(select(DiscrepancyRow).where(*found)))


def _moved(entry: MovementRow, case: DiscrepancyRow | None) -> Moved:
    return Moved(
        container_id=entry.container_id,
        seq=entry.seq,
        kind=MovementKind(entry.kind),
        amount_mg=entry.amount_mg,
        remaining_mg=entry.remaining_mg,
        expected_mg=entry.expected_mg,
        discrepancy=None if case is None else case.number,
    )
