"""What does a journey have to keep in hand while its story unfolds? Stage, parts, holds, leaving."""

import contextlib
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.workflow import ChildWorkflowHandle

from activities.notifications import NotificationActivities, StopMessages
from activities.options import WRITE
from clinical.events import JourneyPaused, StageChanged
from clinical.journey import Move, Refusal, Stage, next_stage
from clinical.outcomes import remembered
from clinical.people import ENGINE, Actor
from clinical.protocol import Ask, Protocol
from workflows import names
from workflows.deadlines import Deadline
from workflows.messages import (
    Accepted,
    Command,
    Hold,
    JourneyInput,
    JourneyState,
    Leave,
    Message,
    Stop,
)
from workflows.part import Part
from workflows.refusals import refusal

ANSWERS_KEPT = 50
"""Answers carried over into a new run, so that a command sent twice around it still acts once."""

SCORES_KEPT = 60
"""And so many scores, with the best before them: a form each week for a year, and no rule looks back further."""


def carried(state: JourneyState) -> JourneyState:
    """What a new run needs of this one. A dose and an adverse event stay, which are small; words and forms do not pile
    up."""
    return state.model_copy(
        update={
            "answers": dict(list(state.answers.items())[-ANSWERS_KEPT:]),
            "primary": remembered(state.primary, SCORES_KEPT),
        }
    )


class Course(Part):
    """The state of one course and the acts on it that belong to no single phase."""

    def __init__(self, given: JourneyInput) -> None:
        super().__init__(given.journey_id, given.start.site, given.start.patient_id, "journey")
        self.journal.closed = given.start.closed
        self.start = given.start
        self.protocol = given.start.protocol
        self.state = given.state.model_copy(deep=True) if given.state else JourneyState()
        self.held_since = self.state.held_since
        self.held_for = self.state.held_for
        self.entered = given.state is not None
        self.mute = self.state.leaving is not None
        self.refused = ""
        self.closed = False
        self._hashed: tuple[Protocol, str] | None = None
        self._running: dict[str, ChildWorkflowHandle[Any, Any]] = {}
        self._groups: dict[str, workflow.EventGroup] = {}

    @property
    def stopping(self) -> bool:
        return self.state.leaving is not None

    def standing(self) -> str:
        return self.state.stage

    def also_waits(self) -> list[str]:
        return [f"waits for its part **{self._tail(part_id)}**" for part_id in self._running]

    def lasting_attributes(self) -> dict[SearchAttributeKey[Any], Any]:
        return {**super().lasting_attributes(), names.PROTOCOL: self._short_hash()}

    def minders(self) -> list[Coroutine[Any, Any, None]]:
        return [*super().minders(), self._mind_pauses()]

    def state_to_carry(self) -> JourneyState:
        return carried(
            self.state.model_copy(update={"held_since": self.held_since, "held_for": self.held_for})
        )

    def today(self) -> datetime:
        """The clinical now: never before what a part has reported, whatever this workflow's own clock says."""
        return max(workflow.now(), self.state.reported_at or workflow.now())

    def move(self, move: Move, reason: str, *, actor: Actor = ENGINE, origin: str = "") -> None:
        """Go where the state machine says. A refusal here is a fault of the story, and stops it visibly."""
        left = self.state.stage
        entered = next_stage(left, move, on_hold=False)
        if isinstance(entered, Refusal):
            raise AssertionError(entered.text)
        self.state.stage = entered
        self.state.reason = reason
        count = f"{self.state.screening_rounds}.{self.state.plan_versions}.{self.state.follow_up_rounds}"
        self.journal.note(
            origin or f"move/{count}/{left}",
            StageChanged(left=left, entered=entered, move=move, reason=reason),
            actor=actor,
            at=self.today(),
        )
        self.show()

    def give_up(self, reason: str) -> None:
        """Nobody did what the course waited for, long past the deadline: it ends, and says so."""
        self.move(Move.END, reason)

    def require_stage(self, *stages: Stage) -> None:
        """Refuse a command that this stage does not take."""
        if self.stopping or self.state.stage not in stages:
            raise refusal(
                "not-possible-now",
                f"the course is in {self.state.stage}; this needs: {', '.join(stages)}",
            )
        if self.on_hold:
            raise refusal("on-hold", "the course is on hold; resume it first")

    def answered(self, command: Command) -> Accepted | None:
        return self.state.answers.get(command.key)

    async def reply(self, command: Command, state: str, **detail: str) -> Accepted:
        answer = await self.accept(state, self.when(command), **detail)
        self.state.answers[command.key] = answer
        return answer

    async def start_part(
        self,
        run: Callable[..., Coroutine[Any, Any, Any]],
        start: Any,
        part_id: str,
        summary: str,
        attributes: TypedSearchAttributes,
    ) -> ChildWorkflowHandle[Any, Any]:
        group = self._group_of(part_id)
        handle = await workflow.start_child_workflow(
            run, start, id=part_id, static_summary=summary, search_attributes=attributes, event_groups=group
        )
        self._running[part_id] = handle
        self.describe()
        if self.on_hold and self.held_since is not None:
            await handle.signal("hold", Hold(on_hold=True, at=self.held_since), event_groups=group)
        if self.state.leaving is not None:  # who left while the part was being started could not tell it
            await handle.signal("stop", self._stop(self.state.leaving), event_groups=group)
        return handle

    def _group_of(self, part_id: str) -> list[workflow.EventGroup]:
        """What happens between the journey and one of its parts, "session/2", stands together for operations."""
        if part_id not in self._groups:
            self._groups[part_id] = workflow.create_event_group(self._tail(part_id))
        return [self._groups[part_id]]

    def _tail(self, part_id: str) -> str:
        return part_id.removeprefix(f"{self.journey_id}/")

    async def part_of_journey(
        self,
        run: Callable[..., Coroutine[Any, Any, Any]],
        start: Any,
        part_id: str,
        summary: str,
        attributes: TypedSearchAttributes,
    ) -> Any:
        """Start a part and wait for its outcome; whoever leaves the journey asks it to stop."""
        handle = await self.start_part(run, start, part_id, summary, attributes)
        try:
            outcome = await handle
        finally:
            self._running.pop(part_id, None)
        self.reported(outcome.at)
        self.describe()
        return outcome

    def attributes(
        self, standing: str, ask: Ask | None = None, since: datetime | None = None
    ) -> TypedSearchAttributes:
        """What operations find a part by from its first moment: where, by which protocol, whom it waits for."""
        pairs: list[SearchAttributePair[Any]] = [
            SearchAttributePair(names.SITE, self.site),
            SearchAttributePair(names.PROTOCOL, self._short_hash()),
            SearchAttributePair(names.STAGE, standing),
        ]
        if ask is not None:
            now = workflow.now()
            due_at = (since or now) + timedelta(hours=ask.due_hours)
            pairs += [
                SearchAttributePair(names.WAITS_FOR, ask.owner.value),
                SearchAttributePair(names.WAITS_SINCE, now.replace(microsecond=0)),
                SearchAttributePair(names.DUE_AT, due_at.replace(microsecond=0)),
            ]
        return TypedSearchAttributes(pairs)

    def _short_hash(self) -> str:
        """Reckoned once for each protocol, and not with each write: all of the document is spelled out for it."""
        if self._hashed is None or self._hashed[0] is not self.protocol:
            self._hashed = self.protocol, self.protocol.content_hash[:12]
        return self._hashed[1]

    async def tell_parts(self, signal: str, message: Stop | Hold) -> None:
        for part_id in list(self._running):
            await self.tell_part(part_id, signal, message)

    async def tell_part(self, part_id: str, signal: str, message: Message) -> None:
        """Tell one part something, if it is still there."""
        handle = self._running.get(part_id)
        if handle is not None and not handle.done():
            with contextlib.suppress(ApplicationError):  # it came to its end just now
                await handle.signal(signal, message, event_groups=self._group_of(part_id))

    def reported(self, at: datetime | None) -> None:
        """A part says when something happened: the course is at least that far."""
        if at is not None and (self.state.reported_at is None or at > self.state.reported_at):
            self.state.reported_at = at

    async def _leave(self) -> None:
        """End the course: the parts have come to their end, a person in the chair has gone home."""
        leaving = self.state.leaving
        assert leaving is not None
        self.cancel_all_tasks("the course is over")
        self.move(leaving.move, leaving.reason, actor=leaving.actor, origin=leaving.key)

    async def begin_to_leave(self, command: Leave) -> None:
        """From here on nothing new is started, nothing is sent, and every part is asked to stop."""
        self.state.leaving = command
        self.mute = True
        await self.journal.written()  # from now on no dose can be written: its gate reads this very record
        if command.move is Move.WITHDRAW:
            await workflow.execute_local_activity_method(
                NotificationActivities.stop_messages,
                StopMessages(journey_id=self.journey_id, reason="consent-withdrawn"),
                summary="stop messages",
                **WRITE,
            )
        await self.tell_parts("stop", self._stop(command))

    @staticmethod
    def _stop(leaving: Leave) -> Stop:
        return Stop(reason=leaving.move, withdrawn=leaving.move is Move.WITHDRAW)

    async def begin_hold(self, origin: str, reason: str, actor: Actor, at: datetime) -> None:
        """Put the course on hold: waits stand still and no dose is given, but nobody in the chair is left alone."""
        now = workflow.now()
        self.held_since = now
        self.state.pauses += 1
        review_at = now + timedelta(hours=self.protocol.pause.review.due_hours)
        self.journal.note(origin, JourneyPaused(reason=reason, review_at=review_at), actor=actor, at=at)
        await self.journal.written()
        await self.tell_parts("hold", Hold(on_hold=True, at=now))

    async def _mind_pauses(self) -> None:
        """A pause has an end: somebody reviews it, or the course is closed."""
        while True:
            await workflow.wait_condition(lambda: self.held_since is not None)
            since = self.held_since
            if since is None:  # paused and resumed in the same breath
                continue
            await self._review_pause(since)

    async def _review_pause(self, since: datetime) -> None:
        review = self.protocol.pause.review

        def over() -> bool:
            return self.held_since is None or self.stopping

        due = since + timedelta(hours=review.due_hours)
        number = str(self.state.pauses)
        task = self.open_task("review-pause", review.owner, due, "the course is on hold", number)
        if await Deadline("review-pause", due).passes(unless=over):
            self._overdue(task)
        end = since + timedelta(hours=review.give_up_hours)
        if await Deadline("end of pause", end).passes(unless=over):
            reason = "the course stayed on hold too long"
            await self.begin_to_leave(
                Leave(key=f"pause-{number}", actor=ENGINE, move=Move.END, reason=reason)
            )
        self.close_task(task)
        await workflow.wait_condition(lambda: self.held_since is None)
