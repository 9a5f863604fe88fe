"""How is a link made, found, taken once and ended?

    take (transaction 1) → the act, by the engine (no transaction) → settle or give back (transaction 2)

The act's key is the link's id, so that whoever asks again after a crash asks for the same thing. A link whose
act was taken and never answered for stays with that act: it can be done again, another one cannot.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Row, Text, bindparam, case, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.asking import Question
from services.database import Database, counted
from services.encryption import FieldCipher
from services.identifiers import new_id
from services.links.interface import ATTEMPTS, Held, Link, NewLink, Purpose
from services.links.tables import LinkRow, LinkTokenRow

TOKEN_BYTES = 24  # 192 bits
LONGEST_TOKEN = 64
TAKEN_FOR = timedelta(seconds=30)
"""Whoever takes a link later than this after another finds the other gone."""

PROVED_FOR = timedelta(hours=1)
"""For how long does a browser that gave the birth date not have to give it again?"""

STILL_NEWS = timedelta(days=7)
"""What was locked before that, and before anybody was told of it, is not told any more."""

PURPOSE = "patient-links"


def _making() -> Question:
    """The link, or the one there is of the same cause, and one more token of it; made once, sent often."""
    new = insert(LinkRow)
    made = (
        new.values(
            {name: bindparam(name) for name in (*NewLink.model_fields, "id", "made_at", "failed_checks")}
        )
        .on_conflict_do_update(index_elements=[LinkRow.cause], set_={"made_at": LinkRow.made_at})
        .returning(*LinkRow.__table__.columns)
        .cte("made")
    )
    token = insert(LinkTokenRow).from_select(
        ["token_hash", "link_id", "made_at"],
        select(
            bindparam("of_token", type_=Text()), made.c.id, bindparam("token_made_at", type_=DateTime(True))
        ),
    )
    return Question(select(made).add_cte(token.cte("token")))


MADE = _making()


def wall_clock() -> datetime:
    return datetime.now(UTC)


class PatientLinks:
    """`cipher` is the one of all columns; links use keys derived from it for them alone."""

    def __init__(
        self, database: Database, cipher: FieldCipher, clock: Callable[[], datetime] = wall_clock
    ) -> None:
        self._database = database
        self._cipher = cipher.for_purpose(PURPOSE)
        self._clock = clock

    def now(self) -> datetime:
        return self._clock()

    async def make(self, new: NewLink) -> tuple[Link, str]:
        """The link of this cause and a fresh token of it. Nobody else ever sees this token again."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock()
        values = {**new.model_dump(), "purpose": str(new.purpose), "id": new_id(), "made_at": now}
        named = {**values, "failed_checks": 0, "of_token": self._hash(token), "token_made_at": now}
        [[row]] = await self._database.ask(MADE.of(**named))
        return link_of(row), token

    async def find(self, token: str) -> Link | None:
        """The link of this token, dead or alive."""
        if not token or len(token) > LONGEST_TOKEN:
            return None
        async with self._database.reading() as session:
            row = await session.scalar(
                select(LinkRow)
                .join(LinkTokenRow, LinkTokenRow.link_id == LinkRow.id)
                .where(LinkTokenRow.token_hash == self._hash(token))
            )
            return None if row is None else link_of(row)

    async def of_journey(
        self,
        journey_id: str,
        *,
        purpose: str | None = None,
        state: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int | None = None,
    ) -> list[Link]:
        """Links of a course, newest first; `before` is (made_at, link_id) of the last one seen."""
        place = LinkRow.made_at, LinkRow.id
        wanted = select(LinkRow).where(LinkRow.journey_id == journey_id)
        if purpose is not None:
            wanted = wanted.where(LinkRow.purpose == purpose)
        if state is not None:
            wanted = wanted.where(state_at(self._clock()) == state)
        if before is not None:
            wanted = wanted.where(tuple_(*place) < before)
        newest = wanted.order_by(*(one.desc() for one in place)).limit(limit)
        async with self._database.reading() as session:
            return [link_of(row) for row in await session.scalars(newest)]

    async def counts(self, journey_id: str) -> dict[str, int]:
        """Links of a course by how each stands by itself."""
        state = state_at(self._clock())
        async with self._database.reading() as session:
            return await counted(session, state, LinkRow.journey_id == journey_id)

    async def revoke(self, journey_id: str, link_id: str, by: str) -> Link | None:
        """End it; a link that is over already stays as it is."""
        async with self._database.transaction() as session:
            row = await _locked(session, link_id)
            if row is None or row.journey_id != journey_id:
                return None
            if row.revoked_at is None:
                row.revoked_at, row.revoked_by = self._clock(), by
            return link_of(row)

    async def try_birth_date(self, link_id: str, given: str, known: str) -> bool:
        """Is it the patient's? Counted before it is looked at, so that guessing in parallel gains nothing."""
        async with self._database.transaction() as session:
            row = await _locked(session, link_id)
            if row is None or row.failed_checks >= ATTEMPTS:
                return False
            if hmac.compare_digest(_digest(given), _digest(known)):
                row.failed_checks, row.opened_at = 0, row.opened_at or self._clock()
                return True
            row.failed_checks += 1
            if row.failed_checks >= ATTEMPTS:
                row.locked_at = self._clock()
            return False

    async def locked_untold(self, limit: int = 50) -> list[Link]:
        """Links that wrong birth dates have ended of late and of which nobody has heard, oldest first."""
        of_late = LinkRow.locked_at > self._clock() - STILL_NEWS
        untold = select(LinkRow).where(LinkRow.lock_told_at.is_(None), of_late)
        async with self._database.reading() as session:
            rows = await session.scalars(untold.order_by(LinkRow.locked_at, LinkRow.id).limit(limit))
            return [link_of(row) for row in rows]

    async def lock_told(self, link_id: str) -> None:
        """Somebody has the task to see to it."""
        this = update(LinkRow).where(LinkRow.id == link_id, LinkRow.lock_told_at.is_(None))
        async with self._database.transaction() as session:
            await session.execute(this.values(lock_told_at=self._clock()))

    def proof(self, link: Link) -> str:
        """What a browser keeps to show that the birth date was given; worth nothing for another link."""
        until = int((self._clock() + PROVED_FOR).timestamp())
        return f"{until}.{self._seal(link, until)}"

    def proved(self, link: Link, proof: str) -> bool:
        until, _, seal = proof.partition(".")
        if not (until.isascii() and until.isdecimal() and len(until) < 12):
            return False
        if int(until) < self._clock().timestamp():
            return False
        return hmac.compare_digest(_digest(seal), _digest(self._seal(link, int(until))))

    async def take(self, link_id: str, act: str) -> Held:
        """Hold the link for this act. Of many who ask at once, one gets it."""
        now = self._clock()
        async with self._database.transaction() as session:
            row = await _locked(session, link_id)
            if row is None or row.spent_at is not None:
                return Held.SPENT
            at_it = row.taken_at is not None and now - row.taken_at < TAKEN_FOR
            if at_it or row.act not in (None, act):
                return Held.BUSY
            row.act, row.taken_at = act, now
            return Held.TAKEN

    async def settle(self, link_id: str) -> None:
        """The act has happened."""
        now = self._clock()
        await self._set(link_id, spent_at=now, taken_at=now)

    async def give_back(self, link_id: str) -> None:
        """The act was refused: nothing happened."""
        await self._set(link_id, act=None, taken_at=None)

    async def leave_open(self, link_id: str) -> None:
        """Nobody knows whether it happened: the same act may be asked for again, at once."""
        await self._set(link_id, taken_at=None)

    async def _set(self, link_id: str, **values: object) -> None:
        unspent = update(LinkRow).where(LinkRow.id == link_id, LinkRow.spent_at.is_(None))
        async with self._database.transaction() as session:
            await session.execute(unspent.values(**values))

    def _hash(self, token: str) -> str:
        return self._cipher.index("patient_link_token.token_hash", token)

    def _seal(self, link: Link, until: int) -> str:
        return self._cipher.index("patient_link.proof", f"{link.link_id} {until}")


def state_at(now: datetime) -> ColumnElement[str]:
    """How a link stands by itself: the same order as its state is told in."""
    return case(
        (LinkRow.spent_at.is_not(None), "spent"),
        (LinkRow.revoked_at.is_not(None), "revoked"),
        (LinkRow.locked_at.is_not(None), "locked"),
        (LinkRow.expires_at <= now, "expired"),
        else_="live",
    )


async def _locked(session: AsyncSession, link_id: str) -> LinkRow | None:
    return await session.get(LinkRow, link_id, with_for_update=True)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def link_of(row: LinkRow | Row[Any]) -> Link:
    plain = {name: getattr(row, name) for name in Link.model_fields if name not in ("link_id", "purpose")}
    return Link(link_id=row.id, purpose=Purpose(row.purpose), **plain)
