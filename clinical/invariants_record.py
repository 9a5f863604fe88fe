"""How is a journey's record read, and how is a breach of an invariant told?

`place` is where a fact stands in the record, counted from 0: the engine writes the record one fact after the
other, so that "before" and "after" between different parts of a journey are a matter of place. In virtual
time each part has a clock of its own, so that instants are compared only within one part or where they are
clinical data. A naive instant counts as UTC here (that it is naive is a breach of its own), and nothing here
raises, however odd a record is.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context
from typing import Annotated, Any, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from clinical import protocol as protocols
from clinical.events import DoseGiven, JourneyStarted, ProtocolMigrated, RecordedEntry

UNTRAPPED = Context(prec=40, traps=[])
"""Impossible numbers are compared like others: what is too large, or no number at all, is not within."""


class Violation(BaseModel):
    """One breach: which invariant (1-13 of the product), which rule of it, in words, at which entry.

    `seq` is the number of the entry that should not stand there, or by which something is missing; 0 for an
    empty record. The text names sessions, ids and hashes, never what people wrote.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    invariant: Annotated[int, Field(ge=1, le=13)]
    rule: str
    text: str
    seq: int


class InSession(Protocol):
    """A fact that belongs to one session."""

    @property
    def session(self) -> int: ...


F = TypeVar("F")
S = TypeVar("S", bound=InSession)


class Written(NamedTuple, Generic[F]):
    """One fact where it stands in the record."""

    place: int
    entry: RecordedEntry
    fact: F

    @property
    def seq(self) -> int:
        return self.entry.seq


class Record:
    """One journey's entries in order, the protocol they are judged by and the zone of its dates.

    `earlier`: the protocols that it went by before it went over to this one.
    """

    def __init__(
        self,
        entries: Sequence[RecordedEntry],
        protocol: protocols.Protocol,
        time_zone: str | None = None,
        earlier: Sequence[protocols.Protocol] = (),
    ) -> None:
        self.entries = tuple(entries)
        self.protocol = protocol
        self._by_hash = {one.content_hash: one for one in (*earlier, protocol)}
        self._of_kind: dict[type[Any], list[Written[Any]]] = {}
        for place, entry in enumerate(self.entries):
            self._of_kind.setdefault(type(entry.fact), []).append(Written(place, entry, entry.fact))
        started = self.every(JourneyStarted)
        self.time_zone = time_zone or (started[0].fact.time_zone if started else "")

    def every(self, kind: type[F]) -> list[Written[F]]:
        """All facts of this kind, in order."""
        return list(self._of_kind.get(kind, ()))

    def hash_at(self, place: int) -> str | None:
        """The hash of the protocol that the journey goes by there; None in a record that has no beginning."""
        gone_over = last_before(place, self.every(ProtocolMigrated))
        if gone_over is not None:
            return gone_over.fact.protocol_hash
        started = self.every(JourneyStarted)
        return started[0].fact.protocol_hash if started else None

    def protocol_at(self, place: int) -> protocols.Protocol:
        """By which a fact at that place is judged: what was given under an earlier one is judged by that."""
        return self._by_hash.get(self.hash_at(place) or "", self.protocol)

    def in_session(self, kind: type[S], session: int) -> list[Written[S]]:
        """All facts of this kind in one session, in order."""
        return [written for written in self.every(kind) if written.fact.session == session]

    @property
    def doses(self) -> list[Written[DoseGiven]]:
        return self.every(DoseGiven)

    @property
    def ends_at(self) -> datetime:
        """The latest instant that the record speaks of; only for a record that is not empty."""
        return max(utc(entry.occurred_at) for entry in self.entries)


def last_before(place: int, facts: Sequence[Written[F]]) -> Written[F] | None:
    """The last of these facts before that place, or None."""
    return next((written for written in reversed(facts) if written.place < place), None)


def part_of(entry: RecordedEntry) -> str:
    """Which part of the journey wrote this? Keys begin with it."""
    return entry.key.partition(":")[0]


def breach(invariant: int, rule: str, seq: int, text: str) -> Violation:
    return Violation(invariant=invariant, rule=f"INV{invariant}-{rule}", text=text, seq=seq)


def is_aware(at: datetime) -> bool:
    return at.utcoffset() is not None


def utc(at: datetime) -> datetime:
    """The instant in UTC; at the very edge of the calendar, where it cannot be told, the wall clock's."""
    try:
        return at.astimezone(UTC) if is_aware(at) else at.replace(tzinfo=UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


def hours_from(start: datetime, end: datetime) -> float:
    """Elapsed time in h; negative when the end comes first."""
    return (utc(end) - utc(start)) / timedelta(hours=1)
