"""What does every workflow of a journey do alike? It writes facts, owes tasks, sends messages, shows what it waits for.

The story of each workflow stands in its own file; here is the paper and the pen.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from clinical.events import TaskCancelled, TaskDone, TaskOpened, TaskOverdue
from clinical.people import ENGINE, Actor, Role
from clinical.protocol import Ask, Protocol
from clinical.working_time import PAUSES, working_due
from workflows.deadlines import Deadline
from workflows.messages import Accepted, Command, Hold, Stop
from workflows.names import PROTOCOL, SITE
from workflows.post import Post
from workflows.ward_board import OpenTask, attributes, details


class Answer(StrEnum):
    """How a wait for a person ended."""

    DONE = "done"
    GAVE_UP = "gave-up"
    STOPPED = "stopped"


class Part(Post):
    """Base of every workflow. `part` is the tail of the workflow id ("session/3"), unique in the journey."""

    protocol: Protocol

    def __init__(self, journey_id: str, site: str, patient_id: str | None, part: str) -> None:
        super().__init__(journey_id, site, patient_id, part)
        self.tasks: dict[str, OpenTask] = {}
        self.stop_asked: Stop | None = None
        self.held_since: datetime | None = None
        self.held_for = timedelta()
        self._attention = False
        self.went_over_to: str | None = None
        """The hash of another protocol that was taken on in this run."""
        self._fault: BaseException | None = None
        self.opened_at: datetime | None = None

    def today(self) -> datetime:
        """The clinical now: never before the journey opened this part, whatever this workflow's own clock says."""
        now = workflow.now()
        return now if self.opened_at is None else max(now, self.opened_at)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Keep the journal and the outbox going; leave only when all is written and answered."""
        story, self._ending = asyncio.current_task(), False
        assert story is not None
        minders = [asyncio.create_task(minder) for minder in self.minders()]
        for minder in minders:
            minder.add_done_callback(partial(self._stop_story, story))
        try:
            yield
            self._ending = True
            await self.settle_outbox()
            # One look at everything: whoever comes in while one thing is awaited must not be lost to another.
            await workflow.wait_condition(self.settled)
        except asyncio.CancelledError:
            if self._fault is not None:
                raise RuntimeError("what goes on beside the story has failed") from self._fault
            raise
        finally:
            for minder in minders:
                minder.cancel()

    def _stop_story(self, story: asyncio.Task[Any], minder: asyncio.Task[None]) -> None:
        """A journal that cannot write must stop the workflow visibly, and not leave it waiting for ever."""
        if not minder.cancelled() and (fault := minder.exception()) is not None:
            self._fault = fault
            story.cancel()

    def minders(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on beside the story for as long as the workflow is at work."""
        return [self.journal.keep()]

    def settled(self) -> bool:
        """Is all written, sent and answered, so that this run can end?"""
        return self.journal.settled and not self._deliveries and workflow.all_handlers_finished()

    @property
    def stopping(self) -> bool:
        return self.stop_asked is not None

    @property
    def on_hold(self) -> bool:
        return self.held_since is not None

    @workflow.signal
    def stop(self, stop: Stop) -> None:
        """The journey asks this part to come to its end."""
        if self.stop_asked is None:
            self.stop_asked = stop
            self.mute = self.mute or stop.withdrawn

    @workflow.signal
    def hold(self, hold: Hold) -> None:
        """The journey was paused or resumed. Waits for people stand still meanwhile; monitoring never does.

        For how long they stood still is told by this workflow's own clock: its deadlines run by it.
        """
        now = workflow.now()
        if hold.on_hold and self.held_since is None:
            self.held_since = now
        elif not hold.on_hold and self.held_since is not None:
            self.held_for += max(now - self.held_since, timedelta())
            self.held_since = None

    async def ask(
        self,
        code: str,
        ask: Ask,
        reason: str,
        done: Callable[[], bool],
        *,
        since: datetime | None = None,
        occurrence: str = "1",
    ) -> Answer:
        """Wait for a person: a task with an owner, an overdue notice, and an end to the waiting.

        Times count from `since` (default: now) and stand still while the journey is on hold; those that only the
        calendar waits for, also while the clinic is closed.
        """
        if done():
            return Answer.DONE
        start = since or self.today()
        held_before = self.held_for
        task = self.open_task(code, ask.owner, self._until(code, start, ask.due_hours), reason, occurrence)

        def until(hours: float) -> datetime:
            return self._until(code, start, hours) + (self.held_for - held_before)

        def over() -> bool:
            return done() or self.stopping

        def over_or_held() -> bool:
            return over() or self.on_hold

        for hours, passed in ((ask.due_hours, self._overdue), (ask.give_up_hours, None)):
            while not over():
                due = Deadline(code, until(hours))
                await due.passes(unless=over_or_held)
                if self.on_hold:
                    await workflow.wait_condition(lambda: over() or not self.on_hold)
                elif due.passed and until(hours) <= due.at and not over():  # no day was closed meanwhile
                    break
            if not over() and passed is not None:
                passed(task)
        if done():
            self.close_task(task)
            return Answer.DONE
        self.cancel_task(task, "stopped" if self.stopping else "given up")
        return Answer.STOPPED if self.stopping else Answer.GAVE_UP

    def _until(self, code: str, start: datetime, hours: float) -> datetime:
        """So many hours later; of a step that pauses, so many hours in which the clinic is open."""
        if code not in PAUSES or not self.journal.closed:
            return start + timedelta(hours=hours)
        return working_due(start, hours, self.journal.closed)

    def open_task(self, code: str, owner: Role, due_at: datetime, reason: str, occurrence: str = "1") -> str:
        task_id = f"{self.part}/{code}/{occurrence}"
        self.tasks[task_id] = OpenTask(code=code, owner=owner, due_at=due_at, since=self.today())
        fact = TaskOpened(task_id=task_id, code=code, owner=owner, due_at=due_at, reason=reason)
        self.journal.note(f"task/{task_id}", fact, at=self.today())
        self.show()
        return task_id

    def adopt_task(
        self, task_id: str, code: str, owner: Role, due_at: datetime, since: datetime | None = None
    ) -> None:
        """Take over a task that a part or an earlier run has opened and recorded, `since` then."""
        self.tasks[task_id] = OpenTask(code=code, owner=owner, due_at=due_at, since=since or self.today())
        self.show()

    def close_task(self, task_id: str, actor: Actor = ENGINE) -> None:
        if self.tasks.pop(task_id, None):
            self.journal.note(f"task/{task_id}", TaskDone(task_id=task_id), actor=actor, at=self.today())
            self.show()

    def cancel_task(self, task_id: str, reason: str) -> None:
        if self.tasks.pop(task_id, None):
            self.journal.note(
                f"task/{task_id}", TaskCancelled(task_id=task_id, reason=reason), at=self.today()
            )
            self.show()

    def cancel_tasks_of(self, code: str, reason: str) -> None:
        for task_id in [task_id for task_id, task in self.tasks.items() if task.code == code]:
            self.cancel_task(task_id, reason)

    def cancel_all_tasks(self, reason: str) -> None:
        for task_id in list(self.tasks):
            self.cancel_task(task_id, reason)

    def _overdue(self, task_id: str) -> None:
        task = self.tasks[task_id]
        up = self.above(task.owner)
        self.journal.note(f"task/{task_id}", TaskOverdue(task_id=task_id, escalated_to=up))
        self.page(up, f"overdue/{task_id}")
        self.show(attention=True)

    def above(self, role: Role) -> Role:
        """Who hears of what this role owes too long? The protocol says."""
        return self.protocol.of_escalation.above(role)

    def when(self, command: Command) -> datetime:
        """When did the person act? What they say, else now, and never later than now: a device's clock may be ahead."""
        now = self.today()
        return min(command.occurred_at or now, now)

    async def accept(self, state: str, at: datetime, **detail: str) -> Accepted:
        """Answer a command, once everything it caused is in the record."""
        await self.journal.written()
        return Accepted(state=state, at=at, detail=detail)

    def show(self, *, attention: bool = False) -> None:
        """Something has changed that operations see: whom this workflow waits for, or that it needs somebody."""
        self._attention = attention
        self.describe()

    def describe(self) -> None:
        """Let operations read, in the Temporal Web UI, where this workflow stands and what would move it."""
        text = details(self.standing(), self._waits(), self.also_waits(), self.above, on_hold=self.on_hold)
        workflow.set_current_details(text)

    def also_waits(self) -> list[str]:
        """What it waits for besides its tasks, in words for operations; coded, never about the person."""
        return []

    def _waits(self) -> list[OpenTask]:
        return sorted(self.tasks.values(), key=lambda task: task.due_at)

    def before_writing(self) -> None:
        """Search attributes follow once for each write to the record: every upsert is an event in history."""
        self.describe()
        if self._ending:
            return
        updates = attributes(
            workflow.info().typed_search_attributes,
            self.standing(),
            next(iter(self._waits()), None),
            attention=self._attention,
            gone_over={PROTOCOL: self.went_over_to[:12]} if self.went_over_to else {},
            lasting=self.lasting_attributes(),
        )
        if updates:
            workflow.upsert_search_attributes(updates)

    def lasting_attributes(self) -> dict[SearchAttributeKey[Any], Any]:
        """What operations find this workflow by that does not change."""
        return {SITE: self.site}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What is done in here belongs together for operations: timers, activities, and the facts of commands."""
        group = workflow.create_event_group(name)
        self.journal.groups = (group,)
        with group.scope():
            yield

    def standing(self) -> str:
        """One word for where this workflow stands; coded, never about the person."""
        raise NotImplementedError
