"""How does a batch of facts get into the record: numbered without gaps, chained, once each?

The row lock on the journey puts writers of one journey in line; different journeys do not wait for each
other. One question locks the row and asks what is known: it may have looked before it had the lock, which
the numbers tell, and then it is asked again. Runs inside the caller's transaction: a refusal anywhere leaves
nothing of the batch behind.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, Text, any_, bindparam, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from clinical.events import Entry, JourneyStarted
from clinical.journey import Stage
from clinical.working_time import Span
from services.asking import Question, told
from services.database import table_of
from services.outbox import OutboxRow
from services.records.announced import announced
from services.records.availability import RaceLost
from services.records.chain import GENESIS
from services.records.closed_days import CLOSED_AHEAD, ahead_of, spans_of
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
from services.records.task_tables import ClosedDayRow

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
JOURNEY = table_of(JourneyRow)
COLUMNS = tuple(column.key for column in JOURNEY.columns)
ENTRY = table_of(EntryRow)
CLOSED_DAY = table_of(ClosedDayRow)
KEYS = cast(bindparam("keys", type_=NullType()), ARRAY(Text))
OF_JOURNEY = ENTRY.c.journey_id == bindparam("journey")

# Made once: to put a statement together costs as much as to send it.
KNOWN = (
    select(func.jsonb_agg(func.jsonb_build_array(ENTRY.c.key, ENTRY.c.kind, ENTRY.c.actor_id), type_=JSONB))
    .where(OF_JOURNEY, ENTRY.c.key == any_(KEYS))
    .scalar_subquery()
)
CLOSED = (
    select(func.jsonb_agg(func.jsonb_build_array(CLOSED_DAY.c.starts_at, CLOSED_DAY.c.ends_at), type_=JSONB))
    .where(*CLOSED_AHEAD)
    .scalar_subquery()
)
SEEN = select(func.coalesce(func.max(ENTRY.c.seq), 0)).where(OF_JOURNEY).scalar_subquery()
LOCKED = Question(
    select(JOURNEY, KNOWN.label("known"), CLOSED.label("closed_ahead"), SEEN.label("seen"))
    .where(JOURNEY.c.id == bindparam("journey"))
    .with_for_update(key_share=True, of=JOURNEY)
)
GIVEN_BY_DATABASE = {"recorded_at"}
NEW_ENTRY = Question(insert(ENTRY), {column.key for column in ENTRY.columns} - GIVEN_BY_DATABASE)
NEW_EVENT = Question(insert(table_of(OutboxRow)).inline(), ("event_id", "site", "type", "body"))


@dataclass(frozen=True)
class _Looked:
    """The course's row, locked, as it was (`before`) and as the facts leave it (`journey`), and what was asked with it.

    `known`: what stands in the record under the keys of the batch, which kind of fact and whose.
    """

    journey: JourneyRow
    before: dict[str, Any]
    known: dict[str, tuple[str, str]]
    closed: tuple[Span, ...]


async def append_batch(
    session: AsyncSession, ledger: Ledger, batch: Batch, counts: list[Count] | None = None
) -> Written:
    """Write what is new. Raises NotFound, AlreadyActive, KeyReused, RecordMoved.

    `counts` gets what is to be counted when the transaction is committed.
    """
    counts = [] if counts is None else counts
    looked = await _locked_journey(session, batch)
    journey = looked.journey
    with session.no_autoflush:
        new = await _write_new(session, ledger, batch, journey, looked.known, counts)
    after = _columns(journey)
    if changed := {name: value for name, value in after.items() if value != looked.before[name]}:
        await told(session, _changing(tuple(changed)), {"of_id": journey.id, **changed})
    return Written(last_seq=journey.last_seq, new=new, closed=looked.closed)


def _columns(journey: JourneyRow) -> dict[str, Any]:
    return {name: getattr(journey, name) for name in COLUMNS}


@cache
def _changing(columns: tuple[str, ...]) -> Question:
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    return Question(update(JOURNEY).where(JOURNEY.c.id == bindparam("of_id")).values(values))


async def _write_new(
    session: AsyncSession,
    ledger: Ledger,
    batch: Batch,
    journey: JourneyRow,
    known: dict[str, tuple[str, str]],
    counts: list[Count],
) -> int:
    """How many entries were not there yet."""
    new = 0
    entries: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for entry in batch.entries:
        named = entry.fact.kind, entry.actor.id
        if entry.key not in known:
            if new == 0 and batch.expected_seq not in (None, journey.last_seq):
                raise RecordMoved("something was written since the record was looked at")
            for end in await gone_with(session, journey.id, entry):
                counts += await _write(session, ledger, journey, end, entries, events)
            counts += await _write(session, ledger, journey, entry, entries, events)
            new += 1
        elif known[entry.key] != named:
            raise KeyReused("another fact, or another person's, is in the record under this key")
        known[entry.key] = named
    if entries:  # all at once: no projection reads the ledger
        await told(session, NEW_ENTRY, *entries)
    if events:
        await told(session, NEW_EVENT, *events)
    if new:
        journey.version += 1
    return new


async def _write(
    session: AsyncSession,
    ledger: Ledger,
    journey: JourneyRow,
    entry: Entry,
    entries: list[dict[str, Any]],
    events: list[dict[str, Any]],
) -> list[Count]:
    """Into the read models now, into the ledger with the rest of the batch."""
    if isinstance(entry.fact, JourneyStarted) and journey.last_seq > 0:
        raise KeyReused("the journey was started already, under another key")
    row = ledger.values(journey.id, journey.last_seq + 1, journey.last_hash, entry)
    entries.append(row)
    journey.last_seq, journey.last_hash = row["seq"], row["hash"]
    fresh = Fresh(session, journey, row["seq"], entry.key, entry.occurred_at, entry.actor)
    counts = await tally(entry.fact, fresh)
    await project(entry.fact, fresh)
    event = announced(journey, journey.version + 1, entry)
    if event is not None:
        events.append(event)
    return counts


async def _locked_journey(session: AsyncSession, batch: Batch) -> _Looked:
    looked = await _look(session, batch)
    if looked is not None:
        return looked
    start = batch.entries[0] if batch.entries else None
    if start is None or not isinstance(start.fact, JourneyStarted):
        raise NotFound("the journey is not in the record")
    await _open(session, batch.journey_id, start, start.fact)
    looked = await _look(session, batch)
    if looked is not None:
        return looked
    raise await _refusal(session, start.fact.patient_id)


async def _look(session: AsyncSession, batch: Batch) -> _Looked | None:
    """Lock the course; what stands in the record under the keys of the batch; and the days that are closed then.

    The first one written stays. A workflow task that is done again (its worker died, or an event came in
    while it completed) tells the same facts at a slightly later hour: that is the same cause, not another.
    """
    keys = sorted({entry.key for entry in batch.entries})
    latest = max((entry.occurred_at for entry in batch.entries), default=NEVER)
    asked = {"journey": batch.journey_id, "keys": keys, **ahead_of(site_of(batch.journey_id), latest)}
    found = await told(session, LOCKED, asked)
    if found and found[0].seen != found[0].last_seq:
        # Somebody wrote while this waited for the lock. It is held now: what is seen this time is what there is, also
        # where a damaged record says another number; its chain tells, and what happens to the patient is written down.
        found = await told(session, LOCKED, asked)
    if not found:
        return None
    [row] = found
    before = {name: getattr(row, name) for name in COLUMNS}
    return _Looked(
        journey=JourneyRow(**before),
        before=before,
        known={key: (kind, actor) for key, kind, actor in row.known or ()},
        closed=spans_of(
            (datetime.fromisoformat(starts), datetime.fromisoformat(ends))
            for starts, ends in row.closed_ahead or ()
        ),
    )


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
