"""How do people fare after the course? Measured at the protocol's weeks and compared with the baseline."""

from datetime import datetime, timedelta

from temporalio import workflow

from activities.notifications import TemplateName
from clinical.events import FollowUpMeasured, FollowUpMissed, RelapseFound
from clinical.follow_up import MeasurementTime, measurement_times
from clinical.instruments.answers import InstrumentId, InstrumentResult
from clinical.instruments.answers import Measurement as ScoredAt
from clinical.outcomes import change
from clinical.relapse import relapse
from workflows.deadlines import Deadline
from workflows.messages import FollowUpOutcome, StartFollowUp, SubmitQuestionnaires
from workflows.part import Answer
from workflows.questionnaires import Questioned
from workflows.refusals import refusal


@workflow.defn(name="FollowUp")
class FollowUp(Questioned):
    @workflow.init
    def __init__(self, start: StartFollowUp) -> None:
        super().__init__(start.journey_id, start.site, start.patient_id, f"follow-up/{start.round}")
        self.start = start
        self.protocol = start.protocol
        self.sex = start.baseline.sex if start.baseline else None
        self.baselines: dict[str, InstrumentResult] = start.baseline.results if start.baseline else {}
        self.results: dict[str, InstrumentResult] = dict(self.baselines)
        self.history: list[ScoredAt] = list(start.scored_before)
        self.week = 0
        self.came_in: set[str] = set()
        self.summary: list[str] = []
        self.relapsed = False
        self.recheck_at: datetime | None = None

    @workflow.run
    async def run(self, start: StartFollowUp) -> FollowUpOutcome:
        async with self.at_work():
            for week, due_at in self._times():
                await self._measure(week, due_at)
                if self.recheck_at is not None:
                    await self._measure(week, self.recheck_at, again=True)
                if self.stopping or self.relapsed:
                    break
            return self._outcome()

    def standing(self) -> str:
        return "follow-up"

    def _times(self) -> tuple[MeasurementTime, ...]:
        """A later round does not ask again for weeks that an earlier one has asked for."""
        times = measurement_times(self.start.last_dose_at, self.protocol, self.start.time_zone)
        return tuple(t for t in times if self.start.round == 1 or t.due_at > self.start.opened_at)

    async def _measure(self, week: int, due_at: datetime, *, again: bool = False) -> None:
        """Open the week some days ahead, remind, wait for the answers, and say so when they do not come.

        A reading that looks like a relapse is taken again, inside the days that confirm or refute it.
        """
        rules = self.protocol.follow_up
        name = f"week/{week}/again" if again else f"week/{week}"
        opens = due_at if again else due_at - timedelta(hours=rules.remind_hours_before)
        self.recheck_at = None
        await Deadline(f"{name} opens", opens).passes(unless=lambda: self.stopping)
        if self.stopping:
            return
        self.week, self.came_in = week, set()
        closes = due_at + timedelta(hours=rules.window_hours)
        self.tell_patient(TemplateName.FOLLOW_UP_DUE, name, closes, due_at=due_at.isoformat())
        answered = await self.ask(
            f"follow-up-week-{week}",
            rules.measure,
            f"the questionnaires of week {week} have to come in" + (" again" if again else ""),
            done=lambda: self.came_in >= {*rules.instruments, self._primary()},
            since=due_at,
            occurrence="again" if again else "1",
        )
        if answered is Answer.GAVE_UP:
            self.journal.note(name, FollowUpMissed(week=week, due_at=due_at))
            self.summary.append(f"week {week}: no answers")
        elif answered is Answer.DONE:
            self._compare(week, name, again)
        self.week = 0

    def _compare(self, week: int, name: str, again: bool) -> None:
        instrument = self._primary()
        result = self.results[instrument]
        moved = change(self.baselines.get(instrument), result, self.protocol.outcomes)
        self.journal.note(
            name,
            FollowUpMeasured(
                week=week,
                points_changed=moved.points,
                percent_changed=moved.percent,
                response=moved.response,
                remission=moved.remission,
            ),
        )
        self.summary.append(f"week {week}: {self._words(instrument, result, moved.percent)}")
        found = relapse(self.history, self.baselines.get(InstrumentId.PHQ9), self.protocol)
        if found.relapsed:
            self.relapsed = True
            self.journal.note(name, RelapseFound(reasons=found.decision.reasons))
        elif found.recheck_between is not None and not again:
            self.recheck_at, _ = found.recheck_between

    def _primary(self) -> str:
        """The scale of the condition that is treated."""
        return self.protocol.baseline_instruments[self.start.indication][0]

    @staticmethod
    def _words(instrument: str, result: InstrumentResult, percent: float | None) -> str:
        score = "incomplete" if result.score is None else f"{result.score:g}"
        moved = "" if percent is None else f" ({percent:.0f} % below baseline)"
        return f"{instrument} {score}{moved}"

    def may_take_questionnaires(self) -> None:
        if self.week == 0 or self.stopping:
            raise refusal("not-possible-now", "no measurement is open now")

    def after_questionnaires(self, command: SubmitQuestionnaires) -> None:
        at = self.when(command)
        for answers in command.questionnaires:
            result = self.results[answers.instrument]
            if result.complete:
                self.came_in.add(answers.instrument)
            self.history.append(ScoredAt(at=at, result=result))

    def _outcome(self) -> FollowUpOutcome:
        now, summary = workflow.now(), tuple(self.summary)
        if self.relapsed:
            return FollowUpOutcome(
                ended="relapse",
                reason="relapse after response: a booster is proposed",
                at=now,
                summary=summary,
            )
        if self.stopping:
            return FollowUpOutcome(
                ended="stopped", reason="the course is being left", at=now, summary=summary
            )
        return FollowUpOutcome(ended="completed", reason="follow-up complete", at=now, summary=summary)
