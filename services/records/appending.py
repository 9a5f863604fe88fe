"""How does a batch of facts get into the record: numbered without gaps, chained, once each?

The row lock on the journey puts writers of one journey in line; different journeys do not wait for each
other. Runs inside the caller's transaction: a refusal anywhere leaves nothing of the batch behind.
"""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.events import Entry, JourneyStarted
from clinical.journey import Stage
from services.records.announced import announce
from services.records.availability import RaceLost
from services.records.chain import GENESIS
from services.records.closed_days import closed_ahead
from services.records.errors import AlreadyActive, KeyReused, NotFound, RecordMoved
from services.records.fresh import Fresh
from services.records.interface import Batch, Written
from services.records.ledger import Ledger
from services.records.message_cases import gone_with
from services.records.project_course import status_of
from services.records.projections import project
from services.records.register_tables import PatientRow
from services.records.tables import EntryRow, JourneyRow
from services.records.tally import Count, tally


async def append_batch(
    session: AsyncSession, ledger: Ledger, batch: Batch, counts: list[Count] | None = None
) -> Written:
    """Write what is new. Raises NotFound, AlreadyActive, KeyReused, RecordMoved.

    `counts` gets what is to be counted when the transaction is committed.
    """
    counts = [] if counts is None else counts
    journey = await _locked_journey(session, batch)
    known = await _known(session, batch)
    new = 0
    for entry in batch.entries:
        row = _next(ledger, journey, entry)
        if entry.key not in known:
            if new == 0 and batch.expected_seq not in (None, journey.last_seq):
                raise RecordMoved("something was written since the record was looked at")
            for end in await gone_with(session, journey.id, entry):
                counts += await _write(session, journey, _next(ledger, journey, end), end)
            row = _next(ledger, journey, entry)
            counts += await _write(session, journey, row, entry)
            new += 1
        elif known[entry.key] != (row.kind, row.actor_id):
            raise KeyReused("another fact, or another person's, is in the record under this key")
        known[entry.key] = row.kind, row.actor_id
    if new:
        journey.version += 1
    latest = max((entry.occurred_at for entry in batch.entries), default=None)
    closed = await closed_ahead(session, journey.site, latest) if latest is not None else ()
    return Written(last_seq=journey.last_seq, new=new, closed=closed)


def _next(ledger: Ledger, journey: JourneyRow, entry: Entry) -> EntryRow:
    return ledger.row(journey.id, journey.last_seq + 1, journey.last_hash, entry)


async def _write(session: AsyncSession, journey: JourneyRow, row: EntryRow, entry: Entry) -> list[Count]:
    if isinstance(entry.fact, JourneyStarted) and journey.last_seq > 0:
        raise KeyReused("the journey was started already, under another key")
    session.add(row)
    journey.last_seq, journey.last_hash = row.seq, row.hash
    await session.flush()
    fresh = Fresh(session, journey, row.seq, entry.key, entry.occurred_at, entry.actor)
    counts = await tally(entry.fact, fresh)
    await project(entry.fact, fresh)
    announce(session, journey, journey.version + 1, entry)
    return counts


async def _known(session: AsyncSession, batch: Batch) -> dict[str, tuple[str, str]]:
    """What stands in the record under the keys of the batch: which kind of fact, and whose.

    The first one written stays. A workflow task that is done again (its worker died, or an event came in
    while it completed) tells the same facts at a slightly later hour: that is the same cause, not another.
    """
    keys = {entry.key for entry in batch.entries}
    known = await session.execute(
        select(EntryRow.key, EntryRow.kind, EntryRow.actor_id).where(
            EntryRow.journey_id == batch.journey_id, EntryRow.key.in_(keys)
        )
    )
    return {row.key: (row.kind, row.actor_id) for row in known}


async def _locked_journey(session: AsyncSession, batch: Batch) -> JourneyRow:
    journey = await _lock(session, batch.journey_id)
    if journey is not None:
        return journey
    start = batch.entries[0] if batch.entries else None
    if start is None or not isinstance(start.fact, JourneyStarted):
        raise NotFound("the journey is not in the record")
    await _open(session, batch.journey_id, start, start.fact)
    journey = await _lock(session, batch.journey_id)
    if journey is not None:
        return journey
    raise await _refusal(session, start.fact.patient_id)


async def _lock(session: AsyncSession, journey_id: str) -> JourneyRow | None:
    statement = select(JourneyRow).where(JourneyRow.id == journey_id)
    return await session.scalar(statement.with_for_update(key_share=True))


async def _open(session: AsyncSession, journey_id: str, entry: Entry, fact: JourneyStarted) -> None:
    """Make the journey's row, unless it or another open course of the patient is there already."""
    site = site_of(journey_id)
    home = await session.scalar(select(PatientRow.site).where(PatientRow.id == fact.patient_id))
    if home is None or home != site:
        raise NotFound("the patient is not in the record of this site")
    new = {
        "id": journey_id,
        "site": site,
        "stage": Stage.REFERRED.value,
        "status": status_of(Stage.REFERRED, on_hold=False).value,
        "on_hold": False,
        "started_at": entry.occurred_at,
        "doses": 0,
        "sessions_completed": 0,
        "last_seq": 0,
        "last_hash": GENESIS,
        "version": 0,
        **fact.model_dump(mode="json", exclude={"kind"}),
    }
    await session.execute(insert(JourneyRow).values(**new).on_conflict_do_nothing())


async def _refusal(session: AsyncSession, patient_id: str) -> Exception:
    """Why there is no row after trying to make one: the patient has an open course, or just had one."""
    open_course = select(JourneyRow.id).where(
        JourneyRow.patient_id == patient_id, JourneyRow.closed_at.is_(None)
    )
    other = await session.scalar(open_course)
    return RaceLost() if other is None else AlreadyActive(other)


def site_of(journey_id: str) -> str:
    """`journey/{site}/{ulid}` names its site."""
    parts = journey_id.split("/")
    if len(parts) != 3 or parts[0] != "journey" or not all(parts):
        raise NotFound("this is not the id of a journey")
    return parts[1]
