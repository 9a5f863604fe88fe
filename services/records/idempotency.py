"""Has this request been answered before, or is somebody at it right now?

`claim` answers once per (scope, key): Claimed (go on), Running (somebody else is at it) or Replay (the answer
that was given). A claim that has run for 30 s belongs to a dead process and may be taken over: the commands
behind it carry keys of their own, so doing one twice changes nothing. If it was only slow, it holds nothing any more:
what it finishes or gives back touches no claim but its own, and it is told what was answered meanwhile. Times are the
database's. Answers are kept for days, not for ever: `forget` takes the old ones away, and an act whose answer is gone
is still known to the record by its own key.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.asking import Question, told
from services.database import Database
from services.encryption import FieldCipher
from services.records.availability import RaceLost, Sessions
from services.records.errors import KeyReused, NotFound
from services.records.register_tables import IdempotencyRow

TAKE_OVER_AFTER = timedelta(seconds=30)
BODY = "idempotency_key.response_body"
FORGOTTEN_AT_ONCE = 2000  # rows of one transaction: nobody waits for a long one

RUNNING = "running"

# Made once: to put a statement together costs as much as to send it.
_MINE = (
    IdempotencyRow.scope == bindparam("of_scope"),
    IdempotencyRow.key == bindparam("of_key"),
    IdempotencyRow.status == RUNNING,
    IdempotencyRow.claimed_by == bindparam("of_claim"),
)
CLAIM = Question(
    insert(IdempotencyRow).on_conflict_do_nothing().returning(IdempotencyRow.key),
    ("scope", "key", "request_hash", "status", "claimed_by"),
)
FINISH = Question(
    update(IdempotencyRow).where(*_MINE).returning(IdempotencyRow.key),
    ("status", "response_status", "response_body"),
)
RELEASE = Question(delete(IdempotencyRow).where(*_MINE).returning(IdempotencyRow.key))


@dataclass(frozen=True)
class Claimed:
    """The request is yours: answer it, then `finish`; or `release` when nothing happened."""

    by: str
    """Names this claim: its process, and which of its claims."""
    request_hash: str


@dataclass(frozen=True)
class Running:
    """Another process is answering this very request."""


@dataclass(frozen=True)
class Replay:
    """The answer that was given before."""

    status: int
    body: str


class IdempotencyKeys:
    """Claims on the database; answers are encrypted and bound to scope and key."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._sessions = Sessions(database)
        self._cipher = cipher
        self._me = uuid4().hex
        self._numbers = count()
        self._at_work: Counter[tuple[str, str]] = Counter()

    async def claim(self, scope: str, key: str, request_hash: str) -> Claimed | Running | Replay:
        """Raises KeyReused when the key came before with another request."""
        by = f"{self._me}/{next(self._numbers)}"
        new = {
            "scope": scope,
            "key": key,
            "request_hash": request_hash,
            "status": RUNNING,
            "claimed_by": by,
        }
        self._at_work[scope, key] += 1
        claimed = False
        try:
            if await self._sessions.alone(CLAIM.of(**new)):  # nearly always: nobody has sent it before
                answer: Claimed | Running | Replay = Claimed(by, request_hash)
            else:
                answer = await self._sessions.write(partial(self._claim, new=new))
            claimed = isinstance(answer, Claimed)
            return answer
        finally:
            if not claimed:
                self._leave(scope, key)

    async def finish(self, scope: str, key: str, claimed: Claimed, status: int, body: str) -> Replay | None:
        """Keep the answer. When the claim was taken over it is not kept; what was kept instead, if it is there yet."""
        sealed = self._cipher.encrypt(BODY, body, row=_place(scope, key))
        done = {"status": "done", "response_status": status, "response_body": sealed}
        return await self._end(FINISH, scope, key, claimed, done)

    async def release(self, scope: str, key: str, claimed: Claimed) -> Replay | None:
        """Give a claim back unanswered, so that the next request with the key starts afresh. When it was taken over,
        whoever holds it goes on; what they answered, if they have."""
        return await self._end(RELEASE, scope, key, claimed, {})

    async def forget(self, keep: timedelta) -> int:
        """Take away what was asked longer ago than `keep`, whether it was answered or not; how many."""
        forgotten = 0
        while gone := await self._sessions.write(partial(_forget, keep=keep)):
            forgotten += gone
        return forgotten

    async def _claim(self, session: AsyncSession, new: dict[str, str]) -> Claimed | Running | Replay:
        if await told(session, CLAIM, new):  # given back meanwhile
            return Claimed(new["claimed_by"], new["request_hash"])
        row = await _locked(session, new["scope"], new["key"])
        if row.request_hash != new["request_hash"]:
            raise KeyReused("the key came before with another request")
        if row.status == "done":
            return self._replay(row)
        now = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        mine = (row.claimed_by or "").startswith(f"{self._me}/")
        left_by_me = mine and self._at_work[row.scope, row.key] == 1  # this very call
        if now - row.claimed_at < TAKE_OVER_AFTER and not left_by_me:
            return Running()
        row.claimed_at, row.claimed_by = now, new["claimed_by"]
        return Claimed(row.claimed_by, row.request_hash)

    async def _end(
        self, how: Question, scope: str, key: str, claimed: Claimed, done: dict[str, Any]
    ) -> Replay | None:
        try:
            if await self._sessions.alone(how.of(of_scope=scope, of_key=key, of_claim=claimed.by, **done)):
                return None
            async with self._sessions.reading() as session:
                row = await session.get(IdempotencyRow, (scope, key))
            # Given back by who took it over, the key may have come with another request since.
            answered = row is not None and row.status == "done" and row.request_hash == claimed.request_hash
            return self._replay(row) if row is not None and answered else None
        finally:
            self._leave(scope, key)

    def _leave(self, scope: str, key: str) -> None:
        self._at_work[scope, key] -= 1
        if self._at_work[scope, key] <= 0:
            del self._at_work[scope, key]

    def _replay(self, row: IdempotencyRow) -> Replay:
        if row.response_status is None or row.response_body is None:
            raise NotFound("the answer of a finished request is missing")
        body = self._cipher.decrypt(BODY, row.response_body, row=_place(row.scope, row.key))
        return Replay(status=row.response_status, body=body)


async def _locked(session: AsyncSession, scope: str, key: str) -> IdempotencyRow:
    row = await session.scalar(select(IdempotencyRow).where(*_row(scope, key)).with_for_update())
    if row is None:
        raise RaceLost  # released since we tried to insert it
    return row


async def _forget(session: AsyncSession, keep: timedelta) -> int:
    old = (
        select(IdempotencyRow.scope, IdempotencyRow.key)
        .where(IdempotencyRow.created_at < func.clock_timestamp() - keep)
        .where(IdempotencyRow.claimed_at < func.clock_timestamp() - TAKE_OVER_AFTER)  # nobody is at it
        .order_by(IdempotencyRow.created_at)
        .limit(FORGOTTEN_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    these = tuple_(IdempotencyRow.scope, IdempotencyRow.key).in_(old)
    gone = await session.execute(delete(IdempotencyRow).where(these).returning(IdempotencyRow.key))
    return len(gone.all())


def _row(scope: str, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return IdempotencyRow.scope == scope, IdempotencyRow.key == key


def _place(scope: str, key: str) -> str:
    return f"{scope}\0{key}"
