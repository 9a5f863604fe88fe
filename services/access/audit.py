"""Who looked at what, why and when, and can anybody have changed that afterwards?

One chain for each site, in the form of a journey's: every event carries SHA-256 over the hash of the one before
it and its own content. The row of `audit_chain` is locked while an event is added, so numbers have no gaps, and
it names the last one, so that cutting off the end is seen too. The database refuses to change an event.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.access.tables import AuditChainRow, AuditRow
from services.access.views import AuditEventView, AuditFilter, ChainVerdict, Looked
from services.asking import Question
from services.database import Database

GENESIS = "0" * 64
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
CHUNK = 1000
LAST_NUMBER = 2**31 - 1


INSTANT = r"""to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\:MI\:SS.US')"""
NEXT_WORDS = f"""
WITH told AS MATERIALIZED (SELECT * FROM json_to_record(CAST(:told AS json)) AS one(actor_id text, actor_role text,
    act text, purpose text, object_id text, part text, outcome text, trace_id text, reason text,
    head text, middle text, tail text)),
chain AS (SELECT last_seq, last_hash FROM audit_chain WHERE site = :site FOR UPDATE),
next AS MATERIALIZED (
    SELECT last_seq + 1 AS seq, last_hash AS previous_hash, clock_timestamp() AS at FROM chain),
hashed AS MATERIALIZED (
    SELECT next.*, encode(sha256(convert_to(previous_hash || head || replace({INSTANT}, '.000000', '')
        || '+00:00' || middle || seq || tail, 'UTF8')), 'hex') AS hash FROM next, told),
event AS (
    INSERT INTO audit_event (site, seq, at, actor_id, actor_role, act, purpose, object_id, part, outcome, trace_id,
        reason, previous_hash, hash)
    SELECT :site, seq, at, actor_id, actor_role, act, purpose, object_id, part, outcome, trace_id, reason,
        previous_hash, hash FROM hashed, told)
UPDATE audit_chain SET last_seq = hashed.seq, last_hash = hashed.hash FROM hashed WHERE site = :site
RETURNING audit_chain.last_seq
"""  # noqa: S608  # nothing of a caller's stands in it
NEXT = Question(text(NEXT_WORDS))
"""Adds one event to a chain that is there; no row comes back where none is. The lock is taken first, so that number,
instant and the hash before are those of after the wait. All that is told is one value: to hand over a dozen takes the
driver longer than to send the statement."""


class AuditTrail:
    """Writes and reads the audit; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, looked: Looked) -> None:
        """In one round trip, once the chain of the site has begun: whoever reads waits for it."""
        (noted,) = await self._database.ask(next_event(looked))
        if not noted:
            async with self._database.transaction() as session:
                await add_event(session, looked)

    async def write_all(self, looks: Sequence[Looked]) -> None:
        """All of them or none: what was one act stands in the chain of every site that it was about."""
        async with self._database.transaction() as session:
            for looked in sorted(
                looks, key=lambda one: one.site
            ):  # whoever locks several chains has one order
                await add_event(session, looked)

    async def events(
        self, site: str, asked: AuditFilter, *, before_seq: int | None = None, limit: int = 50
    ) -> list[AuditEventView]:
        """Newest first; `before_seq` is the number of the last one seen."""
        async with self._database.reading() as session:
            rows = await session.scalars(listing(site, asked, before_seq=before_seq, limit=limit))
            return [_view(row) for row in rows]

    async def counts(self, site: str) -> dict[str, int]:
        """How many there are in all, from the end of the chain: nobody counts years of reads one by one."""
        async with self._database.reading() as session:
            end = await session.get(AuditChainRow, site)
        return {"all": end.last_seq if end else 0}

    async def verify(self, site: str) -> ChainVerdict:
        """Looks at every event of the site, in order, and names the first bad one."""
        async with self._database.reading() as session:
            end = await session.get(AuditChainRow, site)
            last_seq, last_hash = 0, GENESIS
            in_order = select(AuditRow).where(AuditRow.site == site).order_by(AuditRow.seq)
            found = await session.stream_scalars(in_order.execution_options(yield_per=CHUNK))
            async for row in found:
                fault = _fault(row, last_seq, last_hash)
                if fault is not None:
                    return ChainVerdict(
                        whole=False,
                        last_seq=last_seq,
                        last_hash=last_hash,
                        first_bad=last_seq + 1 if row.seq != last_seq + 1 else row.seq,
                        fault=fault,
                    )
                last_seq, last_hash = row.seq, row.hash
                session.expunge(row)
        named = (0, GENESIS) if end is None else (end.last_seq, end.last_hash)
        if named != (last_seq, last_hash):
            fault = f"the chain ends with {last_seq}, and should end with {named[0]}"
            return ChainVerdict(
                whole=False, last_seq=last_seq, last_hash=last_hash, first_bad=last_seq + 1, fault=fault
            )
        return ChainVerdict(whole=True, last_seq=last_seq, last_hash=last_hash)


def listing(
    site: str, asked: AuditFilter, *, before_seq: int | None = None, limit: int = 50
) -> Select[AuditRow]:
    equal = asked.model_dump(include={"actor_id", "act", "purpose"}, exclude_none=True)
    wanted = select(AuditRow).where(
        AuditRow.site == site, *(getattr(AuditRow, name) == value for name, value in equal.items())
    )
    if asked.outcome is not None:  # spelled out, so that the partial index of what was not done is used
        wanted = wanted.where(AuditRow.outcome == literal(asked.outcome.value, literal_execute=True))
    if asked.objects is not None:
        wanted = wanted.where(AuditRow.object_id.in_(asked.objects))
    if asked.since is not None:
        wanted = wanted.where(AuditRow.seq >= _first_from(site, asked.since))
    if asked.until is not None:
        wanted = wanted.where(AuditRow.seq < _first_from(site, asked.until))
    if before_seq is not None:
        wanted = wanted.where(AuditRow.seq < before_seq)
    return wanted.order_by(AuditRow.seq.desc()).limit(limit)


async def add_event(session: AsyncSession, looked: Looked) -> None:
    """Add to the chain of the site, in the caller's transaction; its lock is held until that ends."""
    chain = (
        insert(AuditChainRow)
        .values(site=looked.site, last_seq=1, last_hash=GENESIS)
        .on_conflict_do_update(index_elements=["site"], set_={"last_seq": AuditChainRow.last_seq + 1})
        .returning(AuditChainRow.last_seq, AuditChainRow.last_hash, func.clock_timestamp())
    )
    seq, previous, at = (await session.execute(chain)).one()
    own = event_hash(previous, seq, at, looked)
    event = insert(AuditRow).values(seq=seq, at=at, previous_hash=previous, hash=own, **looked.model_dump())
    end = update(AuditChainRow).where(AuditChainRow.site == looked.site).values(last_hash=own)
    both = end.add_cte(event.cte("event"))  # in one round trip, because all looks of a site wait for this
    await session.execute(both.execution_options(synchronize_session=False))


def next_event(looked: Looked) -> Question:
    """`NEXT` with what it is told, which makes the hash as `event_hash` does."""
    head, middle, tail = _around_instant_and_number(looked)
    told = {**looked.model_dump(), "head": head, "middle": middle, "tail": tail}
    return NEXT.of(site=looked.site, told=_canonical(told))


def _around_instant_and_number(looked: Looked) -> tuple[str, str, str]:
    """The text that is hashed, without the two parts that only the database knows."""
    told = _told(looked)
    before = {name: value for name, value in told.items() if name < "at"}
    between = {name: value for name, value in told.items() if "at" < name < "seq"}
    after = {name: value for name, value in told.items() if name > "seq"}
    first, second, third = (_canonical(part)[1:-1] for part in (before, between, after))
    return f'{{{first},"at":"', f'",{second},"seq":', f",{third}}}"


def event_hash(previous: str, seq: int, at: datetime, looked: Looked) -> str:
    content = {**_told(looked), "seq": seq, "at": at.astimezone(UTC).isoformat()}
    return hashlib.sha256((previous + _canonical(content)).encode()).hexdigest()


def _told(looked: Looked) -> dict[str, Any]:
    told = looked.model_dump(mode="json")
    if told["reason"] is None:  # events from before there were reasons keep their hash
        del told["reason"]
    return told


def _canonical(content: dict[str, Any]) -> str:
    return _CANONICAL.encode(content)


def _first_from(site: str, instant: datetime) -> ColumnElement[int]:
    """The number of the first event at or after an instant: numbers and instants rise together, so that a page of
    a time long ago is found by an index and not by walking back to it."""
    first = (
        select(AuditRow.seq)
        .where(AuditRow.site == site, AuditRow.at >= instant)
        .order_by(AuditRow.at, AuditRow.seq)
        .limit(1)
    )
    return func.coalesce(first.scalar_subquery(), LAST_NUMBER)


def _fault(row: AuditRow, last_seq: int, last_hash: str) -> str | None:
    if row.seq != last_seq + 1:
        return f"event {row.seq} follows event {last_seq}: what was between them is missing"
    if row.previous_hash != last_hash:
        return f"event {row.seq} does not continue the one before it"
    looked = Looked.model_validate({name: getattr(row, name) for name in Looked.model_fields})
    if row.hash != event_hash(row.previous_hash, row.seq, row.at, looked):
        return f"event {row.seq} is not what was written: its hash differs"
    return None


def _view(row: AuditRow) -> AuditEventView:
    return AuditEventView.model_validate({name: getattr(row, name) for name in AuditEventView.model_fields})
