"""How does a trace through the model become a record that `clinical.invariants` can judge?

A `Book` is the record so far with its clock; each act of a trace writes its facts with `clinical.events`. Books
share what they have in common, so that every state of a walk can keep its own.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from clinical.events import RecordedEntry, RiskPaged
from clinical.instruments.answers import RiskLevel
from clinical.people import ENGINE, Actor, Role
from clinical.risk import RiskFinding, ladder
from tests.clinical.model.guards import PROTOCOL

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
COORDINATOR = Actor(id="staff-coordinator", role=Role.COORDINATOR)
PRESCRIBER = Actor(id="staff-prescriber", role=Role.PRESCRIBER)
AUTHOR = Actor(id="staff-author", role=Role.PRESCRIBER)
THERAPIST = Actor(id="staff-therapist", role=Role.THERAPIST)
NURSE = Actor(id="staff-nurse", role=Role.NURSE)
PATIENT = Actor(id="patient-1", role=Role.PATIENT)


class Book(NamedTuple):
    """The record after `act`, and what the next fact needs to know of it.

    `version`: of the newest plan, for `drafted` sessions; `in_force`: of the plan in force; `visit_plan`: of the
    one that this session was opened under. `case`: the risk cases so far; `waits_since`: since when the one that
    nobody has acknowledged waits; `paged` rungs of its ladder were called. `silent`: the ladder was taken away.
    """

    before: "Book | None" = None
    act: str = ""
    page: tuple[RecordedEntry, ...] = ()
    at: datetime = START
    seq: int = 0
    version: int = 0
    drafted: int = 0
    in_force: int = 0
    session: int = 0
    visit_plan: int = 0
    visit_doses: int = 0
    dosed: int = 0
    finished: int = 0
    case: int = 0
    waits_since: datetime | None = None
    paged: int = 0
    silent: bool = False

    def turn(self, act: str, **time: float) -> "Book":
        """A new page for one act, which takes a minute or as long as is said; the ladder pages meanwhile."""
        at = self.at + (timedelta(**time) if time else timedelta(minutes=1))
        return self._replace(before=self, act=act, page=())._paged_until(at)._replace(at=at)

    def _paged_until(self, at: datetime) -> "Book":
        if self.waits_since is None or self.silent or self.paged == len(PROTOCOL.risk.ladder):
            return self
        finding = RiskFinding(level=RiskLevel.HIGH, trigger="staff", on_site=True, found_at=self.waits_since)
        due = [rung for rung in ladder(finding, PROTOCOL)[self.paged :] if rung.at <= at]
        book = self
        for number, rung in enumerate(due, start=self.paged + 1):
            fact = RiskPaged(case_id=f"case-{self.case}", role=rung.page, rung=number)
            book = book.note(fact, at=rung.at)
        return book._replace(paged=self.paged + len(due))

    def note(self, fact: Any, actor: Actor = ENGINE, at: datetime | None = None) -> "Book":
        seq, when = self.seq + 1, at or self.at
        entry = RecordedEntry.model_construct(
            key=f"journey:{seq}",
            occurred_at=when,
            actor=actor,
            fact=fact,
            seq=seq,
            recorded_at=when,
            previous_hash=str(seq - 1),
            hash=str(seq),
        )
        return self._replace(page=(*self.page, entry), seq=seq)

    def but(self, **changes: Any) -> "Book":
        return self._replace(**changes)

    def entries(self) -> list[RecordedEntry]:
        """The whole record, in order."""
        return [entry for book in reversed(list(self._back())) for entry in book.page]

    def trace(self) -> tuple[str, ...]:
        """The acts that led here, in order."""
        return tuple(book.act for book in reversed(list(self._back())) if book.before is not None)

    def _back(self) -> Iterator["Book"]:
        book: Book | None = self
        while book is not None:
            yield book
            book = book.before
