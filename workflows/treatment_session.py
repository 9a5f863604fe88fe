"""How does one visit go: booked, ready, checked in, dosed, watched, home, and looked after?

The phases stand in files of their own (`session_arrival`, `session_dose`, `session_observation`,
`session_aftercare`); this is the order in which they happen.
"""

from typing import Literal, cast

from temporalio import workflow

from clinical.events import SessionClosed, SessionOpened
from workflows.messages import DutyArose, SessionOutcome, StartSession
from workflows.session_aftercare import Aftercare
from workflows.session_arrival import Arrival
from workflows.session_dose import Dosing
from workflows.session_dose_end import DoseEnd
from workflows.session_observation import Observation

Ended = Literal["finished", "cancelled", "noshow"]


@workflow.defn(name="TreatmentSession")
class TreatmentSession(Arrival, Dosing, DoseEnd, Observation, Aftercare):
    @workflow.init
    def __init__(self, start: StartSession) -> None:
        super().__init__(start)
        self.left: tuple[DutyArose, ...] = ()

    @workflow.run
    async def run(self, start: StartSession) -> SessionOutcome:
        async with self.at_work():
            with self.phase(f"Session {self.number}: booking"):
                self._open()
                await self.book()
            if self._goes_on():
                with self.phase(f"Session {self.number}: arrival"):
                    await self.get_ready()
            if self._goes_on():
                with self.phase(f"Session {self.number}: dose"):
                    await self.give_the_dose()
            if self.visit.dose is not None:  # from here on nothing stops the watching
                with self.phase(f"Session {self.number}: in the chair"):
                    await self.watch_until_home()
                with self.phase(f"Session {self.number}: after-care"):
                    await self.look_after()
            self._close()
        return self._outcome()

    def _goes_on(self) -> bool:
        return not self.stopping and not self.visit.ending

    def _open(self) -> None:
        plan_hash = self.start.plan.plan_hash
        fact = SessionOpened(session=self.number, plan_hash=plan_hash, earliest_at=self.start.earliest_at)
        self.journal.note("open", fact)
        self.ask_checks()
        self.show()

    def _close(self) -> None:
        self.left = self.leave_to_journey()
        self.cancel_all_tasks("the session is over")
        ended, reason = self._ended()
        self.journal.note("close", SessionClosed(session=self.number, status=ended, reason=reason))

    def _ended(self) -> tuple[Ended, str]:
        visit = self.visit
        status = "finished" if visit.dose is not None else visit.ending or "cancelled"
        stopped = self.stop_asked.reason if self.stop_asked else ""
        return cast(Ended, status), visit.ending_reason or stopped or "finished"

    def _outcome(self) -> SessionOutcome:
        """What the journey learns; a message that could not leave at night is told only now."""
        visit = self.visit
        ended, reason = self._ended()
        return SessionOutcome(
            session=self.number,
            status=ended,
            reason=reason,
            dose=visit.whole_dose,
            at=workflow.now(),
            checks=visit.checked_in.checks if visit.checked_in else (),
            duties=self.left,
            unsent=tuple(self.unsent),
        )
