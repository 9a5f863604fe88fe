"""Is a journey's record whole, and does it tell a course that can have happened? Invariant 13.

Numbered from 1 without a gap, each key once, each entry chained to the one before (that a hash is the hash of
its entry is the records service's to check), begun once, moved only as the state machine allows, and closed
with numbers that are those of the record. Source: product §4, F24.
"""

from collections.abc import Iterator
from itertools import pairwise

from clinical.events import DoseGiven, JourneyClosed, JourneyStarted, SessionClosed, StageChanged
from clinical.invariants_record import Record, Violation, breach, is_aware
from clinical.journey import FINAL, TRANSITIONS, Stage


def the_record_is_whole(record: Record) -> Iterator[Violation]:
    """Invariant 13."""
    yield from _numbers_and_keys(record)
    yield from _chain(record)
    yield from _beginning(record)
    yield from _stages(record)
    yield from _closing(record)


def _numbers_and_keys(record: Record) -> Iterator[Violation]:
    keys: set[str] = set()
    for number, entry in enumerate(record.entries, start=1):
        if entry.seq != number:
            yield breach(13, "SEQUENCE", entry.seq, f"entry {number} is numbered {entry.seq}")
        if entry.key in keys:
            yield breach(13, "KEY", entry.seq, f"the key {entry.key} is in the record twice")
        keys.add(entry.key)
        if not is_aware(entry.occurred_at):
            yield breach(13, "INSTANT", entry.seq, "when it happened is no instant")


def _chain(record: Record) -> Iterator[Violation]:
    for before, entry in pairwise(record.entries):
        if entry.previous_hash != before.hash:
            yield breach(13, "CHAIN", entry.seq, "it does not continue the hash of the entry before")


def _beginning(record: Record) -> Iterator[Violation]:
    if not record.entries:
        yield breach(13, "EMPTY", 0, "the record is empty")
        return
    first, starts = record.entries[0], record.every(JourneyStarted)
    if not isinstance(first.fact, JourneyStarted):
        yield breach(13, "BEGINNING", first.seq, f"the record begins with {first.fact.kind}")
    for again in starts[1:]:
        yield breach(13, "STARTED-TWICE", again.seq, "the journey was started twice")
    if starts and record.hash_at(len(record.entries)) != record.protocol.content_hash:
        yield breach(13, "PROTOCOL", starts[0].seq, "the journey runs on another protocol than this")


def _stages(record: Record) -> Iterator[Violation]:
    stage = Stage.REFERRED
    for change in record.every(StageChanged):
        left, entered, move = change.fact.left, change.fact.entered, change.fact.move
        if left is not stage:
            yield breach(13, "STAGE", change.seq, f"the journey left {left} while it was in {stage}")
        if TRANSITIONS[left].get(move) is not entered:
            yield breach(13, "MOVE", change.seq, f"{move} does not lead from {left} to {entered}")
        stage = entered


def _closing(record: Record) -> Iterator[Violation]:
    closings = record.every(JourneyClosed)
    for closed in closings:
        before = [change for change in record.every(StageChanged) if change.place < closed.place]
        stage = before[-1].fact.entered if before else Stage.REFERRED
        if closed.fact.stage is not stage or stage not in FINAL:
            text = f"the journey was closed as {closed.fact.stage} while it was in {stage}"
            yield breach(13, "CLOSED-STAGE", closed.seq, text)
        dosed = {dose.fact.session for dose in record.every(DoseGiven)}
        finished = {s.fact.session for s in record.every(SessionClosed) if s.fact.status == "finished"}
        if (closed.fact.doses, closed.fact.sessions_completed) != (len(dosed), len(finished)):
            yield breach(13, "SUMMARY", closed.seq, "the closing summary counts other doses or sessions")
    for again in closings[1:]:
        yield breach(13, "CLOSED-TWICE", again.seq, "the journey was closed twice")
