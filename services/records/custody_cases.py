"""How is the case of a discrepancy written down, and which cases has the engine still to take over?

What was found stands in the discrepancy's row from the transaction that found it. The facts of its case are
appended (triggers refuse any change), encrypted because people write words into them, and move the row along.
"""

from typing import assert_never

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.custody import FindingKind
from clinical.custody_events import (
    CaseStarted,
    CustodyDuty,
    CustodyEntry,
    CustodyFact,
    DiscrepancyClosed,
    DiscrepancyExplained,
    DutyOverdue,
    LossDeclared,
    LossReported,
    StaffPaged,
)
from clinical.people import Role
from services.encryption import FieldCipher
from services.records.announced import announce_discrepancy
from services.records.custody_interface import CustodyBatch, PendingCase
from services.records.custody_ledger import custody_rules
from services.records.custody_tables import CustodyEntryRow, DiscrepancyRow
from services.records.custody_tasks import work_of_case
from services.records.errors import KeyReused, NotFound
from services.records.published import escalation_rules

PAYLOAD = "drug_case_entry.payload"

FACT: TypeAdapter[CustodyFact] = TypeAdapter(CustodyFact)


async def record_custody(session: AsyncSession, cipher: FieldCipher, batch: CustodyBatch) -> int:
    """Write what is new; the number of the last fact. Raises NotFound, KeyReused."""
    case = await session.scalar(
        select(DiscrepancyRow)
        .where(DiscrepancyRow.container_id == batch.container_id, DiscrepancyRow.number == batch.number)
        .with_for_update()
    )
    if case is None:
        raise NotFound("there is no such discrepancy in the books")
    known = await _known(session, case)
    for entry in batch.entries:
        if entry.key not in known:
            case.last_seq += 1
            session.add(_row(case, entry, cipher))
            _project(case, entry)
            of_case, fact = (case.container_id, case.number), (entry.key, entry.fact.kind)
            announce_discrepancy(session, case.site, of_case, entry.occurred_at, case.last_seq, fact)
            await work_of_case(session, case, entry)
        elif known[entry.key] != (entry.fact.kind, entry.actor.id):
            raise KeyReused("another fact, or another person's, is in the books under this key")
        known[entry.key] = entry.fact.kind, entry.actor.id
    await session.flush()
    return case.last_seq


async def pending_cases(session: AsyncSession, site: str | None = None) -> list[PendingCase]:
    """What no case was started for, where a protocol says how a case goes; oldest first."""
    statement = select(DiscrepancyRow).where(DiscrepancyRow.case_started_at.is_(None))
    if site is not None:
        statement = statement.where(DiscrepancyRow.site == site)
    rows = await session.scalars(statement.order_by(DiscrepancyRow.opened_at, DiscrepancyRow.container_id))
    cases = []
    for row in rows:
        rules = await custody_rules(session, row.site)
        if rules is not None:  # a container is only taken in where there are rules, and versions stay
            cases.append(
                PendingCase(
                    site=row.site,
                    container_id=row.container_id,
                    number=row.number,
                    kind=FindingKind(row.kind),
                    difference_mg=row.difference_mg,
                    opened_at=row.opened_at,
                    owner=Role(row.owner),
                    involved=tuple(row.involved),
                    custody=rules,
                    escalation=await escalation_rules(session, row.site),
                )
            )
    return cases


async def _known(session: AsyncSession, case: DiscrepancyRow) -> dict[str, tuple[str, str]]:
    written = await session.scalars(
        select(CustodyEntryRow).where(
            CustodyEntryRow.container_id == case.container_id, CustodyEntryRow.number == case.number
        )
    )
    return {row.key: (row.kind, row.actor_id) for row in written}


def _row(case: DiscrepancyRow, entry: CustodyEntry, cipher: FieldCipher) -> CustodyEntryRow:
    return CustodyEntryRow(
        container_id=case.container_id,
        number=case.number,
        seq=case.last_seq,
        key=entry.key,
        kind=entry.fact.kind,
        occurred_at=entry.occurred_at,
        actor_id=entry.actor.id,
        actor_role=entry.actor.role.value,
        payload=cipher.encrypt(PAYLOAD, entry.fact.model_dump_json(), row=_place(case, entry.key)),
    )


def fact_of(row: CustodyEntryRow, cipher: FieldCipher) -> CustodyFact:
    """The fact in clear, for people who may read the books."""
    place = f"{row.container_id}/{row.number}/{row.key}"
    return FACT.validate_json(cipher.decrypt(PAYLOAD, row.payload, row=place))


def _place(case: DiscrepancyRow, key: str) -> str:
    return f"{case.container_id}/{case.number}/{key}"


def _project(case: DiscrepancyRow, entry: CustodyEntry) -> None:
    """What one fact changes in the row. Accepts any order: what happened is never refused."""
    fact, at = entry.fact, entry.occurred_at
    match fact:
        case CaseStarted():
            case.case_started_at = at
        case StaffPaged():
            pass
        case DutyOverdue():
            case.overdue = sorted({*(case.overdue or ()), fact.duty.value})
        case DiscrepancyExplained():
            case.explained_by = entry.actor.id
        case LossDeclared():
            case.status, case.loss_at = "loss", at
            case.notice_by, case.form_by = fact.notice_by, fact.form_by
        case LossReported():
            if fact.duty is CustodyDuty.NOTICE:
                case.notice_at = at
            else:
                case.form_at = at
        case DiscrepancyClosed():
            case.status, case.closed_at = "closed", at
        case _:
            assert_never(fact)
