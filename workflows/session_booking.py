"""When is a visit? Booked inside the rules, moved, called off; nothing of it leaves while the course is on hold."""

from datetime import datetime, timedelta

from temporalio import workflow

from activities.notifications import TemplateName
from clinical.events import MoveAsked, SessionBooked
from clinical.people import Role
from clinical.plan import phase_of
from clinical.schedule import interval_allowed
from workflows.messages import Accepted, AskToMove, BookSession, CancelSession, Hold
from workflows.part import Answer
from workflows.refusals import refusal
from workflows.visit import Session


class Booking(Session):
    async def book(self) -> None:
        booked = await self.ask(
            "book-session",
            self.protocol.schedule.book,
            f"session {self.number} has to be booked, not before {self.start.earliest_at:%Y-%m-%d %H:%M} UTC",
            done=lambda: self.visit.booking is not None or bool(self.visit.ending),
            since=max(self.start.earliest_at, workflow.now()),
            occurrence=f"{self.visit.lapsed + 1}",
        )
        if booked is Answer.GAVE_UP:
            self.call_off("cancelled", "nobody booked this session in time")

    @workflow.signal
    def hold(self, hold: Hold) -> None:
        """A reminder that still waits for the morning does not leave while the course is on hold."""
        if hold.on_hold:
            self.take_back(f"reminder/{self.visit.turn}")
        elif self.on_hold:
            self.resumed_at = workflow.now()
        super().hold(hold)

    def call_off(self, status: str, reason: str) -> None:
        if not self.visit.ending:
            self.visit.ending, self.visit.ending_reason = status, reason

    @workflow.update
    async def book_session(self, command: BookSession) -> Accepted:
        before = self.visit.booking
        self.visit.booking = command
        self._take_back_messages()
        self._close_move_asked(command)
        self.visit.moves += before is not None
        self.journal.note(
            command.key,
            SessionBooked(
                session=self.number,
                starts_at=command.starts_at,
                ends_at=command.ends_at,
                room=command.room,
                moved_from=before.starts_at if before else None,
            ),
            actor=command.actor,
            at=self.when(command),
        )
        template = TemplateName.SESSION_MOVED if before else TemplateName.SESSION_BOOKED
        name = f"booked/{self.visit.turn}"
        self.tell_patient(template, name, command.starts_at, starts_at=command.starts_at.isoformat())
        return await self.accept("booked", self.when(command), starts_at=command.starts_at.isoformat())

    def _take_back_messages(self) -> None:
        """What waits for the morning and speaks of this booking is no longer true."""
        for name in ("booked", "reminder"):
            self.take_back(f"{name}/{self.visit.turn}")

    @book_session.validator
    def _may_book_session(self, command: BookSession) -> None:
        self.require_before_dose()
        if self.on_hold:
            raise refusal("on-hold", "the course is on hold")
        if self.visit.checked_in is not None:
            raise refusal("not-possible-now", "the patient is here already")
        if command.ends_at <= command.starts_at:
            raise refusal("invalid-time", "the end must come after the start")
        if command.starts_at <= workflow.now():
            raise refusal("invalid-time", "the start lies in the past")
        if self.visit.booking is not None and self.visit.moves >= self.protocol.readiness.reschedules_max:
            raise refusal("not-possible-now", "this session was moved too often; cancel it")
        allowed = interval_allowed(
            command.starts_at,
            self.start.past_doses,
            self.protocol,
            self.start.time_zone,
            phase_of(self.start.plan.content.phase, self.protocol),
        )
        refused = [r for r in allowed.reasons if r.verdict == "refuse"]
        if refused:
            raise refusal("invalid-time", "the interval between doses does not allow this", reasons=refused)

    @workflow.update
    async def ask_to_move(self, command: AskToMove) -> Accepted:
        """The visit stays booked until another time is found; asking again while it is open changes nothing."""
        fact = MoveAsked(session=self.number)
        self.journal.note(command.key, fact, actor=command.actor, at=self.when(command))
        if all(task.code != "move-session" for task in self.tasks.values()):
            self.visit.moves_asked += 1
            # Early enough to find another time: at the latest when half of what is left has passed.
            now = self.today()
            by = now + timedelta(hours=self.protocol.schedule.book.due_hours)
            self.open_task(
                "move-session",
                Role.COORDINATOR,
                min(by, now + (self.starts_at - now) / 2),
                "the patient asks for another time",
                f"{self.visit.moves_asked}",
            )
        return await self.accept("asked", self.when(command))

    @ask_to_move.validator
    def _may_ask_to_move(self, command: AskToMove) -> None:
        self.require_before_dose()
        if self.visit.booking is None:
            raise refusal("not-possible-now", "the session is not booked")
        if self.visit.checked_in is not None:
            raise refusal("not-possible-now", "the patient is here already")
        if self.starts_at <= workflow.now():
            raise refusal("not-possible-now", "the visit has begun or is over")

    def _close_move_asked(self, command: BookSession) -> None:
        for task_id in [task_id for task_id, task in self.tasks.items() if task.code == "move-session"]:
            self.close_task(task_id, command.actor)

    @workflow.update
    async def cancel_session(self, command: CancelSession) -> Accepted:
        booking = self.visit.booking
        self.call_off("cancelled", command.reason)
        if booking is not None:
            self.tell_patient(
                TemplateName.SESSION_CANCELLED,
                "cancelled",
                max(booking.starts_at, workflow.now() + timedelta(days=1)),
                lasting=True,
                starts_at=booking.starts_at.isoformat(),
            )
        return await self.accept("cancelled", self.when(command))

    @cancel_session.validator
    def _may_cancel_session(self, command: CancelSession) -> None:
        self.require_before_dose()

    @property
    def starts_at(self) -> datetime:
        assert self.visit.booking is not None
        return self.visit.booking.starts_at
