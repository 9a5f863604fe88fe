"""How does a fact become a row of the record, and a row a fact again?

The fact is stored as canonical JSON, encrypted and bound to its journey and key: a payload copied to another
entry does not decrypt. Reading hashes nothing; `audit` does.
"""

from collections.abc import Hashable, Iterable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ARRAY, BigInteger, Row, any_, bindparam, select
from sqlalchemy import cast as as_type
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.events import Entry, Fact, RecordedEntry
from clinical.people import Actor, Role
from services.asking import Question, told
from services.encryption import FieldCipher
from services.records.chain import content_hash, entry_hash, fact_text
from services.records.errors import RecordsError
from services.records.tables import EntryRow

PAYLOAD = "journey_entry.payload"

F = TypeVar("F")

_FACT: TypeAdapter[Fact] = TypeAdapter(Fact)

_NUMBERED = Question(
    select(EntryRow.journey_id, EntryRow.seq, EntryRow.key, EntryRow.payload).where(
        EntryRow.journey_id == bindparam("journey"),
        EntryRow.seq == any_(as_type(bindparam("seqs"), ARRAY(BigInteger))),
    )
)


class Ledger:
    """Writes and reads the rows of `journey_entry`."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    def values(self, journey_id: str, seq: int, previous_hash: str, entry: Entry) -> dict[str, Any]:
        """The new row, by column; the database adds the time of recording."""
        text = fact_text(entry)
        return {
            "journey_id": journey_id,
            "seq": seq,
            "key": entry.key,
            "kind": entry.fact.kind,
            "session": getattr(entry.fact, "session", None),
            "occurred_at": entry.occurred_at,
            "actor_id": entry.actor.id,
            "actor_role": entry.actor.role.value,
            "payload": self._cipher.encrypt(PAYLOAD, text, row=_place(journey_id, entry.key)),
            "content_hash": content_hash(entry.key, entry.occurred_at, entry.actor, text),
            "previous_hash": previous_hash,
            "hash": entry_hash(previous_hash, seq, entry.key, entry.occurred_at, entry.actor, text),
        }

    def text(self, row: EntryRow | Row[Any]) -> str:
        """The stored fact in clear. Raises EncryptionError when it was changed or its key is gone."""
        return self._cipher.decrypt(PAYLOAD, row.payload, row=_place(row.journey_id, row.key))

    def fact(self, row: EntryRow | Row[Any]) -> Fact:
        return _FACT.validate_json(self.text(row))

    def fact_of(self, row: EntryRow, kind: type[F]) -> F:
        """The fact, which the caller knows to be of this kind."""
        fact = self.fact(row)
        if not isinstance(fact, kind):
            raise RecordsError(f"entry {row.seq} is not what its read model takes it for")
        return fact

    def opened(self, payload: bytes, journey_id: str, key: str, kind: type[F]) -> F:
        """The same of an entry of which no more than this was read."""
        text = self._cipher.decrypt(PAYLOAD, payload, row=_place(journey_id, key))
        try:
            fact: F = _of_kind(cast("Hashable", kind)).validate_json(text)
        except ValidationError:
            raise RecordsError("an entry is not what its read model takes it for") from None
        return fact

    def recorded(self, row: EntryRow) -> RecordedEntry:
        return RecordedEntry(
            key=row.key,
            occurred_at=row.occurred_at,
            actor=actor_of(row),
            fact=self.fact(row),
            seq=row.seq,
            recorded_at=row.recorded_at,
            previous_hash=row.previous_hash,
            hash=row.hash,
        )

    async def facts(
        self, session: AsyncSession, journey_id: str, seqs: Iterable[int | None]
    ) -> dict[int, Any]:
        """The facts with these numbers, by number; a projection names them as the source of its words."""
        wanted = {seq for seq in seqs if seq is not None}
        if not wanted:
            return {}
        found = await told(session, _NUMBERED, {"journey": journey_id, "seqs": sorted(wanted)})
        return {row.seq: self.fact(row) for row in found}


@cache
def _of_kind(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def actor_of(row: EntryRow) -> Actor:
    return Actor(id=row.actor_id, role=Role(row.actor_role))


def _place(journey_id: str, key: str) -> str:
    return f"{journey_id}\0{key}"
