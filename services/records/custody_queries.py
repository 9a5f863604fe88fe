"""What can be asked of the drug books? Containers with their counts, their movements, discrepancies.

Every answer is one snapshot; what lies at another site is NotFound, like what does not exist. Lists are keyset
pages: pass the last line's sort key as `cursor`.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, case, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.custody import MovementKind
from clinical.custody_duties import inventory_by
from clinical.custody_events import CustodyDuty
from clinical.people import Role
from clinical.protocol_duties import Custody
from services.database import counted
from services.encryption import FieldCipher
from services.records.availability import Sessions
from services.records.custody import NOTE
from services.records.custody_cases import fact_of
from services.records.custody_ledger import custody_rules
from services.records.custody_tables import ContainerRow, CustodyEntryRow, DiscrepancyRow, MovementRow
from services.records.custody_views import (
    CaseEntryView,
    ContainerView,
    CustodyCounts,
    DiscrepancyView,
    DutyView,
    MovementView,
)
from services.records.errors import NotFound
from services.records.opening import view

IN_HAND = case(
    (MovementRow.kind == MovementKind.DRAWN.value, MovementRow.amount_mg),
    else_=-MovementRow.amount_mg,
)


ORDER_OF_CASES = DiscrepancyRow.opened_at, DiscrepancyRow.container_id, DiscrepancyRow.number


class CustodyQueries:
    """The reading side of the drug books."""

    _sessions: Sessions
    _cipher: FieldCipher

    async def containers(
        self,
        site: str,
        *,
        drug: str | None = None,
        lot: str | None = None,
        closed: bool | None = None,
        expires_before: date | None = None,
        cursor: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[ContainerView]:
        """Newest first; the cursor is (received_at, container_id) of the last line seen."""
        wanted: list[ColumnElement[bool]] = [ContainerRow.site == site]
        if drug is not None:
            wanted.append(ContainerRow.drug == drug)
        if lot is not None:
            wanted.append(ContainerRow.lot == lot)
        if closed is not None:
            wanted.append(ContainerRow.closed_at.is_not(None) if closed else ContainerRow.closed_at.is_(None))
        if expires_before is not None:
            wanted.append(ContainerRow.expires_on < expires_before)
        key = tuple_(ContainerRow.received_at, ContainerRow.id)
        if cursor is not None:
            wanted.append(key < cursor)
        newest = select(ContainerRow).where(*wanted)
        newest = newest.order_by(ContainerRow.received_at.desc(), ContainerRow.id.desc()).limit(limit)
        async with self._sessions.reading() as session:
            return await _with_counts(session, site, (await session.scalars(newest)).all())

    async def container(self, site: str, container_id: str) -> ContainerView:
        async with self._sessions.reading() as session:
            found = await _with_counts(session, site, [await _row(session, site, container_id)])
            return found[0]

    async def movement_counts(self, container_id: str) -> dict[str, int]:
        """Movements of a container by kind."""
        async with self._sessions.reading() as session:
            return await counted(session, MovementRow.kind, MovementRow.container_id == container_id)

    async def movements(
        self, site: str, container_id: str, *, kind: str | None = None, after_seq: int = 0, limit: int = 200
    ) -> list[MovementView]:
        """In the order of recording."""
        later = MovementRow.container_id == container_id, MovementRow.seq > after_seq
        wanted = select(MovementRow).where(*later).order_by(MovementRow.seq).limit(limit)
        if kind is not None:
            wanted = wanted.where(MovementRow.kind == kind)
        async with self._sessions.reading() as session:
            await _row(session, site, container_id)
            return [self._movement(row) for row in await session.scalars(wanted)]

    async def discrepancies(
        self,
        site: str,
        *,
        status: str | None = None,
        container_id: str | None = None,
        cursor: tuple[datetime, str, int] | None = None,
        limit: int = 50,
    ) -> list[DiscrepancyView]:
        """Oldest first; the cursor is (opened_at, container_id, number) of the last line seen."""
        wanted: list[ColumnElement[bool]] = [DiscrepancyRow.site == site]
        if status is not None:
            wanted.append(DiscrepancyRow.status == status)
        if container_id is not None:
            wanted.append(DiscrepancyRow.container_id == container_id)
        if cursor is not None:
            wanted.append(tuple_(*ORDER_OF_CASES) > cursor)
        oldest = select(DiscrepancyRow).where(*wanted).order_by(*ORDER_OF_CASES).limit(limit)
        async with self._sessions.reading() as session:
            rows = (await session.scalars(oldest)).all()
            entries = await _entries(session, rows)
            return [self._discrepancy(row, entries.get((row.container_id, row.number), [])) for row in rows]

    async def custody_counts(self, site: str) -> CustodyCounts:
        """How many containers are open and closed, how many differences stand where."""
        closed = ContainerRow.closed_at.is_not(None)
        containers = select(closed, func.count()).where(ContainerRow.site == site).group_by(closed)
        cases = select(DiscrepancyRow.status, func.count()).where(DiscrepancyRow.site == site)
        async with self._sessions.reading() as session:
            by_state = {bool(gone): n for gone, n in (await session.execute(containers)).all()}
            by_status = (await session.execute(cases.group_by(DiscrepancyRow.status))).all()
        return CustodyCounts(
            open_containers=by_state.get(False, 0),
            closed_containers=by_state.get(True, 0),
            discrepancies={row[0]: row[1] for row in by_status},
        )

    def _movement(self, row: MovementRow) -> MovementView:
        place = f"{row.container_id}/{row.key}"
        note = None if row.note is None else self._cipher.decrypt(NOTE, row.note, row=place)
        return view(MovementView, row, witnesses=tuple(row.witnesses), note=note)

    def _discrepancy(self, row: DiscrepancyRow, entries: Sequence[CustodyEntryRow]) -> DiscrepancyView:
        return view(
            DiscrepancyView,
            row,
            involved=tuple(row.involved),
            waits_for=tuple(_owed(row)),
            entries=tuple(self._entry(entry) for entry in entries),
        )

    def _entry(self, row: CustodyEntryRow) -> CaseEntryView:
        said = fact_of(row, self._cipher).model_dump(mode="json", exclude={"kind"})
        text = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in said.items())
        return view(CaseEntryView, row, text=text)


async def _entries(
    session: AsyncSession, cases: Sequence[DiscrepancyRow]
) -> dict[tuple[str, int], list[CustodyEntryRow]]:
    """What happened in each case, in order; one question for all of them."""
    of_cases = tuple_(CustodyEntryRow.container_id, CustodyEntryRow.number).in_(
        [(case.container_id, case.number) for case in cases]
    )
    found: dict[tuple[str, int], list[CustodyEntryRow]] = {}
    for row in await session.scalars(select(CustodyEntryRow).where(of_cases).order_by(CustodyEntryRow.seq)):
        found.setdefault((row.container_id, row.number), []).append(row)
    return found


def _owed(row: DiscrepancyRow) -> Iterator[DutyView]:
    """What is still to be done: explain it, or, once it is a loss, both reports."""
    if row.status == "open":
        yield _duty(row, CustodyDuty.EXPLAIN, row.owner, row.explain_by)
    if row.status == "loss" and row.notice_at is None:
        yield _duty(row, CustodyDuty.NOTICE, Role.MEDICAL_DIRECTOR, row.notice_by)
    if row.status == "loss" and row.form_at is None:
        yield _duty(row, CustodyDuty.FORM, Role.MEDICAL_DIRECTOR, row.form_by)


def _duty(row: DiscrepancyRow, duty: CustodyDuty, owner: str, due_at: datetime | None) -> DutyView:
    return DutyView(code=duty, owner=owner, due_at=due_at, overdue=duty.value in row.overdue)


async def _row(session: AsyncSession, site: str, container_id: str) -> ContainerRow:
    at_site = ContainerRow.id == container_id, ContainerRow.site == site
    row = await session.scalar(select(ContainerRow).where(*at_site))
    if row is None:
        raise NotFound("the container is not in the books of this site")
    return row


async def _with_counts(session: AsyncSession, site: str, rows: Sequence[ContainerRow]) -> list[ContainerView]:
    in_hand = await session.execute(
        select(MovementRow.container_id, func.sum(IN_HAND))
        .where(MovementRow.container_id.in_([row.id for row in rows]), MovementRow.dose_id.is_not(None))
        .group_by(MovementRow.container_id)
    )
    held: dict[str, Decimal] = {name: Decimal(amount) for name, amount in in_hand}
    rules = await custody_rules(session, site)
    return [_container(row, held.get(row.id, Decimal(0)), rules) for row in rows]


def _container(row: ContainerRow, in_hand_mg: Decimal, rules: Custody | None) -> ContainerView:
    return view(
        ContainerView,
        row,
        container_id=row.id,
        in_hand_mg=in_hand_mg,
        inventory_by=None if rules is None else inventory_by(row.counted_at, rules),
        discrepancies=row.cases,
    )
