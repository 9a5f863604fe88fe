"""How do people fare after the course? Measured at the protocol's weeks and compared with the baseline."""

from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from temporalio import workflow

from activities.notifications import TemplateName
from clinical.events import FollowUpMeasured, FollowUpMissed, RelapseFound
from clinical.instruments.answers import InstrumentId, InstrumentResult
from clinical.instruments.answers import Measurement as ScoredAt
from clinical.long_term import CheckResult, SafetyCheck, checks_due
from clinical.measurement_schedule import measures
from clinical.outcomes import change
from clinical.people import Actor
from clinical.relapse import relapse
from workflows.deadlines import Deadline
from workflows.long_term import (
    close_asked,
    hand_over,
    is_check,
    may_record_checks,
    note_checks,
    refuse_impossible,
    task_code,
)
from workflows.messages import (
    Accepted,
    AdmissionOrAttempt,
    FollowUpOutcome,
    RecordSafetyChecks,
    StartFollowUp,
    SubmitQuestionnaires,
)
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
        self.admissions: list[datetime] = list(start.admissions)
        self.checked: list[SafetyCheck] = []
        self.checks_asked = 0
        self.checks_late: set[str] = set()

    @workflow.run
    async def run(self, start: StartFollowUp) -> FollowUpOutcome:
        async with self.at_work():
            self._look_at_admissions("opening")
            for week, due_at in self._times():
                if self._over():
                    break
                await self._measure(week, due_at)
                if self.recheck_at is not None and not self._over():
                    await self._measure(week, self.recheck_at, again=True)
            self.cancel_all_tasks("the follow-up is over")
            return self._outcome()

    def minders(self) -> list[Coroutine[Any, Any, None]]:
        return [*super().minders(), self._mind_checks()]

    def _over(self) -> bool:
        return self.stopping or self.relapsed

    def standing(self) -> str:
        return "follow-up"

    def _times(self) -> tuple[tuple[int, datetime], ...]:
        """A later round does not ask again for weeks that an earlier one has asked for."""
        start = self.start
        doses = (*start.dosed_at, start.last_dose_at)
        due = measures(doses, None, self.protocol, start.indication, start.time_zone)
        return tuple((m.week, m.due_at) for m in due if start.round == 1 or m.due_at > start.opened_at)

    async def _measure(self, week: int, due_at: datetime, *, again: bool = False) -> None:
        """Open the week some days ahead, remind, wait for the answers, and say so when they do not come.

        A reading that looks like a relapse is taken again, inside the days that confirm or refute it.
        """
        rules = self.protocol.follow_up
        name = f"week/{week}/again" if again else f"week/{week}"
        opens = due_at if again else due_at - timedelta(hours=rules.remind_hours_before)
        self.recheck_at = None
        await Deadline(f"{name} opens", opens).passes(unless=self._over)
        if self._over():
            return
        self.week, self.came_in = week, set()
        self._ask_checks()
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
        self._look_at_admissions(f"{name}/admission")

    @workflow.signal
    def admitted(self, admission: AdmissionOrAttempt) -> None:
        """An admission or an attempt became known: after a response that is a relapse, without a second reading.

        In the middle of a week its questionnaires are waited for first.
        """
        self.admissions.append(admission.at)
        if self.week == 0:
            self._look_at_admissions(f"admission/{len(self.admissions)}")

    def _look_at_admissions(self, name: str) -> None:
        if self.admissions and not self._over():
            self._look_for_relapse(name, again=True)

    def _ask_checks(self) -> None:
        """The long-term checks that are due are asked for with the questionnaires of the week."""
        done = [*self.start.checks, *self.checked]
        asked = {task.code for task in self.tasks.values()}
        for due in checks_due(self.start.dosed_at, done, self.protocol, self.today()):
            if task_code(due.code) not in asked:
                self.checks_asked += 1
                by = self.today() + timedelta(hours=due.within_hours)
                nth = str(self.checks_asked)
                self.open_task(task_code(due.code), due.owner, by, due.reason.text, nth)

    def _keep_checks(self, checks: Sequence[SafetyCheck], actor: Actor) -> None:
        self.checked += [check for check in checks if check.result is not CheckResult.NOT_DONE]
        close_asked(self, checks, actor)

    async def _mind_checks(self) -> None:
        """A check that did not come with the week's questionnaires has a clock of its own, and is told upwards."""
        while True:
            await workflow.wait_condition(lambda: self._next_check() is not None)
            following = self._next_check()
            if following is None:  # what was asked was answered in the same breath
                continue
            due_at, task_id = following
            moved_on = partial(self._moved_on_from, following)
            if await Deadline("long-term check", due_at).passes(unless=moved_on):
                self.checks_late.add(task_id)
                self._overdue(task_id)

    def _moved_on_from(self, following: tuple[datetime, str]) -> bool:
        return self._next_check() != following

    def _next_check(self) -> tuple[datetime, str] | None:
        if self.week or self._over():
            return None
        open_checks = [
            (task.due_at, task_id)
            for task_id, task in self.tasks.items()
            if is_check(task.code) and task_id not in self.checks_late
        ]
        return min(open_checks, default=None)

    @workflow.update
    async def record_safety_checks(self, command: RecordSafetyChecks) -> Accepted:
        arose = note_checks(self, command, command.checks, self.protocol, None)
        self._keep_checks(command.checks, command.actor)
        answer = await self.accept("recorded", self.when(command))
        await hand_over(self, arose)
        return answer

    @record_safety_checks.validator
    def _may_record_safety_checks(self, command: RecordSafetyChecks) -> None:
        may_record_checks(command, self.today())
        if self._over():
            raise refusal("not-possible-now", "this round of follow-up is over")

    def may_take_checks(self, command: SubmitQuestionnaires) -> None:
        refuse_impossible(command.checks, self.today())

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
        self._look_for_relapse(name, again=again)

    def _look_for_relapse(self, name: str, *, again: bool) -> None:
        if self.relapsed:
            return
        found = relapse(
            self.history,
            self.baselines.get(InstrumentId.PHQ9),
            self.protocol,
            admissions_or_attempts=self.admissions,
        )
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
        self._keep_checks(command.checks, command.actor)

    def _outcome(self) -> FollowUpOutcome:
        now, summary, checks = workflow.now(), tuple(self.summary), tuple(self.checked)
        if self.relapsed:
            return FollowUpOutcome(
                ended="relapse",
                reason="relapse after response: a booster is proposed",
                at=now,
                summary=summary,
                checks=checks,
            )
        ended: Literal["stopped", "completed"] = "stopped" if self.stopping else "completed"
        reason = "the course is being left" if self.stopping else "follow-up complete"
        return FollowUpOutcome(ended=ended, reason=reason, at=now, summary=summary, checks=checks)
