"""How does a workflow write down what happened? Facts are gathered and written in one transaction each time.

Everything one event sets off (the command's own fact, the task that it closes, the next one that it opens)
is written together by one local activity. Whoever must not answer before the fact is in the record awaits
`written()`.
"""

from collections.abc import Callable
from datetime import datetime

from opentelemetry import context
from temporalio import workflow

from activities.options import WRITE
from activities.records import Batch, RecordActivities
from clinical.events import Entry, Fact
from clinical.people import ENGINE, Actor
from clinical.working_time import Span
from workflows.failures import ACTIVITY_FAILED


class Journal:
    """The pen of one workflow. `part` keeps the keys of different workflows of one journey apart."""

    def __init__(self, journey_id: str, part: str, *, before_writing: Callable[[], None]) -> None:
        self._journey_id = journey_id
        self._before_writing = before_writing
        self._part = part
        self._waiting: list[Entry] = []
        self._cause = context.get_current()
        self._noted = 0
        self._written = 0
        self.groups: tuple[workflow.EventGroup, ...] = ()
        """Under which name operations see the next writes in the engine's own list of events."""
        self.closed: tuple[Span, ...] = ()
        """When the clinic is closed, as the record said with the last write."""

    def note(
        self, origin: str, fact: Fact, *, actor: Actor = ENGINE, at: datetime | None = None, nth: str = ""
    ) -> None:
        """Put a fact on the list. `origin` is the command's key or the name of the timer that caused it.

        The key names the cause and not a running number: after a crash the same cause may come in another
        order, and must still find its own fact.
        """
        if not self._waiting:
            self._cause = context.get_current()
        key = f"{self._part}:{origin}:{fact.kind}{':' + nth if nth else ''}"
        self._waiting.append(Entry(key=key, occurred_at=at or workflow.now(), actor=actor, fact=fact))
        self._noted += 1

    @property
    def settled(self) -> bool:
        """Is everything noted so far in the record?"""
        return self._written >= self._noted

    async def written(self) -> None:
        """Return when everything noted so far is in the record."""
        mark = self._noted
        await workflow.wait_condition(lambda: self._written >= mark)

    async def keep(self) -> None:
        """Write what is noted, for as long as the workflow runs."""
        while True:
            await workflow.wait_condition(lambda: bool(self._waiting))
            # One more turn of the loop, so that all that the same event sets off joins the transaction.
            await workflow.wait_condition(lambda: True)
            entries, self._waiting = self._waiting, []
            context.attach(
                self._cause
            )  # the write belongs to the trace of whoever noted, and so do its log lines
            self._before_writing()
            await self._write(entries)
            self._written += len(entries)

    async def _write(self, entries: list[Entry]) -> None:
        batch = Batch(journey_id=self._journey_id, entries=tuple(entries))
        kinds = ", ".join(sorted({entry.fact.kind for entry in entries}))
        try:
            written = await workflow.execute_local_activity_method(
                RecordActivities.record_facts, batch, summary=kinds[:180], event_groups=self.groups, **WRITE
            )
        except ACTIVITY_FAILED as error:
            # A record that contradicts the workflow must not be papered over: the workflow task fails and
            # stays failed, visibly, until somebody has looked.
            raise RuntimeError("the record refused a fact") from error
        self.closed = written.closed
