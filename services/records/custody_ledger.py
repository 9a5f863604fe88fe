"""How does a movement get into the drug books: numbered, counted on, and its difference found, in one transaction?

The row lock on the container puts everybody who takes from it in line. Runs inside the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.custody import ZERO, Container, Finding, Movement, MovementKind, Standing, after, count_finding
from clinical.custody_duties import explain_by
from clinical.people import Role
from clinical.protocol_duties import Custody
from services.records.announced import announce_discrepancy
from services.records.custody_tables import ContainerRow, DiscrepancyRow, MovementRow
from services.records.custody_tasks import owe_explanation
from services.records.register_tables import ProtocolVersionRow


@dataclass(frozen=True)
class Signature:
    """Under which key a movement is kept, in which role somebody did it, and what they wrote (encrypted)."""

    key: str
    role: str
    note: bytes | None = None


async def custody_rules(session: AsyncSession, site: str) -> Custody | None:
    """The numbers of the site's newest protocol that has any; a document of an older shape may have none."""
    documents = await session.scalars(
        select(ProtocolVersionRow.document["custody"])
        .where(ProtocolVersionRow.site == site)
        .order_by(ProtocolVersionRow.published_at.desc(), ProtocolVersionRow.version.desc())
    )
    for document in documents:
        try:
            return Custody.model_validate(document)
        except ValidationError:
            continue
    return None


def tolerance_of(rules: Custody | None) -> Decimal:
    """In mg. Where no protocol says what may differ, nothing may."""
    return ZERO if rules is None else Decimal(str(rules.tolerance_mg))


async def locked_container(session: AsyncSession, site: str, container_id: str) -> ContainerRow | None:
    """The container of this site as it is now, and nobody else's until the transaction ends."""
    statement = select(ContainerRow).where(ContainerRow.id == container_id, ContainerRow.site == site)
    latest = statement.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(latest)


def container_of(row: ContainerRow) -> Container:
    return Container.model_validate(
        {
            "container_id": row.id,
            "site": row.site,
            "drug": row.drug,
            "lot": row.lot,
            "expires_on": row.expires_on,
            "remaining_mg": row.remaining_mg,
            "closed": row.closed_at is not None,
            "last_at": row.last_at,
        }
    )


async def enter(
    session: AsyncSession,
    row: ContainerRow,
    movement: Movement,
    signed: Signature,
    rules: Custody | None,
) -> tuple[MovementRow, DiscrepancyRow | None]:
    """Write one movement of the locked container and count on. A count that differs opens a discrepancy."""
    before = Standing(
        remaining_mg=row.remaining_mg, received=True, closed=row.closed_at is not None, last_at=row.last_at
    )
    tolerance_mg = tolerance_of(rules)
    standing = after(before, movement, tolerance_mg)
    counted = movement.kind is MovementKind.COUNTED
    row.last_seq += 1
    row.remaining_mg = standing.remaining_mg
    row.last_at = standing.last_at or movement.occurred_at
    row.closed_at = (row.closed_at or movement.occurred_at) if standing.closed else None
    if counted:
        row.counted_at = movement.occurred_at
    entry = MovementRow(
        container_id=row.id,
        seq=row.last_seq,
        key=signed.key,
        kind=movement.kind.value,
        amount_mg=movement.amount_mg,
        expected_mg=before.remaining_mg if counted else None,
        remaining_mg=standing.remaining_mg,
        lot=row.lot,
        actor_id=movement.actor,
        actor_role=signed.role,
        witnesses=list(movement.witnesses),
        occurred_at=movement.occurred_at,
        journey_id=movement.journey_id,
        dose_id=movement.dose_id,
        note=signed.note,
    )
    session.add(entry)
    found = count_finding(before.remaining_mg, movement.amount_mg, tolerance_mg) if counted else None
    case = None
    if found is not None:
        people = (movement.actor, *movement.witnesses)
        case = await open_discrepancy(session, row, found, entry, people, rules)
    await session.flush()
    return entry, case


async def open_discrepancy(
    session: AsyncSession,
    row: ContainerRow,
    found: Finding,
    entry: MovementRow,
    involved: Sequence[str],
    rules: Custody | None,
) -> DiscrepancyRow:
    """Open from the transaction that found it, and on the work list; the engine takes its case over from there."""
    row.cases += 1
    case = DiscrepancyRow(
        container_id=row.id,
        number=row.cases,
        site=row.site,
        status="open",
        kind=found.kind.value,
        expected_mg=found.expected_mg,
        found_mg=found.found_mg,
        difference_mg=found.difference_mg,
        movement_seq=entry.seq,
        involved=sorted(set(involved)),
        opened_at=entry.occurred_at,
        owner=(Role.MEDICAL_DIRECTOR if rules is None else rules.explain.owner).value,
        explain_by=None if rules is None else explain_by(entry.occurred_at, rules),
    )
    session.add(case)
    announce_discrepancy(session, row.site, (row.id, row.cases), entry.occurred_at)
    await owe_explanation(session, case)
    return case
