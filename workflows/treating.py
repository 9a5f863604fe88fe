"""How does a course of doses go on? Session after session, and a person's decision where the protocol asks for one."""

import asyncio
from datetime import datetime

from temporalio import workflow

from clinical.decision import Verdict
from clinical.events import DecisionAsked
from clinical.follow_up import (
    DecisionNeeded,
    decision_after,
    decision_after_missed,
    decision_due,
    overlapping_scores,
)
from clinical.instruments.answers import Measurement as ScoredAt
from clinical.journey import Move, Stage
from clinical.outcomes import best_improvement_percent
from clinical.plan import phase_of
from clinical.schedule import earliest_next, more_doses_allowed
from workflows import names
from workflows.messages import (
    DecideCourse,
    SessionDischargedSignal,
    SessionOutcome,
    StartSession,
)
from workflows.part import Answer
from workflows.safety_checks import SafetyChecks
from workflows.treatment_session import TreatmentSession


class Treating(SafetyChecks):
    """The phase in which doses are given. A session's after-care may run on while the next one is booked."""

    @workflow.signal
    def session_discharged(self, discharged: SessionDischargedSignal) -> None:
        """A person went home after a dose: it counts from now on, and the next session may be opened."""
        if any(dose.session == discharged.session for dose in self.state.doses):
            return
        self.state.doses.append(discharged.dose)
        self.state.rounds_without_dose = 0
        self.keep_checks(discharged.checks)
        self.take_over(discharged.duties)
        self.reported(discharged.at)
        self.state.missed_in_a_row = 0
        self.state.last_weight_kg = discharged.weight_kg
        if discharged.primary is not None:
            self.state.primary.append(ScoredAt(at=discharged.at, result=discharged.primary))

    async def _treat(self) -> None:
        visits: set[asyncio.Task[None]] = set()
        while not self.stopping and self.state.stage is Stage.TREATING:
            if self._decision_wanted():
                await self._decide(visits)
            elif self._course_complete():
                await self._all_home(visits)
                if not self.stopping:
                    self.move(Move.COMPLETE_COURSE, "all approved doses were given")
            elif move := self._must_step_back():
                await self._all_home(visits)
                if not self.stopping:
                    self.move(*move)
            elif self.on_hold:
                await workflow.wait_condition(lambda: not self.on_hold or self.stopping)
            else:
                await self._one_visit(visits)
        await self._all_home(visits)

    async def _one_visit(self, visits: set[asyncio.Task[None]]) -> None:
        """Open a session; return when the person has gone home or the visit came to nothing."""
        self.state.visits += 1
        number, doses_before = self.state.visits, len(self.state.doses)
        visit = asyncio.create_task(self._see_through(self._session(number, self._given_under_plan() + 1)))
        visits.add(visit)
        visit.add_done_callback(visits.discard)
        await workflow.wait_condition(lambda: visit.done() or len(self.state.doses) > doses_before)
        if visit.done():
            visit.result()

    async def _see_through(self, start: StartSession) -> None:
        part_id = names.session_id(self.journey_id, start.session)
        outcome: SessionOutcome = await self.part_of_journey(
            TreatmentSession.run,
            start,
            part_id,
            f"session {start.session}, dose {start.dose_number}",
            self.attributes("to-book", self.protocol.schedule.book, start.earliest_at),
        )
        if outcome.dose is not None:
            self.session_discharged(
                SessionDischargedSignal(
                    session=outcome.session,
                    at=outcome.at,
                    dose=outcome.dose,
                    primary=None,
                    weight_kg=self.state.last_weight_kg,
                    duties=outcome.duties,
                )
            )
        self.keep_checks(outcome.checks)
        self.take_over(outcome.duties)
        self.forward_mail(outcome.unsent)
        if outcome.status == "finished":
            self.state.sessions_completed += 1
        else:
            self.state.missed_in_a_row += 1

    def _session(self, number: int, dose_number: int) -> StartSession:
        state = self.state
        assert state.plan is not None and state.screening is not None and state.screening.baseline is not None
        now = self.today()
        earliest = self._earliest() if state.doses else now
        return StartSession(
            journey_id=self.journey_id,
            site=self.site,
            patient_id=self.start.patient_id,
            session=number,
            dose_number=dose_number,
            protocol=self.protocol,
            indication=self.start.indication,
            plan=state.plan,
            baseline=state.screening.baseline,
            earliest_at=max(earliest, now),
            opened_at=now,
            time_zone=self.start.time_zone,
            past_doses=tuple(state.doses),
            previous_weight_kg=state.last_weight_kg,
            on_hold=self.on_hold,
            checks=self.checks_to_ask(),
            closed=self.journal.closed,
        )

    def _earliest(self) -> datetime:
        assert self.state.plan is not None
        phase = phase_of(self.state.plan.content.phase, self.protocol)
        return earliest_next(self.state.doses, self.protocol, self.start.time_zone, phase)

    @staticmethod
    async def _all_home(visits: set[asyncio.Task[None]]) -> None:
        if visits:
            await asyncio.gather(*visits)

    def _given_under_plan(self) -> int:
        return len(self.state.doses) - self.state.doses_before_plan

    def _course_complete(self) -> bool:
        assert self.state.plan is not None
        return not more_doses_allowed(self._given_under_plan(), self.state.plan.content.sessions).passes

    def _decision_wanted(self) -> bool:
        too_many_missed = self.state.missed_in_a_row > self.protocol.readiness.reschedules_max
        return too_many_missed or self._review_due()

    def _review_due(self) -> bool:
        given = len(self.state.doses)
        return decision_due(given, self.protocol) and given not in self.state.decided_after

    def _best_improvement_percent(self) -> float | None:
        """The best fall of the indication's own scale since baseline; None when it cannot be computed."""
        screening = self.state.screening
        results = screening.baseline.results if screening and screening.baseline else {}
        instrument = self.protocol.baseline_instruments[self.start.indication][0]
        return best_improvement_percent(self.state.primary, results.get(instrument))

    async def _decide(self, visits: set[asyncio.Task[None]]) -> None:
        """Never go on by itself, never stop by itself: a prescriber decides, with a reason."""
        given = len(self.state.doses)
        if self._review_due():
            needed = decision_after(given, self._best_improvement_percent(), self.protocol)
            close = overlapping_scores([score.at for score in self.state.primary], self.protocol)
            needed = needed.model_copy(update={"reasons": (*needed.reasons, *close)})
        else:
            needed = decision_after_missed(self.state.missed_in_a_row, self.protocol)
        origin = f"decision/{given}/{self.state.visits}"
        self.state.decision, self.state.decision_needed = None, needed
        self.journal.note(
            origin,
            DecisionAsked(after_dose=given, default=needed.default, reasons=needed.reasons),
            at=self.today(),
        )
        answer = await self.ask(
            "decide-course",
            self.protocol.decisions.ask,
            "; ".join([f"whether to go on after dose {given} has to be decided", *self._cautions(needed)]),
            done=lambda: self.state.decision is not None,
            occurrence=f"{given}.{self.state.visits}",
        )
        if answer is Answer.STOPPED:
            return
        decision = self._take_decision(given)
        if decision is not None and decision.choice == "go-on":
            return
        await self._all_home(visits)
        if self.stopping:
            return
        if decision is None:
            self.move(
                Move.STOP_COURSE, "nobody decided whether to go on; no dose is given without a decision"
            )
        elif decision.choice == "change":
            self.move(Move.AMEND_PLAN, decision.reason, actor=decision.actor)
        else:
            self.move(Move.STOP_COURSE, decision.reason, actor=decision.actor)

    @staticmethod
    def _cautions(needed: DecisionNeeded) -> list[str]:
        """What whoever decides should know first."""
        return [reason.text for reason in needed.reasons if reason.verdict is Verdict.CAUTION]

    def _take_decision(self, given: int) -> DecideCourse | None:
        decision, self.state.decision = self.state.decision, None
        self.state.decision_needed = None
        if self._review_due():  # a decision about missed visits says nothing about the benefit
            self.state.decided_after.append(given)
        self.state.missed_in_a_row = 0
        return decision

    def _must_step_back(self) -> tuple[Move, str] | None:
        """Has what the doses rest on run out? Then it is renewed before the next session is opened."""
        screening, plan = self.state.screening, self.state.plan
        now = self.today()
        if screening is None or screening.expires_at is None or screening.expires_at <= now:
            return Move.SCREEN_AGAIN, "the screening has expired"
        if plan is None or plan.expires_at <= now:
            return Move.AMEND_PLAN, "the plan has expired"
        if self.state.plan_outdated:
            return Move.AMEND_PLAN, "the plan does not stand under the protocol of now"
        return None
